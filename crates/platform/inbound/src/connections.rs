//! Accepting connections until shutdown, and then letting open ones finish their requests.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// How long requests in progress may take after shutdown was requested.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted: others may end in the meantime.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// The next connection, or `None` once `shutdown` completes. Calls `failed` when the operating system cannot accept one, and then
/// retries.
pub async fn accept(
    listener: &TcpListener,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
    failed: impl Fn(),
) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.as_mut() => return None,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are small and complete, so they should be sent at once. If this fails they are sent a little later.
                let _ = stream.set_nodelay(true);
                return Some((stream, peer));
            }
            Err(error) if concerns_one_connection(&error) => {
                tracing::debug!(%error, "a connection broke before it was accepted");
            }
            Err(error) => {
                // Most likely there are no file descriptors left.
                failed();
                tracing::warn!(%error, "cannot accept connections");
                sleep(RETRY_AFTER).await;
            }
        }
    }
}

/// Waits until open connections have finished their requests, for [`GRACE`] at most.
pub async fn drain(connections: GracefulShutdown) {
    if timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!(grace = ?GRACE, "stopped without finishing all requests");
    }
}

/// Whether the error concerns only this connection; other errors would occur again at once.
fn concerns_one_connection(error: &Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
