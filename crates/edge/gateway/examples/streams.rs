//! Measures what open streams cost and how soon they show a change:
//!
//! ```text
//! cargo run --release -p gateway --example streams [streams]
//! ```
//!
//! The gateway runs in a separate process, so that its memory can be measured alone. The broker is librdkafka's mock cluster, as
//! in `up`; Restate is not running, which shows that the gateway does not call it.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a part of the system"
)]

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use domain::{Status, StatusEvent, topic};
use kafka::Publisher;
use rdkafka::mocking::MockCluster;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const ROUNDS: usize = 20;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["gateway", brokers, address] => {
            let listener = TcpListener::bind(address).await?;
            let config = gateway::Options::new(brokers, "http://127.0.0.1:9");
            Ok(gateway::serve(config, listener, std::future::pending()).await?)
        }
        [] => measure(5_000).await,
        [streams] => measure(streams.parse()?).await,
        _ => anyhow::bail!("usage: streams [number of streams]"),
    }
}

struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Gateway {
    fn start(brokers: &str, address: SocketAddr) -> anyhow::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(["gateway", brokers, &address.to_string()])
            .stdin(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// Resident memory in MB.
    fn memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kb = line
            .context("no VmRSS")?
            .trim()
            .trim_end_matches("kB")
            .trim();
        Ok(kb.parse::<f64>()? / 1024.0)
    }
}

async fn measure(streams: usize) -> anyhow::Result<()> {
    let cluster = MockCluster::new(1)?;
    for (topic, partitions) in topic::ALL {
        cluster.create_topic(topic, partitions, 1)?;
    }
    let brokers = cluster.bootstrap_servers();
    let publisher = Publisher::new(&brokers.as_str().into(), "measurement")?;
    for chunk in (0..streams).collect::<Vec<_>>().chunks(500) {
        let sent = chunk.iter().map(|n| publish(&publisher, *n, 1));
        futures::future::try_join_all(sent).await?;
    }

    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let gateway = Gateway::start(&brokers, address)?;
    // Once the first stream is open, the gateway has read everything.
    let (seen, mut latencies) = mpsc::unbounded_channel();
    let first = loop {
        if let Ok(stream) = open(address, 0).await {
            break stream;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    println!(
        "{streams} orders known, 1 stream open: {:.0} MB",
        gateway.memory()?
    );
    let mut readers = vec![tokio::spawn(read(first, seen.clone()))];
    for n in 1..streams {
        let stream = open(address, n)
            .await
            .with_context(|| format!("stream {n}"))?;
        readers.push(tokio::spawn(read(stream, seen.clone())));
    }
    println!("{streams} streams open: {:.0} MB", gateway.memory()?);

    // Changes of single orders, as in reality.
    let mut versions = vec![1; streams];
    let mut next = |n: usize| {
        versions[n] += 1;
        versions[n]
    };
    let mut single = Vec::new();
    for round in 0..200 {
        let order = round % streams;
        publish(&publisher, order, next(order)).await?;
        single.push(latencies.recv().await.context("a stream ended")?);
    }
    report("one change at a time", single);

    // A hundred orders change within a second, again and again.
    let mut busy = Vec::new();
    for _ in 0..ROUNDS {
        for n in 0..100 {
            let order = (1_000 + n) % streams;
            publish(&publisher, order, next(order)).await?;
        }
        for _ in 0..100 {
            busy.push(latencies.recv().await.context("a stream ended")?);
        }
    }
    report("a hundred one after the other", busy);

    // Everything at once.
    let sent = (0..streams).map(|n| publish(&publisher, n, next(n)));
    futures::future::try_join_all(sent).await?;
    let mut all = Vec::new();
    for _ in 0..streams {
        all.push(latencies.recv().await.context("a stream ended")?);
    }
    report("all orders at once", all);
    println!("after that: {:.0} MB", gateway.memory()?);
    Ok(())
}

fn report(what: &str, mut latencies: Vec<i64>) {
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() * percent).div_ceil(100) - 1];
    println!(
        "{what}: p50 {} ms, p95 {} ms, most {} ms",
        at(50),
        at(95),
        at(100)
    );
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    i64::try_from(since.as_millis()).expect("a date")
}

async fn publish(publisher: &Publisher, order: usize, version: u64) -> anyhow::Result<()> {
    let event = StatusEvent {
        order_id: format!("order-{order}").parse()?,
        status: Status::Scheduled,
        eta: None,
        version,
        at: now_ms(),
        reason: None,
        driver_id: None,
        delayed: false,
    };
    let value = serde_json::to_vec(&event)?;
    let key = event.order_id.as_str().as_bytes();
    Ok(publisher
        .publish(topic::ORDER_STATUS, Some(key), &value, &[])
        .await?)
}

/// Opens a stream and reads the snapshot.
async fn open(address: SocketAddr, order: usize) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /api/orders/order-{order}/events HTTP/1.1\r\nhost: gateway\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut seen = String::new();
    let mut buffer = [0; 2048];
    while !seen.contains("event: snapshot") {
        let read = stream.read(&mut buffer).await?;
        anyhow::ensure!(read > 0 && !seen.contains(" 404 "), "no stream: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    Ok(stream)
}

/// Reads changes and reports how long ago each was made.
async fn read(mut stream: TcpStream, seen: mpsc::UnboundedSender<i64>) {
    let mut buffer = vec![0; 2048];
    let mut text = String::new();
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let now = now_ms();
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        while let Some(end) = text.find("\n\n") {
            let block: String = text.drain(..end + 2).collect();
            let data = block.lines().find_map(|line| line.strip_prefix("data: "));
            let is_change = block.contains("event: status\n");
            if let Some(event) =
                data.and_then(|data| serde_json::from_str::<StatusEvent>(data).ok())
                && is_change
                && seen.send(now - event.at).is_err()
            {
                return;
            }
        }
    }
}
