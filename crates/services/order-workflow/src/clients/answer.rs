//! Classifies what third parties answer, at the boundary.
//!
//! An answer is an agreed yes, an agreed no, a refusal that was not agreed, or not valid: no response, "later", or something else
//! than agreed. Everything behind this file deals with types that cannot hold nonsense.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use domain::Money;
use domain::json::{self, Fields, FromJson, Unusable, Value};
use domain::order::is_hidden;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;
use upstream::http;

use super::Asking;

/// The longest answer, in bytes. The agreed ones have a few fields.
pub(super) const MAX_ANSWER: usize = 64 << 10;
/// How much of a third party's own text is passed on, in characters.
const LONGEST_REASON: usize = 200;
/// The longest id of a payment, in characters.
const LONGEST_ID: usize = 255;

/// What the text of every [`Failure::Invalid`] begins with.
const INVALID: &str = "no valid answer: ";

/// Why a request brought no valid answer. Repeating it may bring one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// No response, or the answer is "later".
    #[error("no answer: {0}")]
    Transient(String),
    /// The answer is not as agreed. The text is ours, and fit for customers.
    #[error("{INVALID}{0}")]
    Invalid(String),
}

impl Failure {
    pub(super) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid(what.into())
    }

    /// What was not valid about the last answer, taken from the text of a failure in the journal.
    pub(crate) fn what_was_invalid(text: &str) -> Option<&str> {
        text.strip_prefix(INVALID)
    }
}

impl From<http::Error> for Failure {
    fn from(error: http::Error) -> Self {
        match error {
            // Without the address, which may hold a password.
            http::Error::Http(error) => Self::Transient(http::with_sources(&error.without_url())),
            http::Error::TooLong { most } => Self::invalid(format!("longer than {most} bytes")),
        }
    }
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct RawAnswer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// A valid answer.
#[derive(Debug)]
pub(super) enum Classified {
    /// An agreed yes; the content is a JSON object.
    Yes(Content),
    /// An agreed no, and why, in the words of the third party. Its body is JSON or empty.
    No(String),
    /// The request was refused with a status that was not agreed. The text names it; what the third party says is only logged.
    Refused(String),
}

/// A JSON object.
#[derive(Debug)]
pub(super) struct Content(Bytes);

impl RawAnswer {
    /// Reads an answer, of at most [`MAX_ANSWER`] bytes.
    pub(super) async fn read(response: Response) -> Result<Self, http::Error> {
        Ok(Self {
            status: response.status(),
            headers: response.headers().clone(),
            body: http::body(response, MAX_ANSWER).await?,
        })
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer, unless it is 409: an earlier request with the same key is still in progress.
    pub(super) fn unless_busy(self, asking: Asking) -> Result<Self, Failure> {
        if asking == Asking::Again && self.status == StatusCode::CONFLICT {
            return Err(Failure::Transient(named(self.status)));
        }
        Ok(self)
    }

    /// Classifies it. `yes` and `no` are the agreed statuses.
    pub(super) fn classify(self, yes: &[u16], no: &[u16]) -> Result<Classified, Failure> {
        let status = self.status;
        if yes.contains(&status.as_u16()) {
            return self.content().map(Classified::Yes);
        }
        if no.contains(&status.as_u16()) {
            // Proxies, and servers at a wrong address, send pages with such statuses.
            if !self.body.is_empty() && !self.is_json() {
                let page = format!("status {} not of content type JSON", named(status));
                return Err(Failure::invalid(page));
            }
            if !self.body.is_empty() && !self.is_object() {
                let text = format!("status {} without a JSON object", named(status));
                return Err(Failure::invalid(text));
            }
            let reason = self.reason().unwrap_or_else(|| named(status));
            return Ok(Classified::No(reason));
        }
        if is_transient(status) {
            let reason = self.reason().unwrap_or_default();
            return Err(Failure::Transient(format!("{} {reason}", named(status))));
        }
        if status.is_client_error() {
            let reason = self.reason().unwrap_or_default();
            tracing::warn!(%status, reason, "a third party refused a request");
            return Ok(Classified::Refused(named(status)));
        }
        Err(Failure::invalid(format!("status {}", status.as_u16())))
    }

    fn content(self) -> Result<Content, Failure> {
        if self.is_encoded() {
            return Err(Failure::invalid("an encoded body"));
        }
        if !self.is_json() {
            return Err(Failure::invalid("not of content type JSON"));
        }
        Ok(Content(self.body))
    }

    /// Whether the body is encoded. `identity`, which some servers send, means that it is not.
    fn is_encoded(&self) -> bool {
        let codings = self.headers.get_all(CONTENT_ENCODING);
        codings
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    }

    fn is_json(&self) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let media_type = content_type.and_then(|text| text.split(';').next());
        media_type.is_some_and(|text| {
            let text = text.trim().to_ascii_lowercase();
            text == "application/json"
                || (text.starts_with("application/") && text.ends_with("+json"))
        })
    }

