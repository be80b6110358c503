//! The simulated customers: they place orders, follow their statuses, and record both as evidence for the audit.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anyhow::Context;
use audit::{Accepted, HoldingsSample, Notes};
use domain::{Order, OrderId, Region, Status, topic};
use futures::{StreamExt, TryStreamExt, stream};
use kafka::{Connection, Publisher};
use reqwest::Client;
use tokio::sync::{Notify, RwLock, RwLockWriteGuard, Semaphore};
use tokio::time::sleep;

use crate::load::orders::Generator;
use crate::load::publish::place;
use crate::load::watch::StatusWatch;

/// One order in four is placed through the gateway, the others through Kafka.
const THROUGH_GATEWAY: usize = 4;
/// The pause before a request that was not accepted is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

/// All customers.
pub(super) struct Customers {
    orders: Vec<Order>,
    publisher: Publisher,
    client: Client,
    gateway: String,
    notes: RefCell<Notes>,
    ended: Cell<u32>,
    news: Notify,
    /// Read-locked while an order or record is being published and it is not known yet whether it was accepted.
    publishing: RwLock<()>,
    statuses: RefCell<BTreeMap<OrderId, Status>>,
    /// The reasons for which orders were rejected or cancelled, with how many.
    reasons: RefCell<BTreeMap<String, u32>>,
    /// Orders that count towards the limit of orders in flight.
    in_flight: RefCell<HashSet<OrderId>>,
    room: Semaphore,
    /// When orders were delivered, in ms since the epoch.
    delivered: RefCell<Vec<i64>>,
}

impl Customers {
    pub(super) fn new(
        seed: u64,
        orders: u32,
        kafka: &Connection,
        gateway: &str,
        client: Client,
    ) -> anyhow::Result<Self> {
        let prefix = format!("chaos-{seed}");
        let mut generator = Generator::new(&prefix, seed, Duration::ZERO, Region::default());
        let orders = (0..orders).zip(Region::ALL.into_iter().cycle());
        Ok(Self {
            orders: orders
                .map(|(_, region)| {
                    Ok(Order {
                        region,
                        // Derived from the order's id, within this region.
                        customer_location: None,
                        ..generator.make()?
                    })
                })
                .collect::<anyhow::Result<_>>()?,
            publisher: Publisher::new(kafka, "chaos")?,
            client,
            gateway: gateway.to_owned(),
            notes: RefCell::default(),
            ended: Cell::default(),
            news: Notify::new(),
            publishing: RwLock::default(),
            statuses: RefCell::default(),
            reasons: RefCell::default(),
            in_flight: RefCell::default(),
            room: Semaphore::new(0),
            delivered: RefCell::default(),
        })
    }

    /// Places all orders, with at most `in_flight` of them under way at a time. Returns when the last is accepted.
    pub(super) async fn place_all(&self, in_flight: usize) -> anyhow::Result<()> {
        self.room.add_permits(in_flight);
        stream::iter(self.orders.iter().enumerate())
            .map(|(number, order)| self.place(number, order))
            .buffered(in_flight)
            .try_collect()
            .await
    }

    /// Waits until an order may be in flight, and places it repeatedly until it is accepted.
    async fn place(&self, number: usize, order: &Order) -> anyhow::Result<()> {
        // The permit is returned when the order has ended.
        self.room.acquire().await?.forget();
        self.in_flight.borrow_mut().insert(order.order_id.clone());
        let event = serde_json::to_vec(order)?;
        while !self.try_place(number, order, &event).await? {
            sleep(AGAIN_AFTER).await;
        }
        self.notes.borrow_mut().accepted.push(Accepted {
            order_id: order.order_id.clone(),
            price: order.total_cost,
        });
        Ok(())
    }

    async fn try_place(&self, number: usize, order: &Order, event: &[u8]) -> anyhow::Result<bool> {
        if !number.is_multiple_of(THROUGH_GATEWAY) {
            let key = order.order_id.as_str().as_bytes();
            return Ok(self.publish(topic::ORDERS, Some(key), event).await.is_ok());
        }
        let _publishing = self.publishing.read().await;
        place(&self.client, &self.gateway, event).await
    }

    pub(super) async fn publish(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: &[u8],
    ) -> Result<(), kafka::Error> {
        let _publishing = self.publishing.read().await;
        self.publisher.publish(topic, key, value, &[]).await
    }

