//! `soak`: puts a steady load on a system of its own, and checks that nothing grows that should not.
//!
//! | file | what it holds |
//! |---|---|
//! | `under_way.rs` | the orders that have not ended, and the times of each stage |
//! | `meters.rs` | sampling processes, the runtime's rows and disk usage |
//! | `drift.rs` | whether a figure stays flat |
//! | `measurements.rs` | all measurements, and the files they are written to |
//! | `report.rs` | the lines and the report that are printed |
//!
//! The crate `audit` checks from outside that every order ended exactly once and that every payment and delivery is right.

mod drift;
mod measurements;
mod meters;
mod report;
mod under_way;

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use audit::{Accepted, Notes, Sources, StatusRecord, check};
use domain::{Order, OrderId, Region, topic};
use futures::{StreamExt, TryStreamExt, stream};
use kafka::Publisher;
use tokio::time::{Instant, interval_at, sleep, sleep_until, timeout};

use self::measurements::Measurements;
use self::meters::Meters;
use self::under_way::UnderWay;
use crate::load::new_prefix;
use crate::load::orders::Generator;
use crate::load::watch::StatusWatch;
use crate::own_system::{self, OwnSystem};
use crate::{bench, clock, verdicts};
use food_ordering::broker::Broker;
use food_ordering::up::RestateNodes;

/// How often the processes are sampled.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_mins(1);
/// How many orders may wait for the broker's confirmation at a time.
const IN_FLIGHT: usize = 1_000;
/// How often to check whether the system is at rest.
const REST_EVERY: Duration = Duration::from_secs(1);
/// How many seconds a driver needs for an order on a busy machine: in the benchmark, 100 drivers delivered 36.3 orders a second
/// (docs/benchmark.md).
const DRIVER_SECONDS: f64 = 100.0 / 36.3;
/// Added to the orders' retention, so that the first orders have expired when the warm-up ends.
const SETTLING: Duration = Duration::from_mins(2);

/// Arguments of `soak`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many orders to publish per second; the default is half of the benchmark's throughput
    #[arg(long, env = "FOOD_ORDERING_RATE", default_value_t = 18.0, value_parser = rate, value_name = "R")]
    rate: f64,
    /// How long to publish orders
    #[arg(long, env = "FOOD_ORDERING_SOAK_DURATION", default_value = "30m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    duration: Duration,
    /// Time at the start that is not measured [default: 2m longer than orders are kept, but at most a third of --duration]
    #[arg(long, env = "FOOD_ORDERING_SOAK_WARM_UP", value_parser = humantime::parse_duration, value_name = "DURATION")]
    warm_up: Option<Duration>,
    /// How long the last orders may take to end
    #[arg(long, env = "FOOD_ORDERING_SOAK_DRAIN", default_value = "2m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    drain: Duration,
    /// How many drivers work in each of the three regions [default: twice as many as the rate needs]
    #[arg(long, env = "FOOD_ORDERING_DRIVERS", value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    drivers: Option<u32>,
    /// How long an ended order's history is kept; short, so that it expires during the run
    #[arg(long, env = "FOOD_ORDERING_ORDER_RETENTION", default_value = "5m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    order_retention: Duration,
    /// How long Restate keeps an ended workflow
    #[arg(long, env = "FOOD_ORDERING_WORKFLOW_RETENTION", default_value = "2m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    workflow_retention: Duration,
    /// The broker. The one in memory uses more CPU per record the more records it holds, which grows for half an hour
    #[arg(
        long,
        env = "FOOD_ORDERING_SOAK_KAFKA",
        default_value = "apache",
        value_name = "BROKER"
    )]
    kafka: Broker,
    #[command(flatten)]
    restate_nodes: RestateNodes,
    /// Seed of the orders' content
    #[arg(
        long,
        env = "FOOD_ORDERING_SEED",
        default_value_t = 1,
        value_name = "N"
    )]
    seed: u64,
    /// Directory for samples.csv, minutes.jsonl and report.json
    #[arg(
        long,
        env = "FOOD_ORDERING_SOAK_OUTPUT",
        default_value = ".food-ordering/soak",
        value_name = "DIRECTORY"
    )]
    output: PathBuf,
    /// Also fail if a figure drifts by more than is allowed
    #[arg(long, env = "FOOD_ORDERING_FAIL_ON_DRIFT")]
    fail_on_drift: bool,
    /// More flags for the `food-ordering up` that is tested
    #[arg(last = true)]
    up: Vec<OsString>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (1e-2..=1e4).contains(&rate) => Ok(rate),
        _ => Err("must be a number of orders per second, from 0.01 to 10000".to_owned()),
    }
}

