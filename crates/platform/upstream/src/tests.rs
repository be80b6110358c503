//! Nodes that answer, are silent, break the connection, or do not listen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
enum Behaviour {
    Answers,
    /// Reads the request and does not answer.
    Silent,
    /// Reads the request and closes the connection.
    Disconnects,
}

/// A node, and the number of requests that it has received.
struct Node {
    address: String,
    received: Arc<AtomicU32>,
}

impl Node {
    async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            received: Arc::default(),
        };
        let received = Arc::clone(&node.received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, behaviour, Arc::clone(&received)));
            }
        });
        node
    }

    fn received(&self) -> u32 {
        self.received.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, received: Arc<AtomicU32>) {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
        received.fetch_add(1, Ordering::Relaxed);
        match behaviour {
            Behaviour::Answers => {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                let _ = stream.write_all(answer).await;
            }
            Behaviour::Silent => {}
            Behaviour::Disconnects => return,
        }
    }
}

/// An address on which nothing listens.
async fn unused_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn upstream(nodes: &[&str], limit: Duration) -> Upstream {
    Upstream::new(nodes.join(",").parse().unwrap(), limit)
}

async fn ask(upstream: &Upstream, repeat: Repeat) -> Result<String, http::Error> {
    let client = http::client(LIMIT).build()?;
    let attempt = |Attempt { base, limit }| {
        let request = client.post(base).timeout(limit);
        async { http::text(request.send().await?, http::SHORT).await }
    };
    upstream.ask(repeat, attempt).await
}

#[tokio::test]
async fn an_unreachable_node_is_skipped_and_not_tried_again() {
    let (gone, there) = (
        unused_address().await,
        Node::start(Behaviour::Answers).await,
    );
    let upstream = upstream(&[&gone, &there.address], LIMIT);
    // The request was not sent, so even one that must not be repeated goes to the next node.
    for repeat in [Repeat::Never, Repeat::Harmless] {
        assert_eq!(ask(&upstream, repeat).await.unwrap(), "hi");
    }
    assert_eq!(upstream.first.load(Ordering::Relaxed), 1);
    assert_eq!(there.received(), 2);
}

#[tokio::test]
async fn a_request_without_a_response_is_repeated_only_if_that_is_harmless() {
    let (killed, there) = (
        Node::start(Behaviour::Disconnects).await,
        Node::start(Behaviour::Answers).await,
    );
    let nodes = [killed.address.as_str(), &there.address];
    let once = upstream(&nodes, LIMIT);
    assert!(ask(&once, Repeat::Never).await.is_err());
    assert_eq!((killed.received(), there.received()), (1, 0));
    // The next request goes to the other node.
    assert_eq!(ask(&once, Repeat::Never).await.unwrap(), "hi");

    let again = upstream(&nodes, LIMIT);
    assert_eq!(ask(&again, Repeat::Harmless).await.unwrap(), "hi");
    assert_eq!((killed.received(), there.received()), (2, 2));
}

#[tokio::test]
async fn a_silent_node_gets_a_share_of_the_time_before_the_next_one_is_tried() {
    let (silent, there) = (
        Node::start(Behaviour::Silent).await,
        Node::start(Behaviour::Answers).await,
    );
    let upstream = upstream(&[&silent.address, &there.address], Duration::from_secs(2));
    assert_eq!(ask(&upstream, Repeat::Harmless).await.unwrap(), "hi");
    assert_eq!(ask(&upstream, Repeat::Harmless).await.unwrap(), "hi");
    assert_eq!((silent.received(), there.received()), (1, 2));
}

#[tokio::test]
async fn without_an_answer_each_node_is_tried_once_and_the_last_error_is_returned() {
    let nodes = [
        unused_address().await,
        unused_address().await,
        unused_address().await,
    ];
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let upstream = upstream(&nodes, LIMIT);
    let attempts = AtomicU32::new(0);
    let client = http::client(LIMIT).build().unwrap();
    let attempt = |Attempt { base, .. }| {
        attempts.fetch_add(1, Ordering::Relaxed);
        client.get(base).send()
    };
    let error = upstream.ask(Repeat::Never, attempt).await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(attempts.into_inner(), 3);
    assert_eq!(
        error.url().map(Url::port),
        nodes.last().map(|last| last.parse::<Url>().unwrap().port())
    );
}
