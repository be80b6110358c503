//! `load`: publishes orders as ordering providers do, and follows them until they have ended.

pub(crate) mod orders;
pub(crate) mod publish;
pub(crate) mod timeline;
pub(crate) mod watch;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::Region;
use kafka::Publisher;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use self::orders::Generator;
use self::publish::{OrderEvent, publish};
use self::timeline::{Stage, Timelines};
use self::watch::StatusWatch;
use crate::clock;

/// Arguments of `load`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    kafka: kafka::Options,
    /// How many orders to publish
    #[arg(
        long,
        env = "FOOD_ORDERING_ORDERS",
        default_value_t = 100,
        value_name = "N"
    )]
    orders: u32,
    /// How many orders to publish per second; 0 publishes as fast as Kafka accepts them
    #[arg(long, env = "FOOD_ORDERING_RATE", default_value_t = 0.0, value_parser = rate, value_name = "R")]
    rate: f64,
    /// The orders' deliveryDelay: how long the system waits before it starts the preparation
    #[arg(long, env = "FOOD_ORDERING_DELIVERY_DELAY", default_value = "0s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    delivery_delay: Duration,
    /// Region to order in
    #[arg(long, env = "FOOD_ORDERING_REGION", default_value_t)]
    region: Region,
    /// Seed of the orders' content
    #[arg(
        long,
        env = "FOOD_ORDERING_SEED",
        default_value_t = 1,
        value_name = "N"
    )]
    seed: u64,
    /// Prefix of the orders' ids [default: a new one each time]
    #[arg(long, env = "FOOD_ORDERING_PREFIX", value_name = "TEXT")]
    prefix: Option<String>,
    /// Publish invalid orders, with a negative price: each is rejected, and its event becomes a dead letter
    #[arg(long, env = "FOOD_ORDERING_INVALID")]
    invalid: bool,
    /// How long to wait for the orders to end, in addition to the time for publishing them
    #[arg(long, env = "FOOD_ORDERING_LOAD_TIMEOUT", default_value = "10m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    timeout: Duration,
    /// Print the report as JSON
    #[arg(long, env = "FOOD_ORDERING_JSON")]
    json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate == 0.0 || (rate.is_finite() && rate > 1e-3) => Ok(rate),
        _ => Err("must be a number of orders per second, or 0".to_owned()),
    }
}

/// What is printed at the end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    orders: u32,
    /// How many orders ended in each terminal status.
    ends: BTreeMap<&'static str, u32>,
    ended: u32,
    publish_seconds: f64,
    /// From the first order's publication to the last end.
    seconds: f64,
    orders_per_second: f64,
    stages: Vec<Stage>,
}

/// `load`: fails if an order does not end in time.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let kafka = args.kafka.connection()?;
    let brokers = kafka.brokers();
    let watch = StatusWatch::from_now(&kafka)
        .with_context(|| format!("no Kafka at {brokers}; is --kafka-brokers right?"))?;
    let publisher = Publisher::new(&kafka, "load")?;
    let prefix = args.prefix.clone().unwrap_or_else(new_prefix);
    let mut orders = Generator::new(&prefix, args.seed, args.delivery_delay, args.region)
        .records(args.orders)?;
    if args.invalid {
        orders.iter_mut().try_for_each(OrderEvent::make_invalid)?;
    }
    if !args.json {
        say!("Publishing {} orders {prefix}-… to {brokers}", args.orders);
    }

    let timelines = RefCell::new(Timelines::default());
    let begin = Instant::now();
    let publishing = async {
        let topic = domain::topic::ORDERS;
        publish(&publisher, topic, &orders, args.rate, &timelines).await?;
        anyhow::Ok(begin.elapsed())
    };
    let planned = if args.rate > 0.0 {
        Duration::from_secs_f64(f64::from(args.orders) / args.rate)
    } else {
        Duration::ZERO
    };
    let deadline = begin + planned + args.timeout + args.delivery_delay;
    let (took, ()) = tokio::try_join!(
        publishing,
        watch_until_ended(&watch, &timelines, args.orders, deadline)
    )?;

    let timelines = timelines.into_inner();
    let report = Report::new(&timelines, args.orders, took);
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    let unfinished = args.orders - report.ended;
    if unfinished > 0 {
        bail!(
            "{unfinished} of {} orders did not end within {}, for example {}",
            args.orders,
            humantime::format_duration(args.timeout),
            timelines.unfinished_examples()
        );
    }
    Ok(())
}

/// A prefix for order ids that no earlier run has used.
pub(crate) fn new_prefix() -> String {
    format!("load-{:x}", clock::now_ms())
}

/// Records statuses until `orders` orders have ended or the deadline has passed.
async fn watch_until_ended(
    watch: &StatusWatch,
    timelines: &RefCell<Timelines>,
    orders: u32,
    deadline: Instant,
) -> anyhow::Result<()> {
    let mut ended = 0;
    while ended < orders {
        let Ok(event) = timeout_at(deadline, watch.next()).await else {
            break;
        };
        let event = event?;
        if timelines.borrow_mut().record_status(&event) && event.status.is_terminal() {
            ended += 1;
        }
    }
    Ok(())
}

impl Report {
    fn new(timelines: &Timelines, orders: u32, published: Duration) -> Self {
        let ends = timelines.ends();
        let ended = ends.values().sum();
        let seconds = timelines.span().as_secs_f64();
        Self {
            orders,
            ends,
            ended,
            publish_seconds: published.as_secs_f64(),
            seconds,
            orders_per_second: f64::from(ended) / seconds.max(1e-3),
            stages: timelines.stages(),
        }
    }

    fn print(&self) {
        say!(
            "Published in {:.2} s. {} of {} ended within {:.2} s: {:.1} orders/s",
            self.publish_seconds,
            self.ended,
            self.orders,
            self.seconds,
            self.orders_per_second
        );
        for (end, count) in &self.ends {
            say!("  {end:<12}{count:>8}");
        }
        say!("\n{}", timeline::table(&self.stages));
    }
}