    fn is_object(&self) -> bool {
        struct Any;
        impl FromJson for Any {
            const IS_STRICT: bool = false;

            fn from_fields(_: &mut Fields<'_, '_>) -> Option<Self> {
                Some(Self)
            }
        }
        json::read::<Any>(&self.body, "the answer").is_ok()
    }

    /// The reason in a problem document (RFC 9457), fit for people.
    fn reason(&self) -> Option<String> {
        struct Problem {
            detail: Option<String>,
            title: Option<String>,
        }
        impl FromJson for Problem {
            const IS_STRICT: bool = false;

            fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
                // Anything but text says nothing.
                let mut text = |name| fields.optional(name, |value| Ok(value.string().ok()));
                Some(Self {
                    detail: text("detail").flatten(),
                    title: text("title").flatten(),
                })
            }
        }
        if !self.is_json() {
            return None;
        }
        let problem: Problem = json::read(&self.body, "the problem").ok()?;
        let said =
            |text: Option<String>| text.map(|text| fit(&text)).filter(|text| !text.is_empty());
        said(problem.detail).or_else(|| said(problem.title))
    }
}

/// A status by its number and, where it has one, its name.
fn named(status: StatusCode) -> String {
    let name = status.canonical_reason().unwrap_or_default();
    format!("{} {name}", status.as_u16()).trim_end().to_owned()
}

/// Whether the same request may get another answer later.
fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

/// A text of a third party, fit for people: one line, without characters that change how it is shown, not too long.
fn fit(text: &str) -> String {
    let shown: String = text
        .chars()
        .take(MAX_ANSWER)
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut fit: String = line.chars().take(LONGEST_REASON).collect();
    if fit.len() < line.len() {
        fit.push('…');
    }
    fit
}

impl Content {
    /// Its fields. Fields that `T` does not have are ignored; a duplicate field of `T` is not valid.
    pub(super) fn parse<T: FromJson>(&self) -> Result<T, Failure> {
        json::read(&self.0, "the answer").map_err(|error| {
            let (what, said) = match error {
                Unusable::Malformed(error) => ("not a JSON object", format!("the answer {error}")),
                Unusable::Invalid(violations) => {
                    let is_object = violations.iter().all(|fault| !fault.field.is_empty());
                    let what = if is_object {
                        "not the agreed fields"
                    } else {
                        "not a JSON object"
                    };
                    (what, json::in_one_line(&violations))
                }
            };
            tracing::warn!(error = said, "a third party's answer is not valid");
            Failure::invalid(what)
        })
    }
}

/// The payment provider's id of a payment: 1 to 255 characters, none of them hidden, safe as a path segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PaymentId(String);

