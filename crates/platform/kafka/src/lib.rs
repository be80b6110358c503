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
    /// The brokers answer, but send their clients to an address where nobody is.
    #[error(
        "Kafka at {brokers} sends its clients on to {advertised}, which cannot be reached from here ({source}): set the broker's \
         advertised.listeners to an address that every client reaches"
    )]
    Advertised {
        /// Who was asked.
        brokers: String,
        /// The address that a broker gives as its own.
        advertised: String,
        /// Why it cannot be reached.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether trying again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Client { .. })
    }
}
