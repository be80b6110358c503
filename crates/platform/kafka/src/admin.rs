//! Which cluster this is, and which topics it has.

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

use crate::{Connection, Error, Trouble};

const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long passing on errors may take, all of which are there already.
const SERVE_ERRORS: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(50);

/// A Kafka cluster as its brokers describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its id: a broker that lost its log and starts anew has another one.
    pub id: String,
}

/// What a topic is set to, in Kafka's names, such as `cleanup.policy`.
pub type Settings = BTreeMap<String, String>;

/// Does something that blocks with a client, and explains what goes wrong meanwhile.
async fn ask<T: Send + 'static>(
    connection: &Connection,
    question: impl FnOnce(&BaseProducer<Trouble>) -> Result<T, String> + Send + 'static,
) -> Result<T, Error> {
    let trouble = Trouble::default();
    let producer: BaseProducer<Trouble> = (connection.config())
        .create_with_context(trouble.clone())
        .map_err(|source| connection.no_client(source))?;
    let asked = tokio::task::spawn_blocking(move || {
        let answer = question(&producer);
        if answer.is_err() {
            // Only now is what went wrong passed on to the context.
            producer.poll(SERVE_ERRORS);
        }
        answer
    });
    let answer = asked.await.map_err(|error| error.to_string());
    answer
        .flatten()
        .map_err(|reason| connection.unreachable(&trouble, reason))
}

impl Cluster {
    /// Asks the brokers who they are. Takes up to five seconds, and two more for each address at which nobody answers.
    ///
    /// # Errors
    /// If nobody answers, or if none of the addresses that the brokers give as their own can be reached: clients use the addresses
    /// that they are configured with for this first question only.
    pub async fn discover(connection: &Connection) -> Result<Self, Error> {
        let asked = ask(connection, |producer| {
            let id = producer.client().fetch_cluster_id(TIMEOUT);
            let id = id.ok_or_else(|| format!("no cluster id within {TIMEOUT:?}"))?;
            let metadata = producer.client().fetch_metadata(None, TIMEOUT);
            let metadata = metadata.map_err(|error| error.to_string())?;
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
                Err(source) => unreachable = Some((format!("{host}:{port}"), source)),
            }
        }
        unreachable.map_or(Ok(Self { id }), |(advertised, source)| {
            Err(Error::Advertised {
                brokers: connection.brokers().to_owned(),
                advertised,
                source,
            })
        })
    }
}

/// Whether somebody listens at a broker's address.
async fn reach(host: &str, port: u16) -> std::io::Result<()> {
    timeout(CONNECT_WITHIN, TcpStream::connect((host, port))).await??;
    Ok(())
}

/// The ids of those of `topics` that exist. A topic that was deleted and created again has another one. Brokers without such ids
/// tell none.
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

fn client(connection: &Connection) -> Result<AdminClient<Trouble>, Error> {
    (connection.config())
        .create_with_context(Trouble::default())
        .map_err(|source| connection.no_client(source))
}

