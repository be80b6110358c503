//! `broker`: checks that the broker keeps what it has confirmed, and measures what a record costs it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::{OrderId, Region};
use futures::{StreamExt, TryStreamExt, stream};
use kafka::{Connection, Publisher};
use rand::distr::{Alphanumeric, SampleString};
use rdkafka::consumer::{Consumer, StreamConsumer};
use reqwest::Client;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::apache_kafka::Running;
use crate::bench;
use crate::load::orders::Generator;
use crate::load::publish::{OrderEvent, place};
use crate::own_system::{OwnSystem, with_defaults};
use food_ordering::http;
use food_ordering::restate::admin::Admin;

/// The process that is killed.
const BROKER: &str = "kafka";
/// The pause before an order that was not accepted is placed again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);
/// How long Restate may take to receive all orders. It may have to subscribe again after the broker was down.
const ARRIVE_WITHIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(200);

/// The records of the measurement: their size, their number per second, and how many are measured at a time.
const RECORD_BYTES: usize = 200;
const RECORDS_PER_SECOND: u32 = 2_000;
const MEASURED_AT_A_TIME: u32 = 10_000;
const RECORDS_TOPIC: &str = "trials-records";
/// How long the broker may send nothing before the measurement fails.
const READ_WITHIN: Duration = Duration::from_mins(1);

/// Arguments of `broker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How often the broker is killed in a running system, and then on how many new systems it is killed, each just after "Ready"
    #[arg(long, env = "FOOD_ORDERING_KILLS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1_000), value_name = "N")]
    kills: u32,
    /// How many orders are accepted before each kill
    #[arg(long, env = "FOOD_ORDERING_ORDERS", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "N")]
    orders: u32,
    /// How many records are used to measure the broker's CPU time; 0 skips this measurement
    #[arg(long, env = "FOOD_ORDERING_RECORDS", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(0..=10_000_000), value_name = "N")]
    records: u32,
    /// More flags for the `food-ordering up` that is tested
    #[arg(last = true)]
    up: Vec<OsString>,
}

/// `broker`: fails if an accepted order is lost.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    tokio::select! {
        ended = run(args) => ended,
        () = shutdown.requested.cancelled() => bail!("interrupted"),
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let mut lost = 0;
    if args.kills > 0 {
        lost += on_one_system(&args).await?;
        lost += on_new_systems(&args).await?;
    }
    if args.records > 0 {
        measure(args.records).await?;
    }
    ensure!(lost == 0, "{lost} accepted orders were lost");
    Ok(())
}

/// Kills the broker several times on one system. Returns how many orders were lost.
async fn on_one_system(args: &Args) -> anyhow::Result<usize> {
    let directory = directory()?;
    let target = Target::start(directory.path(), args).await?;
    // A first order, so that everything has worked once.
    let first = target.accept("first", 1).await?;
    let missing = target.missing(first).await?;
    ensure!(missing.is_empty(), "Restate does not get the first order");
    let mut lost = 0;
    for kill in 1..=args.kills {
        lost += target.kill_under_load(&format!("one-{kill}"), args).await?;
    }
    target.system.stop().await?;
    report(args, "on one system", lost);
    Ok(lost)
}

/// Kills the broker of several systems just after each is ready. Returns how many orders were lost.
async fn on_new_systems(args: &Args) -> anyhow::Result<usize> {
    let mut lost = 0;
    for kill in 1..=args.kills {
        let directory = directory()?;
        let target = Target::start(directory.path(), args).await?;
        lost += target.kill_under_load(&format!("new-{kill}"), args).await?;
        target.system.stop().await?;
    }
    report(args, "on new systems, just after \"Ready\"", lost);
    Ok(lost)
}

fn report(args: &Args, when: &str, lost: usize) {
    let (kills, orders) = (args.kills, args.orders);
    let accepted = kills * orders;
    say!(
        "{kills} × {orders} orders, then kill -9 of the broker, {when}: {lost} of {accepted} lost"
    );
}

fn directory() -> anyhow::Result<TempDir> {
    let mut named = tempfile::Builder::new();
    let made = named.prefix("food-ordering-broker-").tempdir();
    made.context("making a directory for the system's data")
}

/// The system whose broker is killed.
struct Target {
    system: OwnSystem,
    client: Client,
    admin: Admin,
    gateway: String,
}

impl Target {
    async fn start(directory: &Path, args: &Args) -> anyhow::Result<Self> {
        let mut flags = bench::PROFILE.to_vec();
        flags.push("--drivers=10");
        let system = OwnSystem::start(directory, &with_defaults(&flags, &args.up)).await?;
        Ok(Self {
            client: http::client(Duration::from_secs(30))?,
            admin: Admin::new(system.address("restate-admin")?)?,
            gateway: system.address("gateway")?.to_owned(),
            system,
        })
    }

