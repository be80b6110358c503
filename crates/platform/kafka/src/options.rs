//! Settings of Kafka clients.

use std::path::PathBuf;

use clap::Args;

use crate::{Connection, properties};

/// How to reach Kafka.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// Kafka's brokers
    #[arg(
        id = "kafka-brokers",
        long,
        env = "FOOD_ORDERING_KAFKA_BROKERS",
        value_parser = crate::brokers,
        default_value = "127.0.0.1:9092",
        value_name = "HOST:PORT,…"
    )]
    pub brokers: String,
    /// Settings of Kafka clients besides the brokers' addresses.
    #[command(flatten)]
    pub properties: PropertiesFile,
}

impl Options {
    /// The connection to the brokers.
    pub fn connection(&self) -> Result<Connection, properties::Error> {
        self.properties.connection(&self.brokers)
    }
}

/// Settings of Kafka clients besides the brokers' addresses.
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct PropertiesFile {
    /// For brokers with a password or TLS: a file of librdkafka properties (security.protocol,
    /// sasl.mechanism, sasl.username, sasl.password, ssl.ca.location, ssl.certificate.location, ssl.key.location, …),
    /// one name=value per line
    #[arg(
        id = "kafka-properties-file",
        long,
        env = "FOOD_ORDERING_KAFKA_PROPERTIES_FILE",
        value_name = "FILE"
    )]
    pub file: Option<PathBuf>,
}

impl PropertiesFile {
    /// The connection to the brokers at these addresses.
    pub fn connection(&self, brokers: &str) -> Result<Connection, properties::Error> {
        Connection::with_file(brokers, self.file.as_deref())
    }
}
