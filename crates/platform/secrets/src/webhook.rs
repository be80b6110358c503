//! Verifies signatures of callbacks according to Standard Webhooks (<https://www.standardwebhooks.com>): HMAC-SHA256 over id,
//! timestamp and body, in the header [`SIGNATURE`].
//!
//! The crate `standardwebhooks`, which senders use, can verify too, but it accepts only one secret, does not distinguish old messages
//! from forged ones, and does arithmetic with unchecked timestamps.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The header with the message's id.
pub const ID: &str = "webhook-id";
/// The header with the time at which the message was sent, in s since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces, each `v1,` and Base64.
pub const SIGNATURE: &str = "webhook-signature";
/// The prefix of a secret in text form.
pub const SECRET_PREFIX: &str = "whsec_";
/// How far the sender's clock may be off, in s. The same as in Standard Webhooks' own libraries.
pub const TOLERANCE: u64 = 5 * 60;

/// How many signatures are checked at most: there are two while a sender replaces its secret.
const MOST_SIGNATURES: usize = 8;

/// A received message.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The header [`ID`].
    pub id: &'a str,
    /// The header [`TIMESTAMP`].
    pub timestamp: &'a str,
    /// The header [`SIGNATURE`].
    pub signatures: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The signature is not valid for this message and secret.
    Forged,
    /// The signature is valid, but the message is old, or the sender's clock is wrong.
    Expired,
}

impl Signed<'_> {
    /// Verifies that the message is signed with the key `secret`, at most [`TOLERANCE`] from `now` (in s since 1970).
    pub fn verify(&self, secret: &[u8], now: i64) -> Result<(), Refusal> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let content = content(self.id, self.timestamp, self.body);
        let is_right = |signature: &str| {
            let tag = signature
                .strip_prefix("v1,")
                .and_then(|tag| STANDARD.decode(tag).ok());
            // Compares in constant time.
            tag.is_some_and(|tag| hmac::verify(&key, &content, &tag).is_ok())
        };
        if !self
            .signatures
            .split(' ')
            .take(MOST_SIGNATURES)
            .any(is_right)
        {
            return Err(Refusal::Forged);
        }
        let is_recent = |sent: i64| sent.abs_diff(now) <= TOLERANCE;
        if self.timestamp.parse().is_ok_and(is_recent) {
            Ok(())
        } else {
            Err(Refusal::Expired)
        }
    }
}

fn content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Standard Webhooks' specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn verify(change: impl FnOnce(&mut Signed<'_>), now: i64) -> Result<(), Refusal> {
        let key = STANDARD.decode(&SECRET[SECRET_PREFIX.len()..]).unwrap();
        let mut message = Signed {
            id: ID,
            timestamp: "1614265330",
            signatures: SIGNATURE,
            body: BODY,
        };
        change(&mut message);
        message.verify(&key, now)
    }

    #[test]
    fn the_example_of_the_specification_is_accepted() {
        let sender = standardwebhooks::Webhook::new(SECRET).unwrap();
        assert_eq!(sender.sign(ID, SENT, BODY).unwrap(), SIGNATURE);
        assert_eq!(verify(|_| {}, SENT), Ok(()));
        let several = format!("v2,x v1,AAAA {SIGNATURE}");
        assert_eq!(verify(|m| m.signatures = several.leak(), SENT), Ok(()));
    }

    #[test]
    fn a_changed_message_counts_as_forged() {
        assert_eq!(verify(|m| m.id = "msg", SENT), Err(Refusal::Forged));
        assert_eq!(verify(|m| m.body = b"{}", SENT), Err(Refusal::Forged));
        for timestamp in ["1614265331", "+1614265330", "01614265330", "", "x"] {
            assert_eq!(
                verify(|m| m.timestamp = timestamp, SENT),
                Err(Refusal::Forged),
                "{timestamp}"
            );
        }
        for signatures in [
            "",
            "v1,",
            "v1,g0hM9SsE",
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ] {
            assert_eq!(
                verify(|m| m.signatures = signatures, SENT),
                Err(Refusal::Forged),
                "{signatures}"
            );
        }
        let late = format!("{}{SIGNATURE}", "v1,AAAA ".repeat(MOST_SIGNATURES));
        assert_eq!(
            verify(|m| m.signatures = late.leak(), SENT),
            Err(Refusal::Forged)
        );
    }

    #[test]
    fn a_message_is_valid_for_five_minutes_before_and_after_its_timestamp() {
        for (off, expected) in [
            (0, Ok(())),
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(Refusal::Expired)),
            (-301, Err(Refusal::Expired)),
            (i64::MAX - SENT, Err(Refusal::Expired)),
        ] {
            assert_eq!(verify(|_| {}, SENT + off), expected, "{off}");
        }
    }

    #[test]
    fn a_signed_message_with_an_invalid_timestamp_is_refused() {
        for timestamp in ["x", "1e9", "99999999999999999999", "-9223372036854775808"] {
            let key = b"key";
            let tag = hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, key),
                &content(ID, timestamp, BODY),
            );
            let message = Signed {
                id: ID,
                timestamp,
                signatures: &format!("v1,{}", STANDARD.encode(tag)),
                body: BODY,
            };
            assert_eq!(
                message.verify(key, SENT),
                Err(Refusal::Expired),
                "{timestamp}"
            );
        }
    }
}
