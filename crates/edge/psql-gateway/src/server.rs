//! Connections: accepting them, limiting them, and passing their messages on.

use std::io;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use pgwire::api::store::PortalStore;
use pgwire::api::{
    ClientInfo, ClientPortalStore, DEFAULT_NAME, NoopHandler, PgWireConnectionState,
};
use pgwire::error::{ErrorInfo, PgWireError};
use pgwire::messages::response::TransactionStatus;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use pgwire::tokio::server::{
    MaybeTls, PgWireMessageServerCodec, negotiate_tls, process_error, process_message,
};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::codec::{Framed, FramedParts};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::auth::{Door, Guests};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::handler::Handler;
use crate::limits::Limited;
use crate::prepared::Parsed;
use crate::session::Session;
use crate::tls::Tls;

/// How many connections may be on their way in for each that may be in.
const WAITING_PER_SEAT: usize = 2;
/// How many files a client may take: its own connection, [`WAITING_PER_SEAT`] that wait for its seat, and one to the runtime.
const FILES_PER_SEAT: usize = WAITING_PER_SEAT + 2;
/// At most so many files are kept back for all else.
const OTHER_FILES: usize = 64;
/// How many bytes of rows are collected before they are sent.
const SEND_AT: usize = 64 * 1024;
/// How long a client may take to read something. Longer than people look away from a pager, shorter than for ever.
const PATIENCE: Duration = Duration::from_mins(5);
/// After this long without a word the system asks whether the client's machine is still there.
const KEEPALIVE: Duration = Duration::from_mins(1);
/// How long a statement that runs may take to end once the gateway is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long farewells may take to be read after that.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long to wait when the system cannot give another connection.
const BREATH: Duration = Duration::from_millis(100);

/// What limits the connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) message: usize,
    pub(crate) startup: Duration,
    pub(crate) statement: Duration,
}

/// How many clients there can be: those `wanted`, or as many as the limit of open files allows, which is raised first.
pub(crate) fn connections(wanted: usize) -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX)
        .or_else(|_| rlimit::Resource::NOFILE.get_soft())
        .unwrap_or(1_024);
    let allowed = connections_within(usize::try_from(files).unwrap_or(usize::MAX));
    if allowed < wanted {
        warn!(
            wanted,
            allowed, "the system allows fewer clients: raise the limit of open files (ulimit -n)"
        );
    }
    wanted.min(allowed)
}

/// How many clients fit into a limit of open files; at least one.
fn connections_within(files: usize) -> usize {
    ((files - (files / 4).min(OTHER_FILES)) / FILES_PER_SEAT).max(1)
}

/// Everything a connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) guests: Guests,
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: Limits,
}

type Client = Framed<Limited<MaybeTls>, PgWireMessageServerCodec<Parsed>>;

impl Server {
    /// Accepts connections until `shutdown`, in a loop of its own: it takes none without a place at the entrance, and ends them by
    /// messages of PostgreSQL's protocol. Then clients that say nothing are told so (57P01) and let go, and statements that
    /// run get [`GRACE`] to end.
    pub(crate) async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let stop = Stop::default();
        let seats = Arc::new(Semaphore::new(self.limits.connections));
        let entrance = Arc::new(Semaphore::new(self.limits.connections * WAITING_PER_SEAT));
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            // No more are accepted than are looked after.
            let entering = tokio::select! {
                entering = entrance.clone().acquire_owned() => entering,
                () = &mut shutdown => break,
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let server = self.clone();
                    let seats = seats.clone();
                    let stop = stop.clone();
                    connections.spawn(async move {
                        let serving = server.serve(stream, peer.ip(), &seats, entering.ok(), stop);
                        if let Err(error) = serving.await {
                            debug!(%peer, %error, "connection ended");
                        }
                    });
                }
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(BREATH).await;
                }
            }
            while let Some(ended) = connections.try_join_next() {
                if let Err(error) = ended
                    && error.is_panic()
                {
                    warn!(%error, "a connection failed");
                }
            }
        }
        info!(left = connections.len(), "psql gateway stops");
        drop(listener);
        stop.asked.cancel();
        let all = async { while connections.join_next().await.is_some() {} };
        tokio::pin!(all);
        if timeout(GRACE, &mut all).await.is_err() {
            stop.overdue.cancel();
            // Who does not even read that is left behind.
            let _ = timeout(FAREWELL, all).await;
        }
    }

    async fn serve<T>(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        seats: &Arc<Semaphore>,
        entering: T,
        stop: Stop,
    ) -> io::Result<()> {
        // An answer is several small messages, each of which would wait for the client's acknowledgement of the one before.
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
        let session = Arc::new(Session::new(self.limits.statement));
        let parts = Parts {
            door: Arc::new(Door::new(
                &self.gateway,
                &session,
                seats,
                &self.guests.entry(peer),
                self.tls.as_ref(),
            )),
            handler: Arc::new(Handler {
                gateway: self.gateway.clone(),
                session: session.clone(),
            }),
            nothing: Arc::new(NoopHandler),
            gateway: self.gateway.clone(),
            stop,
        };
        // Also if something panics.
        let _leaving = Leaving(&self.gateway, &session);
        let served = async {
            let begun = timeout(self.limits.startup, async {
                let Some(mut client) = self.open(stream).await? else {
                    return Ok(None);
                };
                while is_starting(&client) {
                    if !parts.next(&mut client).await? {
                        return Ok(None);
                    }
                }
                Ok::<_, io::Error>(Some(client))
            });
            let Ok(begun) = begun.await else {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "startup took too long",
                ));
            };
            let Some(mut client) = begun? else {
                return Ok(());
            };
            drop(entering);
            while parts.next(&mut client).await? {}
            Ok(())
        };
        served.await
    }

    /// Answers what comes before the first message: the question for encryption.
    async fn open(&self, stream: TcpStream) -> io::Result<Option<Client>> {
        let acceptor = self.tls.as_ref().map(|tls| tls.acceptor.clone());
        let Some(framed) = negotiate_tls(stream, acceptor).await? else {
            return Ok(None);
        };
        // Whoever is between the client and here could have sent it.
        if framed.is_secure() && !framed.read_buffer().is_empty() {
            let why = "unencrypted data after the request for encryption";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let old = framed.into_parts();
        let stream = Limited::new(old.io, self.limits.message, &old.read_buf, PATIENCE)?;
        let mut parts = FramedParts::new(stream, old.codec);
        parts.read_buf = old.read_buf;
        parts.write_buf = old.write_buf;
        let mut client = Framed::from_parts(parts);
        client.set_backpressure_boundary(SEND_AT);
        Ok(Some(client))
    }
}

