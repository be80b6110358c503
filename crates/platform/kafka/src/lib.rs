//! The one way this system talks to Kafka: idempotent publishing, dead letters, cluster identity.
//!
//! Used by the durable services (inside `ctx.run`), the driver simulator, the gateway and the launcher. It wraps `rdkafka` so
//! that the producer's settings, which decide whether an accepted order can be lost, stand in one place, and so does how
//! brokers are reached.
//!
//! | file | what it holds |
//! |---|---|
//! | `connection.rs` | how brokers are reached, and what it means when they are not |
//! | `options.rs` | the settings of its clients |
//! | [`properties`] | the file with librdkafka's properties: protocol, credentials, certificates |
//! | `publisher.rs` | publishing records, and dead letters |
//! | [`records`] | reading a whole topic |
//! | `admin.rs` | which cluster it is, and which topics it has |

mod admin;
mod connection;
mod options;
pub mod properties;
mod publisher;
pub mod records;

pub use admin::{
    Behind, Cluster, Partitions, Settings, begin_group, behind, ensure_topics, partitions,
    settings, topic_ids,
};
pub use connection::{Connection, NoBrokers, PROPERTIES_FILE, Trouble, brokers};
pub use options::{Options, PropertiesFile};
pub use properties::Properties;
pub use publisher::{Headers, Publisher};

/// Names of the headers that a dead-lettered record carries besides its own key and value.
pub mod dead_letter {
    /// Why the record could not be used, for people.
    pub const REASON: &str = "dlq-reason";
    /// The topic it came from.
    pub const TOPIC: &str = "dlq-topic";
    /// The partition it came from.
    pub const PARTITION: &str = "dlq-partition";
    /// Its offset there.
    pub const OFFSET: &str = "dlq-offset";
    /// How many bytes the value had, if it was too long for the dead-letter topic and only its beginning is kept.
    pub const CUT_FROM: &str = "dlq-cut-from";
    /// The same of the key.
    pub const KEY_CUT_FROM: &str = "dlq-key-cut-from";

    /// A record that could not be used.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct DeadLetter {
        /// Its key, if it had one.
        pub key: Option<Vec<u8>>,
        /// Its value.
        pub value: Vec<u8>,
        /// Where it came from.
        pub source: Source,
        /// Why it could not be used, for people.
        pub reason: String,
        /// What metrics know of the reason.
        pub kind: &'static str,
    }

    /// Where a record came from, as text, for the headers.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Source {
        /// Its topic.
        pub topic: String,
        /// Its partition.
        pub partition: String,
        /// Its offset.
        pub offset: String,
    }
}

/// Why talking to Kafka failed. Every kind may be tried again but [`Error::Refused`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client could not be made: its settings are wrong.
    #[error("Kafka client for {brokers}: {source}")]
    Client {
        /// The brokers it was to talk to.
        brokers: String,
        /// What librdkafka says.
        source: rdkafka::error::KafkaError,
    },
    /// The broker did not confirm the record in time; it may or may not have it.
    #[error(
        "topic {topic}: not confirmed by the broker: {source}; check that Kafka is up and reachable"
    )]
    NotConfirmed {
        /// Where it was to go.
        topic: String,
        /// What librdkafka says.
        source: rdkafka::error::KafkaError,
    },
    /// The broker will never take this record, for example because it is too large.
    #[error("topic {topic}: the broker refuses the record: {source}")]
    Refused {
        /// Where it was to go.
        topic: String,
        /// What librdkafka says.
        source: rdkafka::error::KafkaError,
    },
    /// The brokers could not be asked.
    #[error("Kafka at {brokers} does not answer: {reason}")]
    Unreachable {
        /// Who was asked.
        brokers: String,
        /// What happened.
        reason: String,
    },
}

impl Error {
    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Client { .. })
    }
}
