//! All access of this system to Kafka: idempotent publishing, dead letters, cluster identity.
//!
//! Used by the durable services (inside `ctx.run`), the driver simulator, the gateway and the launcher. It wraps `rdkafka` so
//! that the connection settings are defined in one place, and so are the producer's settings, which decide whether an accepted
//! order can be lost.
//!
//! | file | contents |
//! |---|---|
//! | `connection.rs` | connection settings, and explanations of connection errors |
//! | `options.rs` | the settings of clients |
//! | [`properties`] | the file with librdkafka's properties: protocol, credentials, certificates |
//! | `publisher.rs` | publishing records, and dead letters |
//! | [`records`] | reading a whole topic |
//! | `admin.rs` | the cluster's id, topics and consumer groups |

mod admin;
mod connection;
mod options;
pub mod properties;
mod publisher;
pub mod records;

pub use admin::{
    Cluster, Lag, Partitions, Settings, commit_initial_offsets, ensure_topics, lag, partitions,
    settings, topic_ids,
};
pub use connection::{Connection, InvalidBrokers, LastError, PROPERTIES_FILE, brokers};
pub use options::{Options, PropertiesFile};
pub use properties::Properties;
pub use publisher::{Headers, Publisher};

/// Names of the headers of a dead letter, which otherwise has the original record's key and value.
pub mod dead_letter {
    /// Why the record was invalid, for people.
    pub const REASON: &str = "dlq-reason";
    /// The topic it came from.
    pub const TOPIC: &str = "dlq-topic";
    /// The partition it came from.
    pub const PARTITION: &str = "dlq-partition";
    /// Its offset there.
    pub const OFFSET: &str = "dlq-offset";
    /// The original length of the value in bytes, if it was truncated because it is too long for the dead-letter topic.
    pub const CUT_FROM: &str = "dlq-cut-from";
    /// The original length of the key in bytes, if it was truncated.
    pub const KEY_CUT_FROM: &str = "dlq-key-cut-from";

    /// A record that cannot be used, with the reason.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct DeadLetter {
        /// The record's key, if it has one.
        pub key: Option<Vec<u8>>,
        /// The record's value.
        pub value: Vec<u8>,
        /// Where the record came from.
        pub source: Source,
        /// The reason, for people.
        pub reason: String,
        /// The reason as a label of metrics.
        pub kind: &'static str,
    }

    /// Where a record came from, as text for the headers.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct Source {
        /// The topic.
        pub topic: String,
        /// The partition.
        pub partition: String,
        /// The offset.
        pub offset: String,
    }
}

/// Why an operation with Kafka failed; see [`Error::is_retryable`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client could not be created: its settings are wrong.
    #[error("Kafka client for {brokers}: {source}")]
    Client {
        /// The brokers' addresses.
        brokers: String,
        /// What librdkafka says.
        source: rdkafka::error::KafkaError,
    },
    /// The broker did not confirm the record in time; it may or may not have stored it.
    #[error(
        "topic {topic}: not confirmed by the broker: {source}; check that Kafka is up and reachable"
    )]
    NotConfirmed {
        /// Where it was to go.
        topic: String,
        /// What librdkafka says.
        source: rdkafka::error::KafkaError,
    },
    /// The broker will never accept this record, for example because it is too large.
    #[error("topic {topic}: the broker refuses the record: {source}")]
    Refused {
        /// Where it was to go.
        topic: String,
        /// What librdkafka says.
        source: rdkafka::error::KafkaError,
    },
    /// The brokers did not answer.
    #[error("Kafka at {brokers} does not answer: {reason}")]
    Unreachable {
        /// The brokers' addresses.
        brokers: String,
        /// The reason.
        reason: String,
    },
    /// The brokers answer, but the addresses that they advertise are unreachable.
    #[error(
        "Kafka at {brokers} refers clients to {advertised}, which is unreachable from here ({reason}): set the broker's \
         advertised.listeners to an address that every client can reach"
    )]
    Advertised {
        /// The configured addresses.
        brokers: String,
        /// The address that a broker advertises.
        advertised: String,
        /// Why it cannot be reached.
        reason: String,
    },
}

impl Error {
    /// Whether a retry can succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Client { .. })
    }
}
