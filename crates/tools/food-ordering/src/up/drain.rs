//! Waits until Restate has read every record of a topic.

use std::time::Duration;

use anyhow::{Context, ensure};
use kafka::Connection;
use tokio::time::Instant;

use crate::restate::admin::Admin;
use crate::setup::subscriptions;

const INTERVAL: Duration = Duration::from_millis(50);

/// Waits until Restate has committed every record of topic `orders`, for at most `limit`. Returns how many are left.
pub async fn orders(admin_url: &str, kafka: &Connection, limit: Duration) -> anyhow::Result<i64> {
    topic(admin_url, kafka, domain::topic::ORDERS, limit).await
}

/// Waits until Restate has committed every record of a topic, for at most `limit`. Returns how many are left. Fails if Restate does
/// not read the topic, or reads an earlier topic of this name.
pub async fn topic(
    admin_url: &str,
    kafka: &Connection,
    topic: &'static str,
    limit: Duration,
) -> anyhow::Result<i64> {
    let deadline = Instant::now() + limit;
    let ids = kafka::topic_ids(kafka, &[topic]).await?;
    let subscriptions = Admin::new(admin_url)?.subscriptions().await?;
    let group = subscriptions::group_of(&subscriptions, topic, ids.get(topic))
        .with_context(|| format!("Restate does not read the current topic {topic}"))?;
    loop {
        let behind = kafka::lag(kafka, group, topic).await?;
        ensure!(!behind.is_empty(), "there is no topic {topic}");
        let left = behind.iter().map(|partition| partition.records).sum();
        if left == 0 || Instant::now() + INTERVAL >= deadline {
            return Ok(left);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
