//! Network connections: too many, too slow, too long.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::TestBroker;
use crate::edge::proxies::Proxies;
use crate::edge::server::Server;
use crate::{App, Edge, Ingress, Options, router};

const SOON: Duration = Duration::from_secs(20);

/// A gateway that does not trust its own machine.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn serve(edge: Edge) -> Served {
    let edge = Edge {
        trust_loopback: Some(false),
        ..edge
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = Options::new("127.0.0.1:9", "http://127.0.0.1:9");
    config.edge = edge.clone();
    config.order_links_secrets = ["a secret of the tests, long enough"].into_iter().collect();
    let ingress = Ingress::new(&config.restate_ingress.urls, SOON).unwrap();
    let app = App::new(TestBroker::default(), ingress, &config, address.ip()).unwrap();
    let server = Server::new(
        router(app),
        &edge,
        Proxies::default(),
        edge.neighbours(address.ip()),
    );
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(server.run(listener, async {
        let _ = stopped.await;
    }));
    Served {
        address,
        stop,
        server,
    }
}

impl Served {
    /// A connection that comes from 127.0.0.`from`.
    async fn connect(&self, from: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(SocketAddr::from(([127, 0, 0, from], 0)))
            .unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Whether a client there is answered.
    async fn answers(&self, from: u8) -> bool {
        health(&mut self.connect(from).await).await
    }
}

async fn health(stream: &mut TcpStream) -> bool {
    let request = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    if stream.write_all(request).await.is_err() {
        return false;
    }
    let mut answer = Vec::new();
    // Reads all of it, so that the next request gets its own answer.
    while !answer.ends_with(b"}") {
        let read = tokio::time::timeout(SOON, stream.read_buf(&mut answer));
        if !matches!(read.await, Ok(Ok(1..))) {
            return false;
        }
    }
    answer.starts_with(b"HTTP/1.1 200 OK")
}

/// Whether the other end closes the connection.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // Either a reset or an end will do.
    tokio::time::timeout(SOON, stream.read_to_end(&mut rest))
        .await
        .is_ok()
}

#[tokio::test]
async fn a_client_has_a_limited_number_of_connections_and_does_not_affect_others() {
    let served = serve(Edge {
        connections_per_client: 3,
        ..Edge::default()
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut stream = served.connect(2).await;
        assert!(health(&mut stream).await);
        open.push(stream);
    }
    assert!(is_closed(&mut served.connect(2).await).await);
    assert!(served.answers(3).await);
    // The open ones still work, and one that ends makes room.
    assert!(health(&mut open[0]).await);
    drop(open.pop());
    let deadline = tokio::time::Instant::now() + SOON;
    while !served.answers(2).await {
        assert!(tokio::time::Instant::now() < deadline);
    }
}

#[tokio::test]
async fn when_all_places_are_taken_the_connection_idle_for_longest_is_closed() {
    let served = serve(Edge {
        connections: 16,
        ..Edge::default()
    })
    .await;
    let mut idle = Vec::new();
    for n in 0..16 {
        let mut stream = served.connect(2).await;
        // Some have sent a request, others nothing at all.
        assert!(n % 2 == 0 || health(&mut stream).await);
        idle.push(stream);
    }
    assert!(served.answers(3).await);
    assert!(is_closed(&mut idle[0]).await);
    assert!(health(&mut idle[15]).await);
}

#[tokio::test]
async fn a_head_must_come_in_time() {
    let served = serve(Edge {
        header_timeout: Duration::from_millis(200),
        ..Edge::default()
    })
    .await;
    assert!(is_closed(&mut served.connect(2).await).await);
    let mut slow = served.connect(2).await;
    slow.write_all(b"GET /health HTTP/1.1\r\nx: ")
        .await
        .unwrap();
    assert!(is_closed(&mut slow).await);
}

#[tokio::test]
async fn heads_and_bodies_must_be_short_and_valid() {
    let served = serve(Edge::default()).await;
    let long_field = format!(
        "GET /health HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(20_000)
    );
    let many_fields = format!(
        "GET /health HTTP/1.1\r\nhost: x\r\n{}\r\n",
        "x: y\r\n".repeat(200)
    );
    let long_target = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "y".repeat(20_000));
    for (request, codes) in [
        (long_field, &["431"][..]),
        (many_fields, &["431"]),
        (long_target, &["414", "431"]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &["400"]),
        ("GET /health HTTP/1.1\r\nhost: x\r\nbad header: \r\n\r\n".to_owned(), &["400"]),
        (
            "POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 70000\r\n\r\n".to_owned(),
            &["413"],
        ),
        (
            "POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            &["400", "415"],
        ),
    ] {
        let mut stream = served.connect(2).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        let read = tokio::time::timeout(SOON, stream.read_exact(&mut answer)).await;
        let begin = String::from_utf8_lossy(&answer).into_owned();
        let head: String = request.chars().take(40).collect();
        // Ambiguous requests may also be answered by closing the connection.
        assert!(
            codes.iter().any(|code| begin.ends_with(code)) || matches!(read, Ok(Err(_))) && codes.contains(&"400"),
            "{head:?}: {begin:?} {read:?}"
        );
    }
    assert!(served.answers(3).await);
}

#[tokio::test]
async fn during_shutdown_running_requests_are_finished_and_idle_connections_closed() {
    let served = serve(Edge::default()).await;
    let mut idle = served.connect(2).await;
    assert!(health(&mut idle).await);
    let mut begun = served.connect(2).await;
    begun
        .write_all(b"POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{")
        .await
        .unwrap();
    // Once this is answered, the head above has been read.
    assert!(served.answers(3).await);
    served.stop.send(()).unwrap();
    assert!(is_closed(&mut idle).await);
    begun.write_all(b"}").await.unwrap();
    let mut answer = Vec::new();
    begun.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 422"));
    served.server.await.unwrap();
}

#[tokio::test]
async fn a_client_that_has_just_connected_is_still_answered_during_shutdown() {
    let served = serve(Edge::default()).await;
    // The system has established the connections; the gateway has had no time to notice.
    let connected = [(); 3].map(|()| std::net::TcpStream::connect(served.address).unwrap());
    served.stop.send(()).unwrap();
    for stream in connected {
        stream.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(stream).unwrap();
        assert!(health(&mut stream).await);
    }
    served.server.await.unwrap();
}
