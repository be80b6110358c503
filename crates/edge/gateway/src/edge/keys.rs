//! The keys with which visitors read, follow and cancel their own orders, and only those.
//!
//! A key is derived from the order's id and a secret of the gateways. So keys need not be stored, and every gateway with the
//! secret can check them. The gateway issues a key only with an id that it has made itself, never for an id that a visitor names:
//! otherwise anyone who knows an id and guesses what was ordered would get the key to it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::OrderId;
use ring::hmac::{self, HMAC_SHA256};

/// The purpose of these keys: keys of other kinds may be derived from the same secret.
const CONTEXT: &[u8] = b"food-ordering order key 1\0";
/// The shortest secret, in bytes: as much as an attacker would have to guess for AES-128.
const SHORTEST: usize = 16;

/// Derives and checks order keys.
#[derive(Clone)]
pub(crate) struct OrderKeys {
    /// The secret for new keys.
    newest: hmac::Key,
    /// Former secrets. Links that people have contain keys derived from them.
    former: Vec<hmac::Key>,
}

impl OrderKeys {
    /// The keys derived from these secrets, the newest first; `None` without a secret, or if one is too short.
    pub(crate) fn new(secrets: &[impl AsRef<[u8]>]) -> Option<Self> {
        let key =
            |secret: &[u8]| (secret.len() >= SHORTEST).then(|| hmac::Key::new(HMAC_SHA256, secret));
        let (newest, former) = secrets.split_first()?;
        Some(Self {
            newest: key(newest.as_ref())?,
            former: (former.iter())
                .map(|secret| key(secret.as_ref()))
                .collect::<Option<_>>()?,
        })
    }

    /// The key of an order.
    pub(crate) fn key_of(&self, id: &OrderId) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.newest, &message(id)))
    }

    /// Whether `given` is the key of that order. The time this takes does not reveal where they differ.
    pub(crate) fn is_key_of(&self, id: &OrderId, given: &str) -> bool {
        let message = message(id);
        URL_SAFE_NO_PAD.decode(given).is_ok_and(|given| {
            (std::iter::once(&self.newest).chain(&self.former))
                .any(|secret| hmac::verify(secret, &message, &given).is_ok())
        })
    }
}

fn message(id: &OrderId) -> Vec<u8> {
    [CONTEXT, id.as_str().as_bytes()].concat()
}

impl std::fmt::Debug for OrderKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrderKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> OrderId {
        text.parse().unwrap()
    }

    const A: &[u8] = b"0123456789abcdef";
    const B: &[u8] = b"0123456789abcdeF";

    #[test]
    fn a_key_opens_its_own_order_under_its_own_secret_and_no_other() {
        let keys = OrderKeys::new(&[A]).unwrap();
        let key = keys.key_of(&id("order-1"));
        assert_eq!(key.len(), 43);
        assert!(keys.is_key_of(&id("order-1"), &key));
        assert!(!keys.is_key_of(&id("order-2"), &key));
        assert!(
            !OrderKeys::new(&[B])
                .unwrap()
                .is_key_of(&id("order-1"), &key)
        );
        for bad in ["", "x", &key[..42], &format!("{key}A"), &key.to_lowercase()] {
            assert!(!keys.is_key_of(&id("order-1"), bad), "{bad}");
        }
    }

    #[test]
    fn links_outlive_a_change_of_the_secret_while_the_former_one_is_still_listed() {
        let key = OrderKeys::new(&[A]).unwrap().key_of(&id("order-1"));
        let both = OrderKeys::new(&[B, A]).unwrap();
        assert!(both.is_key_of(&id("order-1"), &key));
        assert_ne!(both.key_of(&id("order-1")), key);
    }

    #[test]
    fn the_key_is_the_same_as_other_gateways_derive() {
        // printf 'food-ordering order key 1\0order-1' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | basenc --base64url
        let keys = OrderKeys::new(&[A]).unwrap();
        assert_eq!(
            keys.key_of(&id("order-1")),
            "yZgOd6-iYvyAN5BZJtOlipPunb5kzr900zWw5V0d3wk"
        );
    }

    #[test]
    fn a_secret_must_be_long_enough_and_is_never_shown() {
        assert!(OrderKeys::new(&[&A[1..]]).is_none());
        assert!(OrderKeys::new(&[A, &B[1..]]).is_none());
        assert!(OrderKeys::new(&[] as &[&[u8]]).is_none());
        assert_eq!(
            format!("{:?}", OrderKeys::new(&[A]).unwrap()),
            "OrderKeys(…)"
        );
    }
}
