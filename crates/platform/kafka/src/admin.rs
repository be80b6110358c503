//! Queries and changes the cluster's metadata: its id, topics and consumer groups.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::{Connection, Error, LastError};

const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long delivering the pending errors to the context may take.
const SERVE_ERRORS: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(50);

/// A Kafka cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The cluster's id, which changes if a broker loses its log and starts from scratch.
    pub id: String,
}

/// A topic's settings by Kafka's names, such as `cleanup.policy`.
pub type Settings = BTreeMap<String, String>;

/// Runs a blocking query with a client. Errors contain the reason that librdkafka reports.
async fn ask<T: Send + 'static>(
    connection: &Connection,
    question: impl FnOnce(&BaseProducer<LastError>) -> Result<T, String> + Send + 'static,
) -> Result<T, Error> {
    let last_error = LastError::default();
    let producer: BaseProducer<LastError> = (connection.config())
        .create_with_context(last_error.clone())
        .map_err(|source| connection.client_error(source))?;
    let asked = tokio::task::spawn_blocking(move || {
        let answer = question(&producer);
        if answer.is_err() {
            // Polling delivers the errors to the context.
            producer.poll(SERVE_ERRORS);
        }
        answer
    });
    let answer = asked.await.map_err(|error| error.to_string());
    answer
        .flatten()
        .map_err(|reason| connection.unreachable(&last_error, reason))
}

impl Cluster {
    /// Asks the brokers for the cluster's id. Takes up to five seconds, and two more for each advertised address at which nobody
    /// answers.
    ///
    /// # Errors
    /// If nobody answers, or if none of the brokers' advertised addresses can be reached: clients use the configured addresses only
    /// to learn the advertised ones.
    pub async fn discover(connection: &Connection) -> Result<Self, Error> {
        let asked = ask(connection, |producer| {
            // First, because afterwards librdkafka asks the advertised brokers. The answer contains the cluster's id.
            let metadata = producer.client().fetch_metadata(None, TIMEOUT);
            let metadata = metadata.map_err(|error| error.to_string())?;
            let id = producer.client().fetch_cluster_id(TIMEOUT);
            let id = id.ok_or_else(|| format!("no cluster id within {TIMEOUT:?}"))?;
            let brokers = metadata.brokers().iter();
            let advertised = brokers.map(|broker| {
                let port = u16::try_from(broker.port()).unwrap_or_default();
                (broker.host().to_owned(), port)
            });
            Ok((id, advertised.collect::<Vec<_>>()))
        });
        let (id, advertised) = asked.await?;
        let mut unreachable = None;
        for (host, port) in advertised {
            match reach(&host, port).await {
                Ok(()) => return Ok(Self { id }),
                Err(error) => unreachable = Some((format!("{host}:{port}"), error.to_string())),
            }
        }
        unreachable.map_or(Ok(Self { id }), |(advertised, reason)| {
            Err(Error::Advertised {
                brokers: connection.brokers().to_owned(),
                advertised,
                reason,
            })
        })
    }
}

/// Connects to a broker's address, to see whether anybody listens there.
async fn reach(host: &str, port: u16) -> std::io::Result<()> {
    timeout(CONNECT_WITHIN, TcpStream::connect((host, port))).await??;
    Ok(())
}

