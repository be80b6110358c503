//! Reading and writing topics, as a provider or an operator would.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// A topic, read from its beginning.
pub struct Topic {
    consumer: BaseConsumer,
}

/// A record that was read.
#[derive(Debug, Clone)]
pub struct Record {
    /// As it came; none is not the same as empty.
    pub key: Option<Vec<u8>>,
    /// As it came.
    pub value: Vec<u8>,
    /// Names and values, those that are text.
    pub headers: Vec<(String, String)>,
}

impl Record {
    /// The value of the header `name`; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map_or("", |(_, value)| value)
    }
}

impl Topic {
    /// Opens `topic`.
    pub fn open(brokers: &str, topic: &str) -> anyhow::Result<Self> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", "end-to-end-tests")
            .set("enable.auto.commit", "false")
            .create()?;
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10))?;
        let mut assignment = TopicPartitionList::new();
        for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
            assignment.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        Ok(Self { consumer })
    }

    /// The records that have come since the last call.
    pub fn new_records(&self) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        while let Some(message) = self.consumer.poll(Duration::from_millis(200)) {
            let message = message?;
            let headers = message.headers().map_or_else(Vec::new, |headers| {
                headers
                    .iter()
                    .filter_map(|header| {
                        let value = std::str::from_utf8(header.value?).ok()?;
                        Some((header.key.to_owned(), value.to_owned()))
                    })
                    .collect()
            });
            records.push(Record {
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().unwrap_or_default().to_vec(),
                headers,
            });
        }
        Ok(records)
    }
}
