//! The way out to Restate, and what its errors mean.
//!
//! Restate answers a failed call with `{"code","message","source"}` (seen on 1.7.12). `source` is `invocation` where the
//! handler itself said no, and `ingress` where the call never came to a handler, for instance because setup has not yet
//! registered the service: a 404 of the one means that there is no such order, a 404 of the other that nobody can say.

use std::error::Error as _;
use std::time::Duration;

use axum::body::Bytes;
use domain::{Order, OrderId};
use order_status::OrderStatus;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use telemetry::span;
use tracing::Instrument;

use crate::model::Cancellation;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long Restate has to say that it is there.
const CHECK_WITHIN: Duration = Duration::from_secs(2);
const IDLE_CONNECTIONS: usize = 16;

/// Calls handlers through Restate's HTTP ingress. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Ingress {
    client: reqwest::Client,
    base: Url,
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
    /// The ingress at `base`, which has `limit` for each answer.
    pub fn new(base: &str, limit: Duration) -> Result<Self, crate::Error> {
        let url_error = |reason: String| crate::Error::IngressUrl {
            url: base.to_owned(),
            reason,
        };
        let base = Url::parse(base).map_err(|error| url_error(error.to_string()))?;
        if base.scheme() != "http" || base.cannot_be_a_base() {
            return Err(url_error("it must begin with http://".to_owned()));
        }
        let client = reqwest::Client::builder()
            // The runtime is a neighbour: no proxy leads there.
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(limit)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()?;
        Ok(Self { client, base })
    }

    /// Asks `OrderStatusService` how far an order is.
    pub(crate) async fn status(&self, id: &OrderId) -> Result<OrderStatus, Error> {
        self.call("OrderStatusService", id, "get").await
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
        let url = self.url(&["restate", "awakeables", awakeable, "resolve"]);
        let request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(json);
        let (status, body) = self
            .send(request, "/restate/awakeables/{id}/resolve", &url)
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
        self.client
            .get(self.url(&["restate", "health"]))
            .timeout(CHECK_WITHIN)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map(|_| ())
            .map_err(|error| cause(&error))
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // `new` has seen to it that this URL has a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    async fn call<T: DeserializeOwned>(
        &self,
        service: &str,
        key: &OrderId,
        handler: &str,
    ) -> Result<T, Error> {
        let url = self.url(&["restate", "call", service, key.as_str(), handler]);
        let template = format!("/restate/call/{service}/{{key}}/{handler}");
        let request = self.client.post(url.clone());
        let (status, body) = self.send(request, &template, &url).await?;
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

    /// Sends a POST to `url`, whose path without ids is `template`, and reads the whole answer.
    async fn send(
        &self,
        request: RequestBuilder,
        template: &str,
        url: &Url,
    ) -> Result<(StatusCode, Bytes), Error> {
        let span = span::client("POST", template, url.as_str());
        let headers = span.in_scope(telemetry::http::propagation);
        let answer = async {
            let response = request.headers(headers).send().await?;
            Ok((response.status(), response.bytes().await?))
        };
        let answer = answer.instrument(span.clone()).await;
        let status = answer.as_ref().ok().map(|(status, _)| status.as_u16());
        span::answered(&span, status);
        answer.map_err(|error: reqwest::Error| Error::Unavailable(cause(&error)))
    }
}

/// The error with its innermost reason: reqwest itself says only that it could not send.
fn cause(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
