//! Waiting until Restate has taken over every order that Kafka holds.

use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::time::Instant;

use crate::offsets;
use crate::restate::admin::Admin;
use crate::setup::subscriptions::ORDERS_SINK;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until Restate has committed every record of topic `orders`, for `limit` at most; answers how many are left.
pub(crate) async fn orders(admin_url: &str, brokers: &str, limit: Duration) -> anyhow::Result<i64> {
    let deadline = Instant::now() + limit;
    let subscriptions = Admin::new(admin_url)?.subscriptions().await?;
    let group = subscriptions
        .iter()
        .find(|subscription| subscription.sink == ORDERS_SINK)
        .and_then(|subscription| subscription.options.get("group.id"))
        .context("Restate has no subscription to the orders")?
        .clone();
    let brokers = brokers.to_owned();
    loop {
        let (group, brokers) = (group.clone(), brokers.clone());
        let left = tokio::task::spawn_blocking(move || left(&brokers, &group)).await??;
        if left == 0 || Instant::now() + INTERVAL >= deadline {
            return Ok(left);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// How many records of topic `orders` the group has not committed. Blocks.
fn left(brokers: &str, group: &str) -> anyhow::Result<i64> {
    let topic = domain::topic::ORDERS;
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .create()?;
    let ends = offsets::ends(&consumer, topic)?;
    let mut partitions = TopicPartitionList::new();
    for (partition, _) in &ends {
        partitions.add_partition(topic, *partition);
    }
    let committed = consumer.committed_offsets(partitions, REQUEST_TIMEOUT)?;
    let left = |(partition, end): &(i32, i64)| {
        let committed = committed.find_partition(topic, *partition);
        match committed.map(|partition| partition.offset()) {
            Some(Offset::Offset(offset)) => (end - offset).max(0),
            // Nothing is committed yet.
            _ => *end,
        }
    };
    Ok(ends.iter().map(left).sum())
}
