//! Restaurants' callbacks: their URLs, and the secrets that authenticate them.
//!
//! With the request to prepare an order, a restaurant receives a URL of the gateway and a secret for this one order. Both are
//! derived from the order's id and the awakeable that waits for the callback. The derivation of the secret also uses a secret that
//! only the order services and the gateway know. So nothing needs to be stored, and a restaurant can report an order as ready only
//! if it was asked to prepare it.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::webhook::{self, Refusal, Signed};
use crate::{Error, Secrets};

/// The gateway's route for callbacks.
pub const ROUTE: &str = "/api/callbacks/restaurant/{orderId}/{callbackId}";

/// The prefix of the derivation input, so that secrets derived for other purposes differ.
const PURPOSE: &str = "restaurant callback";

/// The file with the secret for restaurants' callbacks.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct SecretFile {
    /// The secret for restaurants' callbacks (callback.secret); the order services and the gateway need the same one
    #[arg(
        id = "callback-secret-file",
        long,
        env = "FOOD_ORDERING_CALLBACK_SECRET_FILE",
        value_name = "FILE"
    )]
    pub path: Option<PathBuf>,
}

impl SecretFile {
    /// Reads the secret.
    pub fn callbacks(&self) -> Result<Callbacks, Error> {
        let path = self.path.as_ref().ok_or(Error::NoCallbackSecret)?;
        Ok(Callbacks::new(&Secrets::read(path)?))
    }
}

/// Derives and verifies the secret of each callback. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Callbacks {
    /// The key for new secrets, and then those that are still accepted.
    keys: Vec<hmac::Key>,
}

impl Callbacks {
    /// The callbacks whose secrets are derived from `secrets`.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        let key = |secret: &SecretString| {
            hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())
        };
        Self {
            keys: secrets.iter().map(key).collect(),
        }
    }

    /// The secret with which the callback `callback_id` for `order_id` must be signed, in the format of Standard Webhooks:
    /// `whsec_` and 32 bytes in Base64.
    ///
    /// It depends only on the arguments and on the first secret.
    #[must_use]
    pub fn secret(&self, order_id: &str, callback_id: &str) -> SecretString {
        let tag = self
            .keys
            .first()
            .map(|key| derived(key, order_id, callback_id));
        let key = tag.as_ref().map_or(&[][..], |tag| tag.as_ref());
        format!("{}{}", webhook::SECRET_PREFIX, STANDARD.encode(key)).into()
    }

    /// Verifies that a message is signed with the secret of this callback, at about `now` (in s since 1970).
    pub fn verify(
        &self,
        order_id: &str,
        callback_id: &str,
        message: &Signed<'_>,
        now: i64,
    ) -> Result<(), Refusal> {
        for key in &self.keys {
            let secret = derived(key, order_id, callback_id);
            match message.verify(secret.as_ref(), now) {
                Err(Refusal::Forged) => {}
                verdict => return verdict,
            }
        }
        Err(Refusal::Forged)
    }
}

fn derived(key: &hmac::Key, order_id: &str, callback_id: &str) -> hmac::Tag {
    // Neither id contains a line break, so each pair has a distinct text.
    hmac::sign(
        key,
        format!("{PURPOSE}\n{order_id}\n{callback_id}").as_bytes(),
    )
}

/// The gateway's path for the callback `callback_id` for `order_id`.
#[must_use]
pub fn path(order_id: &str, callback_id: &str) -> String {
    ROUTE
        .replace("{orderId}", order_id)
        .replace("{callbackId}", callback_id)
}

#[cfg(test)]
mod tests {
    use standardwebhooks::Webhook;

    use super::*;

    const NOW: i64 = 1_700_000_000;
    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn callbacks(secrets: &[&str]) -> Callbacks {
        Callbacks::new(&secrets.iter().copied().collect())
    }

    /// Whether `callbacks` accept a message, signed with the secret that `signer` derives for (`order`, `callback`), as the callback
    /// of order-1 and call-1.
    fn accepted(signer: &Callbacks, order: &str, callback: &str, callbacks: &Callbacks) -> bool {
        let secret = signer.secret(order, callback);
        let restaurant = Webhook::new(secret.expose_secret()).unwrap();
        let signature = restaurant.sign("m-1", NOW, b"{}").unwrap();
        let message = Signed {
            id: "m-1",
            timestamp: &NOW.to_string(),
            signatures: &signature,
            body: b"{}",
        };
        callbacks.verify("order-1", "call-1", &message, NOW).is_ok()
    }

    #[test]
    fn a_secret_is_valid_for_one_callback_only() {
        let a = callbacks(&[A]);
        assert!(accepted(&a, "order-1", "call-1", &a));
        for (order, callback) in [
            ("order-2", "call-1"),
            ("order-1", "call-2"),
            ("order-1call", "-1"),
            ("", ""),
        ] {
            assert!(!accepted(&a, order, callback, &a), "{order} {callback}");
        }
        assert!(!accepted(&callbacks(&[B]), "order-1", "call-1", &a));
    }

    #[test]
    fn a_secret_can_be_replaced_while_orders_are_in_progress() {
        let (old, both, new) = (callbacks(&[A]), callbacks(&[B, A]), callbacks(&[B]));
        assert!(accepted(&old, "order-1", "call-1", &both), "derived before");
        assert!(accepted(&both, "order-1", "call-1", &both));
        assert!(
            accepted(&both, "order-1", "call-1", &new),
            "the first is used"
        );
        assert!(
            !accepted(&old, "order-1", "call-1", &new),
            "after the overlap"
        );
    }

    #[test]
    fn the_same_order_always_gets_the_same_secret() {
        let secret = |callbacks: &Callbacks| {
            let secret = callbacks.secret("order-1", "call-1");
            secret.expose_secret().to_owned()
        };
        assert_eq!(secret(&callbacks(&[A])), secret(&callbacks(&[A, B])));
        assert_eq!(secret(&callbacks(&[A])).len(), "whsec_".len() + 44);
        assert_ne!(secret(&callbacks(&[A])), secret(&callbacks(&[B])));
    }

    #[test]
    fn the_path_follows_the_route() {
        assert_eq!(
            path("order-1", "sign_1x"),
            "/api/callbacks/restaurant/order-1/sign_1x"
        );
    }
}
