//! Reading the topics.
//!
//! All partitions are assigned by hand and nothing is committed: no group is joined, each gateway reads everything.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::topic;
use futures::FutureExt;
use futures::future::{Fuse, FusedFuture};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use telemetry::span;
use tokio::time::Instant;
use tracing::Span;
use uuid::Uuid;

use super::hub::Hub;
use super::record::Record;

/// What is read, and how many of the last records of each partition a gateway that starts reads again.
const TOPICS: [(&str, i64); 5] = [
    (topic::ORDER_STATUS, 50_000),
    (topic::ORDERS, 10_000),
    (topic::DRIVER_UPDATES, 5_000),
    (topic::ORDERS_DLQ, 50),
    (topic::DRIVER_UPDATES_DLQ, 50),
];
/// How long a broker may hold back its answer while there are no new records. librdkafka's mock cluster, the embedded broker,
/// answers only then, even if a record comes in meanwhile: this is what a change waits there.
const FETCH_WAIT: Duration = Duration::from_millis(50);
/// How long the brokers have to say what partitions there are.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// How often they are asked while something is missing, and from then on.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long reading what there is takes at the very most.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(10);
/// How often trouble with the brokers is written to the log.
const COMPLAIN_EVERY: Duration = Duration::from_secs(30);

/// A topic, as an index into [`TOPICS`], and a partition of it.
type Source = (usize, i32);

/// A partition that is there.
#[derive(Debug, Clone, Copy)]
struct Found {
    source: Source,
    low: i64,
    high: i64,
}

/// How far a partition has been read.
#[derive(Debug, Clone, Copy)]
struct Progress {
    next: i64,
    /// The first offset that was not there yet when reading began.
    goal: i64,
}

impl Progress {
    fn begin(found: Found) -> Self {
        let (_, last) = TOPICS[found.source.0];
        Self {
            next: found.low.max(found.high - last),
            goal: found.high,
        }
    }

    fn is_caught_up(self) -> bool {
        self.next >= self.goal
    }
}

/// The consumer; fails only if the settings are wrong.
pub(crate) fn consumer(brokers: &str) -> Result<StreamConsumer, kafka::Error> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("client.id", "gateway")
        // librdkafka wants a name, though no group of it is ever joined.
        .set("group.id", format!("gateway-{}", Uuid::new_v4()))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A broker that has lost its log begins at offset 0: then so do we.
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", FETCH_WAIT.as_millis().to_string())
        .set("queued.max.messages.kbytes", "8192")
        .set("reconnect.backoff.max.ms", "1000")
        .create()
        .map_err(|source| kafka::Error::Client {
            brokers: brokers.to_owned(),
            source,
        })
}

/// Reads the topics into the hub for ever; reconnects by itself.
pub(crate) async fn run(consumer: StreamConsumer, hub: Arc<Hub>) {
    Reader {
        consumer: Arc::new(consumer),
        hub,
        progress: HashMap::new(),
        began: None,
        complained: None,
    }
    .run()
    .await;
}

struct Reader {
    consumer: Arc<StreamConsumer>,
    hub: Arc<Hub>,
    progress: HashMap<Source, Progress>,
    /// When the brokers first answered.
    began: Option<Instant>,
    complained: Option<Instant>,
}

impl Reader {
    async fn run(mut self) {
        let mut look_again = Instant::now();
        let mut looking = Box::pin(Fuse::terminated());
        let consumer = Arc::clone(&self.consumer);
        loop {
            tokio::select! {
                record = consumer.recv() => match record {
                    Ok(record) => self.take(&record),
                    Err(error) => self.complain(&error),
                },
                () = tokio::time::sleep_until(look_again), if looking.is_terminated() => {
                    let known = self.progress.keys().copied().collect();
                    looking.set(look(Arc::clone(&consumer), known).fuse());
                }
                found = &mut looking, if !looking.is_terminated() => {
                    let is_done = match found.and_then(|found| self.assign(found)) {
                        Ok(is_done) => is_done,
                        Err(error) => {
                            self.complain(&error);
                            false
                        }
                    };
                    look_again = Instant::now() + if is_done { LOOK_EVERY.1 } else { LOOK_EVERY.0 };
                }
            }
        }
    }

