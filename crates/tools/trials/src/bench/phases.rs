//! The two runs: an idle system, and one with thousands of deliveries pending.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsString;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::{OrderId, Status};
use kafka::Publisher;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::args::Args;
use super::figures::{Figures, Meters};
use super::local::LocalSystem;
use crate::load::orders::Generator;
use crate::load::publish::{OrderEvent, publish};
use crate::load::timeline::Timelines;
use crate::load::watch::StatusWatch;
use food_ordering::{http, setup};

/// The runtime is at rest when it has called no handler and used almost no CPU for this long.
const AT_REST: Duration = Duration::from_secs(2);
/// The share of one core that a runtime at rest may use.
const RESTING_LOAD: f64 = 0.1;

/// The run with deliveries that wait for a driver.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pending {
    pub(super) deliveries: u32,
    /// How long it took until all of them were waiting.
    pub(super) preparation_seconds: f64,
    #[serde(flatten)]
    pub(super) figures: Figures,
    /// CPU time per order in this run, divided by that of the idle run.
    pub(super) services_cpu_ratio: f64,
    pub(super) runtime_cpu_ratio: f64,
    pub(super) cpu_ratio: f64,
}

/// Measures a system with free drivers: how long it takes to start, and what an order costs. `flags` are further flags of `up`.
pub(super) async fn idle(args: &Args, flags: &[String]) -> anyhow::Result<(Duration, Figures)> {
    eprintln!(
        "Starting a fresh system with {} drivers {} …",
        args.drivers,
        flags.join(" ")
    );
    let flags: Vec<_> = (flags.iter().map(OsString::from))
        .chain(args.up.iter().cloned())
        .collect();
    let system = LocalSystem::start(args.drivers_per_region(), &args.regions, &flags).await?;
    let run = Run::new(args, &system)?;
    let startup = run.first_order(&system).await?;

    let meters = system.meters()?;
    if args.warm_up > 0 {
        eprintln!("Delivering {} orders first …", args.warm_up);
        let first = Run::new(args, &system)?;
        let orders = first.orders("warm-up", args.warm_up)?;
        first
            .publish_and_watch(&orders, args.warm_up, |_, status| status.is_terminal())
            .await?;
    }

    eprintln!("Publishing {} orders …", args.orders);
    let run = Run::new(args, &system)?;
    let orders = run.orders("bench", args.orders)?;
    let wanted: HashSet<&OrderId> = orders.iter().map(|order| &order.id).collect();
    let before = meters.read().await?;
    meters
        .during(run.publish_and_watch(&orders, args.orders, |id, status| {
            status.is_terminal() && wanted.contains(id)
        }))
        .await?;
    let mut figures = meters.since(&before, args.orders).await?;
    figures.stages = run.timelines.borrow().stages();
    run.all_delivered(args.orders)?;
    system.own.stop().await?;
    Ok((startup, figures))
}

/// Measures a system in which thousands of deliveries wait for a driver before the first driver starts. `idle` holds the
/// figures of the other run, to compare with.
pub(super) async fn pending(args: &Args, idle: &Figures) -> anyhow::Result<Pending> {
    eprintln!("Starting a fresh system without drivers …");
    let system = LocalSystem::start(0, &args.regions, &args.up).await?;
    let run = Run::new(args, &system)?;
    let meters = system.meters()?;

    eprintln!(
        "Publishing {} orders, and waiting until all of them wait for a driver …",
        args.pending
    );
    let begin = Instant::now();
    run.publish_and_watch(
        &run.orders("pending", args.pending)?,
        args.pending,
        |_, status| status == Status::SchedulingDelivery,
    )
    .await?;
    at_rest(&meters).await?;
    let preparation = begin.elapsed();

    eprintln!(
        "Starting {} drivers, and waiting until each has had a delivery …",
        args.drivers
    );
    let ingress = system.own.nodes("restate-ingress")?.to_string();
    let start = async {
        for region in &args.regions {
            setup::drivers::start(&ingress, args.drivers_per_region(), *region).await?;
        }
        Ok(())
    };
    tokio::try_join!(
        run.watch_until(args.drivers, |_, status| status == Status::Delivered),
        start,
    )?;

    // Drivers are in the middle of deliveries both now and at the end. The parts of deliveries that are measured too much at
    // the start and too little at the end cancel each other out.
    eprintln!("Publishing {} orders …", args.orders);
    let run = Run::new(args, &system)?;
    let orders = run.orders("bench", args.orders)?;
    let before = meters.read().await?;
    // The matcher serves the longest waiting delivery first, so the deliveries counted here are not those of the new orders.
    meters
        .during(run.publish_and_watch(&orders, args.orders, |_, status| {
            status == Status::Delivered
        }))
        .await?;
    let figures = meters.since(&before, args.orders).await?;
    system.own.stop().await?;
    Ok(Pending {
        deliveries: args.pending,
        preparation_seconds: preparation.as_secs_f64(),
        services_cpu_ratio: figures.services_cpu_ms_per_order / idle.services_cpu_ms_per_order,
        runtime_cpu_ratio: figures.runtime_cpu_ms_per_order / idle.runtime_cpu_ms_per_order,
        cpu_ratio: figures.cpu_ms_per_order() / idle.cpu_ms_per_order(),
        figures,
    })
}

