//! Publishing records.

use std::sync::LazyLock;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};

use telemetry::metrics::Counters;
use telemetry::{span, trace};
use tracing::Instrument;

use crate::{Error, dead_letter};

/// Headers of a record: name and value.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// How long the broker has to confirm a record before [`Publisher::publish`] gives up.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);
/// How long records wait for company in a batch.
const LINGER: Duration = Duration::from_millis(2);

static PUBLISHED: LazyLock<Counters<1>> = LazyLock::new(|| {
    Counters::new(
        "kafka_records_published",
        "Records that the broker has confirmed",
        ["topic"],
    )
});
static DEAD_LETTERS: LazyLock<Counters<2>> = LazyLock::new(|| {
    Counters::new(
        "dead_letters",
        "Records that could not be used and were put into a dead-letter topic, by what was wrong with them",
        ["topic", "reason"],
    )
});
static ERRORS: LazyLock<Counters<2>> = LazyLock::new(|| {
    Counters::new(
        "kafka_producer_errors",
        "Records that the broker has refused, or not confirmed in time",
        ["topic", "reason"],
    )
});

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
    producer: FutureProducer,
}

impl Publisher {
    /// A publisher to the cluster that `brokers` (`host:port,…`) lead to, known there as `client_id`.
    ///
    /// Returns at once: the connection is made in the background, and made again whenever it breaks.
    pub fn new(brokers: &str, client_id: &str) -> Result<Self, Error> {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
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
            .set("reconnect.backoff.max.ms", "1000")
            .create()
            .map_err(|source| Error::Client {
                brokers: brokers.to_owned(),
                source,
            })?;
        Ok(Self { producer })
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
        let sent = self.producer.send(record, CONFIRM_WITHIN);
        match sent.instrument(span.clone()).await {
            Ok(_) => {
                PUBLISHED.inc([known(topic)]);
                Ok(())
            }
            Err((source, _)) => {
                span::failed(&span, "not confirmed by the broker");
                Err(classify(topic, source))
            }
        }
    }

    /// Publishes a record that could not be used to the dead-letter topic `topic`, as it came, with the reason and its source.
    ///
    /// A broker takes a record up to a size, and the headers may be what is too much: then the value is cut, and the header
    /// [`dead_letter::CUT_FROM`] tells how long it was. `kind` is what metrics know of the reason.
    pub async fn publish_dead_letter(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: &[u8],
        source: &dead_letter::Source,
        reason: &str,
        kind: &'static str,
    ) -> Result<(), Error> {
        const CUT_TO: usize = 64 * 1024;
        let length = value.len().to_string();
        let mut headers = vec![
            (dead_letter::REASON, reason),
            (dead_letter::TOPIC, &source.topic),
            (dead_letter::PARTITION, &source.partition),
            (dead_letter::OFFSET, &source.offset),
        ];
        match self.publish(topic, key, value, &headers).await {
            Err(Error::Refused { .. }) if value.len() > CUT_TO => {
                headers.push((dead_letter::CUT_FROM, &length));
                let start = value.get(..CUT_TO).unwrap_or(value);
                self.publish(topic, key, start, &headers).await?;
            }
            result => result?,
        }
        DEAD_LETTERS.inc([known(topic), kind]);
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
        let mut confirmations = Vec::new();
        for value in values {
            let record = FutureRecord::<[u8], [u8]>::to(topic)
                .key(key)
                .payload(&value);
            let confirmation = match self.producer.send_result(record) {
                Ok(confirmation) => confirmation,
                Err((source, _)) => return Err(classify(topic, source)),
            };
            confirmations.push(confirmation);
        }
        for confirmation in confirmations {
            match confirmation.await {
                Ok(Ok(_)) => PUBLISHED.inc([known(topic)]),
                Ok(Err((source, _))) => return Err(classify(topic, source)),
                // The producer was dropped, which cannot be while `self` is borrowed.
                Err(_) => return Err(classify(topic, KafkaError::Canceled)),
            }
        }
        Ok(())
    }

    /// Asks the brokers for their word that they are there; for readiness checks. Blocks for up to `timeout`.
    pub fn check(&self, timeout: Duration) -> Result<(), Error> {
        match self.producer.client().fetch_metadata(None, timeout) {
            Ok(metadata) if !metadata.brokers().is_empty() => Ok(()),
            Ok(_) => Err(Error::Unreachable {
                brokers: "the brokers".to_owned(),
                reason: "the cluster has no brokers".to_owned(),
            }),
            Err(error) => Err(Error::Unreachable {
                brokers: "the brokers".to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Waits until everything published so far is confirmed or given up, for shutting down. Blocks for up to `timeout`.
    pub fn flush(&self, timeout: Duration) {
        // What is not confirmed by then was never said yes to.
        let _ = self.producer.flush(timeout);
    }
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