/// The ids of those of `topics` that exist. A topic that was deleted and created again has a new id. The result is empty if the
/// brokers do not support topic ids.
pub async fn topic_ids(
    connection: &Connection,
    topics: &[&'static str],
) -> Result<BTreeMap<String, String>, Error> {
    let topics = topics.to_vec();
    ask(connection, move |producer| {
        let ids = librdkafka::topic_ids(producer.client(), &topics, TIMEOUT);
        ids.map_err(|error| error.to_string())
    })
    .await
}

fn client(connection: &Connection) -> Result<AdminClient<LastError>, Error> {
    (connection.config())
        .create_with_context(LastError::default())
        .map_err(|source| connection.client_error(source))
}

/// Creates those of `topics` (name and partitions) that are missing, with the cluster's default replication factor. Returns when all
/// brokers know the new topics, which takes a moment; until then, a new topic has no id and could be mistaken for a former topic
/// with this name.
///
/// Idempotent; existing topics are not changed.
pub async fn ensure_topics(
    connection: &Connection,
    topics: &[(&'static str, i32)],
) -> Result<(), Error> {
    let existing = partitions(connection).await?;
    let missing: Vec<_> = topics
        .iter()
        .filter(|(name, _)| !existing.contains_key(*name))
        .map(|&(name, partitions)| {
            // -1: the cluster's default.
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
            if name == domain::topic::DRIVER_UPDATES {
                // The broker, not the driver's phone, determines when a report arrived.
                topic.set("message.timestamp.type", "LogAppendTime")
            } else {
                topic
            }
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let unreachable = |reason: String| connection.unreachable(&LastError::default(), reason);
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let results = (client(connection)?.create_topics(&missing, &options).await)
        .map_err(|error| unreachable(error.to_string()))?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(unreachable(format!("creating topic {topic}: {code}")));
            }
        }
    }
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let existing = partitions(connection).await?;
        let missing = topics
            .iter()
            .find(|(name, _)| !existing.contains_key(*name));
        let Some((name, _)) = missing else {
            return Ok(());
        };
        if Instant::now() >= deadline {
            let reason = format!("topic {name} was created, but does not exist after {TIMEOUT:?}");
            return Err(unreachable(reason));
        }
        sleep(POLL).await;
    }
}

/// A topic's number of partitions and replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions {
    /// The number of partitions.
    pub count: usize,
    /// The number of replicas of each partition; the smallest, if they differ.
    pub replicas: usize,
}

/// The partitions of all topics in the cluster, by topic.
pub async fn partitions(connection: &Connection) -> Result<HashMap<String, Partitions>, Error> {
    ask(connection, |producer| {
        // Asks for all topics, since asking for one by name could create it.
        let metadata = producer.client().fetch_metadata(None, TIMEOUT);
        let metadata = metadata.map_err(|error| error.to_string())?;
        let topics = metadata.topics().iter().map(|topic| {
            let partitions = Partitions {
                count: topic.partitions().len(),
                replicas: (topic.partitions().iter())
                    .map(|partition| partition.replicas().len())
                    .min()
                    .unwrap_or(0),
            };
            (topic.name().to_owned(), partitions)
        });
        Ok(topics.collect())
    })
    .await
}

/// The settings of those of `topics` that exist.
pub async fn settings(
    connection: &Connection,
    topics: &[&'static str],
) -> Result<BTreeMap<&'static str, Settings>, Error> {
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let resources: Vec<_> = (topics.iter().copied())
        .map(ResourceSpecifier::Topic)
        .collect();
    let described = client(connection)?
        .describe_configs(&resources, &options)
        .await
        .map_err(|error| connection.unreachable(&LastError::default(), error.to_string()))?;
    let settings = topics.iter().zip(described).filter_map(|(topic, found)| {
        let entries = found.ok()?.entries.into_iter();
        let settings = entries.filter_map(|entry| Some((entry.name, entry.value?)));
        Some((*topic, settings.collect()))
    });
    Ok(settings.collect())
}

/// The part of a partition that a consumer group has not read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The partition.
    pub partition: i32,
    /// The committed offset: the next record to read.
    pub next: i64,
    /// The number of unread records that the broker still has, or a little more: transactions' marks between them are counted too.
    pub records: i64,
    /// The number of unread records that the broker has already deleted.
    pub removed: i64,
}

/// Runs a blocking operation with a consumer that belongs to `group` but never joins it.
async fn with_group<T: Send + 'static>(
    connection: &Connection,
    group: &str,
    work: impl FnOnce(&BaseConsumer<LastError>) -> KafkaResult<T> + Send + 'static,
) -> Result<T, Error> {
    let last_error = LastError::default();
    let consumer: BaseConsumer<LastError> = (connection.config())
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        // For `has_record`: one record is enough, and at the end of a partition there is nothing to wait for.
        .set("fetch.message.max.bytes", "1024")
        .set("fetch.wait.max.ms", "10")
        .create_with_context(last_error.clone())
        .map_err(|source| connection.client_error(source))?;
    let done = tokio::task::spawn_blocking(move || work(&consumer)).await;
    let done = done.unwrap_or(Err(KafkaError::Canceled));
    done.map_err(|error| connection.unreachable(&last_error, error.to_string()))
}

/// A group's committed offset for each partition of a topic, including partitions without a committed offset.
fn committed(consumer: &BaseConsumer<LastError>, topic: &str) -> KafkaResult<TopicPartitionList> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        partitions.add_partition(topic, partition.id());
    }
    consumer.committed_offsets(partitions, TIMEOUT)
}