    /// Waits until the outcome of everything being published is known. Nothing more is published while the returned guard is
    /// held.
    pub(super) async fn pause_publishing(&self) -> RwLockWriteGuard<'_, ()> {
        self.publishing.write().await
    }

    /// Publishes a record repeatedly until Kafka has confirmed it.
    pub(super) async fn publish_until_confirmed(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: &[u8],
    ) {
        while self.publish(topic, key, value).await.is_err() {
            sleep(AGAIN_AFTER).await;
        }
    }

    /// Publishes an invalid order event, and records it for the audit.
    pub(super) async fn publish_garbage(&self, key: Option<&[u8]>, value: &[u8]) {
        self.publish_until_confirmed(topic::ORDERS, key, value)
            .await;
        let value = String::from_utf8_lossy(value).into_owned();
        self.notes.borrow_mut().garbage.push(value);
    }

    /// Cancels an order through the gateway, with one retry if there is no answer. Returns whether it was cancelled.
    pub(super) async fn cancel(&self, id: &OrderId) -> bool {
        for _ in 0..2 {
            let request = self
                .client
                .post(format!("{}/api/orders/{id}/cancel", self.gateway));
            match request.send().await {
                Ok(answer) if answer.status().is_success() => {
                    self.notes.borrow_mut().cancelled.push(id.clone());
                    return true;
                }
                Ok(answer) if answer.status().is_client_error() => return false,
                _ => sleep(AGAIN_AFTER).await,
            }
        }
        false
    }

    /// The order of this number, counted from 1.
    pub(super) fn order(&self, number: u32) -> anyhow::Result<&Order> {
        let index = usize::try_from(number)?.saturating_sub(1);
        self.orders.get(index).context("no order of this number")
    }

    /// Waits until `count` orders have ended.
    pub(super) async fn ended(&self, count: u32) {
        while self.ended.get() < count {
            self.news.notified().await;
        }
    }

    /// Records a sample of which driver holds which delivery.
    pub(super) fn record_holdings(&self, look: HoldingsSample) {
        self.notes.borrow_mut().looks.push(look);
    }

    /// Follows the statuses of all orders, for ever.
    pub(super) async fn listen(&self, watch: &StatusWatch) -> anyhow::Result<()> {
        loop {
            let event = watch.next().await?;
            let status = event.status;
            if status == Status::Delivered {
                self.delivered.borrow_mut().push(event.at);
            }
            if status.is_terminal() && self.in_flight.borrow_mut().remove(&event.order_id) {
                self.room.add_permits(1);
                self.ended.set(self.ended.get() + 1);
                self.news.notify_waiters();
                if let Some(reason) = &event.reason {
                    // After the colon come the third party's own words.
                    let reason = reason.split(':').next().unwrap_or(reason);
                    let end = format!("{}: {reason}", status.name());
                    *self.reasons.borrow_mut().entry(end).or_default() += 1;
                }
            }
            self.statuses.borrow_mut().insert(event.order_id, status);
        }
    }

    /// Accepted orders for which no terminal status has been seen.
    pub(super) fn not_ended(&self) -> Vec<OrderId> {
        let statuses = self.statuses.borrow();
        let notes = self.notes.borrow();
        let ids = notes.accepted.iter().map(|order| &order.order_id);
        ids.filter(|id| !statuses.get(*id).is_some_and(|status| status.is_terminal()))
            .cloned()
            .collect()
    }

    /// How many accepted orders are in each status.
    pub(super) fn ends(&self) -> BTreeMap<&'static str, u32> {
        let statuses = self.statuses.borrow();
        let mut ends = BTreeMap::new();
        for order in &self.notes.borrow().accepted {
            let status = statuses.get(&order.order_id).copied();
            *ends
                .entry(status.unwrap_or(Status::New).name())
                .or_default() += 1;
        }
        ends
    }

    /// How many orders were rejected or cancelled for each reason.
    pub(super) fn reasons(&self) -> BTreeMap<String, u32> {
        self.reasons.borrow().clone()
    }

    /// The time of the first delivery after `moment`; both in ms since the epoch.
    pub(super) fn delivery_after(&self, moment: i64) -> Option<i64> {
        let delivered = self.delivered.borrow();
        delivered.iter().copied().filter(|at| *at > moment).min()
    }

    /// Everything recorded so far.
    pub(super) fn notes(&self) -> Notes {
        self.notes.borrow().clone()
    }
}
