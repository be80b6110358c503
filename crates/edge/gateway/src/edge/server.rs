//! Accepting connections, and closing idle ones to make room.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::permits::{ClientPermit, ClientPermits};
use super::proxies::Proxies;
use super::refusals;
use super::settings::{Edge, Neighbours};
use super::socket::{Held, InHand, Socket};

/// During shutdown: how long a client that has just connected may take to send a request.
const LAST_REQUESTS: Duration = Duration::from_millis(200);
/// The longest head of a request, in bytes; hyper answers a longer one with 431.
const LONGEST_HEAD: usize = 16 * 1024;
/// The most header fields of a request; hyper answers more with 431.
const MOST_FIELDS: usize = 100;
/// How much of a connection's requests or answers is in memory at a time, in bytes.
const BUFFER: usize = 64 * 1024;
/// How long to wait until a closed connection has freed its place.
const ENDS_WITHIN: Duration = Duration::from_secs(1);
/// How many files to reserve for everything but client connections, at most: logs, Kafka, Restate, the web UI.
const OTHER_FILES: usize = 256;

/// Accepts connections and answers their requests.
///
/// Speaks HTTP/1.1 only, so a client cannot open and reset thousands of HTTP/2 streams.
pub(crate) struct Server {
    router: Router,
    proxies: Proxies,
    /// Clients without a limit on their connections.
    neighbours: Neighbours,
    head_within: Duration,
    idle_within: Duration,
    places: Arc<Semaphore>,
    per_client: ClientPermits,
    idle: Arc<Idle>,
}

impl Server {
    /// A server with as many places as `edge` and the system allow.
    pub(crate) fn new(
        router: Router,
        edge: &Edge,
        proxies: Proxies,
        neighbours: Neighbours,
    ) -> Self {
        let allowed = connections_within(raise_file_limit());
        if allowed < edge.connections {
            tracing::warn!(
                wanted = edge.connections,
                allowed,
                "the system allows fewer connections: raise the limit on open files (ulimit -n)"
            );
        }
        let places = edge.connections.min(allowed).min(Semaphore::MAX_PERMITS);
        Self {
            router,
            proxies,
            neighbours,
            head_within: edge.header_timeout,
            idle_within: edge.idle_timeout,
            places: Arc::new(Semaphore::new(places)),
            per_client: ClientPermits::new(edge.connections_per_client),
            idle: Arc::default(),
        }
    }

    /// Accepts connections until `shutdown`, then lets the remaining ones finish their requests.
    pub(crate) async fn run(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let server = Arc::new(self);
        let graceful = GracefulShutdown::new();
        let mut shutdown = std::pin::pin!(shutdown);
        let no_files = || refusals::count("no-files");
        while let Some((stream, peer)) =
            inbound::accept(&listener, shutdown.as_mut(), no_files).await
        {
            if let Some(place) = server.place(peer.ip()).await {
                server.serve(stream, peer, place, &graceful);
            }
        }
        server.take_last(listener, &graceful).await;
        inbound::drain(graceful).await;
    }

    /// Accepts the connections that the system has already established: it would break them off when the listener closes. Then
    /// waits a moment for their requests, for which hyper would not wait.
    async fn take_last(self: &Arc<Self>, listener: TcpListener, graceful: &GracefulShutdown) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        while let Ok((stream, peer)) = listener.accept() {
            let stream = (stream.set_nonblocking(true)).and_then(|()| TcpStream::from_std(stream));
            if let (Ok(stream), Some(place)) = (stream, self.place(peer.ip()).await) {
                self.serve(stream, peer, place, graceful);
            }
        }
        drop(listener);
        sleep(LAST_REQUESTS).await;
    }

    /// A place for a connection of `peer`. If all are taken, closes an idle connection.
    async fn place(&self, peer: IpAddr) -> Option<Place> {
        let is_exempt = self.proxies.trust(peer) || self.neighbours.include(peer);
        let of_client = if is_exempt {
            None
        } else if let Some(of_client) = self.per_client.take(peer.into()) {
            Some(of_client)
        } else {
            refusals::count("connections-of-client");
            return None;
        };
        let mut permit = Arc::clone(&self.places).try_acquire_owned().ok();
        if permit.is_none() && self.idle.end_longest() {
            let freed = timeout(ENDS_WITHIN, Arc::clone(&self.places).acquire_owned());
            permit = freed.await.ok().and_then(Result::ok);
        }
        if permit.is_none() {
            refusals::count("connections");
        }
        Some(Place {
            _permit: permit?,
            _of_client: of_client,
        })
    }

    fn serve(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        place: Place,
        graceful: &GracefulShutdown,
    ) {
        let in_hand = InHand::default();
        let ends = CancellationToken::new();
        let rest = Rest::new(&self.idle, ends.clone());
        let service = {
            let (router, in_hand) = (self.router.clone(), in_hand.clone());
            service_fn(move |request| {
                let busy = Busy::new(&in_hand, &rest);
                answer(router.clone(), peer, request, busy)
            })
        };
        let stream = Socket::new(stream, in_hand, self.head_within);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.idle_within)
            .max_headers(MOST_FIELDS)
            .max_header_size(LONGEST_HEAD)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = connection => ended,
                // No request is being answered.
                () = ends.cancelled() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "a connection broke");
            }
            drop(place);
        });
    }
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
    busy: Busy,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| {
        // The request counts as being answered until the last of the answer has been sent.
        Body::new(body.map_frame(move |frame| {
            let _ = &busy;
            frame
        }))
    }))
}