impl Args {
    /// How many orders are published.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rate and duration are positive, and the cast saturates"
    )]
    fn orders(&self) -> u32 {
        (self.rate * self.duration.as_secs_f64()).ceil() as u32
    }

    /// How many drivers each region has.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rate is above zero and has a limit"
    )]
    fn drivers(&self) -> u32 {
        self.drivers.unwrap_or_else(|| {
            let drivers = (2.0 * self.rate * DRIVER_SECONDS).ceil() as usize;
            drivers.div_ceil(Region::ALL.len()) as u32
        })
    }

    fn warm_up(&self) -> Duration {
        let kept = self.order_retention.max(self.workflow_retention);
        self.warm_up
            .unwrap_or_else(|| (kept + SETTLING).min(self.duration / 3))
    }

    /// A generator of this run's orders; it generates the same orders each time.
    fn generator(&self, prefix: &str) -> Generator {
        Generator::new(prefix, self.seed, Duration::ZERO, Region::default())
    }
}

/// The order with this number. The regions take turns.
fn make(generator: &mut Generator, number: u32) -> anyhow::Result<Order> {
    let index = usize::try_from(number)? % Region::ALL.len();
    generator.make_in(Region::ALL[index])
}

/// `soak`: fails if an order is lost or an invariant is broken.
pub async fn main(args: Args) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        say!("This is a debug build; `cargo xtask soak` measures a release build.");
    }
    let directory = tempfile::Builder::new()
        .prefix("food-ordering-soak-")
        .tempdir()
        .context("making a directory for the data")?
        .keep();
    let shutdown = shutdown::on_signal()?;
    let result = tokio::select! {
        result = run(&args, &directory) => result,
        () = shutdown.requested.cancelled() => bail!("interrupted; data and logs are in {}", directory.display()),
    };
    match result {
        Ok(()) => std::fs::remove_dir_all(&directory)
            .with_context(|| format!("removing {}", directory.display())),
        Err(error) => Err(error.context(format!("data and logs are in {}", directory.display()))),
    }
}

async fn run(args: &Args, directory: &Path) -> anyhow::Result<()> {
    say!(
        "{} orders, {} a second for {}, {} drivers in each region; measured after {}; data and logs are in {}",
        args.orders(),
        args.rate,
        humantime::format_duration(args.duration),
        args.drivers(),
        humantime::format_duration(args.warm_up()),
        directory.display()
    );
    let flags = flags(args);
    let system = OwnSystem::start(directory, &flags).await?;
    let sources = Sources::from_endpoints(&system.endpoints())?;
    let meters = Meters::new(&system, directory)?;
    let soak = Soak {
        args,
        prefix: new_prefix(),
        publisher: Publisher::new(&system.kafka()?, "soak")?,
        watch: StatusWatch::from_now(&system.kafka()?)?,
        record: RefCell::new(Measurements::create(&args.output)?),
        meters,
        spool: RefCell::new(Spool::create(directory)?),
        under_way: RefCell::new(UnderWay::new()),
        notes: RefCell::default(),
        refused: RefCell::default(),
        begin: Instant::now(),
        sources,
        system,
    };
    say!("{}", report::head());
    let load = async {
        soak.publish_all().await?;
        say!("All orders are published; waiting until everything is at rest …");
        anyhow::Ok(timeout(args.drain, soak.at_rest()).await.is_ok())
    };
    let at_rest = tokio::select! {
        done = load => done?,
        failed = soak.listen() => bail!("reading order-status: {failed:?}"),
        failed = soak.sample() => failed?,
        failed = soak.report_each_minute() => failed?,
    };
    soak.finish(at_rest).await
}

