//! Injects the faults of the plan.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::anyhow;
use domain::{OrderId, Region, topic};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::customers::Customers;
use super::plan::{Fault, Planned, Victim};
use super::tested_system::TestedSystem;
use super::{recreate, report};
use crate::clock;
use food_ordering::http;

/// The number of tries for a request whose receiver may be down because of another fault, and the pause between two tries.
const TRIES: u32 = 20;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The effect that several kinds of faults count.
const RECORDS: &str = "records published";

/// Injects faults into a system.
pub(super) struct Injector<'a> {
    stage: &'a TestedSystem,
    customers: &'a Customers,
    begin: Instant,
    restate_kills: RefCell<Vec<Kill>>,
    effects: RefCell<BTreeMap<String, report::Effect>>,
}

/// A kill of the Restate server. Times are in ms since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    pub(super) at: i64,
    /// When a new process had been started. Orders delivered after that were delivered through it.
    pub(super) back_at: i64,
}

impl<'a> Injector<'a> {
    pub(super) fn new(stage: &'a TestedSystem, customers: &'a Customers) -> Self {
        Self {
            stage,
            customers,
            begin: Instant::now(),
            restate_kills: RefCell::default(),
            effects: RefCell::default(),
        }
    }

    /// Injects all faults, each at its moment. Returns when the last one is over.
    pub(super) async fn inject_all(&self, plan: &[Planned]) -> anyhow::Result<()> {
        let mut under_way = FuturesUnordered::new();
        for planned in plan {
            let moment = self.customers.ended(planned.after);
            tokio::pin!(moment);
            loop {
                tokio::select! {
                    () = &mut moment => break,
                    Some(done) = under_way.next() => done?,
                }
            }
            self.log(&format!(
                "{:>5} orders ended  {}",
                planned.after, planned.fault
            ));
            under_way.push(self.inject_and_count(&planned.fault));
        }
        while let Some(done) = under_way.next().await {
            done?;
        }
        Ok(())
    }

    /// The kills of the Restate server so far.
    pub(super) fn restate_kills(&self) -> Vec<Kill> {
        self.restate_kills.borrow().clone()
    }

    /// What each kind of fault has changed so far.
    pub(super) fn effects(&self) -> BTreeMap<String, report::Effect> {
        self.effects.borrow().clone()
    }

    async fn inject_and_count(&self, fault: &Fault) -> anyhow::Result<()> {
        let (count, what) = self.inject(fault).await?;
        let mut effects = self.effects.borrow_mut();
        let effect = effects.entry(fault.kind()).or_default();
        effect.times += 1;
        effect.count += u64::from(count);
        effect.what = what;
        Ok(())
    }

    fn log(&self, what: &str) {
        say!("{:7.1} s  {what}", self.begin.elapsed().as_secs_f64());
    }

    /// Injects a fault. Returns how many items it changed, and what they are.
    async fn inject(&self, fault: &Fault) -> anyhow::Result<(u32, &'static str)> {
        match fault {
            Fault::Kill(victim) => {
                let at = clock::now_ms();
                let back_at = self.stage.kill(*victim).await?;
                if victim.is_restate() {
                    self.restate_kills.borrow_mut().push(Kill { at, back_at });
                }
                Ok((1, "processes replaced"))
            }
            Fault::Pause { victim, lasts } => {
                self.stage.pause(*victim, *lasts).await?;
                Ok((1, "processes stopped and continued"))
            }
            Fault::Outage { victim, lasts } => {
                self.stage.keep_down(*victim, *lasts).await?;
                Ok((1, "processes missing, then replaced"))
            }
            Fault::CutOff { node, lasts } => {
                self.stage.cut_off(*node, *lasts).await?;
                Ok((1, "nodes cut off"))
            }
            Fault::LoseDisk(node) => {
                let at = clock::now_ms();
                let back_at = self.stage.lose_disk(*node).await?;
                self.restate_kills.borrow_mut().push(Kill { at, back_at });
                Ok((1, "nodes replaced by new ones"))
            }
            Fault::Misbehave {
                stub,
                faults,
                lasts,
            } => {
                let requests_struck = self.misbehave(*stub, faults, *lasts).await?;
                Ok((requests_struck, "requests struck"))
            }
            Fault::Repeat(orders) => {
                for number in orders {
                    let order = self.customers.order(*number)?;
                    let key = order.order_id.as_str().as_bytes();
                    let event = serde_json::to_vec(order)?;
                    self.customers
                        .publish_until_confirmed(topic::ORDERS, Some(key), &event)
                        .await;
                }
                Ok((u32::try_from(orders.len())?, RECORDS))
            }
            Fault::StalePositions { driver } => Ok((self.stale_positions(*driver).await, RECORDS)),
            Fault::WrongClock { driver } => Ok((self.wrong_clock(*driver).await, RECORDS)),
            Fault::PauseWork { orders, lasts } => {
                let paused = self.pause_work(orders, *lasts).await?;
                Ok((paused, "invocations paused"))
            }
            Fault::Garbage { order } => Ok((self.garbage(*order).await?, RECORDS)),
            Fault::CustomerCancels(orders) => {
                let mut cancelled = 0;
                for number in orders {
                    let order = self.customers.order(*number)?;
                    cancelled += u32::from(self.customers.cancel(&order.order_id).await);
                }
                self.log(&format!(
                    "                    {cancelled} of {} cancellations were accepted",
                    orders.len()
                ));
                Ok((cancelled, "cancellations accepted"))
            }
            Fault::OperatorCancels(orders) => {
                let mut cancelled = 0;
                for number in orders {
                    let order = self.customers.order(*number)?;
                    cancelled += self.operator_cancels(&order.order_id).await;
                }
                Ok((cancelled, "invocations cancelled"))
            }
            Fault::RecreateTopic(topic) => {
                let done = recreate::topic(topic, self.stage, self.customers).await?;
                self.log(&format!("                    topic {topic}: {done}"));
                Ok((u32::from(done.is_done()), "topics replaced"))
            }
        }
    }