/// The permits that a connection holds.
struct Place {
    _permit: OwnedSemaphorePermit,
    _of_client: Option<ClientPermit>,
}

/// The connections that have no request, those that have been idle longest first.
#[derive(Default)]
struct Idle(Mutex<Resting>);

#[derive(Default)]
struct Resting {
    last: u64,
    connections: BTreeMap<(Instant, u64), CancellationToken>,
}

impl Idle {
    /// Closes the connection that has been idle longest; `false` if none is idle.
    fn end_longest(&self) -> bool {
        let longest = self.0.lock().connections.pop_first();
        if let Some((_, ends)) = &longest {
            refusals::count("idle-connections");
            ends.cancel();
        }
        longest.is_some()
    }
}

/// A connection's entry among the idle ones, while it is idle.
#[derive(Clone)]
struct Rest(Arc<RestInner>);

struct RestInner {
    idle: Arc<Idle>,
    ends: CancellationToken,
    place: Mutex<Option<(Instant, u64)>>,
}

impl Rest {
    /// A new connection, which is idle.
    fn new(idle: &Arc<Idle>, ends: CancellationToken) -> Self {
        let rest = Self(Arc::new(RestInner {
            idle: Arc::clone(idle),
            ends,
            place: Mutex::default(),
        }));
        rest.begin();
        rest
    }

    fn begin(&self) {
        let mut resting = self.0.idle.0.lock();
        resting.last += 1;
        let place = (Instant::now(), resting.last);
        resting.connections.insert(place, self.0.ends.clone());
        *self.0.place.lock() = Some(place);
    }

    fn end(&self) {
        let mut resting = self.0.idle.0.lock();
        if let Some(place) = self.0.place.lock().take() {
            resting.connections.remove(&place);
        }
    }
}

impl Drop for RestInner {
    fn drop(&mut self) {
        let place = self.place.get_mut();
        if let Some(place) = place.take() {
            self.idle.0.lock().connections.remove(&place);
        }
    }
}

/// A connection whose request is being answered.
struct Busy {
    held: Option<Held>,
    rest: Rest,
}

impl Busy {
    fn new(in_hand: &InHand, rest: &Rest) -> Self {
        rest.end();
        Self {
            held: Some(in_hand.begin()),
            rest: rest.clone(),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.held.take();
        // HTTP/1.1 has one request at a time.
        self.rest.begin();
    }
}

/// Raises the process's limit on open files as far as the system allows, and returns it. Each connection is a file, and the usual
/// limit is a thousand.
fn raise_file_limit() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::debug!(%error, "the limit on open files is unchanged");
        rlimit::Resource::NOFILE.get_soft().unwrap_or(1_024)
    });
    usize::try_from(files).unwrap_or(usize::MAX)
}

/// How many client connections fit into a limit on open files. Even with a low limit, at least three quarters of the files are
/// for connections.
fn connections_within(files: usize) -> usize {
    files - (files / 4).min(OTHER_FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_the_files_that_the_system_allows_are_for_connections() {
        for (files, connections) in [
            (64, 48),
            (256, 192),
            (1_024, 768),
            (20_000, 19_744),
            (usize::MAX, usize::MAX - OTHER_FILES),
        ] {
            assert_eq!(connections_within(files), connections, "{files}");
        }
    }

    #[test]
    fn the_soft_limit_is_raised_to_what_the_system_allows() {
        let files = raise_file_limit();
        let soft = rlimit::Resource::NOFILE.get_soft().unwrap();
        assert_eq!(files, usize::try_from(soft).unwrap());
    }
}