/// Publishes orders to one system and watches their statuses.
struct Run<'a> {
    args: &'a Args,
    publisher: Publisher,
    watch: StatusWatch,
    timelines: RefCell<Timelines>,
}

impl<'a> Run<'a> {
    fn new(args: &'a Args, system: &LocalSystem) -> anyhow::Result<Self> {
        let kafka = system.own.kafka()?;
        Ok(Self {
            args,
            publisher: Publisher::new(&kafka, "bench")?,
            watch: StatusWatch::from_now(&kafka)?,
            timelines: RefCell::default(),
        })
    }

    fn orders(&self, prefix: &str, count: u32) -> anyhow::Result<Vec<OrderEvent>> {
        let mut generators: Vec<Generator> = (self.args.regions.iter().zip(1..))
            .map(|(region, number)| {
                let prefix = format!("{prefix}-{number}");
                Generator::new(&prefix, self.args.seed, Duration::ZERO, *region)
            })
            .collect();
        let mut orders = Vec::new();
        for generator in (0..generators.len()).cycle().take(usize::try_from(count)?) {
            orders.extend(generators[generator].records(1)?);
        }
        Ok(orders)
    }

    /// Places one order through the gateway and waits until it has ended. Returns the time from the start of the system until
    /// the order was accepted.
    async fn first_order(&self, system: &LocalSystem) -> anyhow::Result<Duration> {
        let client = http::client(Duration::from_secs(10))?;
        let url = format!("{}/api/orders", system.own.address("gateway")?);
        let [first] = &self.orders("first", 1)?[..] else {
            bail!("the generator made no order");
        };
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .body(first.value.clone());
        http::send(request)
            .await
            .context("placing the first order")?;
        let accepted = system.begin.elapsed();
        self.watch_until(1, |id, status| *id == first.id && status.is_terminal())
            .await
            .context("waiting for the first order")?;
        Ok(accepted)
    }

    /// Publishes the orders as fast as Kafka accepts them, and waits until `is_done` has been true for `count` orders.
    async fn publish_and_watch(
        &self,
        orders: &[OrderEvent],
        count: u32,
        is_done: impl Fn(&OrderId, Status) -> bool,
    ) -> anyhow::Result<()> {
        let (publisher, topic) = (&self.publisher, domain::topic::ORDERS);
        tokio::try_join!(
            publish(publisher, topic, orders, 0.0, &self.timelines),
            self.watch_until(count, is_done),
        )?;
        Ok(())
    }

    async fn watch_until(
        &self,
        count: u32,
        is_done: impl Fn(&OrderId, Status) -> bool,
    ) -> anyhow::Result<()> {
        let mut seen = HashSet::new();
        let watching = async {
            while seen.len() < usize::try_from(count)? {
                let event = self.watch.next().await?;
                self.timelines.borrow_mut().record_status(&event);
                if is_done(&event.order_id, event.status) {
                    seen.insert(event.order_id);
                }
            }
            anyhow::Ok(())
        };
        let limit = self.args.timeout;
        match timeout(limit, watching).await {
            Ok(seen) => seen,
            Err(_) => bail!(
                "after {} only {} of {count} orders had reached the expected status; unfinished orders, for example: {}",
                humantime::format_duration(limit),
                seen.len(),
                self.timelines.borrow().unfinished_examples()
            ),
        }
    }

    fn all_delivered(&self, orders: u32) -> anyhow::Result<()> {
        let ends = self.timelines.borrow().ends();
        if ends.get(Status::Delivered.name()) == Some(&orders) {
            return Ok(());
        }
        bail!("not all orders were delivered: {ends:?}")
    }
}

/// Waits until the runtime has nothing to do, neither for orders nor for its own store, which it compacts with some delay.
async fn at_rest(meters: &Meters) -> anyhow::Result<()> {
    const LIMIT: Duration = Duration::from_mins(5);
    let begin = Instant::now();
    let mut before = meters.read().await?;
    while begin.elapsed() < LIMIT {
        sleep(AT_REST).await;
        let now = meters.read().await?;
        if !now.has_called_since(&before) && meters.runtime_load(&before, &now) < RESTING_LOAD {
            return Ok(());
        }
        before = now;
    }
    bail!("the runtime is still busy after {LIMIT:?}")
}
