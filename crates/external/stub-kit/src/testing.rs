//! Helpers for the tests of the stubs.
#![expect(
    clippy::unwrap_used,
    reason = "a test helper fails its test by panicking"
)]

use std::fs;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::Database;

/// How long a test waits for a condition.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Sends requests to an application without a network.
#[derive(Debug, Clone)]
pub struct Client(Router);

/// The application's answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body parsed as JSON; null if it is not JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The detail of a problem document.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}

impl Client {
    /// A client of `app`.
    #[must_use]
    pub fn new(app: Router) -> Self {
        Self(app)
    }

    /// Sends a GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Sends a DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    /// Sends JSON with a PUT.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send_json("PUT", path, &[], body).await
    }

    /// Sends JSON with a POST.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send_json("POST", path, &[], body).await
    }

    /// Sends JSON with a POST under an idempotency key.
    pub async fn post_as(&self, key: &str, path: &str, body: Value) -> Answer {
        self.send_json("POST", path, &[("idempotency-key", key)], body)
            .await
    }

    async fn send_json(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        self.send(method, path, &headers, &body.to_string()).await
    }

    /// Sends any request.
    ///
    /// # Panics
    /// If the request is invalid.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }
}

/// Sends a GET over the network, and returns the whole answer including the headers.
///
/// # Panics
/// If the connection breaks.
pub async fn raw_get(address: SocketAddr, path: &str) -> String {
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A copy of the open `database` as `kill -9` would leave it at this moment: the files as they are now, without closing or
/// flushing anything.
///
/// # Panics
/// If the files cannot be copied.
#[must_use]
pub fn crash_copy(database: &Path) -> PathBuf {
    let copy = database.with_extension("left-behind.db");
    fs::copy(database, &copy).unwrap();
    let log = |path: &Path| path.with_extension("db-wal");
    fs::copy(log(database), log(&copy)).unwrap();
    copy
}

/// Sends a request that uses `database`, and hangs up as soon as its work is queued, before any of it is done.
///
/// # Panics
/// If the request does not wait for the database.
pub async fn send_and_hang_up(database: &Database, request: impl Future) {
    let (started, start) = oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let busy = database.read(move |_| {
        let _ = started.send(());
        // Returns when the other end is dropped.
        let _ = released.recv();
        Ok(())
    });
    let hang_up = async move {
        start.await.unwrap();
        let mut request = pin!(request);
        poll_fn(|context| {
            assert!(request.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(release);
    };
    let (busy, ()) = tokio::join!(busy, hang_up);
    busy.unwrap();
}

/// Waits until `condition` returns a value. `what` describes the condition in the panic message.
///
/// # Panics
/// If there is no value within the [`DEADLINE`].
pub async fn eventually<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> T {
    let polling = async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let Ok(found) = tokio::time::timeout(DEADLINE, polling).await else {
        panic!("waited {DEADLINE:?} in vain for {what}");
    };
    found
}
