//! Whether Restate makes progress in reading the topics.
//!
//! Restate 1.7.12 can stop reading for good if Kafka does not answer for longer than a consumer's session lasts, because the machine
//! is overloaded or the broker was paused: the consumer leaves its group and does not join it again, or it goes on reading without
//! committing. Nothing is logged after that. A new subscription with the same consumer group continues from the last committed
//! offset.

use std::time::Duration;

use kafka::{Connection, Lag};
use tokio::time::{Instant, sleep};

use super::subscriptions::{self, GROUP};
use crate::restate::admin::Subscription;

/// The time in which Restate must make progress. It commits twice a second, but a killed Restate is back in its group only when the
/// session has ended, after six seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// How often progress is checked.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// The part of a partition that has not been read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnreadPart {
    pub(crate) topic: &'static str,
    pub(crate) lag: Lag,
}

/// A topic, and the consumer group that reads it.
pub(crate) type Reader = (&'static str, String);

/// What Restate reads for this system.
pub(crate) fn readers(subscriptions: &[Subscription]) -> Vec<Reader> {
    subscriptions::ours(subscriptions)
        .filter_map(|(topic, it)| Some((topic, it.options.get(GROUP)?.clone())))
        .collect()
}

/// The partitions with records that have not been read yet.
pub(crate) async fn unread(
    kafka: &Connection,
    readers: &[Reader],
) -> Result<Vec<UnreadPart>, kafka::Error> {
    let mut unread = Vec::new();
    for (topic, group) in readers {
        let found = kafka::lag(kafka, group, topic).await?.into_iter();
        let behind = found.filter(|lag| lag.records > 0 || lag.removed > 0);
        unread.extend(behind.map(|lag| UnreadPart { topic, lag }));
    }
    Ok(unread)
}

/// The partitions with unread records in which there is no progress for `patience`. Returns early if there is progress in each of
/// them.
pub(crate) async fn stalled(
    kafka: &Connection,
    readers: &[Reader],
    patience: Duration,
) -> Result<Vec<UnreadPart>, kafka::Error> {
    let deadline = Instant::now() + patience;
    let mut stalled = unread(kafka, readers).await?;
    while !stalled.is_empty() && Instant::now() < deadline {
        sleep(CHECK_EVERY.min(patience / 2)).await;
        stalled = unmoved(&stalled, &unread(kafka, readers).await?);
    }
    Ok(stalled)
}

/// Those partitions of `then` in which nothing has been read `now`, although there are records.
fn unmoved(then: &[UnreadPart], now: &[UnreadPart]) -> Vec<UnreadPart> {
    let is_same = |then: &UnreadPart, now: &UnreadPart| {
        let (then_lag, now_lag) = (then.lag, now.lag);
        (then.topic, then_lag.partition, then_lag.next)
            == (now.topic, now_lag.partition, now_lag.next)
    };
    (now.iter())
        .filter(|now| now.lag.records > 0 && then.iter().any(|then| is_same(then, now)))
        .copied()
        .collect()
}

/// The topics of which Restate has stopped reading a partition.
pub(super) async fn stalled_topics(
    kafka: &Connection,
    subscriptions: &[Subscription],
) -> Result<Vec<&'static str>, kafka::Error> {
    let stalled = stalled(kafka, &readers(subscriptions), PATIENCE).await?;
    let mut topics: Vec<_> = stalled.iter().map(|it| it.topic).collect();
    topics.dedup();
    Ok(topics)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kafka::Publisher;
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    use rdkafka::mocking::MockCluster;
    use rdkafka::{ClientConfig, Offset, TopicPartitionList};

    use super::super::subscriptions::ORDERS_SINK;
    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    /// Commits an offset of partition 0 of topic `orders`, as Restate does.
    fn commit(brokers: &str, offset: i64) {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", "restate")
            .create()
            .unwrap();
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset("orders", 0, Offset::Offset(offset))
            .unwrap();
        consumer.commit(&offsets, CommitMode::Sync).unwrap();
    }

    #[test]
    fn a_partition_with_another_offset_or_without_records_is_not_stalled() {
        let at = |topic, partition, next, records| UnreadPart {
            topic,
            lag: Lag {
                partition,
                next,
                records,
                removed: 0,
            },
        };
        let then = [
            at("orders", 0, 5, 2),
            at("orders", 1, 5, 2),
            at("orders", 2, 5, 2),
        ];
        let now = [
            at("orders", 0, 5, 9),
            at("orders", 1, 6, 1),
            at("orders", 2, 5, 0),
            at("orders", 3, 5, 2),
            at("driver-updates", 1, 5, 2),
        ];
        assert_eq!(unmoved(&then, &now), [at("orders", 0, 5, 9)]);
    }

    #[tokio::test]
    async fn unread_records_without_progress_are_noticed() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 1, 1).unwrap();
        let brokers = cluster.bootstrap_servers();
        let kafka = Connection::plain(brokers.clone());
        let readers = readers(&[Subscription {
            id: "sub_1".to_owned(),
            source: "kafka://kafka-1/orders".to_owned(),
            sink: ORDERS_SINK.to_owned(),
            options: BTreeMap::from([(GROUP.to_owned(), "restate".to_owned())]),
        }]);
        let stalled = async |patience| stalled(&kafka, &readers, patience).await.unwrap();
        assert_eq!(stalled(PATIENCE).await, [], "there are no records");

        let publisher = Publisher::new(&kafka, "test").unwrap();
        for _ in 0..3 {
            publisher.publish("orders", None, b"{}", &[]).await.unwrap();
        }
        let found = stalled(SHORT).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].topic, found[0].lag.records), ("orders", 3));

        commit(&brokers, 3);
        assert_eq!(stalled(PATIENCE).await, [], "everything was read");
    }
}
