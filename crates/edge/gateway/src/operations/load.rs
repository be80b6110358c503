//! Demo orders, for as long as someone wants them.

use std::sync::Arc;
use std::time::Duration;

use domain::restaurant::{Restaurant, catalogue};
use domain::{Money, Order, Product, topic};
use parking_lot::Mutex;
use rand::RngExt;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use uuid::Uuid;

use crate::broker::Broker;
use crate::model;

/// After this time the load ends, in case it was forgotten.
const LASTS: Duration = Duration::from_mins(10);
/// How many kinds of dishes people order at once, and how many of each.
const LINES: std::ops::RangeInclusive<usize> = 1..=3;
const QUANTITY: std::ops::RangeInclusive<u32> = 1..=3;

/// Places demo orders at a rate that can be changed.
pub(crate) struct Load {
    broker: Arc<dyn Broker>,
    rate: watch::Sender<u32>,
    running: Mutex<Option<AbortHandle>>,
}

impl Load {
    pub(crate) fn new(broker: Arc<dyn Broker>) -> Self {
        Self {
            broker,
            rate: watch::Sender::new(0),
            running: Mutex::new(None),
        }
    }

    /// Orders per second.
    pub(crate) fn rate(&self) -> u32 {
        *self.rate.borrow()
    }

    /// Sets the orders per second, at most [`model::Load::MOST`], for ten minutes.
    pub(crate) fn set(&self, rate: u32) {
        let mut running = self.running.lock();
        if let Some(running) = running.take() {
            running.abort();
        }
        self.rate.send_replace(rate.min(model::Load::MOST));
        tracing::info!(orders_per_second = rate, "load is set");
        if rate > 0 {
            let generator = run(Arc::clone(&self.broker), self.rate.clone());
            *running = Some(tokio::spawn(generator).abort_handle());
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// Places orders one after the other, each after the broker has confirmed the one before, so the broker is never overloaded.
async fn run(broker: Arc<dyn Broker>, rate: watch::Sender<u32>) {
    let kitchens = catalogue();
    let mut ticks = interval(Duration::from_secs(1) / (*rate.borrow()).max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + LASTS;
    let place = async {
        loop {
            ticks.tick().await;
            let Some(order) = order(&kitchens) else {
                continue;
            };
            let Ok(value) = serde_json::to_vec(&order) else {
                continue;
            };
            let key = order.order_id.as_str().as_bytes();
            if let Err(error) = broker.publish(topic::ORDERS, key, &value).await {
                tracing::warn!(%error, "a demo order was not confirmed");
                // Pauses before asking a broker again that has just refused.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    tokio::select! {
        () = place => {}
        () = sleep_until(end) => {
            rate.send_replace(0);
            tracing::info!("load ended after {LASTS:?}");
        }
    }
}

/// An order as people place them in the shop.
fn order(kitchens: &[Restaurant]) -> Option<Order> {
    let mut random = rand::rng();
    let kitchen = &kitchens[random.random_range(0..kitchens.len())];
    let mut dishes: Vec<_> = kitchen.menu.iter().collect();
    let mut cents = 0;
    let products = (0..random.random_range(LINES).min(dishes.len()))
        .map(|_| {
            let dish = dishes.swap_remove(random.random_range(0..dishes.len()));
            let quantity = random.random_range(QUANTITY);
            cents += dish.price.cents() * i64::from(quantity);
            Product {
                product_id: dish.product_id.to_owned(),
                description: dish.name.to_owned(),
                quantity,
            }
        })
        .collect();
    let (x, y) = (random.random(), random.random());
    Some(Order {
        order_id: format!("load-{}", Uuid::now_v7()).parse().ok()?,
        restaurant_id: kitchen.restaurant_id.clone(),
        products,
        total_cost: Money::from_cents(u32::try_from(cents).ok()?).ok()?,
        delivery_delay: Duration::ZERO,
        customer_location: Some(kitchen.region.at(x, y)),
        region: kitchen.region,
        traceparent: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::Shop;

    #[test]
    fn demo_orders_are_valid_in_the_shop() {
        let (shop, kitchens) = (Shop::open(), catalogue());
        for _ in 0..200 {
            let order = order(&kitchens).unwrap();
            assert_eq!(shop.check(&order), []);
            let json = serde_json::to_vec(&order).unwrap();
            assert_eq!(Order::parse(&json).unwrap(), order);
        }
    }
}
