//! Reads how many records a topic has.

use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::metadata::MetadataTopic;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The partitions of a topic, each with the offset that its next record will get. Blocks.
pub(crate) fn ends<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    topic: &str,
) -> anyhow::Result<Vec<(i32, i64)>> {
    let metadata = consumer
        .fetch_metadata(Some(topic), REQUEST_TIMEOUT)
        .with_context(|| format!("asking Kafka for topic {topic}"))?;
    metadata
        .topics()
        .iter()
        .flat_map(MetadataTopic::partitions)
        .map(|partition| {
            let (_, end) = consumer
                .fetch_watermarks(topic, partition.id(), REQUEST_TIMEOUT)
                .with_context(|| format!("asking Kafka for the end of topic {topic}"))?;
            Ok((partition.id(), end))
        })
        .collect()
}
