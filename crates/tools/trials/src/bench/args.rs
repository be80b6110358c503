//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use domain::Region;
use reqwest::Method;

use crate::usage::{self, Process};

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many orders to measure
    #[arg(long, env = "FOOD_ORDERING_ORDERS", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    pub(super) orders: u32,
    /// How many drivers deliver them, in all regions together
    #[arg(long, env = "FOOD_ORDERING_DRIVERS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub(super) drivers: u32,
    /// Region to order in; repeat the flag to spread the orders over several regions, each with its own matcher
    #[arg(long = "region", env = "FOOD_ORDERING_REGIONS", default_values_t = [Region::default()], value_delimiter = ',', value_name = "REGION")]
    pub(super) regions: Vec<Region>,
    /// How many deliveries wait for a driver in the second run
    #[arg(long, env = "FOOD_ORDERING_PENDING", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000), value_name = "N")]
    pub(super) pending: u32,
    /// Skip the second run
    #[arg(long, env = "FOOD_ORDERING_SKIP_PENDING")]
    pub(super) skip_pending: bool,
    /// Deliver this many orders before the first run is measured. A store that has been used costs more than a new one, because it
    /// is compacted: with as many as --pending, both runs have a used one
    #[arg(long, env = "FOOD_ORDERING_BENCH_WARM_UP", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100_000), value_name = "N")]
    pub(super) warm_up: u32,
    /// Measure drivers that report about this many positions per order, with the position filter and without it, instead of the two
    /// runs; repeat the flag for several numbers
    #[arg(long = "places-per-order", env = "FOOD_ORDERING_PLACES_PER_ORDER", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub(super) places_per_order: Vec<u32>,
    /// Measure how long an order takes in the system itself, with this many orders a second for up to a minute, instead of the two
    /// runs; repeat the flag for several rates
    #[arg(long = "rate", env = "FOOD_ORDERING_RATES", value_delimiter = ',', value_parser = rate, value_name = "R")]
    pub(super) rates: Vec<f64>,
    /// Seed of the orders' content
    #[arg(
        long,
        env = "FOOD_ORDERING_SEED",
        default_value_t = 1,
        value_name = "N"
    )]
    pub(super) seed: u64,
    /// How long each run may take
    #[arg(long, env = "FOOD_ORDERING_BENCH_TIMEOUT", default_value = "15m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(super) timeout: Duration,
    /// Print the report as JSON
    #[arg(long, env = "FOOD_ORDERING_JSON")]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) peer: Peer,
    /// More flags for the `food-ordering up` that is measured
    #[arg(last = true)]
    pub(super) up: Vec<OsString>,
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
    pub(super) fn drivers_per_region(&self) -> u32 {
        let regions = u32::try_from(self.regions.len()).unwrap_or(u32::MAX);
        self.drivers.div_ceil(regions)
    }
}

/// The addresses of the external system and the format of its orders.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "External system")]
pub(super) struct Peer {
    /// Measure a system that is already running, with its drivers, instead of starting one
    #[arg(long, env = "FOOD_ORDERING_EXTERNAL")]
    pub(super) external: bool,
    #[command(flatten)]
    pub(super) kafka: kafka::Options,
    /// Ingress of its Restate server
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTATE_INGRESS",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(super) restate_ingress: String,
    #[command(flatten)]
    pub(super) restate_admin: upstream::RestateAdmin,
    /// Metrics URL of each node of its Restate server; without one, invocations are not counted
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTATE_METRICS",
        value_delimiter = ',',
        value_name = "URL,…"
    )]
    pub(super) restate_metrics: Vec<String>,
    /// Its topic for orders
    #[arg(long, env = "FOOD_ORDERING_ORDERS_TOPIC", default_value = domain::topic::ORDERS, value_name = "TOPIC")]
    pub(super) orders_topic: String,
    /// Its topic for driver positions
    #[arg(long, env = "FOOD_ORDERING_UPDATES_TOPIC", default_value = domain::topic::DRIVER_UPDATES, value_name = "TOPIC")]
    pub(super) updates_topic: String,
    /// Read statuses from its topic order-status, in this system's format, instead of requesting them over HTTP
    #[arg(long, env = "FOOD_ORDERING_HAS_STATUS_TOPIC")]
    pub(super) has_status_topic: bool,
    /// URL of an order's status; {ingress} and {orderId} are filled in
    #[arg(
        long,
        env = "FOOD_ORDERING_STATUS_URL",
        default_value = "{ingress}/OrderStatusService/{orderId}/get",
        value_name = "URL"
    )]
    pub(super) status_url: String,
    /// HTTP method for requesting the status
    #[arg(
        long,
        env = "FOOD_ORDERING_STATUS_METHOD",
        default_value = "POST",
        value_name = "METHOD"
    )]
    pub(super) status_method: Method,
    /// JSON pointer to the status in the response
    #[arg(
        long,
        env = "FOOD_ORDERING_STATUS_POINTER",
        default_value = "/status",
        value_name = "POINTER"
    )]
    pub(super) status_pointer: String,
    /// The terminal statuses
    #[arg(
        long,
        env = "FOOD_ORDERING_ENDS",
        value_delimiter = ',',
        default_value = "DELIVERED,REJECTED,CANCELLED",
        value_name = "STATUS,…"
    )]
    pub(super) ends: Vec<String>,
    /// File with an order as JSON, in which {orderId}, {restaurantId}, {productId}, {description}, {quantity}, {totalCost},
    /// {lon} and {lat} are filled in [default: this system's own orders]
    #[arg(long, env = "FOOD_ORDERING_ORDER_TEMPLATE", value_name = "FILE")]
    pub(super) order_template: Option<PathBuf>,
    /// A process to measure; the names restate-server and kafka stand for the runtime and the broker, all others are services
    #[arg(long = "pid", env = "FOOD_ORDERING_PIDS", value_delimiter = ',', value_parser = usage::parse, value_name = "NAME=PID")]
    pub(super) processes: Vec<Process>,
}
