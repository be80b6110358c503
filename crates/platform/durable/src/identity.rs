//! The services accept requests only from a Restate server that signs them with a known key.
//!
//! Restate signs each request with its private key (ED25519, in a JSON web token), valid for the request's path and for one minute.
//! Requests without a valid signature are refused, calls and discovery alike. The check is the SDK's own, but
//! [`Server`](crate::Server) makes it instead of the SDK's endpoint. So a request is refused before its body is read, and each
//! token is verified only once. A token covers the handler, the object's key and the second, so several calls to the same object
//! in one second carry identical tokens. Verifying a token takes about 50 µs, recognising one 1 µs.

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
/// The scheme that uses a JSON web token.
const SIGNED: &[u8] = b"v1";
/// The header with the token.
const TOKEN: &str = "x-restate-jwt-v1";
/// How long a verified token is remembered, at least; at most twice as long. A token may be accepted for that much longer than it
/// is valid.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);
/// How many tokens each of the two generations may hold.
const MOST_TOKENS: usize = 4096;

/// Why the public keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read, or is empty.
    #[error(transparent)]
    File(#[from] secrets::Error),
    /// A line is not a key.
    #[error(
        "line {line} of {} is not a public key of Restate, which looks like publickeyv1_ChjENK…: {reason}",
        path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The services listen on an address that others can reach, without a key.
    #[error(
        "{0} is reachable from other machines, and anyone who can reach it could control orders as Restate does: set \
         --restate-identity-file to a file with Restate's public key. `food-ordering keys --directory DIR` creates a key pair; set \
         request-identity-private-key-pem-file in Restate's configuration to the private key, DIR/{private}",
        private = secrets::keys::RESTATE_IDENTITY,
    )]
    Open(SocketAddr),
}

/// Decides which requests are accepted: those signed with a known key of Restate, or all if no key is set. Clones share the cache of
/// verified tokens.
#[derive(Clone, Default)]
pub struct Identity(Option<Arc<Known>>);

struct Known {
    verifier: IdentityVerifier,
    verified: Mutex<VerifiedTokens>,
}

/// The tokens that were verified a moment ago. Each is stored as the SHA-256 of token, path and current minute, so that response times
/// do not help to guess a token, and no token stays valid when the clock is changed.
struct VerifiedTokens {
    since: Instant,
    current: HashSet<[u8; 32]>,
    previous: HashSet<[u8; 32]>,
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "this service accepts only requests that Restate has signed, and this one is not signed: set \
         request-identity-private-key-pem-file in Restate's configuration"
    )]
    Unsigned,
    #[error(
        "the signature of this request is invalid, expired, for another path or made with an unknown key: {0}"
    )]
    NotVerified(VerifyError),
}

impl Identity {
    /// Accepts requests signed with any of the keys in a file, which has one key per line: two while the key is replaced.
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
            current: HashSet::new(),
            previous: HashSet::new(),
        }
    }

    fn contains(&mut self, digest: &[u8; 32]) -> bool {
        let age = self.since.elapsed();
        if age >= REMEMBERED_FOR {
            self.start_generation();
            if age >= 2 * REMEMBERED_FOR {
                self.previous.clear();
            }
        }
        self.current.contains(digest) || self.previous.contains(digest)
    }

    fn insert(&mut self, digest: [u8; 32]) {
        if self.current.len() >= MOST_TOKENS {
            self.start_generation();
        }
        self.current.insert(digest);
    }

    /// Starts a new generation of tokens and drops the oldest one.
    fn start_generation(&mut self) {
        std::mem::swap(&mut self.current, &mut self.previous);
        self.current.clear();
        self.since = Instant::now();
    }
}

/// The digest of a token, its path and the current minute.
fn digest(path: &str, token: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    // The zero byte separates: no path contains one.
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
    fn a_file_has_one_key_per_line() {
        for text in [format!("{KEY}\n"), format!("# new\n{KEY}\n# old\n{KEY}\n")] {
            assert_eq!(format!("{:?}", read(&text).unwrap()), "Identity(signed)");
        }
        assert_eq!(format!("{:?}", Identity::default()), "Identity(anyone)");
    }

    #[test]
    fn an_invalid_key_is_reported_with_its_line() {
        for (text, expected) in [
            ("", "is empty"),
            ("ssh-ed25519 AAAA", "line 1 of"),
            (&format!("{KEY}\npublickeyv1_0OIl"), "line 2 of"),
            (&format!("{KEY}x\n"), "line 1 of"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_verified_token_is_remembered_for_its_path_and_a_short_time() {
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
    fn the_number_of_remembered_tokens_is_bounded() {
        let mut verified = VerifiedTokens::new();
        for n in 0..10 * MOST_TOKENS {
            verified.insert(digest("/a", &n.to_be_bytes()));
        }
        assert!(verified.current.len() <= MOST_TOKENS && verified.previous.len() <= MOST_TOKENS);
    }
}
