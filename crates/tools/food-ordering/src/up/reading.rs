//! Waits until Restate reads the topics.

use std::time::Duration;

use anyhow::{Context, ensure};
use domain::topic;
use futures::future::try_join_all;
use kafka::{Connection, Publisher};
use tokio::time::{Instant, sleep};

use super::drain;
use crate::http;
use crate::restate::admin::{Admin, Subscription};
use crate::restate::metrics;
use crate::setup::subscriptions;

const INTERVAL: Duration = Duration::from_millis(50);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The metric of how far behind a subscription is in each partition; negative while that is unknown.
const LAG: &str = "restate_kafka_ingress_consumer_lag";

/// Waits until Restate has been assigned every partition that feeds a handler, and knows how far behind it is there, for at most
/// `limit`. `nodes` are the node addresses of Restate, which serve its metrics. If `probe` is set, it also publishes a record that
/// has no effect, and waits until Restate has read it.
pub(super) async fn topics(
    admin_url: &str,
    nodes: &[String],
    kafka: &Connection,
    probe: bool,
    limit: Duration,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + limit;
    let subscriptions = Admin::new(admin_url)?.subscriptions().await?;
    let partitions = kafka::partitions(kafka).await?;
    let mut waiting = Vec::new();
    for (topic, subscription) in subscriptions::ours(&subscriptions) {
        let partitions = partitions.get(topic).map_or(0, |found| found.count);
        waiting.extend((0..partitions).map(|partition| (subscription, topic, partition)));
    }
    let client = http::client(REQUEST_TIMEOUT)?;
    loop {
        let metrics = try_join_all(
            nodes
                .iter()
                .map(|node| http::text(client.get(format!("{node}/metrics")))),
        );
        let metrics = metrics.await.context("requesting Restate's metrics")?;
        waiting.retain(|(subscription, topic, partition)| {
            !metrics
                .iter()
                .any(|text| is_read(text, subscription, topic, *partition))
        });
        let Some((_, topic, partition)) = waiting.first() else {
            break;
        };
        ensure!(
            Instant::now() < deadline,
            "Restate does not read topic {topic}, partition {partition}, after {} s; see the log of restate-server",
            limit.as_secs()
        );
        sleep(INTERVAL).await;
    }
    if !probe {
        return Ok(());
    }
    let publisher = Publisher::new(kafka, "probe")?;
    publisher
        .publish(topic::ORDERS, None, topic::PROBE, &[])
        .await?;
    let left = drain::orders(admin_url, kafka, deadline - Instant::now()).await?;
    ensure!(
        left == 0,
        "Restate has not read {left} records of topic {} after {} s; see the log of restate-server",
        topic::ORDERS,
        limit.as_secs()
    );
    Ok(())
}

/// Whether the node with these metrics reads a partition.
fn is_read(metrics: &str, subscription: &Subscription, topic: &str, partition: usize) -> bool {
    let labels = [
        format!("subscription=\"{}\"", subscription.id),
        format!("topic=\"{topic}\""),
        format!("partition=\"{partition}\""),
    ];
    let labels = labels.each_ref().map(String::as_str);
    metrics::values(metrics, LAG, &labels).any(|lag| lag >= 0.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_partition_is_read_once_its_lag_is_known() {
        let metrics = r#"
restate_kafka_ingress_consumer_lag{subscription="sub_1",topic="orders",partition="0"} 0
restate_kafka_ingress_consumer_lag{subscription="sub_1",topic="orders",partition="1"} -1
restate_kafka_ingress_consumer_lag{subscription="sub_0",topic="orders",partition="2"} 0
"#;
        let subscription = Subscription {
            id: "sub_1".to_owned(),
            source: String::new(),
            sink: String::new(),
            options: BTreeMap::new(),
        };
        let read: Vec<bool> = (0..4)
            .map(|partition| is_read(metrics, &subscription, "orders", partition))
            .collect();
        assert_eq!(read, [true, false, false, false]);
    }
}
