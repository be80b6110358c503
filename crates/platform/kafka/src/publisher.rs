//! Publishing records.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, Message};

use telemetry::metrics::Counters;
use telemetry::{span, trace};
use tracing::Instrument;

use crate::dead_letter::{self, DeadLetter};
use crate::{Connection, Error, LastError};

/// The headers of a record: names and values.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// How long [`Publisher::publish`] waits for the broker's confirmation.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
/// The minimum age of a producer without confirmations before it is replaced.
const REPLACE_AFTER: Duration = Duration::from_secs(30);
/// How many producers are tried for a record if they fail permanently. Each has a new id, and a few ids may already be in use.
const PRODUCERS: u32 = 4;
/// How long a record waits for others to form a batch.
const LINGER: Duration = Duration::from_millis(2);

static PUBLISHED: Counters<1> = Counters::new(
    "kafka_records_published",
    "Records that the broker confirmed",
    ["topic"],
);
static DEAD_LETTERS: Counters<2> = Counters::new(
    "dead_letters",
    "Invalid records that were published to a dead-letter topic, by reason",
    ["topic", "reason"],
);
static ERRORS: Counters<2> = Counters::new(
    "kafka_producer_errors",
    "Records that the broker refused or did not confirm in time",
    ["topic", "reason"],
);

/// The label for a topic: its name if it is one of this system's, else `other`.
fn topic_label(topic: &str) -> &'static str {
    domain::topic::ALL
        .iter()
        .find(|(topic_label, _)| *topic_label == topic)
        .map_or("other", |(topic_label, _)| topic_label)
}

/// Publishes records, and reports success only when every in-sync replica has them.
///
/// Cheap to clone; clones share one connection and one background thread. Records with the same key stay in order.
#[derive(Clone)]
pub struct Publisher {
    connection: Connection,
    config: Arc<ClientConfig>,
    /// The producer, and when it was created.
    producer: Arc<RwLock<(FutureProducer<LastError>, Instant)>>,
    last_error: LastError,
}

impl Publisher {
    /// Creates a publisher with the client id `client_id`.
    ///
    /// Returns at once: it connects in the background, and reconnects whenever the connection breaks.
    pub fn new(connection: &Connection, client_id: &str) -> Result<Self, Error> {
        let mut config = connection.config();
        config
            .set("client.id", client_id)
            // Together these mean: confirmed records are on every in-sync replica, once, and in order.
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", CONFIRM_WITHIN.as_millis().to_string())
            .set("linger.ms", LINGER.as_millis().to_string())
            // The client does not limit the size, so that every record that a broker accepted also fits as a dead letter.
            .set("message.max.bytes", "33554432")
            // Bounds the memory of the queue, and reconnects soon after a broker has returned.
            .set("queue.buffering.max.kbytes", "16384")
            .set("reconnect.backoff.max.ms", "1000");
        let last_error = LastError::default();
        let producer = (config.create_with_context(last_error.clone()))
            .map_err(|source| connection.client_error(source))?;
        Ok(Self {
            connection: connection.clone(),
            config: Arc::new(config),
            producer: Arc::new(RwLock::new((producer, Instant::now()))),
            last_error,
        })
    }

    fn producer(&self) -> FutureProducer<LastError> {
        self.producer.read().0.clone()
    }

    /// Replaces the producer if it has failed permanently, or has received no confirmations for a while.
    ///
    /// An idempotent producer fails permanently when its sequence numbers do not match the broker's. That happens after Kafka has
    /// lost its data: it then assigns producer ids from 0 again, which others already use. A new producer gets a new id. Furthermore,
    /// after a topic was deleted and created again, librdkafka may look for its leader at the former broker forever
    /// (<https://github.com/confluentinc/librdkafka/issues/4898>).
    fn replace_if_stuck(&self, error: &KafkaError) {
        let mut producer = self.producer.write();
        let (stuck, since) = &*producer;
        let reason = match stuck.client().fatal_error() {
            Some((_, reason)) => reason,
            None if since.elapsed() >= REPLACE_AFTER && is_timeout(error) => error.to_string(),
            None => return,
        };
        match self.config.create_with_context(self.last_error.clone()) {
            Ok(another) => {
                tracing::warn!(reason, "replaced the Kafka producer");
                *producer = (another, Instant::now());
            }
            Err(error) => tracing::error!(reason, %error, "cannot create a Kafka producer"),
        }
    }

    /// Publishes one record and waits for the broker's confirmation.
    ///
    /// Takes at most five seconds. After [`Error::NotConfirmed`] the record may still arrive, so publishing it again can create a
    /// duplicate: readers recognise duplicates by the record's content (an order's id, a status's version).
    pub async fn publish(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: &[u8],
        headers: Headers<'_>,
    ) -> Result<(), Error> {
        let span = span::producer(topic, key);
        let trace = span.in_scope(trace::current).map(|span| span.to_string());
        let trace = trace.as_deref().map(|trace| (trace::TRACEPARENT, trace));
        let record = || {
            let mut record = FutureRecord::<[u8], [u8]>::to(topic).payload(value);
            if let Some(key) = key {
                record = record.key(key);
            }
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
            record
        };
        let sent = self.send(topic, record).instrument(span.clone()).await;
        if sent.is_err() {
            span::failed(&span, "not confirmed by the broker");
        }
        sent
    }

