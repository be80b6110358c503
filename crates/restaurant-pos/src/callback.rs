//! Telling Restate that an order is ready.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::OrderId;
use reqwest::{Client, StatusCode, redirect};
use serde::{Deserialize, Serialize};
use telemetry::span;
use tracing::Instrument;
use upstream::{Addresses, Attempt, Repeat, Upstream};

use crate::Error;

/// How long Restate may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
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
    nodes: Upstream,
}

impl Ingress {
    pub(crate) fn new(addresses: &str) -> Result<Self, Error> {
        let addresses: Addresses = addresses.parse()?;
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            // A redirected POST would arrive as a GET.
            .redirect(redirect::Policy::none())
            // Restate is a neighbour, also where the environment names a proxy for the rest of the world.
            .no_proxy()
            .build()?;
        Ok(Self {
            client,
            nodes: Upstream::new(addresses, TIMEOUT),
        })
    }

    /// Resolves the awakeable `id` with `ready`.
    pub(crate) async fn resolve(&self, id: &AwakeableId, ready: &Ready) -> Result<(), Failure> {
        let unreachable =
            |error: reqwest::Error| Failure::Unreachable(with_sources(&error.without_url()));
        let attempt = |Attempt { base, limit }| {
            let base = base.as_str().trim_end_matches('/');
            // An id holds nothing that means something in a URL.
            let url = format!("{base}/restate/awakeables/{id}/resolve");
            let span = span::client("POST", "/restate/awakeables/{id}/resolve", &url);
            let headers = span.in_scope(telemetry::http::propagation);
            let request = self.client.post(url).headers(headers).json(ready);
            let answer = request.timeout(limit).send();
            let answer = async {
                let response = answer.await?;
                // Also read where it is not needed: a connection with an unread answer cannot be used again.
                Ok((response.status(), response.text().await?))
            };
            async move {
                let answer = answer.instrument(span.clone()).await;
                let status = answer.as_ref().ok();
                span::answered(
                    &span,
                    status.map(|(status, _): &(StatusCode, _)| status.as_u16()),
                );
                answer
            }
        };
        // An awakeable is resolved once, however often it is tried.
        let answer = self.nodes.ask(Repeat::Harmless, attempt).await;
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
    fn an_awakeable_id_cannot_lead_elsewhere() {
        assert!("prom_1PePOqp-x".parse::<AwakeableId>().is_ok());
        for bad in ["", "..", "a/b", "a?b", "a%2Fb", "ü", &"x".repeat(256)] {
            assert!(bad.parse::<AwakeableId>().is_err(), "{bad}");
        }
    }
}