    /// Places orders at once, kills the broker when the last one is accepted, and returns how many never reach Restate.
    async fn kill_under_load(&self, name: &str, args: &Args) -> anyhow::Result<usize> {
        let accepted = self.accept(name, args.orders).await?;
        self.system.kill(BROKER).await?;
        let missing = self.missing(accepted).await?;
        for id in missing.iter().take(3) {
            say!("{id} was accepted, and is lost");
        }
        Ok(missing.len())
    }

    /// Places orders through the gateway, all at once. Repeats each until it is accepted.
    async fn accept(&self, name: &str, count: u32) -> anyhow::Result<Vec<OrderId>> {
        let mut generator = Generator::new(name, 1, Duration::ZERO, Region::default());
        let orders = generator.records(count)?;
        let placed = stream::iter(&orders).map(|order| self.place(order));
        placed
            .buffer_unordered(orders.len())
            .try_collect::<()>()
            .await?;
        Ok(orders.into_iter().map(|order| order.id).collect())
    }

    async fn place(&self, order: &OrderEvent) -> anyhow::Result<()> {
        while !place(&self.client, &self.gateway, &order.value).await? {
            sleep(AGAIN_AFTER).await;
        }
        Ok(())
    }

    /// Waits until Restate has the status of all these orders. Returns those that are still missing after [`ARRIVE_WITHIN`].
    async fn missing(&self, mut orders: Vec<OrderId>) -> anyhow::Result<Vec<OrderId>> {
        #[derive(Deserialize)]
        struct Row {
            service_key: String,
        }
        let query = "select service_key from state where service_name = 'OrderStatusService' and key = 'order-status'";
        let deadline = Instant::now() + ARRIVE_WITHIN;
        loop {
            let rows = self.admin.query::<Row>(query).await?.into_iter();
            let arrived: HashSet<String> = rows.map(|row| row.service_key).collect();
            orders.retain(|id| !arrived.contains(id.as_str()));
            if orders.is_empty() || Instant::now() > deadline {
                return Ok(orders);
            }
            sleep(POLL).await;
        }
    }
}

/// Measures the CPU time that a broker of its own spends per record, while they are published and read at the same time.
async fn measure(records: u32) -> anyhow::Result<()> {
    let directory = directory()?;
    let broker = Running::start(directory.path(), 0, None, "").await?;
    let process = broker.process()?;
    let connection = Connection::plain(broker.ports.address());
    kafka::ensure_topics(&connection, &[(RECORDS_TOPIC, 1)]).await?;
    let reader: StreamConsumer = (connection.config())
        .set("group.id", RECORDS_TOPIC)
        .set("auto.offset.reset", "earliest")
        .create()?;
    reader.subscribe(&[RECORDS_TOPIC])?;
    say!(
        "A broker's CPU time per record of {RECORD_BYTES} bytes, {RECORDS_PER_SECOND} a second, with one reader:"
    );
    let read = async {
        let mut before = process.cpu()?;
        for count in 1..=records {
            let record = timeout(READ_WITHIN, reader.recv()).await;
            record.context("no record arrives")??;
            if count.is_multiple_of(MEASURED_AT_A_TIME) {
                let now = process.cpu()?;
                let each =
                    now.saturating_sub(before).as_secs_f64() * 1e3 / f64::from(MEASURED_AT_A_TIME);
                say!("  up to {count:>9}  {each:.3} ms");
                before = now;
            }
        }
        anyhow::Ok(())
    };
    tokio::try_join!(read, publish(&connection, records))?;
    let mib = process.resident_kib()? / 1024;
    say!("It uses {mib} MiB of memory (RSS) after that.");
    Ok(())
}

async fn publish(connection: &Connection, records: u32) -> anyhow::Result<()> {
    let publisher = Publisher::new(connection, "trials-broker")?;
    let value = Alphanumeric.sample_string(&mut rand::rng(), RECORD_BYTES);
    let begin = Instant::now();
    let interval = Duration::from_secs(1) / RECORDS_PER_SECOND;
    stream::iter(0..records)
        .then(async |number| {
            sleep_until(begin + interval * number).await;
            number
        })
        .map(async |number| {
            let key = number.to_string();
            (publisher.publish(RECORDS_TOPIC, Some(key.as_bytes()), value.as_bytes(), &[])).await
        })
        .buffer_unordered(1_000)
        .try_collect::<()>()
        .await?;
    Ok(())
}
