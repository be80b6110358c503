//! Calls to Restate, and what its errors mean.
//!
//! Restate answers a failed call with `{"code","message","source"}` (seen on 1.7.12). `source` is `invocation` if the handler
//! itself refused, and `ingress` if the call never reached a handler, for instance because setup has not registered the service
//! yet. So a 404 from `invocation` means that there is no such order; one from `ingress` says nothing about the order.
//!
//! If Restate has several nodes and one does not answer, the call goes to another. This is safe because every call from here
//! only reads, or changes nothing the second time: an order that is cancelled stays cancelled, an awakeable is resolved once, and
//! an id is given to one order.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Response, StatusCode, header};
use domain::{Order, OrderId};
use durable::ingress::Executor;
use order_status::{IdClaim, IdClaimAnswer, OrderStatus, OrderStatusServiceIngressClient};
use order_workflow::{CancelAnswer, OrderWorkflowIngressClient};
use restate_sdk::ingress::{CallResponse, Client, ClientError, RequestExecutor};
use restate_sdk::serde::Json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use upstream::{Addresses, Attempt, Repeat, Upstream, http};

/// How long Restate has to say whose an order id is. Without an answer the order is accepted anyway.
const CLAIM_WITHIN: Duration = Duration::from_secs(2);
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long Restate has to answer a health check.
const CHECK_WITHIN: Duration = Duration::from_secs(2);
const IDLE_CONNECTIONS: usize = 16;

/// Calls handlers through Restate's HTTP ingress. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Ingress {
    executor: Executor,
    restate: Client<Executor>,
    http: reqwest::Client,
    /// The same nodes, with a shorter limit.
    checked: Upstream,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Restate cannot be reached, does not answer in time, or does not know the services yet. A later call may succeed.
    #[error("Restate: {0}")]
    Unavailable(String),
    /// The handler says that it does not exist.
    #[error("Restate: not found: {0}")]
    NotFound(String),
    /// The answer is not one of those expected; calling again would bring the same.
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
        let http = http::client(limit)
            .connect_timeout(CONNECT_WITHIN)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()?;
        let checked = Upstream::new(nodes.clone(), limit.min(CHECK_WITHIN));
        let executor = Executor::new(http.clone(), Upstream::new(nodes, limit), Repeat::Harmless);
        Ok(Self {
            restate: executor.client(),
            executor,
            http,
            checked,
        })
    }

    /// Gets the status of an order from `OrderStatusService`.
    pub(crate) async fn status(&self, id: &OrderId) -> Result<OrderStatus, Error> {
        answer(self.status_of(id).get().call().await)
    }

    /// Claims an id for an order at `OrderStatusService`; returns whether the id belongs to that order.
    pub(crate) async fn claim(&self, id: &OrderId, claim: IdClaim) -> Result<bool, Error> {
        let claiming = self.status_of(id).claim(Json(claim)).call();
        let claimed = tokio::time::timeout(CLAIM_WITHIN, claiming).await;
        let claimed = claimed.map_err(|_| {
            Error::Unavailable(format!("no answer within {} s", CLAIM_WITHIN.as_secs()))
        })?;
        let IdClaimAnswer { granted } = answer(claimed)?;
        Ok(granted)
    }

    /// Gets an order from `OrderWorkflow` as it was accepted; `None` if it is unknown or ended long ago.
    pub(crate) async fn order(&self, id: &OrderId) -> Result<Option<Order>, Error> {
        match answer(self.workflow_of(id).get_order().call().await) {
            Ok(order) => Ok(Some(order)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Cancels an order through `OrderWorkflow`.
    pub(crate) async fn cancel(&self, id: &OrderId) -> Result<CancelAnswer, Error> {
        answer(self.workflow_of(id).cancel().call().await)
    }

    /// Resolves an awakeable with `json`. If it is resolved already, it stays as it is; that is not an error.
    pub(crate) async fn resolve(&self, awakeable: &str, json: Bytes) -> Result<(), Error> {
        // The SDK has clients for handlers only.
        let request = Request::post(format!("/restate/awakeables/{awakeable}/resolve"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(json)
            .map_err(|error| Error::Unexpected(error.to_string()))?;
        let answer = self.executor.execute(request).await;
        let answer = answer.map_err(|error| Error::Unavailable(http::with_sources(&error)))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::NOT_FOUND => Err(Error::NotFound(said(&answer).message)),
            _ => Err(refused(&answer)),
        }
    }

    /// Whether Restate can be reached; the error is for people.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let attempt = |Attempt { base, limit }| {
            let url = http::below(&base, &["restate", "health"]).unwrap_or(base);
            let answer = self.http.get(url).timeout(limit).send();
            async { Ok::<_, http::Error>(answer.await?.error_for_status()?) }
        };
        let checked = self.checked.ask(Repeat::Harmless, attempt).await;
        checked
            .map(|_| ())
            .map_err(|error| http::with_sources(&error))
    }

    fn status_of(&self, id: &OrderId) -> OrderStatusServiceIngressClient<Executor> {
        OrderStatusServiceIngressClient::from_client(self.restate.clone(), id.as_str())
    }

    fn workflow_of(&self, id: &OrderId) -> OrderWorkflowIngressClient<Executor> {
        OrderWorkflowIngressClient::from_client(self.restate.clone(), id.as_str())
    }
}

/// The answer of a handler.
fn answer<T: DeserializeOwned + 'static>(
    answer: Result<CallResponse<Executor, Json<T>>, ClientError>,
) -> Result<T, Error> {
    answer
        .and_then(CallResponse::into_body)
        .map(Json::into_inner)
        .map_err(|error| match (&error, error.response()) {
            (ClientError::Transport { source }, _) => {
                Error::Unavailable(http::with_sources(&**source))
            }
            (_, Some(response)) if !response.status().is_success() => refused(response),
            _ => Error::Unexpected(http::with_sources(&error)),
        })
}

/// The error that a response without success stands for.
fn refused(answer: &Response<Bytes>) -> Error {
    let status = answer.status();
    let Failure { message, source } = said(answer);
    let by_handler = source == "invocation";
    match status {
        StatusCode::NOT_FOUND if by_handler => Error::NotFound(message),
        StatusCode::NOT_FOUND
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT
            if !by_handler =>
        {
            Error::Unavailable(format!("{status}: {message}"))
        }
        _ => Error::Unexpected(format!("{status}: {message}")),
    }
}

fn said(answer: &Response<Bytes>) -> Failure {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}