fn flags(args: &Args) -> Vec<OsString> {
    let time = |flag: &str, time| format!("--{flag}={}", humantime::format_duration(time));
    let mut defaults = vec![
        format!("--drivers={}", args.drivers()),
        format!("--kafka={}", args.kafka),
        format!("--restate-nodes={}", args.restate_nodes.count),
        time("order-retention", args.order_retention),
        time("workflow-retention", args.workflow_retention),
    ];
    defaults.extend(bench::PROFILE.map(str::to_owned));
    own_system::with_defaults(&defaults, &args.up)
}

/// A system under steady load.
struct Soak<'a> {
    args: &'a Args,
    system: OwnSystem,
    sources: Sources,
    meters: Meters,
    publisher: Publisher,
    watch: StatusWatch,
    prefix: String,
    begin: Instant,
    under_way: RefCell<UnderWay>,
    record: RefCell<Measurements>,
    spool: RefCell<Spool>,
    notes: RefCell<Notes>,
    /// Orders that Kafka did not accept.
    refused: RefCell<Vec<OrderId>>,
}

impl Soak<'_> {
    /// Publishes each order at its time, however long earlier ones take.
    async fn publish_all(&self) -> anyhow::Result<()> {
        let interval = Duration::from_secs_f64(1.0 / self.args.rate);
        let mut generator = self.args.generator(&self.prefix);
        stream::iter(0..self.args.orders())
            .then(async |number| {
                sleep_until(self.begin + interval * number).await;
                number
            })
            .map(|number| {
                let order = make(&mut generator, number);
                async { self.publish(order?).await }
            })
            .buffer_unordered(IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        // Makes the last minute a full one.
        sleep_until(self.begin + self.args.duration).await;
        Ok(())
    }

    async fn publish(&self, order: Order) -> anyhow::Result<()> {
        let id = order.order_id.clone();
        let event = serde_json::to_vec(&order)?;
        self.under_way
            .borrow_mut()
            .published(id.clone(), clock::now_ms());
        let key = Some(id.as_str().as_bytes());
        if let Err(error) = self
            .publisher
            .publish(topic::ORDERS, key, &event, &[])
            .await
        {
            say!("Kafka did not accept {id}: {error}");
            self.under_way.borrow_mut().refused(&id);
            self.refused.borrow_mut().push(id);
        }
        Ok(())
    }

    /// Follows the statuses of all orders, for ever.
    async fn listen(&self) -> anyhow::Result<()> {
        loop {
            let (partition, event) = self.watch.next_with_partition().await?;
            self.under_way.borrow_mut().record_status(&event);
            self.spool
                .borrow_mut()
                .append(&StatusRecord { partition, event })?;
        }
    }

    /// Samples the processes, for ever.
    async fn sample(&self) -> anyhow::Result<bool> {
        let mut moments = interval_at(self.begin, SAMPLE_EVERY);
        loop {
            moments.tick().await;
            let at = self.begin.elapsed().as_secs_f64();
            let samples = self.meters.sample(&self.system, at)?;
            self.record.borrow_mut().sampled(samples, &self.meters)?;
        }
    }

    /// Records and prints the figures of each minute, until all orders are published.
    async fn report_each_minute(&self) -> anyhow::Result<bool> {
        let mut minutes = interval_at(self.begin + MINUTE, MINUTE);
        let warm_up = self.args.warm_up();
        let mut is_warm = false;
        loop {
            minutes.tick().await;
            let at = self.begin.elapsed();
            if at > self.args.duration + SAMPLE_EVERY {
                return std::future::pending().await;
            }
            let minute = {
                let mut under_way = self.under_way.borrow_mut();
                if at >= warm_up && !is_warm {
                    is_warm = true;
                    under_way.end_warm_up();
                }
                let ended = under_way.ended();
                (under_way.recent(), under_way.waiting(), ended)
            };
            let kept = self.meters.kept().await?;
            {
                let mut record = self.record.borrow_mut();
                let minute = record.minute(at, minute, kept, &self.meters)?;
                say!("{}", report::line(minute));
            }
            // The drivers' deliveries are sampled less often than in `chaos`, because nothing is broken on purpose here.
            let look = self.sources.sample_holdings().await?;
            self.notes.borrow_mut().looks.push(look);
        }
    }

    /// Waits until all orders have ended, all records are read, and nothing is under way.
    async fn at_rest(&self) {
        loop {
            match self.is_at_rest().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::debug!("{error:#}"),
            }
            sleep(REST_EVERY).await;
        }
    }

    async fn is_at_rest(&self) -> anyhow::Result<bool> {
        let left = self.system.unread_orders().await?;
        let waiting = self.under_way.borrow().waiting();
        Ok(left == 0 && waiting.under_way == 0 && self.sources.under_way().await?.is_empty())
    }

    /// Prints the report and the verdicts. Fails if an order is lost or an invariant is broken.
    async fn finish(self, at_rest: bool) -> anyhow::Result<()> {
        let under_way = self.under_way.into_inner();
        let report = report::Report {
            orders: self.args.orders(),
            rate: self.args.rate,
            seconds: self.args.duration.as_secs_f64(),
            warm_up_seconds: self.args.warm_up().as_secs_f64(),
            drivers_in_each_region: self.args.drivers(),
            ends: under_way.ends().clone(),
            refused: self.refused.borrow().len(),
            stages: under_way.all(),
            drifts: Vec::new(),
            undecided: Vec::new(),
        };
        let record = self.record.into_inner();
        let report =
            report.with(record.figures(self.args.warm_up(), self.args.duration, &self.meters));
        report.print();
        report.write(&self.args.output)?;

        let mut notes = self.notes.into_inner();
        let refused = self.refused.into_inner();
        let mut generator = self.args.generator(&self.prefix);
        for number in 0..self.args.orders() {
            let order = make(&mut generator, number)?;
            if !refused.contains(&order.order_id) {
                notes.accepted.push(Accepted {
                    order_id: order.order_id,
                    price: order.total_cost,
                });
            }
        }
        let statuses = self.spool.into_inner().read()?;
        let facts = self.sources.collect_with_statuses(notes, statuses).await?;
        let verdict = verdicts::print(&check(&facts));
        self.system.stop().await?;
        verdict?;
        if !at_rest {
            bail!(
                "the system did not come to rest within {}; orders still under way, for example: {}",
                humantime::format_duration(self.args.drain),
                under_way.unfinished_examples()
            );
        }
        report.all_delivered()?;
        if self.args.fail_on_drift {
            report.all_flat()?;
        }
        Ok(())
    }
}