/// Forgets a connection when it goes.
struct Leaving<'a>(&'a Gateway, &'a Session);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.sessions.leave(self.1);
    }
}

fn is_starting(client: &Client) -> bool {
    matches!(
        client.state(),
        PgWireConnectionState::AwaitingStartup | PgWireConnectionState::AuthenticationInProgress
    )
}

/// What connections are told when the gateway stops.
#[derive(Debug, Clone, Default)]
struct Stop {
    /// Go when there is nothing to do.
    asked: CancellationToken,
    /// Go.
    overdue: CancellationToken,
}

/// Who answers which message.
struct Parts {
    door: Arc<Door>,
    handler: Arc<Handler>,
    nothing: Arc<NoopHandler>,
    gateway: Arc<Gateway>,
    stop: Stop,
}

impl Parts {
    /// Answers the next message; whether there may be another.
    async fn next(&self, client: &mut Client) -> io::Result<bool> {
        // The decoder panics where a message ends before what it should hold.
        let decoded = tokio::select! {
            decoded = AssertUnwindSafe(client.next()).catch_unwind() => decoded,
            () = self.stop.asked.cancelled() => return farewell(client).await,
        };
        let invalid = match decoded {
            Ok(None | Some(Ok(PgWireFrontendMessage::Terminate(_)))) => return Ok(false),
            Ok(Some(Ok(message))) => return self.answer(client, message).await,
            Ok(Some(Err(error))) => error.to_string(),
            Err(_) => "it ends too early".to_owned(),
        };
        // What follows cannot be understood either.
        let farewell = Error::fatal("08P01", format!("invalid message: {invalid}"));
        refuse(client, farewell.into(), false).await
    }

    async fn answer(
        &self,
        client: &mut Client,
        message: PgWireFrontendMessage,
    ) -> io::Result<bool> {
        if is_starting(client)
            && !matches!(
                message,
                PgWireFrontendMessage::Startup(_)
                    | PgWireFrontendMessage::PasswordMessageFamily(_)
                    | PgWireFrontendMessage::CancelRequest(_)
            )
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "no startup message",
            ));
        }
        let ends = matches!(message, PgWireFrontendMessage::CancelRequest(_));
        let is_extended = message.is_extended_query();
        if matches!(message, PgWireFrontendMessage::Query(_)) {
            client.portal_store().rm_portal(DEFAULT_NAME);
        }
        let was_idle = client.transaction_status() == TransactionStatus::Idle;
        let processed = Box::pin(process_message(
            message,
            client,
            self.door.clone(),
            self.handler.clone(),
            self.handler.clone(),
            self.nothing.clone(),
            self.gateway.sessions.clone(),
        ));
        let processed = tokio::select! {
            processed = processed => processed,
            () = self.stop.overdue.cancelled() => return farewell(client).await,
        };
        if !was_idle && client.transaction_status() == TransactionStatus::Idle {
            // Portals end with their transaction.
            client.portal_store().clear_portals();
        }
        match processed {
            Ok(()) => Ok(!ends),
            Err(error) => refuse(client, error, is_extended).await,
        }
    }
}

/// Answers with an error, and returns whether the connection continues. A fatal error ends it, and so does any error before the client
/// has been let in.
async fn refuse(client: &mut Client, error: PgWireError, is_extended: bool) -> io::Result<bool> {
    let error = ErrorInfo::from(error);
    if !error.is_fatal() && !is_starting(client) {
        process_error(client, PgWireError::UserError(error.into()), is_extended).await?;
        return Ok(true);
    }
    client
        .send(PgWireBackendMessage::ErrorResponse(error.into()))
        .await?;
    client.close().await?;
    Ok(false)
}

/// What PostgreSQL says when it is stopped; there is no further message.
async fn farewell(client: &mut Client) -> io::Result<bool> {
    let text = "terminating connection due to administrator command";
    refuse(client, Error::fatal("57P01", text).into(), false).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_of_open_files_leaves_room_for_clients() {
        for (files, clients) in [(10, 2), (64, 12), (256, 48), (1_024, 240), (0, 1)] {
            assert_eq!(connections_within(files), clients, "{files}");
        }
    }
}
