//! Who may call the services: the Restate that signs its requests with a known key.
//!
//! Restate signs each request, for its path and for a minute, with its private key (ED25519, in a JSON web token). What is not
//! signed by a known key is refused, calls and discovery alike. It is the SDK's own check, made by [`Server`](crate::Server)
//! instead of the SDK's endpoint, for two reasons: before anything of a stranger's body is read, and once for each path and
//! second instead of 50 times an order. Within a second Restate signs the same words, so the tokens are the same, byte by byte.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use restate_sdk_shared_core::{IdentityVerifier, VerifyError};
use subtle::ConstantTimeEq;

/// How Restate says what it has signed a request with.
const SCHEME: &str = "x-restate-signature-scheme";
/// The scheme with a JSON web token.
const SIGNED: &[u8] = b"v1";
/// The token.
const TOKEN: &str = "x-restate-jwt-v1";
/// How long a token is believed without being verified again. So long it may outlive the minute that it is good for.
const BELIEVED: Duration = Duration::from_secs(1);
/// For how many paths tokens are remembered; there is one for each handler.
const MOST_PATHS: usize = 256;

/// Why the public keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read, or there is nothing in it.
    #[error(transparent)]
    File(#[from] secrets::Error),
    /// A line is no key.
    #[error(
        "line {line} of {} is no public key of Restate, which is written like publickeyv1_ChjENK…: {reason}",
        path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Whose requests are taken: those of the Restate whose public key is known; without any key, everyone's. Clones share what they
/// remember.
#[derive(Clone, Default)]
pub struct Identity(Option<Arc<Known>>);

struct Known {
    verifier: IdentityVerifier,
    /// The last token for each path that was verified, and when.
    believed: Mutex<HashMap<String, (Vec<u8>, Instant)>>,
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "this service takes only requests that its Restate has signed, and this one is not: Restate needs the setting \
         request-identity-private-key-pem-file"
    )]
    Unsigned,
    #[error(
        "this service does not know the key that this request is signed with, or the signature is for something else: {0}"
    )]
    NotBelieved(VerifyError),
}

impl Identity {
    /// Takes requests signed with one of the keys in a file, one a line: there is more than one while the key is replaced.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut verifier = IdentityVerifier::default();
        for (line, key) in secrets::lines(path)? {
            verifier = verifier.with_key(&key).map_err(|error| Error::Key {
                path: path.to_owned(),
                line,
                reason: error.to_string(),
            })?;
        }
        Ok(Self(Some(Arc::new(Known {
            verifier,
            believed: Mutex::default(),
        }))))
    }

    /// Whether a request for `path` with these headers is to be taken.
    pub(crate) fn check(&self, headers: &HeaderMap, path: &str) -> Result<(), Refusal> {
        let Some(known) = &self.0 else { return Ok(()) };
        if headers.get(SCHEME).map(HeaderValue::as_bytes) != Some(SIGNED) {
            return Err(Refusal::Unsigned);
        }
        let token = headers.get(TOKEN).map_or(&[][..], HeaderValue::as_bytes);
        if known.believes(path, token) {
            return Ok(());
        }
        known
            .verifier
            .verify_identity(headers, path)
            .map_err(Refusal::NotBelieved)?;
        known.remember(path, token);
        Ok(())
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "Identity(signed)",
            None => "Identity(anyone)",
        })
    }
}

impl Known {
    /// Whether this very token was verified for this path a moment ago.
    fn believes(&self, path: &str, token: &[u8]) -> bool {
        let believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        believed.get(path).is_some_and(|(last, at)| {
            // In a time that does not tell how much of a token was guessed.
            at.elapsed() < BELIEVED && bool::from(last.as_slice().ct_eq(token))
        })
    }

    fn remember(&self, path: &str, token: &[u8]) {
        let mut believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        if believed.len() >= MOST_PATHS {
            believed.clear();
        }
        believed.insert(path.to_owned(), (token.to_vec(), Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "publickeyv1_ChjENKeMvCtRnqG2mrBK1HmPKufgFUc98K8B3ononQvp";

    fn read(text: &str) -> Result<Identity, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("restate-identity.pub");
        std::fs::write(&path, text).unwrap();
        Identity::read(&path)
    }

    #[test]
    fn a_file_of_keys_has_one_a_line() {
        for text in [format!("{KEY}\n"), format!("# new\n{KEY}\n# old\n{KEY}\n")] {
            assert_eq!(format!("{:?}", read(&text).unwrap()), "Identity(signed)");
        }
        assert_eq!(format!("{:?}", Identity::default()), "Identity(anyone)");
    }

    #[test]
    fn what_is_no_key_is_told_with_its_line() {
        for (text, told) in [
            ("", "is empty"),
            ("ssh-ed25519 AAAA", "line 1 of"),
            (&format!("{KEY}\npublickeyv1_0OIl"), "line 2 of"),
            (&format!("{KEY}x\n"), "line 1 of"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn a_token_is_believed_for_its_path_and_what_is_remembered_is_bounded() {
        let known = Known {
            verifier: IdentityVerifier::default(),
            believed: Mutex::default(),
        };
        known.remember("/a", b"token");
        assert!(known.believes("/a", b"token"));
        assert!(!known.believes("/a", b"taken"));
        assert!(!known.believes("/a", b""));
        assert!(!known.believes("/b", b"token"));
        known.remember("/a", b"another");
        assert!(!known.believes("/a", b"token"));
        for n in 0..10 * MOST_PATHS {
            known.remember(&n.to_string(), b"token");
        }
        assert!(known.believed.lock().unwrap().len() <= MOST_PATHS);
    }
}
