//! Accepting connections, and ending those that keep others out.

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

/// How long who has just connected may take to send a request then.
const LAST_REQUESTS: Duration = Duration::from_millis(200);
/// The longest head of a request, in bytes; hyper answers a longer one with 431.
const LONGEST_HEAD: usize = 16 * 1024;
/// The most header fields of a request; hyper answers more with 431.
const MOST_FIELDS: usize = 100;
/// How much of a connection's requests or answers is in memory at a time, in bytes.
const BUFFER: usize = 64 * 1024;
/// How long to wait for the place of a connection that was told to end.
const ENDS_WITHIN: Duration = Duration::from_secs(1);
/// At most so many files are kept back for all but connections of clients: logs, Kafka, Restate, the web UI.
const OTHER_FILES: usize = 256;

/// Accepts connections and answers their requests.
///
/// It speaks HTTP/1.1 only, so nobody can open and reset streams of HTTP/2 by the thousand.
pub(crate) struct Server {
    router: Router,
    proxies: Proxies,
    /// Whose connections are without a limit of their own.
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
                "the system allows fewer connections: raise the limit of open files (ulimit -n)"
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

    /// Accepts connections until `shutdown`, then lets those that are left finish what they have in hand.
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

    /// Closes the door behind those who are in it already: the system has connected them, and would break their connections off.
    /// A request of theirs may be on its way, which hyper would not wait for.
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

    /// A place for a connection from there, for which one that idles may have to go.
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
                // It has nothing in hand.
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
        // In hand until the last of the answer is on its way.
        Body::new(body.map_frame(move |frame| {
            let _ = &busy;
            frame
        }))
    }))
}

/// What a connection takes up.
struct Place {
    _permit: OwnedSemaphorePermit,
    _of_client: Option<ClientPermit>,
}

/// The connections that have nothing in hand, those that have been so for the longest time first.
#[derive(Default)]
struct Idle(Mutex<Resting>);

#[derive(Default)]
struct Resting {
    last: u64,
    connections: BTreeMap<(Instant, u64), CancellationToken>,
}

impl Idle {
    /// Ends the connection that has idled longest; `false` if none does.
    fn end_longest(&self) -> bool {
        let longest = self.0.lock().connections.pop_first();
        if let Some((_, ends)) = &longest {
            refusals::count("idle-connections");
            ends.cancel();
        }
        longest.is_some()
    }
}

/// A connection's place among those that idle, while it does.
#[derive(Clone)]
struct Rest(Arc<RestInner>);

struct RestInner {
    idle: Arc<Idle>,
    ends: CancellationToken,
    place: Mutex<Option<(Instant, u64)>>,
}

impl Rest {
    /// A connection that has just come and rests.
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

/// A connection with a request in hand.
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
        // One request at a time, as it is HTTP/1.1.
        self.rest.begin();
    }
}

/// Lets the process open as many files as the system allows, and returns that number. Each connection is a file, and the usual
/// limit is a thousand.
fn raise_file_limit() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::debug!(%error, "the limit of open files stays as it is");
        rlimit::Resource::NOFILE.get_soft().unwrap_or(1_024)
    });
    usize::try_from(files).unwrap_or(usize::MAX)
}

/// How many connections of clients fit into a limit of open files. A low limit is not used up by the files kept back: three
/// quarters of it at least are connections.
fn connections_within(files: usize) -> usize {
    files - (files / 4).min(OTHER_FILES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_files_that_the_system_allows_are_connections() {
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
