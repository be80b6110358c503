//! Publishing records.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use telemetry::metrics::Counters;
use telemetry::{span, trace};
use tracing::Instrument;

use crate::dead_letter::{self, DeadLetter};
use crate::{Connection, Error, Trouble};

/// Headers of a record: name and value.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// How long the broker has to confirm a record before [`Publisher::publish`] gives up.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
/// How long a producer that gets no confirmation is kept before another one takes over.
const REPLACE_AFTER: Duration = Duration::from_secs(30);
/// How long records wait for company in a batch.
const LINGER: Duration = Duration::from_millis(2);

static PUBLISHED: Counters<1> = Counters::new(
    "kafka_records_published",
    "Records that the broker has confirmed",
    ["topic"],
);
static DEAD_LETTERS: Counters<2> = Counters::new(
    "dead_letters",
    "Records that could not be used and were put into a dead-letter topic, by what was wrong with them",
    ["topic", "reason"],
);
static ERRORS: Counters<2> = Counters::new(
    "kafka_producer_errors",
    "Records that the broker has refused, or not confirmed in time",
    ["topic", "reason"],
);

/// A topic as a label: those of this system by their names, all others as one.
fn known(topic: &str) -> &'static str {
    domain::topic::ALL
        .iter()
        .find(|(known, _)| *known == topic)
        .map_or("other", |(known, _)| known)
}

/// Publishes records and says so only when every in-sync replica has them.
///
/// Cheap to clone; clones share one connection and one background thread. Records of one key stay in order.
#[derive(Clone)]
pub struct Publisher {
    connection: Connection,
    config: Arc<ClientConfig>,
    /// The producer, and since when it is in use.
    producer: Arc<RwLock<(FutureProducer<Trouble>, Instant)>>,
    trouble: Trouble,
}

impl Publisher {
    /// A publisher to the cluster that `connection` leads to, known there as `client_id`.
    ///
    /// Returns at once: the connection is made in the background, and made again whenever it breaks.
    pub fn new(connection: &Connection, client_id: &str) -> Result<Self, Error> {
        let mut config = connection.config();
        config
            .set("client.id", client_id)
            // Together these mean: confirmed records are on every in-sync replica, once, and in order.
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", CONFIRM_WITHIN.as_millis().to_string())
            .set("linger.ms", LINGER.as_millis().to_string())
            // What a broker took once, it shall be able to take as a dead letter: the broker decides what is too large.
            .set("message.max.bytes", "33554432")
            // Small services on small machines: a bounded queue, and quick to notice a broker that came back.
            .set("queue.buffering.max.kbytes", "16384")
            .set("reconnect.backoff.max.ms", "1000");
        let trouble = Trouble::default();
        let producer = (config.create_with_context(trouble.clone()))
            .map_err(|source| connection.no_client(source))?;
        Ok(Self {
            connection: connection.clone(),
            config: Arc::new(config),
            producer: Arc::new(RwLock::new((producer, Instant::now()))),
            trouble,
        })
    }

    fn producer(&self) -> FutureProducer<Trouble> {
        self.producer.read().0.clone()
    }

    /// Makes another producer if this one can publish nothing any more, or gets no confirmation.
    ///
    /// An idempotent producer gives up for good when its numbers and the broker's do not fit together. So it is after Kafka has
    /// lost its records: it gives out producer ids from 0 again, which others have used meanwhile. Another producer has another id.
    /// And librdkafka looks for the leader of a topic that was created again where it used to be, for ever
    /// (<https://github.com/confluentinc/librdkafka/issues/4898>).
    fn replace_if_stuck(&self, error: &KafkaError) {
        let mut producer = self.producer.write();
        let (stuck, since) = &*producer;
        let reason = match stuck.client().fatal_error() {
            Some((_, reason)) => reason,
            None if since.elapsed() >= REPLACE_AFTER && is_timeout(error) => error.to_string(),
            None => return,
        };
        match self.config.create_with_context(self.trouble.clone()) {
            Ok(another) => {
                tracing::warn!(reason, "another Kafka producer takes over");
                *producer = (another, Instant::now());
            }
            Err(error) => tracing::error!(reason, %error, "no Kafka producer can be made"),
        }
    }

    /// Publishes one record and waits for the broker's word.
    ///
    /// Takes at most five seconds. On [`Error::NotConfirmed`] the record may still arrive later, so publishing it again can
    /// make two: readers tell them apart by what the record says (an order's id, a status's version).
    pub async fn publish(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: &[u8],
        headers: Headers<'_>,
    ) -> Result<(), Error> {
        let span = span::producer(topic, key);
        let trace = span.in_scope(trace::current).map(|span| span.to_string());
        let mut record = FutureRecord::<[u8], [u8]>::to(topic).payload(value);
        if let Some(key) = key {
            record = record.key(key);
        }
        let trace = trace.as_deref().map(|trace| (trace::TRACEPARENT, trace));
        if !headers.is_empty() || trace.is_some() {
            record = record.headers(headers.iter().copied().chain(trace).fold(
                OwnedHeaders::new_with_capacity(headers.len() + 1),
                |all, (name, value)| {
                    all.insert(Header {
                        key: name,
                        value: Some(value),
                    })
                },
            ));
        }
        let producer = self.producer();
        let sent = producer.send(record, CONFIRM_WITHIN);
        match sent.instrument(span.clone()).await {
            Ok(_) => {
                PUBLISHED.inc([known(topic)]);
                Ok(())
            }
            Err((source, _)) => {
                span::failed(&span, "not confirmed by the broker");
                Err(self.failed(topic, source))
            }
        }
    }

