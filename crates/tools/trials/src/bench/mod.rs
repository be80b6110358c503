//! `bench`: measures what an order costs.
//!
//! | file | what it holds |
//! |---|---|
//! | `phases.rs` | the two runs: an idle system, and one with thousands of deliveries pending |
//! | `latency.rs` | how long an order takes in the system itself |
//! | `local.rs` | starting the system to measure |
//! | `external.rs` | measuring a system that someone else started |
//! | `figures.rs` | reading the meters, and the costs per order |

mod external;
mod figures;
mod latency;
mod local;
mod phases;

use std::ffi::OsString;
use std::time::Duration;

use anyhow::bail;
use domain::Region;
use serde::Serialize;

use self::figures::Figures;
use self::latency::Latency;
pub(crate) use self::local::PROFILE;

/// How far a driver drives per order, on average, in degrees of the longer axis: "Costs" in `docs/architecture.md` says why.
const LEGS_DEGREES: f64 = 2.0 * 0.063;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many orders to measure
    #[arg(long, env = "FOOD_ORDERING_ORDERS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    orders: u32,
    /// How many drivers deliver them, in all regions together
    #[arg(long, env = "FOOD_ORDERING_DRIVERS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    drivers: u32,
    /// Region to order in; repeat the flag to spread the orders over several regions, each with its own matcher
    #[arg(long = "region", env = "FOOD_ORDERING_REGIONS", default_values_t = [Region::default()], value_delimiter = ',', value_name = "REGION")]
    regions: Vec<Region>,
    /// How many deliveries wait for a driver in the second run
    #[arg(long, env = "FOOD_ORDERING_PENDING", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    pending: u32,
    /// Skip the second run
    #[arg(long, env = "FOOD_ORDERING_SKIP_PENDING")]
    skip_pending: bool,
    /// Deliver this many orders before the first run is measured. A store that has been used costs more than a new one, because it
    /// is compacted: with as many as --pending, both runs have a used one
    #[arg(long, env = "FOOD_ORDERING_BENCH_WARM_UP", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000), value_name = "N")]
    warm_up: u32,
    /// Measure drivers that report about this many positions per order, with the position filter and without it, instead of the two
    /// runs; repeat the flag for several numbers
    #[arg(long = "places-per-order", env = "FOOD_ORDERING_PLACES_PER_ORDER", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    places_per_order: Vec<u32>,
    /// Measure how long an order takes in the system itself, with this many orders a second for up to a minute, instead of the two
    /// runs; repeat the flag for several rates
    #[arg(long = "rate", env = "FOOD_ORDERING_RATES", value_delimiter = ',', value_parser = rate, value_name = "R")]
    rates: Vec<f64>,
    /// Seed of the orders' content
    #[arg(
        long,
        env = "FOOD_ORDERING_SEED",
        default_value_t = 1,
        value_name = "N"
    )]
    seed: u64,
    /// How long each run may take
    #[arg(long, env = "FOOD_ORDERING_BENCH_TIMEOUT", default_value = "15m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    timeout: Duration,
    /// Print the report as JSON
    #[arg(long, env = "FOOD_ORDERING_JSON")]
    json: bool,
    #[command(flatten)]
    peer: external::Peer,
    /// More flags for the `food-ordering up` that is measured
    #[arg(last = true)]
    up: Vec<OsString>,
}

/// A positive number of orders a second.
fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=1_000.0).contains(&rate) {
        Ok(rate)
    } else {
        Err("must be from 0.01 to 1000".to_owned())
    }
}

impl Args {
    /// How many drivers each region has, rounded up.
    fn drivers_per_region(&self) -> u32 {
        let regions = u32::try_from(self.regions.len()).unwrap_or(u32::MAX);
        self.drivers.div_ceil(regions)
    }
}

/// What is printed at the end.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    cores: usize,
    drivers: Option<u32>,
    /// From the start of `up` until the gateway accepted the first order.
    #[serde(skip_serializing_if = "Option::is_none")]
    startup_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    positions: Vec<Positions>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    latencies: Vec<Latency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<Figures>,
}

/// A run with another number of positions per order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Positions {
    places_per_order: u32,
    position_filter: bool,
    #[serde(flatten)]
    figures: Figures,
}

/// The run with deliveries that wait for a driver.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pending {
    deliveries: u32,
    /// How long it took until all of them were waiting.
    preparation_seconds: f64,
    #[serde(flatten)]
    figures: Figures,
    /// CPU time per order in this run, divided by that of the idle run.
    services_cpu_ratio: f64,
    runtime_cpu_ratio: f64,
    cpu_ratio: f64,
}

/// `bench`: measures and prints.
pub async fn main(args: Args) -> anyhow::Result<()> {
    if cfg!(debug_assertions) && !args.peer.external {
        eprintln!("This is a debug build; `cargo xtask bench` measures a release build.");
    }
    let shutdown = shutdown::on_signal()?;
    let report = tokio::select! {
        report = measure(&args) => report?,
        () = shutdown.requested.cancelled() => bail!("interrupted"),
    };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}

async fn measure(args: &Args) -> anyhow::Result<Report> {
    let mut report = Report {
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        ..Report::default()
    };
    if args.peer.external {
        report.external = Some(external::run(args).await?);
        return Ok(report);
    }
    report.drivers = Some(args.drivers);
    for &places_per_order in &args.places_per_order {
        for position_filter in [false, true] {
            let flags = [
                format!("--step={}", LEGS_DEGREES / f64::from(places_per_order)),
                format!("--position-filter={position_filter}"),
            ];
            let (_, figures) = phases::idle(args, &flags).await?;
            report.positions.push(Positions {
                places_per_order,
                position_filter,
                figures,
            });
        }
    }
    if !args.rates.is_empty() {
        report.latencies = latency::at_rates(args, &args.rates).await?;
    }
    if !(report.positions.is_empty() && report.latencies.is_empty()) {
        return Ok(report);
    }
    let (startup, idle) = phases::idle(args, &[]).await?;
    report.startup_seconds = Some(startup.as_secs_f64());
    if !args.skip_pending {
        report.pending = Some(phases::pending(args, &idle).await?);
    }
    report.idle = Some(idle);
    Ok(report)
}

impl Report {
    fn print(&self) {
        say!("\nOn {} cores", self.cores);
        if let Some(seconds) = self.startup_seconds {
            say!("Start to first accepted order: {seconds:.2} s");
        }
        if let Some(figures) = &self.idle {
            say!(
                "\n━━ {} drivers, nothing pending",
                self.drivers.unwrap_or_default()
            );
            figures.print();
        }
        if let Some(pending) = &self.pending {
            say!(
                "\n━━ {} drivers, {} deliveries pending (after {:.1} s)",
                self.drivers.unwrap_or_default(),
                pending.deliveries,
                pending.preparation_seconds
            );
            pending.figures.print();
            say!(
                "\n  CPU per order, compared with nothing pending: services {:.2} ×, runtime {:.2} ×, all {:.2} ×",
                pending.services_cpu_ratio,
                pending.runtime_cpu_ratio,
                pending.cpu_ratio
            );
        }
        for run in &self.positions {
            let filter = if run.position_filter {
                "with"
            } else {
                "without"
            };
            say!(
                "\n━━ {} drivers, about {} positions per order, {filter} the position filter",
                self.drivers.unwrap_or_default(),
                run.places_per_order
            );
            run.figures.print();
        }
        self.latencies.iter().for_each(Latency::print);
        if let Some(figures) = &self.external {
            say!("\n━━ external system");
            figures.print();
        }
    }
}
