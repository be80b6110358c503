//! Calls handlers from outside a service: sends the requests of the SDK's typed ingress clients with [`upstream`].

use bytes::Bytes;
use hyper::{Request, Response, Uri};
use percent_encoding::percent_decode_str;
use restate_sdk::ingress::{Client, RequestExecutor};
use telemetry::{http as traces, span};
use tracing::Instrument;
use upstream::http::{self, InvalidSegment};
use upstream::{Attempt, Repeat, Upstream};

/// Sends requests to the ingress of any Restate node that answers, each with the caller's trace context.
#[derive(Debug, Clone)]
pub struct Executor {
    client: reqwest::Client,
    nodes: Upstream,
    repeat: Repeat,
}

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No node answered.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// A key cannot be a segment of a path.
    #[error("a key of the request: {0}")]
    Path(#[from] InvalidSegment),
}

impl Executor {
    /// Sends requests with `client`, made by [`http::client`]. `repeat` says whether a request may be sent twice.
    #[must_use]
    pub fn new(client: reqwest::Client, nodes: Upstream, repeat: Repeat) -> Self {
        Self {
            client,
            nodes,
            repeat,
        }
    }

    /// The client from which the typed ingress clients are made.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the address is valid"
    )]
    pub fn client(&self) -> Client<Self> {
        // The SDK needs an address. Each attempt replaces it.
        Client::new(Uri::from_static("http://restate"), self.clone()).expect("a base URI")
    }
}

impl RequestExecutor for Executor {
    type Error = Error;

    async fn execute(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        let (parts, body) = request.into_parts();
        let segments: Vec<_> = (parts.uri.path().split('/').skip(1))
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy())
            .collect();
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        if !segments.iter().all(|segment| http::is_segment(segment)) {
            return Err(InvalidSegment.into());
        }
        let template = template(&segments);
        let attempt = |Attempt { base, limit }| {
            let mut url = http::below(&base, &segments).unwrap_or(base);
            url.set_query(parts.uri.query());
            let span = span::client(parts.method.as_str(), &template, url.as_str());
            let answer = (self.client.request(parts.method.clone(), url))
                .headers(parts.headers.clone())
                .headers(span.in_scope(traces::propagation))
                .timeout(limit)
                .body(body.clone())
                .send();
            let answer = async {
                let mut answer = answer.await?;
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = answer.status();
                *response.headers_mut() = std::mem::take(answer.headers_mut());
                *response.body_mut() = http::body(answer, http::SHORT).await?;
                Ok(response)
            };
            async move {
                let answer: Result<Response<Bytes>, http::Error> =
                    answer.instrument(span.clone()).await;
                let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
                span::answered(&span, status);
                answer
            }
        };
        Ok(self.nodes.ask(self.repeat, attempt).await?)
    }
}

/// The path with placeholders for ids.
fn template(segments: &[&str]) -> String {
    match segments {
        ["restate", how @ ("call" | "send"), service, _, handler] => {
            format!("/restate/{how}/{service}/{{key}}/{handler}")
        }
        ["restate", how @ ("attach" | "output"), _] => format!("/restate/{how}/{{id}}"),
        ["restate", "awakeables", _, end] => format!("/restate/awakeables/{{id}}/{end}"),
        other => format!("/{}", other.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use restate_sdk::ingress::{ClientError, RequestTarget};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use upstream::Addresses;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// A client of the nodes at these addresses.
    fn client(addresses: &str) -> Client<Executor> {
        let addresses: Addresses = addresses.parse().unwrap();
        let nodes = Upstream::new(addresses, LIMIT);
        let client = http::client(LIMIT).build().unwrap();
        Executor::new(client, nodes, Repeat::Harmless).client()
    }

    fn object(key: &str) -> RequestTarget {
        RequestTarget::object("Service", key, "handler")
    }

    /// A node that answers one request. Returns its URL and the request that it received.
    async fn node(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let came = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut came = Vec::new();
            while !came.ends_with(b"\r\n\r\n\"hi\"") {
                assert_ne!(stream.read_buf(&mut came).await.unwrap(), 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(came).unwrap()
        });
        (format!("http://{address}/base"), came)
    }

    #[tokio::test]
    async fn a_request_goes_to_the_reachable_node_with_path_headers_and_body() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone_at = gone.local_addr().unwrap();
        drop(gone);
        let (there, came) =
            node("HTTP/1.1 200 OK\r\nx-restate-id: inv_1\r\ncontent-length: 6\r\n\r\n\"what\"")
                .await;
        let answer = client(&format!("http://{gone_at},{there}"))
            .request::<_, String>(object("a:b/../c"), "hi".to_owned())
            .idempotency_key("once")
            .call()
            .await
            .unwrap();
        assert_eq!(answer.into_body().unwrap(), "what");
        let came = came.await.unwrap();
        let path = "POST /base/restate/call/Service/a:b%2F..%2Fc/handler HTTP/1.1\r\n";
        assert!(came.starts_with(path), "{came}");
        assert!(came.contains("\r\nidempotency-key: once\r\n"), "{came}");
        assert!(
            came.contains("\r\ncontent-type: application/json\r\n"),
            "{came}"
        );
    }

    #[tokio::test]
    async fn a_redirect_is_an_error() {
        let elsewhere = "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
        let (there, _came) = node(elsewhere).await;
        let request = client(&there).request::<_, String>(object("a"), "hi".to_owned());
        let error = request.call().await.err().unwrap();
        assert_eq!(error.response().unwrap().status(), 302);
    }

    #[tokio::test]
    async fn a_key_that_would_change_the_path_is_not_sent() {
        for key in ["", ".", ".."] {
            let request = client("http://127.0.0.1:9").request::<_, ()>(object(key), ());
            let error = request.call().await.err().unwrap();
            assert!(matches!(error, ClientError::Transport { .. }), "{error}");
            assert!(error.to_string().contains("a segment of a path"), "{error}");
        }
    }

    #[test]
    fn a_template_has_placeholders_for_ids() {
        for (path, expected) in [
            ("restate/call/A/1/b", "/restate/call/A/{key}/b"),
            ("restate/send/A/b", "/restate/send/A/b"),
            (
                "restate/awakeables/1/resolve",
                "/restate/awakeables/{id}/resolve",
            ),
            ("restate/output/1", "/restate/output/{id}"),
        ] {
            let segments: Vec<&str> = path.split('/').collect();
            assert_eq!(template(&segments), expected);
        }
    }
}
