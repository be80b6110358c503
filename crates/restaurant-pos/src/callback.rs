//! Telling Restate that an order is ready.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::OrderId;
use reqwest::{Client, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};
use telemetry::span;
use tracing::Instrument;

use crate::Error;

/// How long Restate may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer is kept, in characters.
const LONGEST_ANSWER: usize = 500;

/// Names what waits for the order to be ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AwakeableId(String);

/// A text that is no awakeable's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of an awakeable: 1 to 255 letters, digits, - and _")]
pub(crate) struct NoAwakeableId;

impl TryFrom<String> for AwakeableId {
    type Error = NoAwakeableId;

    fn try_from(text: String) -> Result<Self, NoAwakeableId> {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=255).contains(&text.len()) && text.bytes().all(is_safe) {
            Ok(Self(text))
        } else {
            Err(NoAwakeableId)
        }
    }
}

impl FromStr for AwakeableId {
    type Err = NoAwakeableId;

    fn from_str(text: &str) -> Result<Self, NoAwakeableId> {
        Self::try_from(text.to_owned())
    }
}

impl AwakeableId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AwakeableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the waiting workflow is told.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ready {
    pub(crate) order_id: OrderId,
    pub(crate) ready_at: i64,
}

/// Why Restate was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody answered; nobody else will be answered either.
    Unreachable(String),
    /// It may work later.
    Transient(String),
    /// It will never work: Restate does not know the awakeable, or not like this.
    Final(String),
}

/// Restate's HTTP ingress.
#[derive(Debug, Clone)]
pub(crate) struct Ingress {
    client: Client,
    /// Ends with a slash.
    awakeables: Url,
}

impl Ingress {
    pub(crate) fn new(address: &Url) -> Result<Self, Error> {
        let mut base = address.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", address.path()));
        }
        if base.scheme() != "http" || base.query().is_some() || base.fragment().is_some() {
            return Err(Error::Ingress(address.clone()));
        }
        let awakeables = base
            .join("restate/awakeables/")
            .map_err(|_| Error::Ingress(address.clone()))?;
        let client = Client::builder()
            .timeout(TIMEOUT)
            // A redirected POST would arrive as a GET.
            .redirect(redirect::Policy::none())
            // Restate is a neighbour, also where the environment names a proxy for the rest of the world.
            .no_proxy()
            .build()?;
        Ok(Self { client, awakeables })
    }

    /// Resolves the awakeable `id` with `ready`.
    pub(crate) async fn resolve(&self, id: &AwakeableId, ready: &Ready) -> Result<(), Failure> {
        // Cannot fail, as an id holds nothing that means something in a URL.
        let url = self
            .awakeables
            .join(&format!("{id}/resolve"))
            .map_err(|error| Failure::Final(error.to_string()))?;
        let unreachable =
            |error: reqwest::Error| Failure::Unreachable(with_sources(&error.without_url()));
        let span = span::client("POST", "/restate/awakeables/{id}/resolve", url.as_str());
        let headers = span.in_scope(telemetry::http::propagation);
        let request = self.client.post(url).headers(headers).json(ready);
        let answer = async {
            let response = request.send().await?;
            // Also read where it is not needed: a connection with an unread answer cannot be used again.
            Ok((response.status(), response.text().await?))
        };
        let answer = answer.instrument(span.clone()).await;
        let status = answer.as_ref().ok().map(|(status, _)| status.as_u16());
        span::answered(&span, status);
        let (status, body) = answer.map_err(unreachable)?;
        classify(status, &body)
    }
}

/// What an answer of Restate means.
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
        // Also what someone can put right meanwhile, such as an address or an access right.
        _ => Failure::Transient(answer),
    })
}

/// The message of an error and of what caused it, which reqwest leaves out of its own.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        message.push_str(": ");
        message.push_str(&error.to_string());
        source = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_final_only_where_repeating_cannot_help() {
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
    fn the_address_may_have_a_path_but_no_other_scheme() {
        for (address, awakeables) in [
            (
                "http://localhost:8080",
                "http://localhost:8080/restate/awakeables/",
            ),
            (
                "http://localhost:8080/",
                "http://localhost:8080/restate/awakeables/",
            ),
            (
                "http://proxy/ingress",
                "http://proxy/ingress/restate/awakeables/",
            ),
        ] {
            let ingress = Ingress::new(&address.parse().unwrap()).unwrap();
            assert_eq!(ingress.awakeables.as_str(), awakeables);
        }
        for bad in ["https://restate", "mailto:restate", "http://restate/?x=1"] {
            assert!(
                matches!(Ingress::new(&bad.parse().unwrap()), Err(Error::Ingress(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_awakeable_id_cannot_lead_elsewhere() {
        assert!("prom_1PePOqp-x".parse::<AwakeableId>().is_ok());
        for bad in ["", "..", "a/b", "a?b", "a%2Fb", "ü", &"x".repeat(256)] {
            assert!(bad.parse::<AwakeableId>().is_err(), "{bad}");
        }
    }
}
