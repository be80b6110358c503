//! Waiting until Restate has taken over every order that Kafka holds.

use std::time::Duration;

use anyhow::Context;
use kafka::Connection;
use tokio::time::Instant;

use crate::restate::admin::Admin;
use crate::setup::subscriptions::{GROUP, ORDERS_SINK};

const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until Restate has committed every record of topic `orders`, for `limit` at most; answers how many are left.
pub async fn orders(admin_url: &str, kafka: &Connection, limit: Duration) -> anyhow::Result<i64> {
    let deadline = Instant::now() + limit;
    let subscriptions = Admin::new(admin_url)?.subscriptions().await?;
    let group = subscriptions
        .iter()
        .find(|subscription| subscription.sink == ORDERS_SINK)
        .and_then(|subscription| subscription.options.get(GROUP))
        .context("Restate has no subscription to the orders")?
        .clone();
    loop {
        let behind = kafka::behind(kafka, &group, domain::topic::ORDERS).await?;
        let left = behind.iter().map(|partition| partition.records).sum();
        if left == 0 || Instant::now() + INTERVAL >= deadline {
            return Ok(left);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