/// All records of topic `order-status`, stored in a file for the audit: by the end the broker has dropped the first of them, and
/// in memory they would spoil the measurement.
struct Spool {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Spool {
    fn create(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join("order-status.jsonl");
        let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self {
            path,
            file: BufWriter::new(file),
        })
    }

    fn append(&mut self, record: &StatusRecord) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.file, record)?;
        self.file.write_all(b"\n")?;
        Ok(())
    }

    fn read(mut self) -> anyhow::Result<Vec<StatusRecord>> {
        self.file.flush()?;
        BufReader::new(File::open(&self.path)?)
            .lines()
            .map(|line| Ok(serde_json::from_str(&line?)?))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn args(flags: &[&str]) -> Args {
        Command::parse_from(["soak"].iter().chain(flags)).args
    }

    #[test]
    fn the_default_is_half_an_hour_at_half_the_benchmarks_rate() {
        let args = args(&[]);
        assert_eq!((args.orders(), args.drivers()), (32_400, 34));
        assert_eq!(args.warm_up(), Duration::from_mins(7));
    }

    #[test]
    fn the_warm_up_of_a_short_soak_is_a_third_of_it() {
        let args = args(&["--duration=3m", "--rate=0.5"]);
        assert_eq!((args.orders(), args.drivers()), (90, 1));
        assert_eq!(args.warm_up(), Duration::from_mins(1));
    }

    #[test]
    fn the_same_orders_can_be_made_again_for_the_audit() {
        let args = args(&["--seed=5"]);
        let (mut first, mut second) = (args.generator("a"), args.generator("a"));
        for number in 0..10 {
            let order = make(&mut first, number).unwrap();
            assert_eq!(order, make(&mut second, number).unwrap());
            assert_eq!(
                Region::ALL[usize::try_from(number).unwrap() % 3],
                order.region
            );
        }
    }
}