    /// Publishes a record of another topic unchanged: its key, value, headers and time. Takes at most five seconds.
    pub async fn copy(&self, topic: &str, record: &OwnedMessage) -> Result<(), Error> {
        let copy = || {
            let mut copy = FutureRecord::to(topic);
            copy.key = record.key();
            copy.payload = record.payload();
            copy.timestamp = record.timestamp().to_millis();
            copy.headers = record.headers().cloned();
            copy
        };
        self.send(topic, copy).await
    }

    async fn send<'a>(
        &self,
        topic: &str,
        record: impl Fn() -> FutureRecord<'a, [u8], [u8]>,
    ) -> Result<(), Error> {
        let mut left = PRODUCERS;
        loop {
            let producer = self.producer();
            let Err((source, _)) = producer.send(record(), CONFIRM_WITHIN).await else {
                PUBLISHED.inc([topic_label(topic)]);
                return Ok(());
            };
            let error = self.failed(topic, source);
            left -= 1;
            // It failed at once, and another producer has taken its place.
            if left == 0 || producer.client().fatal_error().is_none() {
                return Err(error);
            }
        }
    }

    /// Publishes an invalid record unchanged to the dead-letter topic `topic`, with the reason and its source as headers.
    ///
    /// The headers may make the record larger than the broker accepts. Then a long value and a long key are truncated, and the headers
    /// [`dead_letter::CUT_FROM`] and [`dead_letter::KEY_CUT_FROM`] contain the original lengths.
    pub async fn publish_dead_letter(&self, topic: &str, letter: &DeadLetter) -> Result<(), Error> {
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
            // The broker's limit applies to key, value and headers together.
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
        DEAD_LETTERS.inc([topic_label(topic), letter.kind]);
        Ok(())
    }

    /// Publishes several records with one key, in order, and waits until the broker has confirmed all of them.
    ///
    /// After an error, some of them may have arrived, always the first ones.
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
                Ok(Ok(_)) => PUBLISHED.inc([topic_label(topic)]),
                Ok(Err((source, _))) => return Err(self.failed(topic, source)),
                // The producer was dropped, which cannot happen while it is held here.
                Err(_) => return Err(self.failed(topic, KafkaError::Canceled)),
            }
        }
        Ok(())
    }

    /// Checks that the brokers answer; for readiness checks. Blocks for up to `timeout`.
    pub fn check(&self, timeout: Duration) -> Result<(), Error> {
        self.last_error.forget();
        let checked = match self.producer().client().fetch_metadata(None, timeout) {
            Ok(metadata) if !metadata.brokers().is_empty() => Ok(()),
            Ok(_) => Err("the cluster has no brokers".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        checked.map_err(|reason| self.connection.unreachable(&self.last_error, reason))
    }

    /// On shutdown, waits until every record is confirmed or has failed. Blocks for up to `timeout`.
    pub fn flush(&self, timeout: Duration) {
        // Records that are not confirmed by then were never reported as published.
        let _ = self.producer().flush(timeout);
    }

    /// Handles a failed record: replaces the producer if necessary, and returns the error for the caller.
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
    ERRORS.inc([topic_label(topic), why]);
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
    async fn a_permanently_failed_producer_is_replaced_and_the_record_published_by_another() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 1, 1).unwrap();
        let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
        let publish = || publisher.publish("orders", Some(b"1"), b"{}", &[]);
        publish().await.unwrap();

        let out_of_order =
            rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        cluster.request_errors(RDKafkaApiKey::Produce, &[out_of_order]);
        publish().await.unwrap();

        let all = [out_of_order; PRODUCERS as usize];
        cluster.request_errors(RDKafkaApiKey::Produce, &all);
        let refused = publish().await.unwrap_err();
        assert!(refused.is_retryable(), "{refused}");
        publish().await.unwrap();
    }

    #[tokio::test]
    async fn a_producer_without_confirmations_is_replaced_after_a_while() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("orders", 1, 1).unwrap();
        let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
        let publish = || publisher.publish("orders", Some(b"1"), b"{}", &[]);
        let native = || publisher.producer().client().native_ptr();
        publish().await.unwrap();
        cluster.broker_down(1).unwrap();
        let first = native();
        assert!(publish().await.is_err());
        assert_eq!(native(), first, "the producer is still new");

        let long_ago = Instant::now().checked_sub(REPLACE_AFTER).unwrap();
        publisher.producer.write().1 = long_ago;
        assert!(publish().await.is_err());
        assert_ne!(native(), first);
        cluster.broker_up(1).unwrap();
        publish().await.unwrap();
    }
}