impl PaymentId {
    pub(super) fn parse(text: String) -> Result<Self, Failure> {
        let length = text.chars().take(LONGEST_ID + 1).count();
        if length > LONGEST_ID || text.chars().any(is_hidden) || !http::is_segment(&text) {
            return Err(Failure::invalid("an invalid paymentId"));
        }
        Ok(Self(text))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Money in any currency, as a payment provider may have taken it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Amount {
    pub(super) amount: Exact,
    /// Three letters, as in ISO 4217.
    pub(super) currency: String,
}

impl Amount {
    pub(super) fn new(amount: Exact, currency: &str) -> Result<Self, Failure> {
        if amount.0.is_sign_negative() && !amount.0.is_zero() {
            return Err(Failure::invalid("a negative amount"));
        }
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(Failure::invalid("an invalid currency"));
        }
        Ok(Self {
            amount,
            currency: currency.to_ascii_uppercase(),
        })
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self {
            amount: Exact(money.decimal()),
            currency: Money::CURRENCY.to_owned(),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.0, self.currency)
    }
}

/// A decimal number. In the journal it is a string: inside an enum, serde knows numbers only as floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact(Decimal);

impl FromStr for Exact {
    type Err = rust_decimal::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        json::decimal(text).map(Self)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A decimal number in a third party's JSON: the digits as written, also in a string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digits(pub(super) Exact);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.0.to_string())
            .map_err(ser::Error::custom)?
            .serialize(serializer)
    }
}

impl Digits {
    /// The number, or the string that contains one.
    pub(super) fn from_json(value: Value<'_>) -> Result<Self, String> {
        let text = value
            .string()
            .unwrap_or_else(|_| value.as_written().to_owned());
        let number = text.parse().map(Self);
        number.map_err(|_| value.is_not("a decimal number"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_of_a_third_party_is_made_fit_for_people() {
        for (text, shown) in [
            ("  no\tcover\r\n", "no cover"),
            ("a\u{1b}[31mb\u{202e}c\0", "a [31mb c"),
            ("<b>寿司</b>", "<b>寿司</b>"),
            ("\u{0}", ""),
        ] {
            assert_eq!(fit(text), shown, "{text:?}");
        }
        assert_eq!(fit(&"寿".repeat(1000)).chars().count(), LONGEST_REASON + 1);
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_one_bounded_line(text in "(?s).{0,400}") {
            let shown = fit(&text);
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert!(shown.chars().count() <= LONGEST_REASON + 1);
        }
    }

    #[test]
    fn the_invalid_part_of_an_answer_can_be_read_from_the_journal() {
        let failure = Failure::invalid("status 302");
        assert_eq!(
            Failure::what_was_invalid(&failure.to_string()),
            Some("status 302")
        );
        let transient = Failure::Transient("no valid answer: 503".to_owned());
        assert_eq!(Failure::what_was_invalid(&transient.to_string()), None);
    }

    #[test]
    fn amounts_are_compared_by_value_and_currency() {
        let requested: Amount = Money::from_cents(950).unwrap().into();
        for (json, same) in [
            (r#"{"amount": 9.50, "currency": "USD"}"#, true),
            (r#"{"amount": 9.5, "currency": "usd"}"#, true),
            (r#"{"amount": "9.500", "currency": "USD"}"#, true),
            (r#"{"amount": 95e-1, "currency": "USD"}"#, true),
            (r#"{"amount": 9.5000000000001, "currency": "USD"}"#, false),
            (r#"{"amount": 1e1, "currency": "USD"}"#, false),
            (r#"{"amount": 0, "currency": "USD"}"#, false),
            (r#"{"amount": 1.00, "currency": "JPY"}"#, false),
            (r#"{"amount": 9.50, "currency": "EUR"}"#, false),
        ] {
            struct Read(Digits, String);
            impl FromJson for Read {
                fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
                    let amount = fields.required("amount", Digits::from_json);
                    Some(Self(amount?, fields.required("currency", Value::string)?))
                }
            }
            let Read(amount, currency) = json::read(json.as_bytes(), "it").unwrap();
            let read = Amount::new(amount.0, &currency).unwrap();
            assert_eq!(read == requested, same, "{json}");
        }
    }

    #[test]
    fn ids_of_payments_are_bounded() {
        for bad in ["", ".", "..", "a\nb", "a\0", &"x".repeat(256)] {
            assert!(PaymentId::parse(bad.to_owned()).is_err(), "{bad:?}");
        }
        for good in ["pay_1", "../admin?x=#y", "...", "寿", &"x".repeat(255)] {
            assert!(PaymentId::parse(good.to_owned()).is_ok(), "{good:?}");
        }
    }
}
