//! Watching the statuses of orders go by in Kafka.

use std::time::Duration;

use anyhow::Context;
use domain::StatusEvent;
use kafka::Connection;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::offsets;

/// Reads topic `order-status` from the moment it is made. Leaves no trace at the broker.
pub(crate) struct StatusWatch {
    consumer: StreamConsumer,
}

impl StatusWatch {
    /// A watch that sees every status that is published after this call.
    pub(crate) fn from_now(kafka: &Connection) -> anyhow::Result<Self> {
        let topic = domain::topic::ORDER_STATUS;
        let consumer: StreamConsumer = (kafka.config())
            // The client wants a name for a group, though it never joins one.
            .set("group.id", "load")
            .set("enable.auto.commit", "false")
            // The embedded broker lets an idle consumer wait for the full time, whatever arrives meanwhile.
            .set("fetch.wait.max.ms", "50")
            .create()?;
        let mut partitions = TopicPartitionList::new();
        for (partition, end) in offsets::ends(&consumer, topic)? {
            partitions.add_partition_offset(topic, partition, Offset::Offset(end))?;
        }
        consumer.assign(&partitions)?;
        Ok(Self { consumer })
    }

    /// The next status, as [`told`](Self::told).
    pub(crate) async fn next(&self) -> anyhow::Result<StatusEvent> {
        self.told().await.map(|(_, event)| event)
    }

    /// The next status and the partition it came in, however long it takes: a broker that is gone may come back. May be given up while it waits without
    /// losing one.
    pub(crate) async fn told(&self) -> anyhow::Result<(i32, StatusEvent)> {
        loop {
            match self.consumer.recv().await {
                Ok(record) => {
                    let event = serde_json::from_slice(record.payload().unwrap_or_default())
                        .context("a record of topic order-status is no status")?;
                    return Ok((record.partition(), event));
                }
                Err(error) => {
                    tracing::warn!("reading statuses: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}
