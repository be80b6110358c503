//! Follows the statuses of orders in Kafka.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::StatusEvent;
use kafka::Connection;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::offsets;

/// How long the topic may be silent before its leaders are asked for.
const SILENCE: Duration = Duration::from_secs(15);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads topic `order-status` from the moment of its creation. Commits no offsets and joins no consumer group.
pub(crate) struct StatusWatch {
    consumer: Arc<StreamConsumer>,
}

impl StatusWatch {
    /// Creates a watch that sees every status published after this call.
    pub(crate) fn from_now(kafka: &Connection) -> anyhow::Result<Self> {
        let topic = domain::topic::ORDER_STATUS;
        let consumer: StreamConsumer = (kafka.config())
            // The client library requires a group name, though no group is joined.
            .set("group.id", "load")
            .set("enable.auto.commit", "false")
            // The broker in memory answers an idle consumer only when this time is over, even if a record arrives earlier.
            .set("fetch.wait.max.ms", "50")
            .create()?;
        let mut partitions = TopicPartitionList::new();
        for (partition, end) in offsets::ends(&consumer, topic)? {
            partitions.add_partition_offset(topic, partition, Offset::Offset(end))?;
        }
        consumer.assign(&partitions)?;
        Ok(Self {
            consumer: Arc::new(consumer),
        })
    }

    /// The next status; see [`next_with_partition`](Self::next_with_partition).
    pub(crate) async fn next(&self) -> anyhow::Result<StatusEvent> {
        self.next_with_partition().await.map(|(_, event)| event)
    }

    /// Asks for the topic's leaders. On a busy machine, after Kafka's only broker had not answered for half a minute, a consumer was seen
    /// that had no connection to it, and made none for minutes.
    async fn ask_for_leaders(&self) {
        let topic = domain::topic::ORDER_STATUS;
        let consumer = Arc::clone(&self.consumer);
        // It blocks its thread until Kafka answers.
        let asked = spawn_blocking(move || {
            let answer = consumer.fetch_metadata(Some(topic), REQUEST_TIMEOUT);
            answer.map(drop)
        });
        if let Ok(Err(error)) = asked.await {
            tracing::warn!("asking for the leaders of topic {topic}: {error}");
        }
    }

    /// Waits for the next status, without a limit because a lost broker may come back, and returns it with its partition. Cancel
    /// safe: no status is lost if the future is dropped.
    pub(crate) async fn next_with_partition(&self) -> anyhow::Result<(i32, StatusEvent)> {
        loop {
            let Ok(received) = timeout(SILENCE, self.consumer.recv()).await else {
                self.ask_for_leaders().await;
                continue;
            };
            match received {
                Ok(record) => {
                    let event = serde_json::from_slice(record.payload().unwrap_or_default())
                        .context("a record of topic order-status is not a status event")?;
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
