//! The keys of a system, each in a file of its own.
//!
//! | file | contents | readers |
//! |---|---|---|
//! | [`RESTATE_IDENTITY`] | the private key with which Restate signs its requests to the services: ED25519, PKCS#8, PEM | `restate-server` |
//! | [`RESTATE_IDENTITY_PUBLIC`] | the public key with which the services verify the signatures | the durable services |
//! | [`CALLBACK`] | the secret from which the secrets of restaurants' callbacks are derived | order services, gateway |
//! | [`ORDER_LINKS`] | the secret from which the keys in links to orders are derived | gateway |
//! | [`OPERATOR`] | the operators' token | gateway, operators |
//! | [`PSQL`] | `operator:` and the operators' password for SQL | psql gateway, operators |

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pem::{EncodeConfig, LineEnding, Pem};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use secrecy::zeroize::Zeroizing;
use tempfile::NamedTempFile;

/// Restate's private key.
pub const RESTATE_IDENTITY: &str = "restate-identity.pem";
/// Restate's public key, and others that the services accept while it is replaced, one per line.
pub const RESTATE_IDENTITY_PUBLIC: &str = "restate-identity.pub";
/// The secret for restaurants' callbacks.
pub const CALLBACK: &str = "callback.secret";
/// The secret for links to orders.
pub const ORDER_LINKS: &str = "order-links.secret";
/// The operators' token.
pub const OPERATOR: &str = "operator.token";
/// The users and passwords for SQL, one `user:password` per line.
pub const PSQL: &str = "psql.passwords";

/// The length of a secret, in bytes before encoding: the output length of HMAC-SHA256.
const LENGTH: usize = 32;

/// Why keys cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The operating system did not provide random numbers.
    #[error("the operating system did not provide random numbers")]
    Random,
    /// The private key is invalid.
    #[error("{} is not an ED25519 private key in PKCS#8 PEM: {reason}", path.display())]
    PrivateKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The public key exists, but not the private one.
    #[error(
        "{} exists, but {RESTATE_IDENTITY} does not: restore it, or delete the public key to create a new pair",
        path.display()
    )]
    PrivateKeyMissing {
        /// The file with the public key.
        path: PathBuf,
    },
    /// The keys do not belong together, so the services would refuse Restate's requests.
    #[error(
        "{} does not contain the public key for {RESTATE_IDENTITY}, so the services would refuse Restate's requests: add the line \
         {public}",
        path.display()
    )]
    Mismatch {
        /// The file with the public keys.
        path: PathBuf,
        /// The public key that is missing.
        public: String,
    },
}

/// Creates the keys that are missing in `directory`, and the directory itself. Returns the names of the created files. Never changes
/// existing files.
///
/// Only the current user can read the files (mode 0600, the directory 0700). Each file is created atomically, even if this is
/// interrupted or runs twice at the same time.
pub fn make_missing(directory: &Path) -> Result<Vec<&'static str>, Error> {
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|source| file_error(directory, source))?;
    let mut made = Vec::new();
    let private = directory.join(RESTATE_IDENTITY);
    let public = directory.join(RESTATE_IDENTITY_PUBLIC);
    if !private.exists() {
        if public.exists() {
            return Err(Error::PrivateKeyMissing { path: public });
        }
        if write_new(&private, &identity()?)? {
            made.push(RESTATE_IDENTITY);
        }
    }
    let key = public_key(&private)?;
    if write_new(&public, format!("{key}\n").as_bytes())? {
        made.push(RESTATE_IDENTITY_PUBLIC);
    }
    let accepted = fs::read_to_string(&public).map_err(|source| file_error(&public, source))?;
    if !accepted.lines().any(|line| line.trim() == key) {
        return Err(Error::Mismatch {
            path: public,
            public: key,
        });
    }
    for (name, prefix) in [
        (CALLBACK, ""),
        (ORDER_LINKS, ""),
        (OPERATOR, ""),
        (PSQL, "operator:"),
    ] {
        let path = directory.join(name);
        if !path.exists() && write_new(&path, secret(prefix)?.as_bytes())? {
            made.push(name);
        }
    }
    Ok(made)
}

/// The public key for the private key in a PEM file, in Restate's format.
fn public_key(path: &Path) -> Result<String, Error> {
    let key = read_pair(path)?;
    let key = bs58::encode(key.public_key()).into_string();
    Ok(format!("publickeyv1_{key}"))
}

/// Reads the key pair in a PEM file.
pub(crate) fn read_pair(path: &Path) -> Result<Ed25519KeyPair, Error> {
    let refused = |reason: String| Error::PrivateKey {
        path: path.to_owned(),
        reason,
    };
    let text = fs::read(path).map_err(|source| file_error(path, source))?;
    let text = Zeroizing::new(text);
    let pem = pem::parse(&*text).map_err(|error| refused(error.to_string()))?;
    let contents = Zeroizing::new(pem.into_contents());
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&contents)
        .map_err(|error| refused(error.to_string()))
}