/// Creates those of `topics` (name and partitions) that are missing, with the cluster's own replication factor; returns when the
/// brokers know them: they hear of a new topic a moment after it was created, and without its id it would be taken for the topic of
/// this name that there was before.
///
/// Safe to call again and again; topics that exist are left as they are.
pub async fn ensure_topics(
    connection: &Connection,
    topics: &[(&'static str, i32)],
) -> Result<(), Error> {
    let existing = partitions(connection).await?;
    let missing: Vec<_> = topics
        .iter()
        .filter(|(name, _)| !existing.contains_key(*name))
        .map(|&(name, partitions)| {
            // -1: the cluster's own default.
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
            if name == domain::topic::DRIVER_UPDATES {
                // When a driver was heard from is not for the driver's phone to say.
                topic.set("message.timestamp.type", "LogAppendTime")
            } else {
                topic
            }
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let unreachable = |reason: String| connection.unreachable(&Trouble::default(), reason);
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
            let reason = format!("topic {name} was created, but is not there after {TIMEOUT:?}");
            return Err(unreachable(reason));
        }
        sleep(POLL).await;
    }
}

/// How many partitions each topic has, and of how many replicas each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions {
    /// How many there are.
    pub count: usize,
    /// On how many brokers each is.
    pub replicas: usize,
}

/// All topics of the cluster.
pub async fn partitions(connection: &Connection) -> Result<HashMap<String, Partitions>, Error> {
    ask(connection, |producer| {
        // Of all topics: to ask for one by its name may create it.
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

/// What those of `topics` that exist are set to.
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
        .map_err(|error| connection.unreachable(&Trouble::default(), error.to_string()))?;
    let settings = topics.iter().zip(described).filter_map(|(topic, found)| {
        let entries = found.ok()?.entries.into_iter();
        let settings = entries.filter_map(|entry| Some((entry.name, entry.value?)));
        Some((*topic, settings.collect()))
    });
    Ok(settings.collect())
}

/// What a consumer group has not read of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Of which partition.
    pub partition: i32,
    /// The offset from which on it has committed nothing.
    pub next: i64,
    /// How many records there are from there on.
    pub records: i64,
    /// How many records from there on the broker has removed already.
    pub removed: i64,
}

/// Does something that blocks with a consumer of a group that is never joined.
async fn with_group<T: Send + 'static>(
    connection: &Connection,
    group: &str,
    work: impl FnOnce(&BaseConsumer<Trouble>) -> KafkaResult<T> + Send + 'static,
) -> Result<T, Error> {
    let trouble = Trouble::default();
    let consumer: BaseConsumer<Trouble> = (connection.config())
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create_with_context(trouble.clone())
        .map_err(|source| connection.no_client(source))?;
    let done = tokio::task::spawn_blocking(move || work(&consumer)).await;
    let done = done.unwrap_or(Err(KafkaError::Canceled));
    done.map_err(|error| connection.unreachable(&trouble, error.to_string()))
}

/// The offsets that a group has committed of a topic, those of partitions without any included.
fn committed(consumer: &BaseConsumer<Trouble>, topic: &str) -> KafkaResult<TopicPartitionList> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
        partitions.add_partition(topic, partition.id());
    }
    consumer.committed_offsets(partitions, TIMEOUT)
}

/// How far a consumer group is behind in each partition of a topic.
pub async fn behind(
    connection: &Connection,
    group: &str,
    topic: &'static str,
) -> Result<Vec<Behind>, Error> {
    with_group(connection, group, move |consumer| {
        let committed = committed(consumer, topic)?;
        let behind = committed.elements().into_iter().map(|found| {
            let partition = found.partition();
            let (first, end) = consumer.fetch_watermarks(topic, partition, TIMEOUT)?;
            let next = match found.offset() {
                Offset::Offset(offset) => offset,
                // Nothing is committed yet.
                _ => first,
            };
            Ok(Behind {
                partition,
                next,
                records: (end - next.max(first)).max(0),
                removed: (first - next).max(0),
            })
        });
        behind.collect()
    })
    .await
}

/// Notes for consumer group `group` that it begins with the first record of `topic`, or where the group `former` has stopped;
/// unless it has begun already.
///
/// So its lag is known from the moment a member has been given its partitions, and not only once it has committed something.
pub async fn begin_group(
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
            // It has members, which commit for themselves.
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
    async fn a_group_begins_with_the_first_record_once() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 2, 1).unwrap();
        let connection = Connection::plain(cluster.bootstrap_servers());
        let publisher = crate::Publisher::new(&connection, "test").unwrap();
        publisher
            .publish("orders", Some(b"1"), b"{}", &[])
            .await
            .unwrap();
        let behind = async |group: &str| {
            let behind = behind(&connection, group, "orders").await.unwrap();
            behind.iter().map(|it| it.records).sum::<i64>()
        };
        assert_eq!(behind("readers").await, 1);
        for _ in 0..2 {
            begin_group(&connection, "readers", "orders", "former")
                .await
                .unwrap();
            assert_eq!(behind("readers").await, 1);
        }
    }

    #[tokio::test]
    async fn brokers_that_are_not_there_are_named_with_the_reason() {
        let connection = Connection::plain("127.0.0.1:9");
        let error = Cluster::discover(&connection).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("127.0.0.1:9") && text.contains("refused"),
            "{text}"
        );
    }
}
