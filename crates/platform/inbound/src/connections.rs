//! Accepting connections until told to stop, and letting those that are left finish.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// How long requests in hand may take once a server has been told to stop.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long to wait when the system cannot give another connection: others may end meanwhile.
const BREATH: Duration = Duration::from_millis(50);

/// The next connection, or `None` once `shutdown` is over. `failed` is called when the system cannot give one; then it is tried
/// again.
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
                // Answers are small and complete: they should leave at once. If it cannot be set they leave a little later.
                let _ = stream.set_nodelay(true);
                return Some((stream, peer));
            }
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(%error, "a connection broke before it was accepted");
            }
            Err(error) => {
                // Out of files, most likely.
                failed();
                tracing::warn!(%error, "a connection was not accepted");
                sleep(BREATH).await;
            }
        }
    }
}

/// Lets the connections that are left finish the requests they have in hand, for [`GRACE`] at most.
pub async fn drain(connections: GracefulShutdown) {
    if timeout(GRACE, connections.shutdown()).await.is_err() {
        tracing::warn!(grace = ?GRACE, "stopped without finishing all requests");
    }
}

/// Whether it is the client's fault that there is no connection; other errors will be there the next time too.
fn is_of_one_connection(error: &Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
