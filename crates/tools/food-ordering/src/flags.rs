//! Flags that several commands share: the addresses of Kafka and Restate, and the data directory.

use std::path::PathBuf;

use clap::Args;
use kafka::Connection;

/// Kafka.
#[derive(Debug, Clone, Args)]
pub struct Kafka {
    /// Kafka's brokers
    #[arg(
        id = "kafka-brokers",
        long,
        env = "FOOD_ORDERING_KAFKA_BROKERS",
        value_parser = kafka::brokers, default_value = "127.0.0.1:9092",
        value_name = "HOST:PORT,…"
    )]
    pub brokers: String,
    /// What clients have to know beside the brokers.
    #[command(flatten)]
    pub properties: KafkaProperties,
}

impl Kafka {
    /// How the brokers are reached.
    pub fn connection(&self) -> anyhow::Result<Connection> {
        self.properties.connection(&self.brokers)
    }
}

/// Settings of Kafka clients besides the brokers' addresses.
#[derive(Debug, Clone, Default, Args)]
pub struct KafkaProperties {
    /// For brokers with a password or TLS: a file with librdkafka's properties (security.protocol,
    /// sasl.mechanism, sasl.username, sasl.password, ssl.ca.location, ssl.certificate.location, ssl.key.location, …),
    /// name=value on each line
    #[arg(
        id = "kafka-properties-file",
        long,
        env = "FOOD_ORDERING_KAFKA_PROPERTIES_FILE",
        value_name = "FILE"
    )]
    pub file: Option<PathBuf>,
}

impl KafkaProperties {
    /// How the brokers at these addresses are reached.
    pub fn connection(&self, brokers: &str) -> anyhow::Result<Connection> {
        Ok(Connection::with_file(brokers, self.file.as_deref())?)
    }
}

/// Restate's ingress.
#[derive(Debug, Clone, Args)]
pub struct RestateIngress {
    /// Restate's ingress; with several nodes the address of each, so that any of them may be down
    #[arg(
        id = "restate-ingress",
        long,
        env = "FOOD_ORDERING_RESTATE_INGRESS",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL,…"
    )]
    pub urls: String,
}

/// Restate's admin API.
#[derive(Debug, Clone, Args)]
pub struct RestateAdmin {
    /// Restate's admin API; with several nodes the address of each, so that any of them may be down
    #[arg(
        id = "restate-admin",
        long,
        env = "FOOD_ORDERING_RESTATE_ADMIN",
        default_value = "http://127.0.0.1:9070",
        value_name = "URL,…"
    )]
    pub urls: String,
}

/// The data directory of an `up`.
#[derive(Debug, Clone, Args)]
pub struct DataDirectory {
    /// The data directory of `food-ordering up`: data, keys and logs
    #[arg(
        id = "data-dir",
        long,
        env = "FOOD_ORDERING_DATA_DIR",
        default_value = ".food-ordering",
        value_name = "DIRECTORY"
    )]
    pub path: PathBuf,
}
