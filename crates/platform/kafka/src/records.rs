//! Reading a whole topic.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{Offset, TopicPartitionList};

use crate::Connection;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a topic may bring nothing new before its end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a topic cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka does not answer.
    #[error("topic {topic}: {source}")]
    Kafka {
        /// What was to be read.
        topic: String,
        /// What the client says.
        source: KafkaError,
    },
    /// The broker does not hand out all it says it has.
    #[error("topic {topic}: {records} records do not come")]
    Incomplete {
        /// Of which topic.
        topic: String,
        /// How many.
        records: i64,
    },
}

/// A record as it is in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// In which partition.
    pub partition: i32,
    /// Where in it.
    pub offset: i64,
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
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header == name)
            .map_or("", |(_, value)| value)
    }
}

/// What a topic has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topic {
    /// All its records, each partition in its order.
    pub records: Vec<Record>,
    /// How many it has had before these, which the broker has dropped.
    pub forgotten: i64,
}

/// All records that `topic` has now. Blocks. Leaves no trace at the broker.
pub fn read(connection: &Connection, topic: &str) -> Result<Topic, Error> {
    let failed = |source| Error::Kafka {
        topic: topic.to_owned(),
        source,
    };
    let consumer: BaseConsumer = (connection.config())
        // The client wants a name for a group, though it never joins one.
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "50")
        .create()
        .map_err(failed)?;
    let metadata = consumer
        .fetch_metadata(Some(topic), REQUEST_TIMEOUT)
        .map_err(failed)?;
    let mut partitions = TopicPartitionList::new();
    let (mut left, mut forgotten) = (0, 0);
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        let id = partition.id();
        let (low, high) = consumer
            .fetch_watermarks(topic, id, REQUEST_TIMEOUT)
            .map_err(failed)?;
        forgotten += low;
        left += high - low;
        partitions
            .add_partition_offset(topic, id, Offset::Beginning)
            .map_err(failed)?;
    }
    consumer.assign(&partitions).map_err(failed)?;
    let mut records = Vec::new();
    let mut last = Instant::now();
    while left > 0 {
        let Some(message) = consumer.poll(Duration::from_millis(200)) else {
            if last.elapsed() > PATIENCE {
                return Err(Error::Incomplete {
                    topic: topic.to_owned(),
                    records: left,
                });
            }
            continue;
        };
        let message = message.map_err(failed)?;
        left -= 1;
        last = Instant::now();
        records.push(Record {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().unwrap_or_default().to_vec(),
            headers: message.headers().map_or_else(Vec::new, texts),
        });
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(Topic { records, forgotten })
}

fn texts(headers: &impl Headers) -> Vec<(String, String)> {
    headers
        .iter()
        .filter_map(|header| {
            let value = std::str::from_utf8(header.value?).ok()?;
            Some((header.key.to_owned(), value.to_owned()))
        })
        .collect()
}