/// Creates a private key.
fn identity() -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| Error::Random)?;
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let pem = pem::encode_config(&Pem::new("PRIVATE KEY", key.as_ref()), config);
    Ok(Zeroizing::new(pem.into_bytes()))
}

/// Creates a secret as a line of text that is valid in headers, cookies and URLs, starting with `prefix`.
fn secret(prefix: &str) -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    SystemRandom::new()
        .fill(&mut *bytes)
        .map_err(|_| Error::Random)?;
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes));
    Ok(Zeroizing::new(format!("{prefix}{}\n", *secret)))
}

/// Writes a file unless it exists. Returns whether it was written.
fn write_new(path: &Path, content: &[u8]) -> Result<bool, Error> {
    let error = |source| file_error(path, source);
    let directory = path.parent().unwrap_or(Path::new("."));
    // Created with mode 0600.
    let mut file = NamedTempFile::new_in(directory).map_err(error)?;
    file.write_all(content).map_err(error)?;
    file.as_file().sync_all().map_err(error)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(error(failed.error)),
    }
}

fn file_error(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::Secrets;

    const ALL: [&str; 6] = [
        RESTATE_IDENTITY,
        RESTATE_IDENTITY_PUBLIC,
        CALLBACK,
        ORDER_LINKS,
        OPERATOR,
        PSQL,
    ];

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn missing_keys_are_created_and_existing_ones_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path().join("some/keys");
        assert_eq!(make_missing(&keys).unwrap(), ALL);
        assert_eq!(mode(&keys), 0o700);
        let read = |name: &str| fs::read_to_string(keys.join(name)).unwrap();
        let before = ALL.map(read);
        for name in ALL {
            assert_eq!(mode(&keys.join(name)), 0o600, "{name}");
        }
        // No temporary files remain.
        assert_eq!(fs::read_dir(&keys).unwrap().count(), ALL.len());
        let [.., passwords] = &before;
        assert!(passwords.starts_with("operator:"), "{passwords}");
        for name in [CALLBACK, ORDER_LINKS, OPERATOR, PSQL] {
            let secrets = Secrets::read(&keys.join(name)).unwrap();
            assert_eq!(secrets.iter().count(), 1, "{name}");
        }

        assert_eq!(make_missing(&keys).unwrap(), [""; 0]);
        assert_eq!(ALL.map(read), before);

        fs::remove_file(keys.join(CALLBACK)).unwrap();
        fs::remove_file(keys.join(RESTATE_IDENTITY_PUBLIC)).unwrap();
        assert_eq!(
            make_missing(&keys).unwrap(),
            [RESTATE_IDENTITY_PUBLIC, CALLBACK]
        );
        let after = ALL.map(read);
        assert_eq!(after[1], before[1], "derived from the private key");
        assert_ne!(after[2], before[2]);
    }

    #[test]
    fn concurrent_calls_create_one_set_of_keys() {
        let directory = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| make_missing(directory.path()).unwrap()))
                .collect();
            makers
                .into_iter()
                .flat_map(|maker| maker.join().unwrap())
                .collect()
        });
        assert_eq!(made.len(), ALL.len(), "{made:?}");
        assert_eq!(make_missing(directory.path()).unwrap(), [""; 0]);
    }

    #[test]
    fn mismatched_keys_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        make_missing(directory.path()).unwrap();
        let public = fs::read_to_string(path(RESTATE_IDENTITY_PUBLIC)).unwrap();

        // While the key is replaced, the services accept several.
        let both = format!("# the former one\npublickeyv1_former\n{public}");
        fs::write(path(RESTATE_IDENTITY_PUBLIC), both).unwrap();
        assert_eq!(make_missing(directory.path()).unwrap(), [""; 0]);

        fs::write(path(RESTATE_IDENTITY_PUBLIC), "publickeyv1_former\n").unwrap();
        let error = make_missing(directory.path()).unwrap_err().to_string();
        assert!(error.contains(public.trim()), "{error}");

        fs::remove_file(path(RESTATE_IDENTITY)).unwrap();
        let error = make_missing(directory.path()).unwrap_err();
        assert!(matches!(error, Error::PrivateKeyMissing { .. }), "{error}");

        fs::write(path(RESTATE_IDENTITY), "-----BEGIN NOTHING-----\n").unwrap();
        let error = make_missing(directory.path()).unwrap_err();
        assert!(matches!(error, Error::PrivateKey { .. }), "{error}");
    }

    /// Uses the key pair of Restate's own tests.
    #[test]
    fn the_public_key_has_restates_format() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(RESTATE_IDENTITY);
        let key = "MC4CAQAwBQYDK2VwBCIEIPe++4ZTPQDF81otpoU/mOGHC2vOAVp9WbiCblvn3nXO";
        fs::write(
            &path,
            format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n"),
        )
        .unwrap();
        assert_eq!(
            public_key(&path).unwrap(),
            "publickeyv1_AfQwmwfgEZhrWpvv8N52SHpRtZqGGaFr4AZN6qtYWSiY"
        );
    }
}
