//! Reads the reports in a consumer group, and passes on those that the filter selects.

use std::time::{Duration, Instant};

use delivery::Reported;
use domain::topic;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::FuturesOrdered;
use kafka::dead_letter::{DeadLetter, Source};
use kafka::{Connection, LastError, Publisher};
use rdkafka::Message;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::message::{BorrowedMessage, OwnedMessage};
use telemetry::metrics::Counters;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::filter::Filter;

/// The consumer group of all filters. The id of the topic is added: after the topic was deleted and created again, the offsets of the
/// previous one mean nothing.
const GROUP: &str = "position-filter";
/// How many records may wait for the broker's confirmation.
const MOST_UNCONFIRMED: usize = 1_000;
/// The pause before a record that the broker did not confirm is published again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often the brokers are asked which topics exist.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// The same while a topic is missing, as before the first setup.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How long records that were read may take to be confirmed when the filter stops.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

static REPORTS: Counters<1> = Counters::new(
    "position_filter_reports",
    "Reports of drivers' phones that were passed on, by reason, or left out",
    ["outcome"],
);

type Consumer = StreamConsumer<LastError>;

/// The consumer group for a topic with this id, if the brokers have topic ids.
#[must_use]
pub fn group(topic_id: Option<&str>) -> String {
    topic_id.map_or_else(|| GROUP.to_owned(), |id| format!("{GROUP}-{id}"))
}

/// A record that has been handled once the copy, if one is made, is confirmed: its partition and offset.
type Handled = BoxFuture<'static, (i32, i64)>;

/// Between topic `driver-updates` and topic `driver-positions`.
pub(crate) struct Relay {
    topics: Topics,
    copier: Copier,
}

/// The two topics.
struct Topics {
    connection: Connection,
    /// What keeps the filter from working.
    trouble: watch::Sender<Option<String>>,
}

/// Passes reports on.
struct Copier {
    publisher: Publisher,
    filter: Filter,
}

impl Relay {
    pub(crate) fn new(connection: Connection, filter: Filter) -> Result<Self, kafka::Error> {
        let unknown = "the brokers have not answered yet".to_owned();
        Ok(Self {
            copier: Copier {
                publisher: Publisher::new(&connection, GROUP)?,
                filter,
            },
            topics: Topics {
                connection,
                trouble: watch::Sender::new(Some(unknown)),
            },
        })
    }

    /// What keeps the filter from working, if anything does.
    pub(crate) fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.topics.trouble.subscribe()
    }

    /// Passes reports on until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), kafka::Error> {
        let topics = &self.topics;
        while let Some(id) = stop.run_until_cancelled(topics.exist()).await {
            let id = id.as_deref();
            let consumer = topics.consumer(id)?;
            let replaced = topics.replaced(id);
            self.copier.read(&consumer, replaced, &stop).await;
        }
        Ok(())
    }
}

impl Topics {
    /// Waits until both topics exist. Returns the id of the one with the reports, if the brokers have topic ids.
    async fn exist(&self) -> Option<String> {
        loop {
            match self.find().await {
                Ok(id) => return id,
                Err(()) => tokio::time::sleep(ASK_AGAIN_AFTER).await,
            }
        }
    }

    /// Waits until the topic with the reports has another id.
    async fn replaced(&self, id: Option<&str>) {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            if matches!(self.find().await, Ok(Some(found)) if id != Some(&found)) {
                return;
            }
        }
    }

    /// The id of the topic with the reports, if the brokers have topic ids. Fails if one of the topics is missing, or the brokers
    /// do not answer, and notes that as the trouble.
    async fn find(&self) -> Result<Option<String>, ()> {
        let ask = async {
            let partitions = kafka::partitions(&self.connection).await?;
            let ids = kafka::topic_ids(&self.connection, &[topic::DRIVER_UPDATES]).await?;
            Ok::<_, kafka::Error>((partitions, ids))
        };
        let found = match ask.await {
            Ok((partitions, mut ids)) => {
                let mut topics = [topic::DRIVER_UPDATES, topic::DRIVER_POSITIONS].into_iter();
                match topics.find(|topic| !partitions.contains_key(*topic)) {
                    Some(missing) => Err(format!("there is no topic {missing}; setup creates it")),
                    None => Ok(ids.remove(topic::DRIVER_UPDATES)),
                }
            }
            Err(error) => Err(error.to_string()),
        };
        let trouble = found.as_ref().err().cloned();
        if *self.trouble.borrow() != trouble
            && let Some(trouble) = &trouble
        {
            tracing::warn!(trouble, "positions are not passed on");
        }
        self.trouble.send_replace(trouble);
        found.map_err(drop)
    }

    fn consumer(&self, topic_id: Option<&str>) -> Result<Consumer, kafka::Error> {
        let consumer: Consumer = (self.connection.config())
            .set("client.id", GROUP)
            .set("group.id", group(topic_id))
            .set("auto.offset.reset", "earliest")
            // Only records that have been handled count as read.
            .set("enable.auto.offset.store", "false")
            .set("auto.commit.interval.ms", "1000")
            // How long the partitions of a killed filter wait for another one: the least that Kafka allows by default.
            .set("session.timeout.ms", "6000")
            .set("topic.metadata.refresh.interval.ms", "10000")
            // Fetching many reports at a time costs the filter and the broker much less than fetching them one by one.
            .set("fetch.min.bytes", "16384")
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "8192")
            .set("reconnect.backoff.max.ms", "1000")
            .create_with_context(LastError::default())
            .map_err(|source| self.connection.client_error(source))?;
        let subscribed = consumer.subscribe(&[topic::DRIVER_UPDATES]);
        subscribed.map_err(|source| self.connection.client_error(source))?;
        Ok(consumer)
    }
}

