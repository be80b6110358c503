//! `chaos`: puts load on a system of its own, injects faults, and then checks whether every payment and delivery is right.
//!
//! | file | what it holds |
//! |---|---|
//! | `plan.rs` | the schedule of faults and their targets, derived from the seed |
//! | `tested_system.rs` | the system under test, and signals to its processes |
//! | `customers.rs` | simulated customers who place orders and record what they are told |
//! | `inject.rs` | injecting the faults of the schedule |
//! | `links.rs` | the connections between the nodes of a cluster, which can be cut |
//! | `recreate.rs` | deleting a topic and having it created again |
//! | `report.rs` | the report at the end |
//!
//! The crate `audit` checks the invariants, from outside.

mod customers;
mod inject;
mod links;
mod plan;
mod recreate;
mod report;
mod tested_system;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use audit::{Facts, check};
use tokio::time::{Instant, sleep, timeout};

use self::customers::Customers;
use self::inject::Injector;
use self::plan::{Planned, Size};
use self::report::{Recovery, Report};
use self::tested_system::TestedSystem;
use crate::load::watch::StatusWatch;
use crate::verdicts;
use food_ordering::broker::Broker;
use food_ordering::files;
use food_ordering::up::{Nodes, RestateNodes};

/// How often the audit samples which driver holds which delivery.
const SAMPLE_EVERY: Duration = Duration::from_secs(3);
/// How often to check whether the system is at rest, and how many checks in a row must find it so.
const REST_EVERY: Duration = Duration::from_secs(1);
const RESTS: u32 = 2;

/// Arguments of `chaos`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seed of the orders and the faults
    #[arg(
        long,
        env = "FOOD_ORDERING_SEED",
        default_value_t = 1,
        value_name = "N"
    )]
    seed: u64,
    /// How many orders to place
    #[arg(long, env = "FOOD_ORDERING_ORDERS", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    orders: u32,
    /// How many faults to inject while the orders are under way
    #[arg(long, env = "FOOD_ORDERING_FAULTS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000), value_name = "N")]
    faults: u32,
    /// How many drivers work in each of the three regions
    #[arg(long, env = "FOOD_ORDERING_DRIVERS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "N")]
    drivers: u32,
    /// How many orders may be under way at a time
    #[arg(
        long,
        env = "FOOD_ORDERING_IN_FLIGHT",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        value_name = "N"
    )]
    in_flight: u32,
    /// How long placing all orders may take before the run is aborted
    #[arg(long, env = "FOOD_ORDERING_CHAOS_DURATION", default_value = "1h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    duration: Duration,
    /// How long the last orders may take to end once all faults are over
    #[arg(long, env = "FOOD_ORDERING_CHAOS_DRAIN", default_value = "5m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    drain: Duration,
    /// The broker: Apache Kafka is killed too; the one in memory is not, because it would lose its records
    #[arg(
        long,
        env = "FOOD_ORDERING_CHAOS_KAFKA",
        default_value = "apache",
        value_name = "BROKER"
    )]
    kafka: Broker,
    #[command(flatten)]
    restate_nodes: RestateNodes,
    /// Directory for data, logs and facts.json [default: a new one, which is removed if every invariant holds]
    #[arg(long, env = "FOOD_ORDERING_CHAOS_DATA_DIR", value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// Run nothing; check the invariants against the facts.json of an earlier run
    #[arg(long, env = "FOOD_ORDERING_CHAOS_FACTS", value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Run nothing; print the seed's schedule of faults
    #[arg(long, env = "FOOD_ORDERING_DRY_RUN")]
    dry_run: bool,
    /// More flags for the `food-ordering up` that is tested
    #[arg(last = true)]
    up: Vec<OsString>,
}

impl Args {
    fn plan(&self, durable_broker: bool) -> Vec<Planned> {
        let size = Size {
            orders: self.orders,
            faults: self.faults,
            drivers: self.drivers,
            in_flight: self.in_flight,
            durable_broker,
            cluster: self.restate_nodes.count == Nodes::Three,
        };
        plan::plan(self.seed, size)
    }
}

/// The file in the data directory with the evidence for the audit.
const FACTS: &str = "facts.json";