    /// Makes a stub fail for the time `lasts`. Returns how many requests failed because of that.
    async fn misbehave(
        &self,
        stub: Victim,
        faults: &Value,
        lasts: Duration,
    ) -> anyhow::Result<u32> {
        let url = format!("{}/faults", self.stage.system.address(stub.name())?);
        let client = &self.stage.client;
        let before = self.requests_struck(stub, faults).await;
        retry_quietly(async || http::send(client.put(&url).json(faults)).await.map(drop)).await;
        sleep(lasts).await;
        let after = self.requests_struck(stub, faults).await;
        retry_quietly(async || http::send(client.delete(&url)).await.map(drop)).await;
        // If the stub was killed in the meantime, its count started at 0 again.
        Ok(after.checked_sub(before).unwrap_or(after))
    }

    /// At how many requests these faults have struck, according to the stub's metrics; 0 if it does not answer.
    async fn requests_struck(&self, stub: Victim, faults: &Value) -> u32 {
        let mut requests_struck = 0;
        retry_quietly(async || {
            let url = format!("{}/metrics", self.stage.system.address(stub.name())?);
            let metrics = http::text(self.stage.client.get(url)).await?;
            requests_struck = report::requests_struck(&metrics, faults);
            Ok(())
        })
        .await;
        requests_struck
    }

    /// Reports old positions, one of them twice, and invalid positions. None of them may change anything.
    async fn stale_positions(&self, driver: u32) -> u32 {
        let place = Region::default().at(0.9, 0.9);
        let (lon, lat) = (place.lon(), place.lat());
        let hour_ago = clock::now_ms() - 3_600_000;
        let places = [
            json!({"lon": lon, "lat": lat, "timestamp": hour_ago}),
            json!({"lon": lon, "lat": lat, "timestamp": hour_ago}),
            json!({"lon": lon, "lat": lat, "timestamp": hour_ago - 1}),
            json!({"lon": 999, "lat": 0}),
            json!("nowhere"),
        ];
        self.report(driver, &places).await
    }

    /// Reports positions with the times of clocks that were never set, are set wrong, or count in another unit, and the position
    /// (0, 0) that a phone reports when it does not know where it is. None of them may put a driver out of work or hold up an
    /// order.
    async fn wrong_clock(&self, driver: u32) -> u32 {
        let place = Region::default().at(0.9, 0.9);
        let (lon, lat) = (place.lon(), place.lat());
        let now = clock::now_ms();
        let times = [
            0,
            now / 1_000,
            now - 86_400_000,
            now + 86_400_000,
            now * 1_000,
        ];
        let mut places: Vec<Value> = times
            .iter()
            .map(|time| json!({"lon": lon, "lat": lat, "timestamp": time}))
            .collect();
        places.push(json!({"lon": 0.0, "lat": 0.0, "timestamp": now}));
        self.report(driver, &places).await
    }

