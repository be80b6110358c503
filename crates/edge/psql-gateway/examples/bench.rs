//! Measures the psql gateway beside the runtime it asks and beside Restate's own command line: rows a second, latency, memory.
//!
//! ```sh
//! cargo run --profile measure --package psql-gateway --example bench -- http://127.0.0.1:9070
//! ```
//!
//! The runtime's `state` must have rows; `-- <admin URL> fill <rows>` puts them there, as state of `OrderStatusService`, which
//! must be registered. Use a system of its own for that. The gateway runs as a child process, so that its memory can be told.
//! `psql` and `restate` are measured as whole processes, from their start to their end, if they are on `PATH` or named by
//! `--psql FILE` and `--restate FILE`. `--threads N` gives the gateway more threads than the one it has in the system.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads whatever the runtime sends"
)]

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::NoTls;

const ROUNDS: usize = 7;
const POINT_QUERIES: usize = 200;
/// Rounds of what starts a process.
const PROCESSES: usize = 5;
const KEY: &str = "bench-17";
/// Of [`KEY`], which the gateway adds to the query.
const PARTITION_KEY: u64 = 8_137_034_988_159_534_936;
const ALL: &str = "select * from state";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let threads = match arguments.as_slice() {
        [_, "gateway", _, threads] => threads.parse()?,
        _ => NonZeroUsize::MIN,
    };
    settings::runtime(threads)?.block_on(run(&arguments))
}

async fn run(arguments: &[&str]) -> anyhow::Result<()> {
    match arguments {
        [admin, "fill", rows] => fill(admin, rows.parse()?).await,
        [admin, "gateway", port, _] => {
            let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
            let options = psql_gateway::Options::new(admin.parse()?);
            psql_gateway::serve(options, listener, std::future::pending()).await?;
            Ok(())
        }
        [admin, options @ ..] => measure(admin, &Options::new(options)?).await,
        [] => bail!(
            "usage: bench <admin URL> [fill <rows> | [--threads N] [--psql FILE] [--restate FILE]]"
        ),
    }
}

/// How the gateway is measured, and which programs beside it.
struct Options {
    threads: String,
    psql: Option<PathBuf>,
    restate: Option<PathBuf>,
}

impl Options {
    fn new(mut options: &[&str]) -> anyhow::Result<Self> {
        let mut wished = Self {
            threads: "1".to_owned(),
            psql: on_path("psql"),
            restate: on_path("restate"),
        };
        while let [name, file, rest @ ..] = options {
            match *name {
                "--threads" => (*file).clone_into(&mut wished.threads),
                "--psql" => wished.psql = Some(file.into()),
                "--restate" => wished.restate = Some(file.into()),
                other => bail!("unknown option {other}"),
            }
            options = rest;
        }
        ensure!(options.is_empty(), "{options:?} lacks a value");
        for (name, program) in [("psql", &wished.psql), ("restate", &wished.restate)] {
            if program.is_none() {
                eprintln!(
                    "{name} is not measured: it is not on PATH, and --{name} does not name it"
                );
            }
        }
        Ok(wished)
    }

