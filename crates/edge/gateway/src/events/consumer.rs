//! Reads the topics.
//!
//! All partitions are assigned by hand and nothing is committed: there is no consumer group, and each gateway reads everything.
//!
//! From time to time the reader asks the brokers which partitions exist and where they end. So it finds new partitions and topics,
//! reads a topic that was created again from its beginning, and notices a partition that brings nothing although it has more
//! records; `/ready`, the metrics and the log report that. In the last two cases it changes to a new client: librdkafka takes the
//! leaders of a topic that was created again for outdated (<https://github.com/confluentinc/librdkafka/issues/4898>), and a new
//! client is free of whatever the old one was stuck in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::topic;
use futures::FutureExt;
use futures::future::{Fuse, FusedFuture};
use kafka::{Connection, LastError};
use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{Consumer as _, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _};
use rdkafka::{ClientContext, Message, Offset, Statistics, TopicPartitionList};
use telemetry::metrics::Gauges;
use telemetry::span;
use tokio::time::Instant;
use tracing::Span;
use uuid::Uuid;

use super::hub::Hub;
use super::record::RecordView;

/// The topics, and how many of the last records of each partition a gateway reads when it starts.
const TOPICS: [(&str, i64); 5] = [
    (topic::ORDER_STATUS, 50_000),
    (topic::ORDERS, 10_000),
    (topic::DRIVER_UPDATES, 5_000),
    (topic::ORDERS_DLQ, 50),
    (topic::DRIVER_UPDATES_DLQ, 50),
];
/// How many bytes of new records a broker waits for before it answers. A record at a time costs gateway and broker much more.
const FETCH_BYTES: &str = "4096";
/// How long it waits for them, which delays changes by that much on an idle system.
const FETCH_WAIT: Duration = Duration::from_millis(50);
/// How long the brokers have to list the partitions.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// How often the brokers are asked while something is missing.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often librdkafka reports how far it has fetched.
const STATISTICS_EVERY: Duration = Duration::from_secs(5);
/// The longest time that reading the existing records may take.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(10);
/// How often trouble with the brokers is logged.
const COMPLAIN_EVERY: Duration = Duration::from_secs(30);

static BEHIND: Gauges<1> = Gauges::new(
    "kafka_reader_lag_records",
    "Records of a topic that the gateway has not read yet, when it last looked",
    ["topic"],
);
static STALLED: Gauges<1> = Gauges::new(
    "kafka_reader_stalled_seconds",
    "How long a partition of the topic has brought nothing although it has newer records; 0 while all is well",
    ["topic"],
);

/// How soon the reader notices changes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often the brokers are asked once nothing is missing.
    pub look_every: Duration,
    /// How long a partition may bring nothing although it has more records.
    pub stalled_after: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(10),
            stalled_after: Duration::from_secs(30),
        }
    }
}

/// A topic, as an index into [`TOPICS`], and a partition of it.
type Source = (usize, i32);

/// A partition that exists.
#[derive(Debug, Clone, Copy)]
struct Found {
    source: Source,
    low: i64,
    high: i64,
}

/// What the brokers have.
#[derive(Debug, Default)]
struct Look {
    partitions: Vec<Found>,
    /// The ids of the topics, if the brokers have them.
    topic_ids: BTreeMap<String, String>,
}

/// How far a partition has been read.
#[derive(Debug, Clone, Copy)]
struct Progress {
    next: i64,
    /// The first offset that did not exist yet when reading began.
    goal: i64,
    /// How many records were unread at the last look.
    behind: i64,
    /// The position at the last look, and the time of that.
    last: Option<(i64, Instant)>,
    /// Since when it has brought nothing although it has more records.
    stalled_since: Option<Instant>,
}

impl Progress {
    fn begin(found: Found) -> Self {
        let (_, last) = TOPICS[found.source.0];
        Self {
            next: found.low.max(found.high - last),
            goal: found.high,
            behind: 0,
            last: None,
            stalled_since: None,
        }
    }

    fn is_caught_up(self) -> bool {
        self.next >= self.goal
    }

