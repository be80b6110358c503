//! How long the system itself takes for an order while nothing waits: no cooking, no driving, and enough drivers.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context, ensure};
use audit::Sources;
use domain::{OrderId, Status};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until, timeout};

use super::args::Args;
use super::local::LocalSystem;
use crate::clock::now_ms;
use crate::load::orders::Generator;
use crate::load::publish::OrderEvent;
use crate::load::timeline::{self, Stage, Times};
use crate::load::watch::StatusWatch;
use food_ordering::http;

/// For how long orders are placed at each rate.
const AT_MOST: Duration = Duration::from_mins(1);
/// How long the gateway may take to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// How many orders may wait for their answers at a time.
const IN_FLIGHT: usize = 100;

/// The latencies at one rate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Latency {
    orders_per_second: f64,
    stages: Vec<Stage>,
}

/// A moment of an order, in ms since the epoch.
type Moments = HashMap<OrderId, i64>;

/// A line of the restaurants' books.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Preparation {
    order_id: OrderId,
    ready_at: Option<i64>,
}

impl Latency {
    pub(super) fn print(&self) {
        say!(
            "\n━━ {} orders a second\n{}",
            self.orders_per_second,
            timeline::table(&self.stages)
        );
    }
}

/// Places orders through the gateway of a fresh system, at one rate after the other, and measures each.
pub(super) async fn at_rates(args: &Args, rates: &[f64]) -> anyhow::Result<Vec<Latency>> {
    let system = LocalSystem::start(args.drivers_per_region(), &args.regions, &args.up).await?;
    let mut measured = Vec::new();
    // The first orders open connections and fill caches.
    for (number, rate) in (0..).zip(rates.first().into_iter().chain(rates)) {
        eprintln!("Placing {rate} orders a second …");
        let prefix = format!("latency-{number}");
        let latency = at_rate(args, &system, &prefix, *rate).await?;
        if number > 0 {
            measured.push(latency);
        }
    }
    system.own.stop().await?;
    Ok(measured)
}

async fn at_rate(
    args: &Args,
    system: &LocalSystem,
    prefix: &str,
    rate: f64,
) -> anyhow::Result<Latency> {
    let most = (rate * AT_MOST.as_secs_f64()).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a larger number is not needed"
    )]
    let count = args.orders.min(most as u32).max(1);
    let region = args.regions.first().copied().unwrap_or_default();
    let orders = Generator::new(prefix, args.seed, Duration::ZERO, region).records(count)?;
    let watch = StatusWatch::from_now(&system.own.kafka()?)?;
    let (accepted, reached) = tokio::try_join!(
        place(system.own.address("gateway")?, &orders, rate),
        async {
            let reached = timeout(args.timeout, follow(&watch, &orders)).await;
            reached.context("not all orders were delivered in time")?
        },
    )?;
    let books: Vec<Preparation> = Sources::from_endpoints(&system.own.endpoints())?
        .preparations()
        .await?;
    let cooked: Moments = (books.into_iter())
        .filter_map(|line| Some((line.order_id, line.ready_at?)))
        .collect();
    let stage = |from: &Moments, name, to: Status| {
        let mut times = Times::new();
        for order in &orders {
            if let (Some(from), Some(to)) =
                (from.get(&order.id), reached.get(&(order.id.clone(), to)))
            {
                times.record(to - from);
            }
        }
        times.stage(name, to.name())
    };
    Ok(Latency {
        orders_per_second: rate,
        stages: vec![
            stage(&accepted, "202", Status::InPreparation),
            stage(&cooked, "cooked", Status::WaitingForDriver),
        ],
    })
}

/// Places orders at `rate` a second. Returns when each was accepted.
async fn place(gateway: &str, orders: &[OrderEvent], rate: f64) -> anyhow::Result<Moments> {
    let client = http::client(ANSWERED_WITHIN)?;
    let (url, begin) = (format!("{gateway}/api/orders"), Instant::now());
    let each = Duration::from_secs_f64(1.0 / rate);
    stream::iter((0_u32..).zip(orders))
        .then(async |(number, order)| {
            sleep_until(begin + each * number).await;
            order
        })
        .map(async |order| {
            let request = client
                .post(&url)
                .header("content-type", "application/json")
                .body(order.value.clone());
            http::send(request).await.context("placing an order")?;
            Ok((order.id.clone(), now_ms()))
        })
        .buffer_unordered(IN_FLIGHT)
        .try_collect()
        .await
}

/// Waits until all orders are delivered. Returns when each reached each status.
async fn follow(
    watch: &StatusWatch,
    orders: &[OrderEvent],
) -> anyhow::Result<HashMap<(OrderId, Status), i64>> {
    let mut reached = HashMap::new();
    let mut waiting: HashSet<&OrderId> = orders.iter().map(|order| &order.id).collect();
    while !waiting.is_empty() {
        let event = watch.next().await?;
        let (id, status) = (&event.order_id, event.status);
        if status.is_terminal() && waiting.remove(id) {
            ensure!(
                status == Status::Delivered,
                "order {id} ended as {status:?}"
            );
        }
        reached.entry((event.order_id, status)).or_insert(event.at);
    }
    Ok(reached)
}
