//! Reading a whole topic.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{Offset, TopicPartitionList};

use crate::Connection;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for the next record before giving up.
const RECORD_TIMEOUT: Duration = Duration::from_secs(20);

/// Why a topic cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka does not answer.
    #[error("topic {topic}: {source}")]
    Kafka {
        /// The topic.
        topic: String,
        /// The client's error.
        source: KafkaError,
    },
    /// The broker did not deliver all the records that it has according to its offsets.
    #[error("topic {topic}: the broker did not deliver {records} records")]
    Incomplete {
        /// The topic's name.
        topic: String,
        /// The number of missing records.
        records: i64,
    },
}

/// A record in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
    /// The key; `None` differs from an empty key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Vec<u8>,
    /// The names and values of the headers that are text.
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

/// The contents of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topic {
    /// All records, in order within each partition.
    pub records: Vec<Record>,
    /// The number of earlier records that the broker has deleted.
    pub forgotten: i64,
}

/// Reads all records that `topic` has now. Blocks. Commits no offsets and joins no group.
pub fn read(connection: &Connection, topic: &str) -> Result<Topic, Error> {
    let failed = |source| Error::Kafka {
        topic: topic.to_owned(),
        source,
    };
    let consumer: BaseConsumer = (connection.config())
        // The client requires the name of a group, although it never joins one.
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
            if last.elapsed() > RECORD_TIMEOUT {
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
