//! Calls back to say that an order is ready, signed according to Standard Webhooks (<https://www.standardwebhooks.com>).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::OrderId;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use standardwebhooks::{
    HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook,
};
use stub_kit::clock;
use telemetry::span;
use tracing::Instrument;
use upstream::http;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How many characters of an answer are stored.
const LONGEST_ANSWER: usize = 500;
/// The longest address, in characters.
const LONGEST_ADDRESS: usize = 1000;
/// The allowed length of a secret, in characters: `whsec_` and 24 to 64 bytes in Base64.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 38..=94;

/// Where to call back when an order is ready, and the secret to sign with.
#[derive(Debug, Clone)]
pub(crate) struct Callback {
    /// The address to call.
    pub(crate) url: Address,
    /// The secret to sign with.
    pub(crate) secret: Secret,
}

/// An address for callbacks: an `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Address(Url);

/// The error for a text that is not an [`Address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an address that begins with http:// or https://, of at most {LONGEST_ADDRESS} characters"
)]
pub(crate) struct InvalidAddress;

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let url = Url::parse(text).map_err(|_| InvalidAddress)?;
        let is_fine = http::is_http(&url) && text.chars().count() <= LONGEST_ADDRESS;
        is_fine.then_some(Self(url)).ok_or(InvalidAddress)
    }
}

impl TryFrom<String> for Address {
    type Error = InvalidAddress;

    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(Address(url): Address) -> Self {
        url.into()
    }
}

impl Address {
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A secret to sign with: `whsec_` and 24 to 64 bytes in Base64.
#[derive(Clone)]
pub(crate) struct Secret(SecretString);

/// The error for a text that is not a [`Secret`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ followed by 24 to 64 bytes in Base64")]
pub(crate) struct InvalidSecret;

impl FromStr for Secret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let is_fine = SECRET_LENGTH.contains(&text.len())
            && text.starts_with("whsec_")
            && Webhook::new(text).is_ok();
        is_fine.then(|| Self(text.into())).ok_or(InvalidSecret)
    }
}

impl Secret {
    /// The secret itself, for the books.
    pub(crate) fn as_str(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The body of a callback.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ready {
    pub(crate) order_id: OrderId,
    pub(crate) ready_at: i64,
}

/// Why a callback failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There was no answer, so callbacks for other orders will fail too.
    Unreachable(String),
    /// It may succeed later.
    Transient(String),
    /// It was refused, and repeating it cannot help.
    Final(String),
}

/// Sends callbacks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    client: Client,
}

impl Caller {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: http::client(TIMEOUT).build()?,
        })
    }

    /// Sends the callback of an order, with `message` as the id of the message.
    pub(crate) async fn send_callback(
        &self,
        callback: &Callback,
        message: &str,
        ready: &Ready,
    ) -> Result<(), Failure> {
        let at = clock::now_ms() / 1000;
        let (body, signature) = sign(&callback.secret, message, at, ready)?;
        let url = callback.url.0.clone();
        let unreachable = |error: http::Error| match error {
            http::Error::Http(error) => {
                Failure::Unreachable(http::with_sources(&error.without_url()))
            }
            too_long @ http::Error::TooLong { .. } => Failure::Transient(too_long.to_string()),
        };
        let span = span::client("POST", "callback", url.as_str());
        let headers = span.in_scope(telemetry::http::propagation);
        let request = self
            .client
            .post(url)
            .headers(headers)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(HEADER_WEBHOOK_ID, message)
            .header(HEADER_WEBHOOK_TIMESTAMP, at)
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        let answer = async {
            let response = request.send().await?;
            // Always read the body: a connection with an unread body cannot be reused.
            Ok((response.status(), http::text(response, http::SHORT).await?))
        };
        let answer = answer.instrument(span.clone()).await;
        let status = answer.as_ref().ok().map(|(status, _)| status.as_u16());
        span::answered(&span, status);
        let (status, body) = answer.map_err(unreachable)?;
        classify(status, &body)
    }
}

/// The body of a message and its signature; `at` in s since the epoch.
fn sign(
    secret: &Secret,
    message: &str,
    at: i64,
    ready: &Ready,
) -> Result<(Vec<u8>, String), Failure> {
    // Neither can fail: the secret was validated when it was received, and the body is a string and a number.
    let broken = |error: &dyn fmt::Display| Failure::Final(format!("cannot be signed: {error}"));
    let body = serde_json::to_vec(ready).map_err(|error| broken(&error))?;
    let signature = Webhook::new(secret.as_str())
        .and_then(|webhook| webhook.sign(message, at, &body))
        .map_err(|error| broken(&error))?;
    Ok((body, signature))
}

/// The meaning of an answer.
fn classify(status: StatusCode, body: &str) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let answer = format!("{status}: {body}")
        .chars()
        .take(LONGEST_ANSWER)
        .collect();
    Err(match status {
        StatusCode::BAD_REQUEST
        | StatusCode::NOT_FOUND
        | StatusCode::CONFLICT
        | StatusCode::GONE
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => Failure::Final(answer),
        // Includes failures that someone may fix before a retry, such as a wrong address, clock or access right.
        _ => Failure::Transient(answer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_final_only_if_repeating_cannot_help() {
        for status in [200, 202, 204] {
            assert_eq!(classify(StatusCode::from_u16(status).unwrap(), "x"), Ok(()));
        }
        for (status, is_final) in [
            (400, true),
            (404, true),
            (409, true),
            (410, true),
            (422, true),
            (302, false),
            (401, false),
            (408, false),
            (425, false),
            (429, false),
            (470, false),
            (500, false),
            (503, false),
        ] {
            let failure = classify(StatusCode::from_u16(status).unwrap(), "why").unwrap_err();
            assert_eq!(
                matches!(failure, Failure::Final(_)),
                is_final,
                "{failure:?}"
            );
        }
        let long = "ü".repeat(LONGEST_ANSWER);
        let Failure::Final(answer) = classify(StatusCode::NOT_FOUND, &long).unwrap_err() else {
            panic!("404 is final");
        };
        assert_eq!(answer.chars().count(), LONGEST_ANSWER);
    }

    #[test]
    fn only_http_urls_of_limited_length_are_addresses() {
        for good in ["http://localhost:3000/x", "http://proxy/a/b?c=d"] {
            assert!(good.parse::<Address>().is_ok(), "{good}");
        }
        let long = format!("http://localhost/{}", "x".repeat(LONGEST_ADDRESS));
        for bad in ["ftp://gateway", "mailto:gateway", "/x", "", &long] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_validated_and_not_shown() {
        // The specification's example.
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secret: Secret = good.parse().unwrap();
        assert!(!format!("{secret:?}").contains("MfKQ"));
        for bad in [
            "",
            "whsec_",
            "whsec_AAAA",
            &good[6..],
            &format!("{good}!"),
            &"whsec_A".repeat(99),
        ] {
            assert!(bad.parse::<Secret>().is_err(), "{bad}");
        }
    }
}
