//! What answers at an address, and if it is not the part, who has its port.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;
use upstream::http::{Error, SHORT, body};

use crate::http::Protocol;
use crate::up::listener_of;

/// How long a part has to answer. A busy machine needs a second; who waits for a dead one waits this long once.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// What a part is to be known by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// `GET /health` answers `{"status":"UP"}`.
    Up,
    /// `GET /health` comes from Restate's SDK; over HTTP/2.
    Sdk,
    /// This path answers with success.
    Path(&'static str),
}

/// What was found at an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The part.
    It,
    /// The part, saying that it cannot work.
    Ill(String),
    /// Something else.
    Another,
    /// Somebody listens and says nothing.
    Silence,
    /// Nobody.
    Nobody(String),
}

/// What was found at `url`, for people.
pub(super) fn describe(url: &str, found: &Found) -> String {
    match found {
        Found::It => url.to_owned(),
        Found::Ill(why) => format!("{url}: {why}"),
        Found::Another => format!("{url}: the port is taken by something else{}", by(url)),
        Found::Silence => format!("{url}: no answer within {PATIENCE:?}{}", by(url)),
        Found::Nobody(why) => format!("{url}: unreachable: {why}"),
    }
}

/// Who listens there, if it is on this machine and can be known.
fn by(url: &str) -> String {
    let port = socket(url)
        .filter(|address| address.ip().is_loopback())
        .and_then(|address| listener_of::port(address.port()));
    port.map_or_else(String::new, |who| format!(": {who}"))
}

fn socket(url: &str) -> Option<SocketAddr> {
    let (_, authority) = url.split_once("://")?;
    authority.split('/').next()?.to_socket_addrs().ok()?.next()
}

pub(super) async fn probe(url: &str, sign: Sign) -> Found {
    let path = match sign {
        Sign::Up | Sign::Sdk => "/health",
        Sign::Path(path) => path,
    };
    let protocol = match sign {
        Sign::Sdk => Protocol::Http2,
        Sign::Up | Sign::Path(_) => Protocol::Http1,
    };
    let client = match protocol.client(PATIENCE) {
        Ok(client) => client,
        Err(error) => return Found::Nobody(error.to_string()),
    };
    let answer = match client.get(format!("{url}{path}")).send().await {
        Ok(response) => judge(response, sign).await,
        Err(error) if error.is_builder() => return Found::Nobody(cause(&error)),
        Err(error) => Err(error.into()),
    };
    let error = match answer {
        Ok(found) => return found,
        Err(Error::Http(error)) => error,
        // Who says so much is somebody else.
        Err(Error::TooLong { .. }) => return Found::Another,
    };
    match error {
        error if error.is_timeout() && !error.is_connect() => Found::Silence,
        error if error.is_connect() => Found::Nobody(cause(&error)),
        // Who talks, but not like this, is somebody else.
        _ => Found::Another,
    }
}

async fn judge(response: Response, sign: Sign) -> Result<Found, Error> {
    let status = response.status();
    let is_sdk = response.headers().contains_key("x-restate-server");
    let body = body(response, SHORT).await?;
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    let says_up = body.as_ref().is_some_and(|body| body["status"] == "UP");
    Ok(match sign {
        Sign::Up if status.is_success() && says_up => Found::It,
        // The stubs say so when their books cannot be read.
        Sign::Up if status == StatusCode::SERVICE_UNAVAILABLE => {
            let detail = body.as_ref().and_then(|body| body["detail"].as_str());
            Found::Ill(detail.unwrap_or("it says that it cannot work").to_owned())
        }
        Sign::Sdk if status.is_success() && is_sdk => Found::It,
        Sign::Path(_) if status.is_success() => Found::It,
        _ => Found::Another,
    })
}

/// The innermost reason of an error.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn who_has_a_port_is_told_from_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        assert!(by(&url).contains(&std::process::id().to_string()));
        let server = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
                    .await;
            }
        });
        assert_eq!(probe(&url, Sign::Up).await, Found::Another);
        server.abort();
        let _ = server.await;
        assert!(matches!(probe(&url, Sign::Up).await, Found::Nobody(_)));
    }
}
