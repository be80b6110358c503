//! Nodes that answer, are silent, break off, or are not there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const LIMIT: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
enum Manner {
    Answers,
    /// Takes the request and says nothing.
    Silent,
    /// Takes the request and is killed.
    BreaksOff,
}

/// A node, and how many requests it has taken.
struct Node {
    address: String,
    taken: Arc<AtomicU32>,
}

impl Node {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            taken: Arc::default(),
        };
        let taken = Arc::clone(&node.taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manner, Arc::clone(&taken)));
            }
        });
        node
    }

    fn taken(&self) -> u32 {
        self.taken.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, taken: Arc<AtomicU32>) {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
        taken.fetch_add(1, Ordering::Relaxed);
        match manner {
            Manner::Answers => {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                let _ = stream.write_all(answer).await;
            }
            Manner::Silent => {}
            Manner::BreaksOff => return,
        }
    }
}

/// An address at which nobody listens.
async fn nobody() -> String {
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
async fn who_is_not_there_is_passed_over_and_not_asked_again() {
    let (gone, there) = (nobody().await, Node::start(Manner::Answers).await);
    let upstream = upstream(&[&gone, &there.address], LIMIT);
    // It was not sent, so even what must not be repeated goes on.
    for repeat in [Repeat::Never, Repeat::Harmless] {
        assert_eq!(ask(&upstream, repeat).await.unwrap(), "hi");
    }
    assert_eq!(upstream.first.load(Ordering::Relaxed), 1);
    assert_eq!(there.taken(), 2);
}

#[tokio::test]
async fn what_was_broken_off_is_repeated_only_if_that_is_harmless() {
    let (killed, there) = (
        Node::start(Manner::BreaksOff).await,
        Node::start(Manner::Answers).await,
    );
    let nodes = [killed.address.as_str(), &there.address];
    let once = upstream(&nodes, LIMIT);
    assert!(ask(&once, Repeat::Never).await.is_err());
    assert_eq!((killed.taken(), there.taken()), (1, 0));
    // The next one begins elsewhere.
    assert_eq!(ask(&once, Repeat::Never).await.unwrap(), "hi");

    let again = upstream(&nodes, LIMIT);
    assert_eq!(ask(&again, Repeat::Harmless).await.unwrap(), "hi");
    assert_eq!((killed.taken(), there.taken()), (2, 2));
}

#[tokio::test]
async fn who_is_silent_has_a_share_of_the_time_and_the_next_one_answers() {
    let (silent, there) = (
        Node::start(Manner::Silent).await,
        Node::start(Manner::Answers).await,
    );
    let upstream = upstream(&[&silent.address, &there.address], Duration::from_secs(2));
    assert_eq!(ask(&upstream, Repeat::Harmless).await.unwrap(), "hi");
    assert_eq!(ask(&upstream, Repeat::Harmless).await.unwrap(), "hi");
    assert_eq!((silent.taken(), there.taken()), (1, 2));
}

#[tokio::test]
async fn when_nobody_answers_each_is_tried_once_and_the_last_error_is_told() {
    let nodes = [nobody().await, nobody().await, nobody().await];
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
