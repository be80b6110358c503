//! Signs requests as Restate does: with a JSON web token (RFC 7519) for the path, valid for a minute.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;

use crate::keys;

/// How long a token is valid, in s.
const LIFE: u64 = 60;

/// Signs requests with a private key.
#[derive(Debug)]
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// Reads the key [`keys::RESTATE_IDENTITY`] in `directory`.
    pub fn open(directory: &Path) -> Result<Self, keys::Error> {
        keys::read_pair(&directory.join(keys::RESTATE_IDENTITY)).map(Self)
    }

    /// The headers of a request for `path` that is signed at `now`, in s since 1970.
    #[must_use]
    pub fn headers(&self, path: &str, now: u64) -> [(&'static str, String); 2] {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let header = part(r#"{"typ":"JWT","alg":"EdDSA"}"#);
        let (not_before, expires) = (now - LIFE, now + LIFE);
        let claims = part(&format!(
            r#"{{"aud":"{path}","exp":{expires},"iat":{now},"nbf":{not_before}}}"#
        ));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()));
        [
            ("x-restate-signature-scheme", "v1".to_owned()),
            ("x-restate-jwt-v1", format!("{signed}.{signature}")),
        ]
    }
}