    async fn report(&self, driver: u32, places: &[Value]) -> u32 {
        let key = format!("driver-{driver}");
        let mut reported = 0;
        for place in places {
            let place = place.to_string();
            self.customers
                .publish_until_confirmed(
                    topic::DRIVER_UPDATES,
                    Some(key.as_bytes()),
                    place.as_bytes(),
                )
                .await;
            reported += 1;
        }
        reported
    }

    async fn garbage(&self, order: u32) -> anyhow::Result<u32> {
        let order = self.customers.order(order)?;
        // The time makes every mark different.
        let mark = format!("{}-{}", order.order_id, self.begin.elapsed().as_micros());
        let mut negative_price = serde_json::to_value(order)?;
        negative_price["totalCost"] = json!(-1);
        negative_price["products"][0]["description"] = json!(mark);
        let mut has_another_key = serde_json::to_value(order)?;
        has_another_key["orderId"] = json!(format!("garbage-{mark}"));
        let key = order.order_id.as_str().as_bytes();
        let mut published = 0;
        for (key, value) in [
            (Some(key), negative_price.to_string()),
            (Some(key), has_another_key.to_string()),
            (Some(key), format!("{{\"orderId\": {mark}")),
            (Some(&b"\xff\xfe"[..]), format!("no key, no order {mark}")),
            (None, format!("[\"{mark}\"]")),
        ] {
            self.customers.publish_garbage(key, value.as_bytes()).await;
            published += 1;
        }
        Ok(published)
    }

    /// Pauses the running invocations of these orders, as `restate invocations pause` does, and runs setup after `lasts`.
    async fn pause_work(&self, orders: &[u32], lasts: Duration) -> anyhow::Result<u32> {
        let keys: Vec<String> = orders
            .iter()
            .map(|number| anyhow::Ok(format!("'{}'", self.customers.order(*number)?.order_id)))
            .collect::<Result<_, _>>()?;
        let of_orders = format!("target_service_key in ({})", keys.join(", "));
        let mut paused = 0;
        retry_quietly(async || {
            let working = format!("{of_orders} and status in ('running', 'ready', 'backing-off')");
            for id in self.invocations(&working).await? {
                // An invocation that has ended by now cannot be paused.
                paused += u32::from(self.patch(&id, "pause").await.is_ok());
            }
            Ok(())
        })
        .await;
        self.log(&format!(
            "                    {paused} invocations are paused"
        ));
        sleep(lasts).await;
        retry_quietly(async || {
            if let Some(resumed) = self.stage.set_up().await? {
                self.log(&format!("                    setup: {resumed}"));
            }
            Ok(())
        })
        .await;
        Ok(paused)
    }

    /// Cancels an order's workflow, as `restate invocations cancel` does. Returns how many invocations were cancelled.
    async fn operator_cancels(&self, order: &OrderId) -> u32 {
        let mut cancelled = 0;
        retry_quietly(async || {
            let workflow = format!(
                "target_service_name = 'OrderWorkflow' and target_service_key = '{order}' \
                 and target_handler_name = 'run' and status != 'completed'"
            );
            for id in self.invocations(&workflow).await? {
                self.patch(&id, "cancel").await?;
                cancelled += 1;
            }
            Ok(())
        })
        .await;
        cancelled
    }

    /// The ids of the invocations that match an SQL condition.
    async fn invocations(&self, condition: &str) -> anyhow::Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Invocation {
            id: String,
        }
        let query = format!("select id from sys_invocation where {condition}");
        let found = self.stage.sources.sql::<Invocation>(&query).await?;
        Ok(found.into_iter().map(|invocation| invocation.id).collect())
    }

    /// Pauses or cancels an invocation through Restate's admin API; `what` is the action's name in the URL.
    async fn patch(&self, id: &str, what: &'static str) -> anyhow::Result<()> {
        let nodes = self.stage.system.nodes("restate-admin")?;
        let mut last = anyhow!("Restate has no nodes");
        // One of a cluster's nodes may be down.
        for node in nodes.each() {
            let url = format!("{node}/invocations/{id}/{what}");
            match http::send(self.stage.client.patch(&url)).await {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last.context(format!("requesting {what} of an invocation")))
    }
}

/// Retries until `act` succeeds. Gives up silently after [`TRIES`], so that the plan continues.
async fn retry_quietly(mut act: impl AsyncFnMut() -> anyhow::Result<()>) {
    for _ in 0..TRIES {
        match act().await {
            Ok(()) => return,
            Err(error) => tracing::debug!("{error:#}"),
        }
        sleep(AGAIN_AFTER).await;
    }
}