/// `chaos`: an error if an invariant is broken.
pub async fn main(args: Args) -> anyhow::Result<()> {
    if let Some(file) = &args.facts {
        let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        let facts: Facts =
            serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))?;
        return verdicts::print(&check(&facts));
    }
    if args.dry_run {
        for planned in args.plan(args.kafka == Broker::Apache) {
            say!("{:>5} orders ended  {}", planned.after, planned.fault);
        }
        return Ok(());
    }
    let directory = match &args.data_dir {
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("creating {}", directory.display()))?;
            std::path::absolute(directory)?
        }
        None => tempfile::Builder::new()
            .prefix("food-ordering-chaos-")
            .tempdir()
            .context("making a directory for the data")?
            .keep(),
    };
    let shutdown = shutdown::on_signal()?;
    let result = tokio::select! {
        result = run(&args, &directory) => result,
        () = shutdown.requested.cancelled() => bail!("interrupted; data and logs are in {}", directory.display()),
    };
    match result {
        Ok(()) if args.data_dir.is_none() => std::fs::remove_dir_all(&directory)
            .with_context(|| format!("removing {}", directory.display())),
        Ok(()) => Ok(()),
        Err(error) => Err(error.context(format!(
            "seed {}; data, logs and facts are in {}",
            args.seed,
            directory.display()
        ))),
    }
}

async fn run(args: &Args, directory: &Path) -> anyhow::Result<()> {
    let plan = args.plan(args.kafka == Broker::Apache);
    say!(
        "Seed {}: {} orders under {} faults, {} drivers in each region, broker {}; data and logs are in {}",
        args.seed,
        args.orders,
        args.faults,
        args.drivers,
        args.kafka,
        directory.display()
    );
    let stage = TestedSystem::start(
        directory,
        args.kafka,
        args.restate_nodes.count,
        args.drivers,
        &args.up,
    )
    .await?;
    let kafka = stage.system.kafka()?;
    let watch = StatusWatch::from_now(&kafka)?;
    let customers = Customers::new(
        args.seed,
        args.orders,
        &kafka,
        stage.system.address("gateway")?,
        stage.client.clone(),
    )?;
    let injector = Injector::new(&stage, &customers);
    let begin = Instant::now();

    let fire = async {
        tokio::try_join!(
            customers.place_all(usize::try_from(args.in_flight)?),
            injector.inject_all(&plan)
        )?;
        anyhow::Ok(())
    };
    let show = async {
        // The limit keeps a stuck run from waiting for ever. The audit finds the orders that have not ended.
        let broken_off = match timeout(args.duration, fire).await {
            Ok(done) => done.map(|()| false)?,
            Err(_) => true,
        };
        let under_fire = begin.elapsed();
        stage.heal().await?;
        say!(
            "All faults are over after {:.0} s; waiting until everything is at rest …",
            under_fire.as_secs_f64()
        );
        let at_rest = timeout(args.drain, at_rest(&stage, &customers))
            .await
            .is_ok();
        anyhow::Ok((broken_off, at_rest, under_fire))
    };
    let (broken_off, at_rest, under_fire) = tokio::select! {
        shown = show => shown?,
        failed = customers.listen(&watch) => bail!("reading order-status: {failed:?}"),
        () = sample_forever(&stage, &customers) => bail!("sampling the drivers' deliveries ended"),
    };

    let facts = stage.sources.collect(customers.notes()).await?;
    let path = directory.join(FACTS);
    files::write_atomically(&path, serde_json::to_vec(&facts)?)
        .with_context(|| format!("writing {}", path.display()))?;
    let report = Report {
        seed: args.seed,
        broken_off,
        at_rest,
        under_fire,
        took: begin.elapsed(),
        ends: customers.ends(),
        reasons: customers.reasons(),
        effects: injector.effects(),
        recoveries: injector
            .restate_kills()
            .into_iter()
            .map(|kill| Recovery {
                killed_at: kill.at,
                delivered_at: customers.delivery_after(kill.back_at),
            })
            .collect(),
    };
    report.print();
    let verdict = verdicts::print(&check(&facts));
    stage.system.stop().await?;
    verdict?;
    if broken_off {
        bail!("the orders were not placed within {:?}", args.duration);
    }
    if !at_rest {
        bail!("the system did not come to rest within {:?}", args.drain);
    }
    Ok(())
}

/// Records which driver holds which delivery, for ever. A sample fails while the Restate server is down.
async fn sample_forever(stage: &TestedSystem, customers: &Customers) {
    loop {
        sleep(SAMPLE_EVERY).await;
        match stage.sources.sample_holdings().await {
            Ok(look) => customers.record_holdings(look),
            Err(error) => tracing::debug!("{error}"),
        }
    }
}

/// Waits until all orders have ended, all records are read, and nothing is under way.
async fn at_rest(stage: &TestedSystem, customers: &Customers) {
    let mut rests = 0;
    while rests < RESTS {
        match is_at_rest(stage, customers).await {
            Ok(true) => rests += 1,
            Ok(false) => rests = 0,
            Err(error) => {
                rests = 0;
                tracing::debug!("{error:#}");
            }
        }
        sleep(REST_EVERY).await;
    }
}

async fn is_at_rest(stage: &TestedSystem, customers: &Customers) -> anyhow::Result<bool> {
    let left = stage.system.unread_orders().await?;
    Ok(
        left == 0
            && customers.not_ended().is_empty()
            && stage.sources.under_way().await?.is_empty(),
    )
}
