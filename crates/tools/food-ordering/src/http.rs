//! HTTP clients for JSON APIs, whose errors include the response body.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use durable::ingress::Executor;
use reqwest::{Client, RequestBuilder, Response};
use restate_sdk::ingress::{CallResponse, Client as IngressClient, ClientError};
use restate_sdk::serde::Json;
use serde::de::DeserializeOwned;
use upstream::{Repeat, Upstream, http};

/// The longest response to accept, in bytes. Lists from Restate's admin API, query results and metrics are smaller.
const MAX_RESPONSE: usize = 64 << 20;

/// A client that gives up on each request after `timeout`.
pub fn client(timeout: Duration) -> anyhow::Result<Client> {
    http::client(timeout)
        .build()
        .context("making an HTTP client")
}

/// A service at `addresses`, separated by commas, whose answers may take `limit`. `what` names it in error messages.
pub fn upstream(what: &str, addresses: &str, limit: Duration) -> anyhow::Result<Upstream> {
    let addresses = addresses.parse().with_context(|| what.to_owned())?;
    Ok(Upstream::new(addresses, limit))
}

/// Restate's ingress at `addresses`, from which typed clients of handlers are made. Use it only for requests that may be repeated:
/// they are sent to another node if one does not answer.
pub(crate) fn ingress(addresses: &str, limit: Duration) -> anyhow::Result<IngressClient<Executor>> {
    let nodes = upstream("Restate's ingress", addresses, limit)?;
    Ok(Executor::new(client(limit)?, nodes, Repeat::Harmless).client())
}

/// The response of a handler. An error includes Restate's response body.
pub(crate) fn answered<T: DeserializeOwned + 'static>(
    answer: Result<CallResponse<Executor, Json<T>>, ClientError>,
) -> anyhow::Result<T> {
    let answer = answer.and_then(CallResponse::into_body);
    answer.map(Json::into_inner).map_err(|error| {
        let said = error.response().map(|response| response.body().clone());
        match said {
            Some(said) => anyhow!("{error}: {}", String::from_utf8_lossy(&said)),
            None => error.into(),
        }
    })
}

pub use upstream::http::encoded;

/// The URL of `path` below a base URL. Ids in it must be [`encoded`].
#[must_use]
pub fn below(base: &reqwest::Url, path: &str) -> String {
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

/// Sends a request. Any status other than success is an error that includes the response body.
pub async fn send(request: RequestBuilder) -> anyhow::Result<Response> {
    check(request.send().await?).await
}

/// Turns any status other than success into an error that includes the response body.
pub async fn check(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = response.url().clone();
    let body = http::text(response, http::SHORT).await.unwrap_or_default();
    bail!("{url} answered {status}: {body}")
}

/// Sends a request and parses the JSON of its response.
pub async fn json<T: DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    read(send(request).await?).await
}

/// Parses the JSON of a response.
pub async fn read<T: DeserializeOwned>(response: Response) -> anyhow::Result<T> {
    let body = http::body(response, MAX_RESPONSE).await?;
    Ok(serde_json::from_slice(&body)?)
}

/// Sends a request and returns the text of its response.
pub async fn text(request: RequestBuilder) -> anyhow::Result<String> {
    Ok(http::text(send(request).await?, MAX_RESPONSE).await?)
}

/// The version of HTTP to use without TLS, where the version cannot be negotiated.
#[derive(Debug, Clone, Copy)]
pub enum Protocol {
    /// HTTP/1.1, for everything but the durable services.
    Http1,
    /// HTTP/2, for the durable services.
    Http2,
}

impl Protocol {
    /// A client that uses only this version, and gives up on each request after `timeout`.
    pub fn client(self, timeout: Duration) -> reqwest::Result<Client> {
        let builder = http::client(timeout);
        match self {
            Self::Http1 => builder.http1_only(),
            Self::Http2 => builder.http2_prior_knowledge(),
        }
        .build()
    }
}

/// Whether a GET of `url` succeeds within a second.
pub async fn answers(url: &str, protocol: Protocol) -> bool {
    let Ok(client) = protocol.client(Duration::from_secs(1)) else {
        return false;
    };
    matches!(client.get(url).send().await, Ok(response) if response.status().is_success())
}