/// Whether a consumer that begins at the offset `next` would read a record. Transactions' marks, and records of aborted transactions
/// and those that compaction has removed, take up offsets too, but are never delivered, so no consumer commits an offset after them.
fn has_record(
    consumer: &BaseConsumer<LastError>,
    topic: &str,
    partition: i32,
    next: i64,
) -> KafkaResult<bool> {
    let mut position = TopicPartitionList::new();
    position.add_partition_offset(topic, partition, Offset::Offset(next))?;
    consumer.assign(&position)?;
    let is_end = matches!(consumer.poll(TIMEOUT), Some(Err(KafkaError::PartitionEOF(at))) if at == partition);
    Ok(!is_end)
}

/// A consumer group's lag in each partition of a topic.
pub async fn lag(
    connection: &Connection,
    group: &str,
    topic: &'static str,
) -> Result<Vec<Lag>, Error> {
    with_group(connection, group, move |consumer| {
        let committed = committed(consumer, topic)?;
        let lag = committed.elements().into_iter().map(|found| {
            let partition = found.partition();
            let (first, end) = consumer.fetch_watermarks(topic, partition, TIMEOUT)?;
            let next = match found.offset() {
                Offset::Offset(offset) => offset,
                // No offset is committed yet.
                _ => first,
            };
            let at = next.max(first);
            let is_behind = end > at && has_record(consumer, topic, partition, at)?;
            Ok(Lag {
                partition,
                next,
                records: if is_behind { end - at } else { 0 },
                removed: (first - next).max(0),
            })
        });
        lag.collect()
    })
    .await
}

/// Commits initial offsets for consumer group `group` where it has none: the first record of `topic`, or the position of the group
/// `former`.
///
/// So the group's lag is known before its members first commit an offset.
pub async fn commit_initial_offsets(
    connection: &Connection,
    group: &str,
    topic: &'static str,
    former: &str,
) -> Result<(), Error> {
    let former = with_group(connection, former, move |consumer| {
        committed(consumer, topic)
    })
    .await?;
    with_group(connection, group, move |consumer| {
        let mut offsets = TopicPartitionList::new();
        for found in committed(consumer, topic)?.elements() {
            let partition = found.partition();
            if matches!(found.offset(), Offset::Offset(_)) {
                continue;
            }
            let (first, end) = consumer.fetch_watermarks(topic, partition, TIMEOUT)?;
            let former = former.find_partition(topic, partition);
            let begin = match former.map(|former| former.offset()) {
                Some(Offset::Offset(former)) if (first..=end).contains(&former) => former,
                _ => first,
            };
            offsets.add_partition_offset(topic, partition, Offset::Offset(begin))?;
        }
        if offsets.count() == 0 {
            return Ok(());
        }
        match consumer.commit(&offsets, CommitMode::Sync) {
            // The group has members, which commit offsets themselves.
            Err(KafkaError::ConsumerCommit(RDKafkaErrorCode::UnknownMemberId)) => Ok(()),
            committed => committed,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;

    use super::*;

    #[tokio::test]
    async fn topics_are_created_once_and_keep_their_ids() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 4, 1).unwrap();
        let connection = Connection::plain(cluster.bootstrap_servers());
        ensure_topics(&connection, &[("orders", 2)]).await.unwrap();
        assert_eq!(partitions(&connection).await.unwrap()["orders"].count, 4);
        let ids = topic_ids(&connection, &["orders", "absent"]).await.unwrap();
        assert_eq!(ids.keys().collect::<Vec<_>>(), ["orders"]);
    }

    #[tokio::test]
    async fn initial_offsets_are_committed_once() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 2, 1).unwrap();
        let connection = Connection::plain(cluster.bootstrap_servers());
        let publisher = crate::Publisher::new(&connection, "test").unwrap();
        publisher
            .publish("orders", Some(b"1"), b"{}", &[])
            .await
            .unwrap();
        let lag = async |group: &str| {
            let lag = lag(&connection, group, "orders").await.unwrap();
            lag.iter().map(|it| it.records).sum::<i64>()
        };
        assert_eq!(lag("readers").await, 1);
        for _ in 0..2 {
            commit_initial_offsets(&connection, "readers", "orders", "former")
                .await
                .unwrap();
            assert_eq!(lag("readers").await, 1);
        }
    }

    #[tokio::test]
    async fn errors_name_unreachable_brokers_and_the_reason() {
        let connection = Connection::plain("127.0.0.1:9");
        let error = Cluster::discover(&connection).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("127.0.0.1:9") && text.contains("refused"),
            "{text}"
        );
    }
}
