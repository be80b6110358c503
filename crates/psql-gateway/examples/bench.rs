//! Measures the psql gateway against the runtime it asks: rows a second, latency, memory.
//!
//! ```sh
//! cargo run --profile measure --package psql-gateway --example bench -- http://127.0.0.1:9070
//! ```
//!
//! The runtime's `state` must have rows; `-- <admin URL> fill <rows>` puts them there, as state of `OrderStatusService`, which
//! must be registered. Use a system of its own for that. The gateway runs as a child process, so that its memory can be told.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::{NoTls, SimpleQueryMessage};

const ROUNDS: usize = 5;
const POINT_QUERIES: usize = 500;
const ALL: &str = "select * from state";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [admin] => measure(admin).await,
        [admin, "fill", rows] => fill(admin, rows.parse()?).await,
        [admin, "gateway", port] => {
            let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
            psql_gateway::serve(
                psql_gateway::Config::new(admin),
                listener,
                std::future::pending(),
            )
            .await?;
            Ok(())
        }
        _ => bail!("usage: bench <admin URL> [fill <rows>]"),
    }
}

/// Three keys for each order, as a delivered order has them.
async fn fill(admin: &str, rows: usize) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    let history = r#"[{"status":"CREATED","at":1795386478817,"version":1},{"status":"DELIVERED","at":1795386493879,"version":2}]"#;
    stream::iter(0..rows.div_ceil(3))
        .map(Ok)
        .try_for_each_concurrent(32, async |order| {
            let bytes = |text: &str| text.bytes().map(i32::from).collect::<Vec<_>>();
            let status = format!(
                r#"{{"status":"DELIVERED","version":2,"driverId":"driver-{}"}}"#,
                order % 100
            );
            let body = json!({
                "object_key": format!("bench-{order}"),
                "new_state": {
                    "order-status": bytes(&status),
                    "order-eta": bytes("1795386492279"),
                    "order-history": bytes(history),
                },
            });
            let url = format!("{admin}/services/OrderStatusService/state");
            http.post(url)
                .json(&body)
                .send()
                .await?
                .error_for_status()?;
            anyhow::Ok(())
        })
        .await
}

async fn measure(admin: &str) -> anyhow::Result<()> {
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let gateway = Gateway::start(admin, port).await?;
    let http = reqwest::Client::new();
    let client = connect(port).await?;

    println!("| what | rows/s |\n|---|---|");
    let mut raw = Vec::new();
    let mut through = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        raw_rows(&http, admin).await?;
        raw.push(begin.elapsed());
        let begin = Instant::now();
        let rows = gateway_rows(&client).await?;
        through.push((rows, begin.elapsed()));
    }
    let rows = through[0].0;
    let rate = |time: Duration| f64::from(u32::try_from(rows).unwrap_or(0)) / time.as_secs_f64();
    let raw = rate(median(raw));
    let through = rate(median(through.into_iter().map(|(_, time)| time).collect()));
    println!("| raw `POST /query`, Arrow, not decoded | {raw:.0} |");
    println!(
        "| through the gateway, text format | {through:.0} ({:.0} %) |",
        100.0 * through / raw
    );

    let key = "bench-17";
    let point = format!(
        "select * from state where service_name = 'OrderStatusService' and service_key = '{key}'"
    );
    let prepared = client
        .prepare(
            "select * from state where service_name = 'OrderStatusService' and service_key = $1",
        )
        .await?;
    let (mut raw, mut simple, mut extended) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..POINT_QUERIES {
        let begin = Instant::now();
        query(&http, admin, &point).await?.bytes().await?;
        raw.push(begin.elapsed());
        let begin = Instant::now();
        client.simple_query(&point).await?;
        simple.push(begin.elapsed());
        let begin = Instant::now();
        client.query(&prepared, &[&key]).await?;
        extended.push(begin.elapsed());
    }
    println!("\n| point query | median ms |\n|---|---|");
    for (what, times) in [
        ("raw `POST /query`", raw),
        ("simple query", simple),
        ("prepared statement", extended),
    ] {
        println!("| {what} | {:.2} |", median(times).as_secs_f64() * 1e3);
    }
    println!(
        "\n{rows} rows; the gateway's most memory: {} MiB",
        gateway.peak_memory()? / 1024
    );
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn query(
    http: &reqwest::Client,
    admin: &str,
    sql: &str,
) -> anyhow::Result<reqwest::Response> {
    let request = http
        .post(format!("{admin}/query"))
        .header("accept", "application/vnd.apache.arrow.stream")
        .json(&json!({ "query": sql }));
    Ok(request.send().await?.error_for_status()?)
}

async fn raw_rows(http: &reqwest::Client, admin: &str) -> anyhow::Result<()> {
    let mut body = query(http, admin, ALL).await?.bytes_stream();
    while body.try_next().await?.is_some() {}
    Ok(())
}

async fn gateway_rows(client: &tokio_postgres::Client) -> anyhow::Result<usize> {
    let rows = client.simple_query_raw(ALL).await?;
    let rows = rows.try_filter(|message| {
        let is_row = matches!(message, SimpleQueryMessage::Row(_));
        async move { is_row }
    });
    Ok(rows.try_fold(0, async |count, _| Ok(count + 1)).await?)
}

async fn connect(port: u16) -> anyhow::Result<tokio_postgres::Client> {
    let config = format!("host=127.0.0.1 port={port} user=bench");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A gateway in a process of its own. Ends with this value.
struct Gateway(Child);

impl Gateway {
    async fn start(admin: &str, port: u16) -> anyhow::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args([admin, "gateway", &port.to_string()])
            .stdin(Stdio::null())
            .spawn()?;
        let gateway = Self(child);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(gateway)
    }

    /// In KiB.
    fn peak_memory(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .context("no VmHWM")?;
        let number = line.split_whitespace().nth(1).context("no number")?;
        Ok(number.parse()?)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
