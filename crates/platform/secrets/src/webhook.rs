//! Signatures of callbacks, as Standard Webhooks has them (<https://www.standardwebhooks.com>): HMAC-SHA256 over id, timestamp
//! and body, in the header [`SIGNATURE`].
//!
//! The receiver's half. The crate `standardwebhooks`, which senders use, has one too, but it takes one secret only, does not tell an old message from
//! a forged one, and calculates with whatever number an attacker sends as a timestamp.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The header with the message's id.
pub const ID: &str = "webhook-id";
/// The header with the time it was sent at, in s since the epoch.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with its signatures, separated by spaces, each `v1,` and Base64.
pub const SIGNATURE: &str = "webhook-signature";
/// What a secret begins with where it is written down.
pub const SECRET_PREFIX: &str = "whsec_";
/// How far the sender's clock may be off, in s. The figure of Standard Webhooks' own libraries.
pub const TOLERANCE: u64 = 5 * 60;

/// How many signatures are looked at: there are two while a sender changes its secret.
const MOST_SIGNATURES: usize = 8;

/// A message as it came.
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

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is not signed with the right secret, or not as it is.
    Forged,
    /// It is, but at another time: it is old, or its sender's clock is wrong.
    Expired,
}

impl Signed<'_> {
    /// Whether it is signed with the key `secret`, at most [`TOLERANCE`] from `now`, in s since the epoch.
    pub fn verify(&self, secret: &[u8], now: i64) -> Result<(), Refusal> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let content = content(self.id, self.timestamp, self.body);
        let is_right = |signature: &str| {
            let tag = signature
                .strip_prefix("v1,")
                .and_then(|tag| STANDARD.decode(tag).ok());
            // In a time that tells nothing of where they differ.
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
    fn the_example_of_the_specification_is_right() {
        let sender = standardwebhooks::Webhook::new(SECRET).unwrap();
        assert_eq!(sender.sign(ID, SENT, BODY).unwrap(), SIGNATURE);
        assert_eq!(verify(|_| {}, SENT), Ok(()));
        let several = format!("v2,x v1,AAAA {SIGNATURE}");
        assert_eq!(verify(|m| m.signatures = several.leak(), SENT), Ok(()));
    }

    #[test]
    fn a_message_that_was_changed_anywhere_is_forged() {
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
    fn a_message_is_good_for_five_minutes_around_its_time() {
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
    fn a_timestamp_that_is_no_time_is_refused_also_when_signed() {
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