impl Copier {
    /// Reads with this client until `stop`, or until the topic is `replaced`.
    async fn read(
        &mut self,
        consumer: &Consumer,
        replaced: impl Future<Output = ()>,
        stop: &CancellationToken,
    ) {
        let mut handled = FuturesOrdered::<Handled>::new();
        tokio::pin!(replaced);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some((partition, offset)) = handled.next() => store(consumer, partition, offset),
                received = consumer.recv(), if handled.len() < MOST_UNCONFIRMED => match received {
                    Ok(record) => handled.push_back(self.handle(&record, Instant::now())),
                    Err(error) => tracing::debug!(%error, "reading {}", topic::DRIVER_UPDATES),
                },
                () = &mut replaced => {
                    tracing::info!("topic {} was created again: reading the new one", topic::DRIVER_UPDATES);
                    return;
                }
            }
        }
        // What is not confirmed by then is read again by the next filter.
        let rest = async {
            while let Some((partition, offset)) = handled.next().await {
                store(consumer, partition, offset);
            }
        };
        let _ = tokio::time::timeout(FINISH_WITHIN, rest).await;
        // Fails if nothing was read since the last commit.
        let _ = consumer.commit_consumer_state(CommitMode::Sync);
    }

    /// Passes the record on if necessary. A record that is not a report becomes a dead letter instead: topic `driver-positions` feeds the
    /// twins directly, and a key that is not UTF-8 would halt its partition. The result is ready when the broker has confirmed the copy.
    fn handle(&mut self, record: &BorrowedMessage<'_>, now: Instant) -> Handled {
        let handled = (record.partition(), record.offset());
        let outcome = read(record).map(|report| {
            self.filter
                .take(report.driver.as_str(), report.update, report.received, now)
        });
        REPORTS.inc([match &outcome {
            Ok(Some(reason)) => reason.label(),
            Ok(None) => "left_out",
            Err(_) => "unreadable",
        }]);
        let copy = match outcome {
            Ok(None) => return ready(handled).boxed(),
            Ok(Some(_)) => Copy::Position(record.detach()),
            Err(letter) => Copy::DeadLetter(letter),
        };
        let publisher = self.publisher.clone();
        async move {
            copy.publish(&publisher).await;
            handled
        }
        .boxed()
    }
}

/// What becomes of a record that is not left out.
enum Copy {
    Position(OwnedMessage),
    DeadLetter(Box<DeadLetter>),
}

impl Copy {
    /// Publishes it until the broker confirms it.
    async fn publish(&self, publisher: &Publisher) {
        loop {
            let sent = match self {
                Self::Position(record) => publisher.copy(topic::DRIVER_POSITIONS, record).await,
                Self::DeadLetter(letter) => {
                    let topic = topic::DRIVER_UPDATES_DLQ;
                    publisher.publish_dead_letter(topic, letter).await
                }
            };
            match sent {
                Ok(()) => return,
                // The topics have different size limits. The record cannot be a report, which is much shorter.
                Err(error) if !error.is_retryable() => {
                    tracing::warn!(%error, "a record of {} is left out", topic::DRIVER_UPDATES);
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "a position is not passed on yet");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }
}

/// The report in a record.
fn read(record: &impl Message) -> Result<Reported, Box<DeadLetter>> {
    let source = Source {
        topic: record.topic().to_owned(),
        partition: record.partition().to_string(),
        offset: record.offset().to_string(),
    };
    // Kafka uses -1 for records without a timestamp.
    let time = record.timestamp().to_millis().filter(|time| *time >= 0);
    let value = record.payload().unwrap_or_default();
    delivery::read_record(record.key(), value, source, time)
}

fn store(consumer: &Consumer, partition: i32, offset: i64) {
    // It fails if another filter has got the partition. That one reads the record again.
    if let Err(error) = consumer.store_offset(topic::DRIVER_UPDATES, partition, offset) {
        tracing::debug!(%error, partition, offset, "the partition is another filter's now");
    }
}
