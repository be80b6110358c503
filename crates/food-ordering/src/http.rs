//! HTTP as the launcher needs it: JSON to and from services on this machine, errors that show what the other side said.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use upstream::Upstream;

/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// A client that gives up after `timeout` a request.
pub(crate) fn client(timeout: Duration) -> anyhow::Result<Client> {
    Client::builder()
        .timeout(timeout)
        .connect_timeout(CONNECT_WITHIN)
        // Everything the launcher talks to is given by address; a proxy for the Internet has no business there.
        .no_proxy()
        .build()
        .context("making an HTTP client")
}

/// A service at `addresses`, separated by commas, whose answers may take `limit`; `what` it is, for people.
pub(crate) fn upstream(what: &str, addresses: &str, limit: Duration) -> anyhow::Result<Upstream> {
    let addresses = addresses.parse().with_context(|| what.to_owned())?;
    Ok(Upstream::new(addresses, limit))
}

/// The URL of `path` below a base URL.
pub(crate) fn below(base: &reqwest::Url, path: &str) -> String {
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

/// Sends a request; an answer other than a success is an error that holds its body.
pub(crate) async fn send(request: RequestBuilder) -> anyhow::Result<Response> {
    check(request.send().await?).await
}

/// An answer other than a success is an error that holds its body.
pub(crate) async fn check(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = response.url().clone();
    let body = response.text().await.unwrap_or_default();
    bail!("{url} answers {status}: {body}")
}

/// Sends a request and reads the JSON of its answer.
pub(crate) async fn json<T: DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    Ok(send(request).await?.json().await?)
}

/// How to talk to a server without TLS, where nothing can be negotiated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Http1,
    /// What Restate's services speak.
    Http2,
}

/// Whether a GET of `url` succeeds within a second.
pub(crate) async fn answers(url: &str, protocol: Protocol) -> bool {
    let builder = Client::builder().timeout(Duration::from_secs(1)).no_proxy();
    let builder = match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_prior_knowledge(),
    };
    let Ok(client) = builder.build() else {
        return false;
    };
    matches!(client.get(url).send().await, Ok(response) if response.status().is_success())
}
