//! The way out to Restate, and what its errors mean.
//!
//! Restate answers a failed call with `{"code","message","source"}` (seen on 1.7.12). `source` is `invocation` where the
//! handler itself said no, and `ingress` where the call never came to a handler, for instance because setup has not yet
//! registered the service: a 404 of the one means that there is no such order, a 404 of the other that nobody can say.
//!
//! Where Restate has several nodes, another one is asked if one does not answer: every call from here only asks, or does
//! nothing when it arrives twice (an order that is cancelled stays cancelled, an awakeable is resolved once, an id is given to
//! one order).

use std::error::Error as _;
use std::time::Duration;

use axum::body::Bytes;
use domain::{Order, OrderId};
use order_status::{IdClaim, IdClaimAnswer, OrderStatus};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use telemetry::span;
use tracing::Instrument;
use upstream::{Addresses, Attempt, Repeat, Upstream, http};

use crate::model::Cancellation;

/// How long Restate has to say whose an order id is. Without an answer the order is taken all the same.
const CLAIM_WITHIN: Duration = Duration::from_secs(2);
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long Restate has to say that it is there.
const CHECK_WITHIN: Duration = Duration::from_secs(2);
const IDLE_CONNECTIONS: usize = 16;

/// Calls handlers through Restate's HTTP ingress. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Ingress {
    client: Client,
    nodes: Upstream,
    /// The same nodes, with less time.
    checked: Upstream,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Restate cannot be reached, does not answer in time, or does not know the services yet. Later it may.
    #[error("Restate: {0}")]
    Unavailable(String),
    /// The handler says that there is no such thing.
    #[error("Restate: no such thing: {0}")]
    NotFound(String),
    /// An answer that makes no sense here; asking again brings the same.
    #[error("Restate: unexpected answer: {0}")]
    Unexpected(String),
}

/// Restate's own error document.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    message: String,
    source: String,
}

impl Ingress {
    /// The ingress at `addresses` (several are separated by commas), which has `limit` for each answer.
    pub fn new(addresses: &str, limit: Duration) -> Result<Self, crate::Error> {
        let nodes: Addresses = addresses.parse()?;
        let client = http::client(limit)
            .connect_timeout(CONNECT_WITHIN)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()?;
        Ok(Self {
            client,
            checked: Upstream::new(nodes.clone(), limit.min(CHECK_WITHIN)),
            nodes: Upstream::new(nodes, limit),
        })
    }

    /// Asks `OrderStatusService` how far an order is.
    pub(crate) async fn status(&self, id: &OrderId) -> Result<OrderStatus, Error> {
        self.call("OrderStatusService", id, "get").await
    }

    /// Asks `OrderStatusService` for an id for an order; answers whether the id is that order's from now on, or was before.
    pub(crate) async fn claim(&self, id: &OrderId, claim: &IdClaim) -> Result<bool, Error> {
        let claiming = self.call_with("OrderStatusService", id, "claim", |request| {
            request.json(claim)
        });
        let answer = tokio::time::timeout(CLAIM_WITHIN, claiming).await;
        let IdClaimAnswer { granted } = answer.map_err(|_| {
            Error::Unavailable(format!("no answer within {} s", CLAIM_WITHIN.as_secs()))
        })??;
        Ok(granted)
    }

    /// Asks `OrderWorkflow` for an order as it was accepted; none if it is unknown or has long ended.
    pub(crate) async fn order(&self, id: &OrderId) -> Result<Option<Order>, Error> {
        match self.call("OrderWorkflow", id, "getOrder").await {
            Ok(order) => Ok(Some(order)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks `OrderWorkflow` to cancel an order.
    pub(crate) async fn cancel(&self, id: &OrderId) -> Result<Cancellation, Error> {
        self.call("OrderWorkflow", id, "cancel").await
    }

    /// Resolves an awakeable with `json`. One that was resolved before stays as it is, which is no error.
    pub(crate) async fn resolve(&self, awakeable: &str, json: Bytes) -> Result<(), Error> {
        let path = ["restate", "awakeables", awakeable, "resolve"];
        let (status, body) = self
            .send(&path, "/restate/awakeables/{id}/resolve", |request| {
                request
                    .header(CONTENT_TYPE, "application/json")
                    .body(json.clone())
            })
            .await?;
        if status.is_success() {
            return Ok(());
        }
        let Failure { message, .. } = serde_json::from_slice(&body).unwrap_or_default();
        let said = format!("{status}: {message}");
        Err(match status {
            StatusCode::NOT_FOUND => Error::NotFound(said),
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Error::Unavailable(said),
            _ => Error::Unexpected(format!("awakeable: {said}")),
        })
    }

    /// Whether Restate can be reached; the error is for people.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let attempt = |Attempt { base, limit }| {
            let url = http::below(&base, &["restate", "health"]).unwrap_or(base);
            let answer = self.client.get(url).timeout(limit).send();
            async { Ok::<_, http::Error>(answer.await?.error_for_status()?) }
        };
        let checked = self.checked.ask(Repeat::Harmless, attempt).await;
        checked.map(|_| ()).map_err(|error| cause(&error))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        service: &str,
        key: &OrderId,
        handler: &str,
    ) -> Result<T, Error> {
        self.call_with(service, key, handler, |request| request)
            .await
    }

    async fn call_with<T: DeserializeOwned>(
        &self,
        service: &str,
        key: &OrderId,
        handler: &str,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<T, Error> {
        let path = ["restate", "call", service, key.as_str(), handler];
        let template = format!("/restate/call/{service}/{{key}}/{handler}");
        let (status, body) = self.send(&path, &template, finish).await?;
        if status.is_success() {
            return serde_json::from_slice(&body)
                .map_err(|error| Error::Unexpected(format!("{service}/{handler}: {error}")));
        }
        let Failure { message, source } = serde_json::from_slice(&body).unwrap_or_default();
        let said_by_handler = source == "invocation";
        Err(match status {
            StatusCode::NOT_FOUND if said_by_handler => Error::NotFound(message),
            StatusCode::NOT_FOUND
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
                if !said_by_handler =>
            {
                Error::Unavailable(format!("{status}: {message}"))
            }
            _ => Error::Unexpected(format!("{service}/{handler}: {status}: {message}")),
        })
    }

    /// Sends a POST, finished by `finish`, to `path`, which without ids is `template`, and reads the whole answer.
    async fn send(
        &self,
        path: &[&str],
        template: &str,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<(StatusCode, Bytes), Error> {
        // Only whole ids come here, none of which is empty or dots alone.
        let is_path = path.iter().all(|segment| http::is_segment(segment));
        if !is_path {
            return Err(Error::Unexpected("an id that is none".to_owned()));
        }
        let attempt = |Attempt { base, limit }| {
            let url = http::below(&base, path).unwrap_or(base);
            let span = span::client("POST", template, url.as_str());
            let headers = span.in_scope(telemetry::http::propagation);
            let request = self.client.post(url).headers(headers).timeout(limit);
            let answer = finish(request).send();
            let answer = async {
                let response = answer.await?;
                Ok((response.status(), http::body(response, http::SHORT).await?))
            };
            async move {
                let answer: Result<(StatusCode, Bytes), http::Error> =
                    answer.instrument(span.clone()).await;
                let status = answer.as_ref().ok().map(|(status, _)| status.as_u16());
                span::answered(&span, status);
                answer
            }
        };
        let answer = self.nodes.ask(Repeat::Harmless, attempt).await;
        answer.map_err(|error| Error::Unavailable(cause(&error)))
    }
}

/// The error with its innermost reason: reqwest itself says only that it could not send.
fn cause(error: &http::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