    /// Records that the partition ends at `high`. `fetched` is librdkafka's own position: transaction markers and compacted records
    /// take up offsets too, but are not delivered.
    fn see(&mut self, high: i64, fetched: Option<i64>, now: Instant) {
        let at = fetched.map_or(self.next, |fetched| self.next.max(fetched));
        self.behind = (high - at).max(0);
        if at >= self.goal {
            // The last offsets before the goal may be such marks.
            self.goal = self.goal.min(self.next);
        }
        let stands = self.last.filter(|(then, _)| *then == at && self.behind > 0);
        self.stalled_since = stands.map(|(_, since)| self.stalled_since.unwrap_or(since));
        self.last = Some((at, now));
    }
}

/// What a client reports besides records: trouble with the brokers, and how far it has fetched.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientReport {
    last_error: LastError,
    fetched: Arc<Mutex<HashMap<(String, i32), i64>>>,
}

impl ClientReport {
    /// The next offset to fetch in a partition, if everything before it has been delivered.
    fn fetched(&self, topic: &str, partition: i32) -> Option<i64> {
        let fetched = self.fetched.lock();
        fetched.get(&(topic.to_owned(), partition)).copied()
    }
}

impl ClientContext for ClientReport {
    fn stats(&self, statistics: Statistics) {
        let mut fetched = self.fetched.lock();
        fetched.clear();
        for (topic, found) in statistics.topics {
            let done = (found.partitions.values()).filter(|it| it.fetchq_cnt == 0);
            fetched.extend(done.map(|it| ((topic.clone(), it.partition), it.next_offset)));
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.last_error.error(error, reason);
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.last_error.log(level, facility, message);
    }
}

impl ConsumerContext for ClientReport {}

/// What reads the topics.
pub(crate) type Consumer = StreamConsumer<ClientReport>;

/// The consumer; fails only if the settings are wrong.
pub(crate) fn consumer(connection: &Connection) -> Result<Consumer, kafka::Error> {
    (connection.config())
        .set("client.id", "gateway")
        // librdkafka requires a name, although no group is joined.
        .set("group.id", format!("gateway-{}", Uuid::new_v4()))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A broker that has lost its log begins at offset 0, and so does the reader.
        .set("auto.offset.reset", "earliest")
        .set("fetch.min.bytes", FETCH_BYTES)
        .set("fetch.wait.max.ms", FETCH_WAIT.as_millis().to_string())
        .set("queued.max.messages.kbytes", "8192")
        .set("reconnect.backoff.max.ms", "1000")
        .set(
            "statistics.interval.ms",
            STATISTICS_EVERY.as_millis().to_string(),
        )
        .create_with_context(ClientReport::default())
        .map_err(|source| connection.client_error(source))
}

/// Reads the topics into the hub for ever, at first with `consumer`; reconnects by itself.
pub(crate) async fn run(connection: Connection, consumer: Consumer, hub: Arc<Hub>, pace: Pace) {
    Reader {
        connection,
        consumer: Arc::new(consumer),
        hub,
        pace,
        progress: HashMap::new(),
        topic_ids: BTreeMap::new(),
        began: None,
        looked: Instant::now(),
        renewed: Instant::now(),
        missing: None,
        error: None,
        complained: None,
    }
    .run()
    .await;
}

struct Reader {
    connection: Connection,
    consumer: Arc<Consumer>,
    hub: Arc<Hub>,
    pace: Pace,
    progress: HashMap<Source, Progress>,
    topic_ids: BTreeMap<String, String>,
    /// When the brokers first answered.
    began: Option<Instant>,
    /// When they last answered.
    looked: Instant,
    /// When the client was created.
    renewed: Instant,
    /// A topic that is missing, and since when any has been.
    missing: Option<(&'static str, Instant)>,
    /// The last error since then.
    error: Option<String>,
    complained: Option<Instant>,
}

impl Reader {
    async fn run(mut self) {
        let mut look_again = Instant::now();
        let mut looking = Box::pin(Fuse::terminated());
        loop {
            let consumer = Arc::clone(&self.consumer);
            tokio::select! {
                record = consumer.recv() => match record {
                    Ok(record) => self.take(&record),
                    Err(error) => self.complain(&error),
                },
                () = tokio::time::sleep_until(look_again), if looking.is_terminated() => {
                    // Taken before the brokers are asked: their answer need not cover what arrives meanwhile.
                    let stood = self.progress.iter().map(|(source, at)| (*source, at.next)).collect();
                    looking.set(look(Arc::clone(&consumer), stood).fuse());
                }
                found = &mut looking, if !looking.is_terminated() => {
                    let is_done = match found.and_then(|(found, stood)| self.assign(found, &stood)) {
                        Ok(is_done) => is_done,
                        Err(error) => {
                            self.complain(&error);
                            false
                        }
                    };
                    self.report_health();
                    let every = if is_done { self.pace.look_every } else { LOOK_EVERY.min(self.pace.look_every) };
                    look_again = Instant::now() + every;
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
                // Records from before the start of this gateway were pushed to clients at that time, so they continue no trace.
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

    /// Starts to read new partitions, and those of a topic that was created again from its beginning. Returns whether all topics
    /// exist and are read up to where they ended at the start.
    fn assign(&mut self, look: Look, stood: &Positions) -> Result<bool, KafkaError> {
        let now = Instant::now();
        let began = *self.began.get_or_insert(now);
        self.looked = now;
        let mut changed = false;
        let mut is_stuck =
            self.renewed.elapsed() >= self.pace.stalled_after && self.stalled().is_some();
        for found in &look.partitions {
            let (topic, partition) = found.source;
            let name = TOPICS[topic].0;
            let former = self.topic_ids.get(name);
            let is_another =
                former.is_some_and(|id| look.topic_ids.get(name).is_some_and(|it| it != id));
            let is_shorter = stood
                .get(&found.source)
                .is_some_and(|next| found.high < *next);
            match self.progress.get_mut(&found.source) {
                Some(progress) if !is_another && !is_shorter => {
                    let fetched = self.consumer.context().fetched(name, partition);
                    progress.see(found.high, fetched, now);
                }
                known => {
                    if known.is_some() {
                        tracing::warn!(
                            topic = name,
                            partition,
                            "a new log: read from its beginning"
                        );
                        is_stuck = true;
                    }
                    self.progress.insert(found.source, Progress::begin(*found));
                    changed = true;
                }
            }
        }
        let is_there =
            |source: &Source| look.partitions.iter().any(|found| found.source == *source);
        let known = self.progress.len();
        self.progress.retain(|source, _| is_there(source));
        changed |= self.progress.len() < known;
        self.topic_ids = look.topic_ids;
        if is_stuck {
            self.renew();
        }
        if changed || is_stuck {
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
        let missing = (0..TOPICS.len())
            .find(|topic| self.progress.keys().all(|(of_topic, _)| of_topic != topic));
        let since = self.missing.map_or(now, |(_, since)| since);
        self.missing = missing.map(|topic| (TOPICS[topic].0, since));
        Ok(is_caught_up && missing.is_none())
    }

    /// Continues with a new client.
    fn renew(&mut self) {
        self.renewed = Instant::now();
        match consumer(&self.connection) {
            Ok(consumer) => {
                tracing::info!("reading events with a new client");
                let former = std::mem::replace(&mut self.consumer, Arc::new(consumer));
                // Closing it may take a while.
                tokio::task::spawn_blocking(move || drop(former));
            }
            Err(error) => tracing::warn!(%error, "reading events with the same client as before"),
        }
    }

    /// A partition that has brought nothing for too long although it has more records, and since when.
    fn stalled(&self) -> Option<(Source, Progress, Duration)> {
        (self.progress.iter()).find_map(|(source, progress)| {
            let since = progress.stalled_since?.elapsed();
            (since >= self.pace.stalled_after).then_some((*source, *progress, since))
        })
    }

    /// Reports to the metrics and `/ready`.
    fn report_health(&mut self) {
        for (topic, (name, _)) in TOPICS.iter().enumerate() {
            let of_topic = || (self.progress.iter()).filter(|((of, _), _)| *of == topic);
            let behind: i64 = of_topic().map(|(_, progress)| progress.behind).sum();
            let stalled = of_topic()
                .filter_map(|(_, progress)| progress.stalled_since)
                .min();
            BEHIND.set([name], usize::try_from(behind).unwrap_or_default());
            let seconds = stalled.map_or(0, |since| since.elapsed().as_secs());
            STALLED.set([name], usize::try_from(seconds).unwrap_or(usize::MAX));
        }
        let limit = self.pace.stalled_after;
        let stalled = self.stalled().map(|((topic, partition), progress, since)| {
            let (topic, next, behind) = (TOPICS[topic].0, progress.next, progress.behind);
            format!(
                "partition {partition} of topic {topic} has brought nothing for {} s, at offset {next}, although {behind} records are \
                 unread",
                since.as_secs()
            )
        });
        let silent = || {
            let seconds = self.looked.elapsed();
            (seconds >= limit).then(|| {
                format!(
                    "the brokers have not listed the partitions for {} s",
                    seconds.as_secs()
                )
            })
        };
        let missing = || {
            let (topic, since) = self.missing?;
            (since.elapsed() >= limit)
                .then(|| format!("topic {topic} is missing; `food-ordering setup` creates it"))
        };
        let health = match stalled.or_else(silent).or_else(missing) {
            None => {
                self.error = None;
                Ok(())
            }
            Some(what) => Err(match &self.error {
                Some(error) => format!("{what}: {error}"),
                None => what,
            }),
        };
        self.hub.reading(health);
    }

    fn is_caught_up(&self) -> bool {
        self.progress.values().all(|it| it.is_caught_up())
    }

    fn complain(&mut self, error: &KafkaError) {
        let now = Instant::now();
        let last_error = self.consumer.context().last_error.last();
        self.error = Some(last_error.unwrap_or_else(|| error.to_string()));
        if (self.complained).is_none_or(|last| now.duration_since(last) > COMPLAIN_EVERY) {
            self.complained = Some(now);
            tracing::warn!(%error, "cannot read events from Kafka; trying again");
        }
    }
}

/// The position of each partition before the brokers were asked.
type Positions = HashMap<Source, i64>;

/// Asks the brokers what exists.
async fn look(consumer: Arc<Consumer>, stood: Positions) -> Result<(Look, Positions), KafkaError> {
    let looking = tokio::task::spawn_blocking(move || {
        // Lists all topics, because asking for one by name may create it.
        let metadata = consumer.fetch_metadata(None, LOOK_WITHIN)?;
        let mut look = Look::default();
        let mut names = Vec::new();
        for topic in metadata.topics() {
            let Some(n) = TOPICS.iter().position(|(name, _)| *name == topic.name()) else {
                continue;
            };
            names.push(topic.name());
            for partition in topic.partitions() {
                let source = (n, partition.id());
                let (low, high) =
                    consumer.fetch_watermarks(topic.name(), partition.id(), LOOK_WITHIN)?;
                look.partitions.push(Found { source, low, high });
            }
        }
        if !names.is_empty() {
            look.topic_ids = librdkafka::topic_ids(consumer.client(), &names, LOOK_WITHIN)?;
        }
        Ok((look, stood))
    });
    // Only during the runtime's shutdown.
    looking.await.unwrap_or(Err(KafkaError::Canceled))
}

fn record<'a>(message: &'a BorrowedMessage<'_>) -> RecordView<'a> {
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    RecordView {
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

    #[tokio::test(start_paused = true)]
    async fn a_partition_stalls_while_it_brings_nothing_although_it_has_more_records() {
        let mut progress = Progress::begin(Found {
            source: (0, 0),
            low: 0,
            high: 0,
        });
        let second = Duration::from_secs(1);
        let mut see = async |next, high, fetched| {
            tokio::time::advance(second).await;
            progress.next = next;
            progress.see(high, fetched, Instant::now());
            (
                progress.behind,
                progress
                    .stalled_since
                    .map(|since| since.elapsed().as_secs()),
            )
        };
        assert_eq!(see(0, 0, None).await, (0, None), "empty");
        assert_eq!(
            see(0, 5, None).await,
            (5, Some(1)),
            "nothing of the five has come"
        );
        assert_eq!(see(0, 9, None).await, (9, Some(2)));
        assert_eq!(see(3, 9, None).await, (6, None), "slow, but it moves");
        assert_eq!(see(3, 9, None).await, (6, Some(1)));
        assert_eq!(see(9, 9, None).await, (0, None));
        assert_eq!(
            see(9, 10, Some(10)).await,
            (0, None),
            "a transaction's mark is no record"
        );
        assert_eq!(see(9, 10, Some(10)).await, (0, None));
    }

    #[test]
    fn a_partition_that_ends_with_the_mark_of_a_transaction_is_caught_up() {
        let mut progress = Progress::begin(Found {
            source: (0, 0),
            low: 0,
            high: 10,
        });
        progress.next = 9;
        progress.see(10, None, Instant::now());
        assert!(!progress.is_caught_up());
        progress.see(10, Some(10), Instant::now());
        assert!(progress.is_caught_up());
    }
}
