//! Finds out what answers at an address and, if it is not the expected part, which process has the port.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;
use upstream::http::{Error, SHORT, body};

use crate::http::Protocol;
use crate::sockets;

/// How long a part may take to answer. A busy machine needs about a second.
pub(super) const TIMEOUT: Duration = Duration::from_secs(4);

/// How a part is recognised.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    /// `GET /health` answers `{"status":"UP"}`.
    Up,
    /// `GET /health` is answered by Restate's SDK, over HTTP/2.
    Sdk,
    /// A GET of this path succeeds.
    Path(&'static str),
}

/// What was found at an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The expected part.
    ExpectedPart,
    /// The expected part, which reports that it cannot work, with the reason.
    Unhealthy(String),
    /// Another program.
    OtherProgram,
    /// A program that accepts the connection but does not answer.
    NoAnswer,
    /// No program, with the reason.
    Unreachable(String),
}

/// Describes what was found at `url`.
pub(super) fn describe(url: &str, found: &Found) -> String {
    match found {
        Found::ExpectedPart => url.to_owned(),
        Found::Unhealthy(why) => format!("{url}: {why}"),
        Found::OtherProgram => format!("{url}: the port is taken by something else{}", by(url)),
        Found::NoAnswer => format!("{url}: no answer within {TIMEOUT:?}{}", by(url)),
        Found::Unreachable(why) => format!("{url}: unreachable: {why}"),
    }
}

/// The process that listens at `url`, as a suffix for a message; empty if it is on another machine or unknown.
fn by(url: &str) -> String {
    let port = socket(url)
        .filter(|address| address.ip().is_loopback())
        .and_then(|address| sockets::listener(address.port()));
    port.map_or_else(String::new, |who| format!(": {who}"))
}

fn socket(url: &str) -> Option<SocketAddr> {
    let (_, authority) = url.split_once("://")?;
    authority.split('/').next()?.to_socket_addrs().ok()?.next()
}

pub(super) async fn probe(url: &str, expected: Expected) -> Found {
    let path = match expected {
        Expected::Up | Expected::Sdk => "/health",
        Expected::Path(path) => path,
    };
    let protocol = match expected {
        Expected::Sdk => Protocol::Http2,
        Expected::Up | Expected::Path(_) => Protocol::Http1,
    };
    let client = match protocol.client(TIMEOUT) {
        Ok(client) => client,
        Err(error) => return Found::Unreachable(error.to_string()),
    };
    let answer = match client.get(format!("{url}{path}")).send().await {
        Ok(response) => judge(response, expected).await,
        Err(error) if error.is_builder() => return Found::Unreachable(cause(&error)),
        Err(error) => Err(error.into()),
    };
    let error = match answer {
        Ok(found) => return found,
        Err(Error::Http(error)) => error,
        // No part answers with so much, so it is another program.
        Err(Error::TooLong { .. }) => return Found::OtherProgram,
    };
    match error {
        error if error.is_timeout() && !error.is_connect() => Found::NoAnswer,
        error if error.is_connect() => Found::Unreachable(cause(&error)),
        // It does not speak the protocol of the part, so it is another program.
        _ => Found::OtherProgram,
    }
}

async fn judge(response: Response, expected: Expected) -> Result<Found, Error> {
    let status = response.status();
    let is_sdk = response.headers().contains_key("x-restate-server");
    let body = body(response, SHORT).await?;
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    let says_up = body.as_ref().is_some_and(|body| body["status"] == "UP");
    Ok(match expected {
        Expected::Up if status.is_success() && says_up => Found::ExpectedPart,
        // The stubs answer this if their books cannot be read.
        Expected::Up if status == StatusCode::SERVICE_UNAVAILABLE => {
            let detail = body.as_ref().and_then(|body| body["detail"].as_str());
            Found::Unhealthy(
                detail
                    .unwrap_or("it reports that it cannot work")
                    .to_owned(),
            )
        }
        Expected::Sdk if status.is_success() && is_sdk => Found::ExpectedPart,
        Expected::Path(_) if status.is_success() => Found::ExpectedPart,
        _ => Found::OtherProgram,
    })
}

/// The innermost cause of an error.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn another_program_on_a_port_is_distinguished_from_none() {
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
        assert_eq!(probe(&url, Expected::Up).await, Found::OtherProgram);
        server.abort();
        // A port that is taken but does not listen: one that was given back may be another test's by now.
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", closed.local_addr().unwrap());
        assert!(matches!(
            probe(&url, Expected::Up).await,
            Found::Unreachable(_)
        ));
    }
}
