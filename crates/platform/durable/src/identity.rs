//! Who may call the services: the Restate that signs its requests with a known key.
//!
//! Restate signs each request, for its path and for a minute, with its private key (ED25519, in a JSON web token). What is not
//! signed by a known key is refused, calls and discovery alike. It is the SDK's own check, made by [`Server`](crate::Server)
//! instead of the SDK's endpoint, for two reasons: before anything of a stranger's body is read, and once for each token. What
//! Restate signs is handler, key of the object and second, so a driver who reports several times a second, or an order that
//! moves fast, comes with the same token again, byte by byte. To verify one takes about 50 µs, to recognise one 1 µs.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use restate_sdk_shared_core::{IdentityVerifier, VerifyError};
use ring::digest::{Context, SHA256};
use tokio::time::Instant;

use crate::clock::now_ms;

/// The header in which Restate names the signature scheme.
const SCHEME: &str = "x-restate-signature-scheme";
/// The scheme with a JSON web token.
const SIGNED: &[u8] = b"v1";
/// The token.
const TOKEN: &str = "x-restate-jwt-v1";
/// How long a token counts as verified without being verified again; at most twice that. It may be accepted for that much longer than
/// the minute for which it is valid.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);
/// How many tokens are remembered in that time, twice.
const MOST_TOKENS: usize = 4096;

/// Why the public keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read, or is empty.
    #[error(transparent)]
    File(#[from] secrets::Error),
    /// A line is not a key.
    #[error(
        "line {line} of {} is not a public key of Restate, which has the form publickeyv1_ChjENK…: {reason}",
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
    /// Others can reach the services, and no key is known.
    #[error(
        "others can reach {0}, and could do with orders what Restate can: give --restate-identity-file with the \
         public key of the Restate that may. `food-ordering keys --directory DIR` makes a pair; the private one, \
         DIR/{private}, goes into Restate's configuration as request-identity-private-key-pem-file",
        private = secrets::keys::RESTATE_IDENTITY,
    )]
    Open(SocketAddr),
}

/// Which requests are accepted: those signed with a known key of Restate; without any key, all. Clones share their memory of verified
/// tokens.
#[derive(Clone, Default)]
pub struct Identity(Option<Arc<Known>>);

struct Known {
    verifier: IdentityVerifier,
    verified: Mutex<VerifiedTokens>,
}

/// The tokens that were verified a moment ago, each as the SHA-256 of token, path and minute, so that the time of an answer does not help
/// to guess a token, and nothing is remembered across a clock that is set to another time.
struct VerifiedTokens {
    since: Instant,
    now: HashSet<[u8; 32]>,
    before: HashSet<[u8; 32]>,
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "this service accepts only requests that its Restate has signed, and this one is not signed: Restate needs the setting \
         request-identity-private-key-pem-file"
    )]
    Unsigned,
    #[error(
        "this service does not know the key that this request is signed with, or the signature is for something else: {0}"
    )]
    NotVerified(VerifyError),
}

impl Identity {
    /// Accepts requests signed with one of the keys in a file, one a line: there is more than one while the key is replaced.
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
            verified: Mutex::new(VerifiedTokens::new()),
        }))))
    }

    /// Checks whether a request for `path` with these headers is accepted.
    pub(crate) fn check(&self, headers: &HeaderMap, path: &str) -> Result<(), Refusal> {
        let Some(known) = &self.0 else { return Ok(()) };
        if headers.get(SCHEME).map(HeaderValue::as_bytes) != Some(SIGNED) {
            return Err(Refusal::Unsigned);
        }
        let token = headers.get(TOKEN).map_or(&[][..], HeaderValue::as_bytes);
        let digest = digest(path, token);
        if known.verified.lock().contains(&digest) {
            return Ok(());
        }
        known
            .verifier
            .verify_identity(headers, path)
            .map_err(Refusal::NotVerified)?;
        known.verified.lock().insert(digest);
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

impl VerifiedTokens {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            now: HashSet::new(),
            before: HashSet::new(),
        }
    }

    fn contains(&mut self, digest: &[u8; 32]) -> bool {
        let age = self.since.elapsed();
        if age >= REMEMBERED_FOR {
            self.turn();
            if age >= 2 * REMEMBERED_FOR {
                self.before.clear();
            }
        }
        self.now.contains(digest) || self.before.contains(digest)
    }

    fn insert(&mut self, digest: [u8; 32]) {
        if self.now.len() >= MOST_TOKENS {
            self.turn();
        }
        self.now.insert(digest);
    }

    /// What is remembered grows old, and what was old is forgotten.
    fn turn(&mut self) {
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.clear();
        self.since = Instant::now();
    }
}

/// Of a token, the path it is for, and this minute.
fn digest(path: &str, token: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    // No path has a byte of zero.
    let minute = now_ms().div_euclid(60_000).to_le_bytes();
    for part in [path.as_bytes(), &[0], &minute, token] {
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
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

    #[tokio::test(start_paused = true)]
    async fn a_token_is_believed_for_its_path_and_a_moment() {
        let mut verified = VerifiedTokens::new();
        let token = digest("/a", b"token");
        assert!(!verified.contains(&token));
        verified.insert(token);
        assert!(verified.contains(&token));
        for other in [
            digest("/b", b"token"),
            digest("/a", b"taken"),
            digest("/a", b""),
        ] {
            assert!(!verified.contains(&other));
        }
        tokio::time::advance(REMEMBERED_FOR).await;
        assert!(verified.contains(&token));
        tokio::time::advance(REMEMBERED_FOR).await;
        assert!(!verified.contains(&token));
        verified.insert(token);
        tokio::time::advance(2 * REMEMBERED_FOR).await;
        assert!(!verified.contains(&token));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut verified = VerifiedTokens::new();
        for n in 0..10 * MOST_TOKENS {
            verified.insert(digest("/a", &n.to_be_bytes()));
        }
        assert!(verified.now.len() <= MOST_TOKENS && verified.before.len() <= MOST_TOKENS);
    }
}
