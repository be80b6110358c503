//! A proxy that harms what passes through it on its way to the payment provider.
//!
//! With it a test breaks the system where the system ends, and needs no switch in any service.

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

/// What is done to what passes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Every request gets an idempotency key of its own.
    RandomKeys,
    /// Refunds are answered with yes and thrown away.
    RefundsVanish,
}

/// A payment provider with a harmful proxy in front. Ends with this value.
pub struct PaymentProxy {
    /// Where the proxy listens.
    pub url: String,
    provider: Child,
    proxy: JoinHandle<()>,
    #[expect(dead_code, reason = "the provider's books; removed with this value")]
    directory: TempDir,
}

#[derive(Clone)]
struct Proxy {
    harm: Harm,
    provider: String,
    http: reqwest::Client,
}

impl PaymentProxy {
    /// Starts both.
    pub async fn start(harm: Harm) -> anyhow::Result<Self> {
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
            harm,
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
            match reqwest::get(&health).await {
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
    if proxy.harm == Harm::RefundsVanish && request.uri().path().ends_with("/refunds") {
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
        if self.harm == Harm::RandomKeys && parts.headers.contains_key(KEY) {
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