    /// The commands that ask `query`, and what to call them.
    fn commands(&self, admin: &str, port: u16, query: &str) -> Vec<(&'static str, Command)> {
        let mut commands = Vec::new();
        if let Some(psql) = &self.psql {
            let mut command = Command::new(psql);
            command
                .args([
                    "--no-psqlrc",
                    "--quiet",
                    "--host=127.0.0.1",
                    "--username=bench",
                ])
                .arg(format!("--port={port}"))
                .arg(format!("--command={query}"));
            commands.push(("`psql -c`, the whole process", command));
        }
        for (name, flags) in [
            ("`restate sql`, the whole process", &["--yes"][..]),
            (
                "`restate sql --json`, the whole process",
                &["--yes", "--json"],
            ),
        ] {
            if let Some(restate) = &self.restate {
                let mut command = Command::new(restate);
                command.arg("sql").args(flags).arg(query);
                command.env("RESTATE_ADMIN_URL", admin);
                commands.push((name, command));
            }
        }
        commands
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

/// How long it takes from its start to its end.
fn time(command: &mut Command) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(begin.elapsed())
}

fn median_of_runs(command: &mut Command) -> anyhow::Result<Duration> {
    let times = (0..PROCESSES).map(|_| time(command));
    Ok(median(times.collect::<anyhow::Result<_>>()?))
}

/// Three keys for each order, as a delivered order has them.
async fn fill(admin: &str, rows: usize) -> anyhow::Result<()> {
    let http = upstream::http::streaming_client().build()?;
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

async fn measure(admin: &str, options: &Options) -> anyhow::Result<()> {
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let gateway = Gateway::start(admin, port, &options.threads).await?;
    let http = upstream::http::streaming_client().build()?;
    let client = connect(port).await?;

    println!("| what | rows/s |\n|---|---|");
    let mut raw = Vec::new();
    let mut through = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        raw_rows(&http, admin).await?;
        raw.push(begin.elapsed());
        let begin = Instant::now();
        let rows = gateway_rows(port).await?;
        through.push((rows, begin.elapsed()));
    }
    let rows = through[0].0;
    let rate = |time: Duration| f64::from(rows) / time.as_secs_f64();
    let raw = rate(median(raw));
    let through = rate(median(through.into_iter().map(|(_, time)| time).collect()));
    println!("| raw `POST /query`, Arrow, not decoded | {raw:.0} |");
    println!(
        "| through the gateway, text format | {through:.0} ({:.0} %) |",
        100.0 * through / raw
    );
    for (name, mut command) in options.commands(admin, port, ALL) {
        let rate = rate(median_of_runs(&mut command)?);
        println!("| {name} | {rate:.0} ({:.0} %) |", 100.0 * rate / raw);
    }

    let point = format!(
        "select * from state where service_name = 'OrderStatusService' and service_key = '{KEY}'"
    );
    let hinted = format!("{point} and partition_key = {PARTITION_KEY}");
    let prepared = client
        .prepare(
            "select * from state where service_name = 'OrderStatusService' and service_key = $1",
        )
        .await?;
    let (mut scan, mut raw, mut simple, mut extended) = (vec![], vec![], vec![], vec![]);
    for round in 0..POINT_QUERIES {
        if round < ROUNDS {
            let begin = Instant::now();
            query(&http, admin, &point).await?.bytes().await?;
            scan.push(begin.elapsed());
        }
        let begin = Instant::now();
        query(&http, admin, &hinted).await?.bytes().await?;
        raw.push(begin.elapsed());
        let begin = Instant::now();
        client.simple_query(&point).await?;
        simple.push(begin.elapsed());
        let begin = Instant::now();
        client.query(&prepared, &[&KEY]).await?;
        extended.push(begin.elapsed());
    }
    println!("\n| point query | median ms | p95 ms |\n|---|---|---|");
    for (what, times) in [
        ("raw `POST /query`", scan),
        ("raw `POST /query` with the partition key", raw),
        ("simple query", simple),
        ("prepared statement", extended),
    ] {
        println!("| {what} | {} |", cells(times));
    }
    for (name, mut command) in options.commands(admin, port, &point) {
        let time = median_of_runs(&mut command)?;
        println!("| {name} | {:.2} | – |", time.as_secs_f64() * 1e3);
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

/// The median and the 95th percentile, in ms, as two cells of a table.
fn cells(mut times: Vec<Duration>) -> String {
    times.sort();
    let ms = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
    format!("{:.2} | {:.2}", ms(50), ms(95))
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

/// Counts the rows as they come, without looking into them: what is measured is the gateway, not a client.
async fn gateway_rows(port: u16) -> anyhow::Result<u32> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut stream = BufReader::with_capacity(256 * 1024, stream);
    stream
        .write_all(b"\0\0\0\x14\0\x03\0\0user\0bench\0\0")
        .await?;
    skip_to(&mut stream, b'Z').await?;
    let length = u32::try_from(ALL.len() + 5)?;
    let query = [b"Q", length.to_be_bytes().as_slice(), ALL.as_bytes(), b"\0"].concat();
    stream.write_all(&query).await?;
    skip_to(&mut stream, b'Z').await
}

/// Reads up to the end of a message of this kind; answers how many rows came before.
async fn skip_to(stream: &mut BufReader<TcpStream>, wanted: u8) -> anyhow::Result<u32> {
    let mut rows = 0;
    loop {
        let kind = stream.read_u8().await?;
        let mut left = usize::try_from(stream.read_u32().await?)?.saturating_sub(4);
        while left > 0 {
            let read = stream.fill_buf().await?.len().min(left);
            if read == 0 {
                bail!("the gateway hung up");
            }
            stream.consume(read);
            left -= read;
        }
        rows += u32::from(kind == b'D');
        if kind == wanted {
            return Ok(rows);
        }
    }
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
    async fn start(admin: &str, port: u16, threads: &str) -> anyhow::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args([admin, "gateway", &port.to_string(), threads])
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