    fn take(&mut self, message: &BorrowedMessage<'_>) {
        let source = TOPICS
            .iter()
            .position(|(topic, _)| *topic == message.topic());
        if let Some(topic) = source
            && let Some(progress) = self.progress.get_mut(&(topic, message.partition()))
        {
            progress.next = message.offset() + 1;
            let (next, goal) = (progress.next, progress.goal);
            let record = record(message);
            if let Some(news) = record.news() {
                // What was there before this gateway was told to those who watched then.
                let sender = record.sender().filter(|_| next > goal);
                let span = sender.map_or_else(Span::none, |sender| {
                    span::consumer(
                        message.topic(),
                        message.partition(),
                        message.offset(),
                        sender,
                    )
                });
                span.in_scope(|| self.hub.apply(news));
            }
            if next == goal && self.is_caught_up() {
                self.hub.caught_up();
            }
        }
    }

    /// Reads new partitions too; whether all topics are there and read up to what they held at the beginning.
    fn assign(&mut self, found: Vec<Found>) -> Result<bool, KafkaError> {
        let began = *self.began.get_or_insert_with(Instant::now);
        if !found.is_empty() {
            self.progress
                .extend((found.into_iter()).map(|found| (found.source, Progress::begin(found))));
            let mut partitions = TopicPartitionList::new();
            for (&(topic, partition), progress) in &self.progress {
                let offset = Offset::Offset(progress.next);
                partitions.add_partition_offset(TOPICS[topic].0, partition, offset)?;
            }
            self.consumer.assign(&partitions)?;
            tracing::info!(partitions = self.progress.len(), "reading events");
        }
        let is_caught_up = self.is_caught_up();
        if is_caught_up || began.elapsed() > CATCH_UP_WITHIN {
            self.hub.caught_up();
        }
        let is_whole = (0..TOPICS.len())
            .all(|topic| self.progress.keys().any(|(of_topic, _)| *of_topic == topic));
        Ok(is_caught_up && is_whole)
    }

    fn is_caught_up(&self) -> bool {
        self.progress.values().all(|it| it.is_caught_up())
    }

    fn complain(&mut self, error: &KafkaError) {
        let now = Instant::now();
        if (self.complained).is_none_or(|last| now.duration_since(last) > COMPLAIN_EVERY) {
            self.complained = Some(now);
            tracing::warn!(%error, "reading events from Kafka; trying again");
        }
    }
}

/// The partitions that are there and not known yet.
async fn look(
    consumer: Arc<StreamConsumer>,
    known: std::collections::HashSet<Source>,
) -> Result<Vec<Found>, KafkaError> {
    let looking = tokio::task::spawn_blocking(move || {
        // Of all topics: to ask for one by its name may create it.
        let metadata = consumer.fetch_metadata(None, LOOK_WITHIN)?;
        let mut found = Vec::new();
        for topic in metadata.topics() {
            let Some(n) = TOPICS.iter().position(|(name, _)| *name == topic.name()) else {
                continue;
            };
            for partition in topic.partitions() {
                let source = (n, partition.id());
                if !known.contains(&source) {
                    let (low, high) =
                        consumer.fetch_watermarks(topic.name(), partition.id(), LOOK_WITHIN)?;
                    found.push(Found { source, low, high });
                }
            }
        }
        Ok(found)
    });
    // Only if the runtime is going down.
    looking.await.unwrap_or(Err(KafkaError::Canceled))
}

fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    Record {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key(),
        value: message.payload().unwrap_or_default(),
        timestamp: message.timestamp().to_millis().unwrap_or(0),
        headers: headers
            .filter_map(|header| Some((header.key, std::str::from_utf8(header.value?).ok()?)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_partition_is_read_from_its_last_records_on_and_a_short_one_whole() {
        let begin = |low, high| {
            let source = (0, 0);
            Progress::begin(Found { source, low, high }).next
        };
        assert_eq!(begin(0, 60_000), 10_000);
        assert_eq!(begin(3, 40_000), 3);
        assert_eq!(begin(7, 7), 7);
    }
}
