//! The keys by which visitors read, follow and cancel their own orders and nobody else's.
//!
//! A key follows from the order's id and a secret of the gateways, so none needs to be stored, and every gateway with the
//! secret knows it. It is given out with an id that the gateway makes, never for an id that a visitor names: whoever knows an
//! id and guesses what was ordered would otherwise be given the key to it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::OrderId;
use ring::hmac::{self, HMAC_SHA256};

/// What the keys are for: keys of other kinds may follow from the same secret.
const CONTEXT: &[u8] = b"food-ordering order key 1\0";
/// The shortest secret, in bytes: as much as an attacker would have to guess for AES-128.
const SHORTEST: usize = 16;

/// Makes and knows order keys.
#[derive(Clone)]
pub(crate) struct OrderKeys {
    /// The secret that new keys follow from.
    newest: hmac::Key,
    /// Those of before, whose keys are in links that people have.
    former: Vec<hmac::Key>,
}

impl OrderKeys {
    /// The keys that follow from these secrets, the newest first; `None` if there is none, or one is too short to be one.
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

    /// Whether this is the key of that order; in a time that tells nothing of where they differ.
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
    fn links_outlive_a_change_of_the_secret_while_the_former_one_is_named_too() {
        let key = OrderKeys::new(&[A]).unwrap().key_of(&id("order-1"));
        let both = OrderKeys::new(&[B, A]).unwrap();
        assert!(both.is_key_of(&id("order-1"), &key));
        assert_ne!(both.key_of(&id("order-1")), key);
    }

    #[test]
    fn the_key_is_what_other_gateways_reckon() {
        // printf 'food-ordering order key 1\0order-1' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | basenc --base64url
        let keys = OrderKeys::new(&[A]).unwrap();
        assert_eq!(
            keys.key_of(&id("order-1")),
            "yZgOd6-iYvyAN5BZJtOlipPunb5kzr900zWw5V0d3wk"
        );
    }

    #[test]
    fn a_short_secret_is_none_and_none_is_shown() {
        assert!(OrderKeys::new(&[&A[1..]]).is_none());
        assert!(OrderKeys::new(&[A, &B[1..]]).is_none());
        assert!(OrderKeys::new(&[] as &[&[u8]]).is_none());
        assert_eq!(
            format!("{:?}", OrderKeys::new(&[A]).unwrap()),
            "OrderKeys(…)"
        );
    }
}