    /// Publishes a record that could not be used to the dead-letter topic `topic`, as it came, with the reason and its source.
    ///
    /// A broker takes a record up to a size, and the headers may be what is too much: then a long value and a long key are cut, and
    /// the headers [`dead_letter::CUT_FROM`] and [`dead_letter::KEY_CUT_FROM`] tell how long they were.
    pub async fn put_aside(&self, topic: &str, letter: &DeadLetter) -> Result<(), Error> {
        const CUT_TO: usize = 64 * 1024;
        let (key, value) = (letter.key.as_deref(), &letter.value[..]);
        let (length, key_length) = (value.len(), key.map_or(0, <[u8]>::len));
        let (length_text, key_length_text) = (length.to_string(), key_length.to_string());
        let mut headers = vec![
            (dead_letter::REASON, letter.reason.as_str()),
            (dead_letter::TOPIC, &letter.source.topic),
            (dead_letter::PARTITION, &letter.source.partition),
            (dead_letter::OFFSET, &letter.source.offset),
        ];
        match self.publish(topic, key, value, &headers).await {
            // A broker counts both, and a few bytes more than it did for the record.
            Err(Error::Refused { .. }) if length > CUT_TO || key_length > CUT_TO => {
                if length > CUT_TO {
                    headers.push((dead_letter::CUT_FROM, &length_text));
                }
                if key_length > CUT_TO {
                    headers.push((dead_letter::KEY_CUT_FROM, &key_length_text));
                }
                let start = |bytes: &[u8]| bytes.get(..CUT_TO).unwrap_or(bytes).to_vec();
                let key = key.map(start);
                (self.publish(topic, key.as_deref(), &start(value), &headers)).await?;
            }
            result => result?,
        }
        DEAD_LETTERS.inc([known(topic), letter.kind]);
        Ok(())
    }

    /// Publishes several records of one key, in order, and waits until the broker has confirmed all of them.
    ///
    /// On an error some of them may have arrived, always the first ones.
    pub async fn publish_all(
        &self,
        topic: &str,
        key: &[u8],
        values: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<(), Error> {
        let producer = self.producer();
        let mut confirmations = Vec::new();
        for value in values {
            let record = FutureRecord::<[u8], [u8]>::to(topic)
                .key(key)
                .payload(&value);
            let confirmation = match producer.send_result(record) {
                Ok(confirmation) => confirmation,
                Err((source, _)) => return Err(self.failed(topic, source)),
            };
            confirmations.push(confirmation);
        }
        for confirmation in confirmations {
            match confirmation.await {
                Ok(Ok(_)) => PUBLISHED.inc([known(topic)]),
                Ok(Err((source, _))) => return Err(self.failed(topic, source)),
                // The producer was dropped, which cannot be while it is held here.
                Err(_) => return Err(self.failed(topic, KafkaError::Canceled)),
            }
        }
        Ok(())
    }

    /// Asks the brokers for their word that they are there; for readiness checks. Blocks for up to `timeout`.
    pub fn check(&self, timeout: Duration) -> Result<(), Error> {
        self.trouble.forget();
        let checked = match self.producer().client().fetch_metadata(None, timeout) {
            Ok(metadata) if !metadata.brokers().is_empty() => Ok(()),
            Ok(_) => Err("the cluster has no brokers".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        checked.map_err(|reason| self.connection.unreachable(&self.trouble, reason))
    }

    /// Waits until everything published so far is confirmed or given up, for shutting down. Blocks for up to `timeout`.
    pub fn flush(&self, timeout: Duration) {
        // What is not confirmed by then was never said yes to.
        let _ = self.producer().flush(timeout);
    }

    /// What the caller is told of a record that was not published.
    fn failed(&self, topic: &str, source: KafkaError) -> Error {
        self.replace_if_stuck(&source);
        classify(topic, source)
    }
}

fn is_timeout(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut)
}

fn classify(topic: &str, source: KafkaError) -> Error {
    let refused = matches!(
        source.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::InvalidMessage
                | RDKafkaErrorCode::InvalidMessageSize
                | RDKafkaErrorCode::InvalidTopic
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::PolicyViolation
        )
    );
    let why = if refused { "refused" } else { "not_confirmed" };
    ERRORS.inc([known(topic), why]);
    let topic = topic.to_owned();
    if refused {
        Error::Refused { topic, source }
    } else {
        Error::NotConfirmed { topic, source }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::RDKafkaApiKey;

    use super::*;

    #[tokio::test]
    async fn a_producer_that_has_given_up_for_good_is_replaced() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 1, 1).unwrap();
        let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
        let publish = || publisher.publish("orders", Some(b"1"), b"{}", &[]);
        publish().await.unwrap();

        let out_of_order =
            rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        cluster.request_errors(RDKafkaApiKey::Produce, &[out_of_order]);
        let refused = publish().await.unwrap_err();
        assert!(refused.is_retryable(), "{refused}");

        publish().await.unwrap();
    }

    #[tokio::test]
    async fn a_producer_that_gets_no_confirmation_is_replaced_now_and_then() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 1, 1).unwrap();
        let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
        let publish = || publisher.publish("orders", Some(b"1"), b"{}", &[]);
        let native = || publisher.producer().client().native_ptr();
        publish().await.unwrap();
        cluster.broker_down(1).unwrap();
        let first = native();
        assert!(publish().await.is_err());
        assert_eq!(native(), first, "it has only just begun");

        let long_ago = Instant::now().checked_sub(REPLACE_AFTER).unwrap();
        publisher.producer.write().unwrap().1 = long_ago;
        assert!(publish().await.is_err());
        assert_ne!(native(), first);
        cluster.broker_up(1).unwrap();
        publish().await.unwrap();
    }
}
