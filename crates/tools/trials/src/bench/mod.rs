//! `bench`: measures what an order costs.
//!
//! | file | what it holds |
//! |---|---|
//! | `args.rs` | the command line |
//! | `phases.rs` | the two runs: an idle system, and one with thousands of deliveries pending |
//! | `latency.rs` | how long an order takes in the system itself |
//! | `local.rs` | starting the system to measure |
//! | `external.rs` | measuring a system that someone else started |
//! | `figures.rs` | reading the meters, and the costs per order |

mod args;
mod external;
mod figures;
mod latency;
mod local;
mod phases;

use anyhow::bail;
use serde::Serialize;

pub use self::args::Args;
use self::figures::Figures;
use self::latency::Latency;
pub(crate) use self::local::PROFILE;
use self::phases::Pending;

/// How far a driver drives per order, on average, in degrees of the longer axis: "Costs" in `docs/architecture.md` says why.
const LEGS_DEGREES: f64 = 2.0 * 0.063;

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
