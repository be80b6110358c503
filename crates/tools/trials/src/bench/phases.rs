//! The two runs.

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::{OrderId, Status};
use kafka::Publisher;
use tokio::time::{Instant, sleep, timeout};

use super::figures::{Figures, Meters};
use super::local::LocalSystem;
use super::{Args, Pending};
use crate::clock;
use crate::load::orders::Generator;
use crate::load::publish::{OrderEvent, publish};
use crate::load::timeline::Timelines;
use crate::load::watch::StatusWatch;
use food_ordering::{http, setup};

/// The runtime is at rest when it has called no handler, and hardly computed, for this long.
const AT_REST: Duration = Duration::from_secs(2);
/// The share of one core that a runtime at rest may use.
const RESTING_LOAD: f64 = 0.1;

/// A system with free drivers: time to start, and what an order costs.
pub(super) async fn idle(args: &Args) -> anyhow::Result<(Duration, Figures)> {
    eprintln!("Starting a fresh system with {} drivers …", args.drivers);
    let system = LocalSystem::start(args.drivers_a_region(), &args.regions, &args.up).await?;
    let run = Run::new(args, &system)?;
    let startup = run.first_order(&system).await?;

    eprintln!("Publishing {} orders …", args.orders);
    let orders = run.orders("bench", args.orders)?;
    let wanted: HashSet<&OrderId> = orders.iter().map(|order| &order.id).collect();
    let meters = system.meters()?;
    let before = meters.read().await?;
    meters
        .during(run.publish_and_see(&orders, args.orders, |id, status| {
            status.is_terminal() && wanted.contains(id)
        }))
        .await?;
    let mut figures = meters.since(&before, args.orders).await?;
    figures.stages = run.timelines.borrow().stages();
    run.all_delivered(args.orders)?;
    system.stop().await?;
    Ok((startup, figures))
}

/// A system in which thousands of deliveries wait for a driver before any driver comes; `idle` is what orders cost otherwise.
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
    run.publish_and_see(
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
    let ingress = system.nodes("restate-ingress")?.to_string();
    let start = async {
        for region in &args.regions {
            setup::drivers::start(&ingress, args.drivers_a_region(), *region).await?;
        }
        Ok(())
    };
    tokio::try_join!(
        run.see(args.drivers, |_, status| status == Status::Delivered),
        start,
    )?;

    // Drivers are under way now and will be in the end, so the halves of their deliveries that are not measured, or measured
    // though they are not of these orders, cancel each other out.
    eprintln!("Publishing {} orders …", args.orders);
    let run = Run::new(args, &system)?;
    let orders = run.orders("bench", args.orders)?;
    let before = meters.read().await?;
    // Who has waited longest comes first, so the deliveries are not those of the new orders.
    meters
        .during(run.publish_and_see(&orders, args.orders, |_, status| {
            status == Status::Delivered
        }))
        .await?;
    let figures = meters.since(&before, args.orders).await?;
    system.stop().await?;
    Ok(Pending {
        deliveries: args.pending,
        preparation_seconds: preparation.as_secs_f64(),
        services_cpu_ratio: figures.services_cpu_ms_per_order / idle.services_cpu_ms_per_order,
        runtime_cpu_ratio: figures.runtime_cpu_ms_per_order / idle.runtime_cpu_ms_per_order,
        cpu_ratio: figures.cpu_ms_per_order() / idle.cpu_ms_per_order(),
        figures,
    })
}

/// Orders on their way through one system.
struct Run<'a> {
    args: &'a Args,
    publisher: Publisher,
    watch: StatusWatch,
    timelines: RefCell<Timelines>,
}

impl<'a> Run<'a> {
    fn new(args: &'a Args, system: &LocalSystem) -> anyhow::Result<Self> {
        let kafka = system.kafka()?;
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

    /// Places one order through the gateway and waits until it is delivered; answers when it was accepted, counted from the
    /// start of the system.
    async fn first_order(&self, system: &LocalSystem) -> anyhow::Result<Duration> {
        let client = http::client(Duration::from_secs(10))?;
        let url = format!("{}/api/orders", system.address("gateway")?);
        let [first] = &self.orders("first", 1)?[..] else {
            bail!("no order to begin with");
        };
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .body(first.value.clone());
        http::send(request)
            .await
            .context("placing the first order")?;
        let accepted = system.begin.elapsed();
        self.see(1, |id, status| *id == first.id && status.is_terminal())
            .await
            .context("waiting for the first order")?;
        Ok(accepted)
    }

    /// Publishes the orders as fast as Kafka takes them, and waits until `is_done` has been true of `count` statuses.
    async fn publish_and_see(
        &self,
        orders: &[OrderEvent],
        count: u32,
        is_done: impl Fn(&OrderId, Status) -> bool,
    ) -> anyhow::Result<()> {
        let note = |id: &OrderId| {
            self.timelines
                .borrow_mut()
                .published(id.clone(), clock::now_ms());
        };
        tokio::try_join!(
            publish(&self.publisher, domain::topic::ORDERS, orders, 0.0, note),
            self.see(count, is_done),
        )?;
        Ok(())
    }

    async fn see(
        &self,
        count: u32,
        is_done: impl Fn(&OrderId, Status) -> bool,
    ) -> anyhow::Result<()> {
        let mut seen = HashSet::new();
        let watching = async {
            while seen.len() < usize::try_from(count)? {
                let event = self.watch.next().await?;
                self.timelines.borrow_mut().saw(&event);
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
                "after {} only {} of {count} orders were where they should be; not there for example {}",
                humantime::format_duration(limit),
                seen.len(),
                self.timelines.borrow().some_unfinished()
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

/// Waits until the runtime has nothing to do, neither for orders nor for its own store, which it puts in order with some delay.
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
