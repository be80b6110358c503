//! A proxy that tampers with requests to the payment provider.
//!
//! With it, a test can break the system at its edge, without any switch in the services.

use std::net::TcpListener as StdListener;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::launcher::binary;
use crate::{SOON, eventually};

const LONGEST_BODY: usize = 1024 * 1024;
const KEY: &str = "idempotency-key";

/// How the proxy tampers with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// Every request gets a random idempotency key.
    RandomKeys,
    /// Refunds are answered with success but not made.
    RefundsVanish,
}

/// A payment provider with such a proxy in front of it. Both end when this is dropped.
pub struct PaymentProxy {
    /// The URL of the proxy.
    pub url: String,
    provider: Child,
    proxy: JoinHandle<()>,
    #[expect(dead_code, reason = "the provider's books; removed with this value")]
    directory: TempDir,
}

#[derive(Clone)]
struct Proxy {
    tampering: Tampering,
    provider: String,
    http: reqwest::Client,
}

impl PaymentProxy {
    /// Starts both.
    pub async fn start(tampering: Tampering) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let address = StdListener::bind("127.0.0.1:0")?.local_addr()?;
        let books = directory.path().join("payment-provider.sqlite");
        let provider = Command::new(binary()?)
            .args(["serve", "payment-provider"])
            .arg(format!("--payment-provider-listen={address}"))
            .arg(format!("--payment-database={}", books.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let proxy = Proxy {
            tampering,
            provider: format!("http://{address}"),
            http: crate::http(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let health = format!("{url}/health");
        let app = Router::new().fallback(pass).with_state(proxy);
        let proxy = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(listener, app).await;
        });
        let this = Self {
            url,
            provider,
            proxy,
            directory,
        };
        eventually("the payment provider", SOON, async || {
            match crate::http().get(&health).send().await {
                Ok(answer) if answer.status().is_success() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        Ok(this)
    }
}

impl Drop for PaymentProxy {
    fn drop(&mut self) {
        self.proxy.abort();
        let _ = self.provider.kill();
        let _ = self.provider.wait();
    }
}

async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    if proxy.tampering == Tampering::RefundsVanish && request.uri().path().ends_with("/refunds") {
        return (StatusCode::CREATED, Json(json!({}))).into_response();
    }
    match proxy.forward(request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Proxy {
    async fn forward(&self, request: Request) -> anyhow::Result<Response> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().context("a request has a path")?;
        let url = format!("{}{path}", self.provider);
        parts.headers.remove(header::HOST);
        if self.tampering == Tampering::RandomKeys && parts.headers.contains_key(KEY) {
            let key = uuid::Uuid::new_v4().to_string();
            parts.headers.insert(KEY, HeaderValue::from_str(&key)?);
        }
        let answer = self
            .http
            .request(parts.method, url)
            .headers(parts.headers)
            .body(to_bytes(body, LONGEST_BODY).await?)
            .send()
            .await?;
        let mut response = Response::builder().status(answer.status());
        if let Some(kind) = answer.headers().get(header::CONTENT_TYPE) {
            response = response.header(header::CONTENT_TYPE, kind);
        }
        Ok(response.body(Body::from(answer.bytes().await?))?)
    }
}
