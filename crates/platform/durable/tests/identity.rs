//! The services accept requests only if they are signed with a known key of Restate.
#![expect(
    clippy::disallowed_methods,
    reason = "tests and the systems they start trust each other"
)]

use std::path::Path;
use std::time::{Duration, SystemTime};

use durable::{Identity, Server};
use reqwest::{Client, Method};
use restate_sdk::prelude::Endpoint;
use secrets::keys;
use secrets::testing::Signer;
use tempfile::TempDir;
use tokio::net::TcpListener;

const DISCOVER: &str = "/discover";
/// The media type in which Restate requests the endpoint manifest.
const MANIFEST: &str = "application/vnd.restate.endpointmanifest.v4+json";
const INVOKE: &str = "/invoke/OrderStatusService/setStatus";

/// A server without services, and a client for it.
struct TestServer {
    client: Client,
    base: String,
}

impl TestServer {
    /// Starts a server that knows the keys in `file`.
    async fn start(file: &Path) -> anyhow::Result<Self> {
        let server = Server::new(Endpoint::builder().build()).identity(Identity::read(file)?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        tokio::spawn(server.serve(listener, std::future::pending()));
        let client = upstream::http::client(Duration::from_secs(10))
            .http2_prior_knowledge()
            .build()?;
        Ok(Self { client, base })
    }

    async fn status(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
    ) -> anyhow::Result<u16> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, url).header("accept", MANIFEST);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        Ok(request.send().await?.status().as_u16())
    }

    async fn discovery(&self, headers: &[(&str, String)]) -> anyhow::Result<u16> {
        self.status(Method::GET, DISCOVER, headers).await
    }
}

fn new_keys() -> anyhow::Result<(TempDir, Signer)> {
    let directory = tempfile::tempdir()?;
    keys::make_missing(directory.path())?;
    let signer = Signer::open(directory.path())?;
    Ok((directory, signer))
}

fn public_key(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join(keys::RESTATE_IDENTITY_PUBLIC)
}

#[expect(clippy::disallowed_methods, reason = "tokens contain the time")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

#[tokio::test]
async fn requests_without_a_current_signature_for_their_path_are_refused() -> anyhow::Result<()> {
    let (directory, restate) = new_keys()?;
    let (_elsewhere, stranger) = new_keys()?;
    let server = TestServer::start(&public_key(&directory)).await?;
    // The second time, the token is only recognised; that must not let the following requests in.
    let signed = restate.headers(DISCOVER, now());
    for _ in 0..2 {
        assert_eq!(server.discovery(&signed).await?, 200);
    }

    let unsigned = [("x-restate-signature-scheme", "unsigned".to_owned())];
    let without_token = [("x-restate-signature-scheme", "v1".to_owned())];
    let mut cut = restate.headers(DISCOVER, now());
    cut[1].1.pop();
    for (what, headers) in [
        ("no headers", &[][..]),
        ("unsigned", &unsigned),
        ("no token", &without_token),
        ("half a token", &cut),
        (
            "a valid token with the scheme unsigned",
            &[unsigned[0].clone(), signed[1].clone()],
        ),
        ("another key", &stranger.headers(DISCOVER, now())),
        ("another path", &restate.headers(INVOKE, now())),
        ("old", &restate.headers(DISCOVER, now() - 3600)),
        ("not yet", &restate.headers(DISCOVER, now() + 3600)),
    ] {
        assert_eq!(server.discovery(headers).await?, 401, "{what}");
    }
    // Paths that only look like the open ones are protected, too.
    for path in [
        INVOKE,
        "/invoke/OrderStatusService/health",
        "/invoke/OrderStatusService/metrics",
        "/x/invoke/OrderStatusService/setStatus",
        "//invoke/OrderStatusService/setStatus",
        "/metrics/discover",
        "/health/",
        "/x/health",
        "/",
    ] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(server.status(method, path, &[]).await?, 401, "{path}");
        }
    }
    for open in ["/health", "/metrics"] {
        assert_eq!(server.status(Method::GET, open, &[]).await?, 200, "{open}");
        assert_eq!(server.status(Method::POST, open, &[]).await?, 401, "{open}");
    }
    let metrics = format!("{}/metrics", server.base);
    let metrics = server.client.get(metrics).send().await?.text().await?;
    for reason in ["unsigned", "other key"] {
        let counted = format!(r#"restate_requests_refused_total{{reason="{reason}"}}"#);
        assert!(metrics.contains(&counted), "{metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn both_keys_are_accepted_while_the_key_is_replaced() -> anyhow::Result<()> {
    let (former, before) = new_keys()?;
    let (latter, after) = new_keys()?;
    let both = [&latter, &former].map(|directory| std::fs::read_to_string(public_key(directory)));
    let [new, old] = both;
    std::fs::write(public_key(&latter), format!("{}{}", new?, old?))?;
    let server = TestServer::start(&public_key(&latter)).await?;
    for signer in [before, after] {
        assert_eq!(
            server.discovery(&signer.headers(DISCOVER, now())).await?,
            200
        );
    }
    Ok(())
}

/// Reading it would cost memory, and waiting for one that never arrives would keep the connection open forever.
#[tokio::test]
async fn unsigned_requests_are_refused_without_reading_their_body() -> anyhow::Result<()> {
    let (directory, _) = new_keys()?;
    let server = TestServer::start(&public_key(&directory)).await?;
    let endless = reqwest::Body::wrap(http_body_util::StreamBody::new(futures::stream::pending::<
        Result<http_body::Frame<bytes::Bytes>, std::io::Error>,
    >()));
    let request = server.client.post(format!("{}{INVOKE}", server.base));
    assert_eq!(request.body(endless).send().await?.status(), 401);
    Ok(())
}
