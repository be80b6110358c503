//! How to reach the brokers, and why they could not be reached.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};

use crate::Error;
use crate::properties::{self, For, Properties};

/// By this name `endpoints.json` names the file with the properties.
pub const PROPERTIES_FILE: &str = "kafka-properties-file";

/// Reads the addresses of brokers as they stand in a flag: `host:port,…`, where librdkafka's own port 9092 may be left out.
///
/// librdkafka takes almost any text, and says later that it resolves no host of this name.
pub fn brokers(text: &str) -> Result<String, NoBrokers> {
    let brokers: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|broker| !broker.is_empty())
        .collect();
    if brokers.is_empty() {
        return Err(NoBrokers::None);
    }
    for broker in &brokers {
        if !is_broker(broker) {
            return Err(NoBrokers::NotOne((*broker).to_owned()));
        }
    }
    Ok(brokers.join(","))
}

/// A host with or without a port; librdkafka takes the protocol before it too.
fn is_broker(text: &str) -> bool {
    const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];
    let address = match text.split_once("://") {
        Some((protocol, address)) if PROTOCOLS.contains(&protocol.to_lowercase().as_str()) => {
            address
        }
        Some(_) => return false,
        None => text,
    };
    let (host, port) = match address.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (address, None),
    };
    let is_in_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = bracketed.map_or_else(
        || !host.is_empty() && host.chars().all(is_in_name),
        |host| host.parse::<Ipv6Addr>().is_ok(),
    );
    is_host && port.is_none_or(|port| port.parse().is_ok_and(|port: u16| port > 0))
}

/// A text that does not say where brokers are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBrokers {
    /// It has no address in it.
    #[error("give at least one broker, such as 127.0.0.1:9092")]
    None,
    /// Something in it is no address.
    #[error(
        "{0:?} is no broker's address such as kafka.example.com:9092; several are separated by commas"
    )]
    NotOne(String),
}

/// How the brokers are reached: their addresses, and what librdkafka has to know beside them.
#[derive(Debug, Clone)]
pub struct Connection {
    brokers: String,
    properties: Properties,
}

impl Connection {
    /// Without encryption or credentials, to the cluster that `brokers` (`host:port,…`) lead to.
    #[must_use]
    pub fn plain(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            properties: Properties::default(),
        }
    }

    /// With the properties in `file`, if one is given.
    pub fn with_file(
        brokers: impl Into<String>,
        file: Option<&Path>,
    ) -> Result<Self, properties::Error> {
        let properties = file.map(|file| Properties::read(file, For::ThisProcess));
        Ok(Self {
            brokers: brokers.into(),
            properties: properties.transpose()?.unwrap_or_default(),
        })
    }

    /// As the addresses that `up` writes down (`endpoints.json`) have it; `None` if they name no Kafka.
    pub fn from_endpoints(
        endpoints: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, properties::Error> {
        let file = endpoints.get(PROPERTIES_FILE).map(Path::new);
        let brokers = endpoints.get("kafka");
        brokers
            .map(|brokers| Self::with_file(brokers, file))
            .transpose()
    }

    /// The same, with the cluster at other addresses.
    #[must_use]
    pub fn at(&self, brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            properties: self.properties.clone(),
        }
    }

    /// The same, with other properties.
    #[must_use]
    pub fn with_properties(self, properties: Properties) -> Self {
        Self { properties, ..self }
    }

    /// `host:port,…`
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// What there is beside the addresses.
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// The configuration of a client that connects so.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        // That a broker hangs up is said at this level.
        config.set_log_level(RDKafkaLogLevel::Info);
        // Sooner than whoever waits gives up, so that it can be said which address is out of reach.
        config.set("socket.connection.setup.timeout.ms", "4000");
        self.properties.apply(&mut config);
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// The error of a client that could not be made.
    #[must_use]
    pub fn no_client(&self, source: KafkaError) -> Error {
        Error::Client {
            brokers: self.brokers.clone(),
            source,
        }
    }

    /// The error of brokers that could not be asked; what `trouble` knows is better than what a timed-out request can say.
    pub(crate) fn unreachable(&self, trouble: &Trouble, otherwise: impl Into<String>) -> Error {
        Error::Unreachable {
            brokers: self.brokers.clone(),
            reason: trouble.last().unwrap_or_else(|| otherwise.into()),
        }
    }
}

impl From<String> for Connection {
    fn from(brokers: String) -> Self {
        Self::plain(brokers)
    }
}

impl From<&str> for Connection {
    fn from(brokers: &str) -> Self {
        Self::plain(brokers)
    }
}

/// The context of a client: remembers the last trouble with the brokers. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// What the last trouble was since [`forget`](Self::forget), for people.
    #[must_use]
    pub fn last(&self) -> Option<String> {
        self.0.lock().clone()
    }

    fn note(&self, reason: String) {
        *self.0.lock() = Some(reason);
    }

    /// Whatever is told from now on is news.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }
}

impl ClientContext for Trouble {
    fn error(&self, error: KafkaError, reason: &str) {
        // It says only that there is trouble with each broker, and comes last.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            return;
        }
        tracing::debug!(%error, reason, "librdkafka");
        self.note(explain(reason));
    }

    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
        // A broker that hangs up is no error to librdkafka, even if it never does anything else.
        if facility == "FAIL" && meaning(message).is_some() {
            self.note(explain(message));
        }
    }
}

impl ConsumerContext for Trouble {}

impl ProducerContext for Trouble {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// What librdkafka's `reason` means where it is obscure, and what to do.
fn meaning(reason: &str) -> Option<&'static str> {
    // A broker that wants something else says nothing, and hangs up at the first request that it does not understand.
    if reason.contains("Disconnected: connection closed by peer") {
        if reason.contains("in state APIVERSION_QUERY") {
            return Some(
                "the broker hangs up; if it does so each time, it wants TLS: name a file with security.protocol=SSL or SASL_SSL by \
                 --kafka-properties-file",
            );
        }
        if reason.contains("in state UP") {
            return Some(
                "the broker hangs up; if it does so each time, it wants a user name and password: name a file with \
                 security.protocol=SASL_PLAINTEXT or SASL_SSL by --kafka-properties-file",
            );
        }
    }
    let mut meanings = include_str!("meanings.txt")
        .lines()
        .filter_map(|line| line.split_once(" => "));
    let found = meanings.find(|(said, _)| reason.contains(said));
    found.map(|(_, meaning)| meaning)
}

/// What librdkafka's `reason` means, and the reason itself.
fn explain(reason: &str) -> String {
    match meaning(reason) {
        Some(meaning) => format!("{meaning} ({reason})"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_librdkafka_says_of_the_wrong_protocol_is_explained() {
        for (reason, expected) in [
            (
                "127.0.0.1:1/bootstrap: Disconnected: verify that security.protocol is correctly configured, broker might \
                 require SASL authentication (after 347ms in state UP)",
                "wants a user name and password",
            ),
            (
                "127.0.0.1:1/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect \
                 security.protocol configuration (connecting to a SSL listener?) or broker version is < 0.10",
                "wants TLS",
            ),
            (
                "ssl://127.0.0.1:1/bootstrap: error:0A000086:SSL routines::certificate verify failed (after 53ms in state \
                 SSL_HANDSHAKE)",
                "another host's",
            ),
            (
                "127.0.0.1:1/bootstrap: Receive failed: Invalid response size 1213486160 (0..100000000): increase \
                 receive.message.max.bytes (after 2ms in state APIVERSION_QUERY)",
                "is no Kafka",
            ),
            (
                "127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused",
                "Connection refused",
            ),
        ] {
            let explained = explain(reason);
            assert!(
                explained.contains(expected) && explained.contains(reason),
                "{explained}"
            );
        }
    }

    #[test]
    fn addresses_of_brokers_are_read_as_librdkafka_takes_them() {
        for (text, read) in [
            ("a:1", "a:1"),
            (" a:1, b ,", "a:1,b"),
            ("[::1]:9092,[fe80::1]", "[::1]:9092,[fe80::1]"),
            (
                "SASL_SSL://kafka-1.example.com:9093",
                "SASL_SSL://kafka-1.example.com:9093",
            ),
            ("my_broker:65535", "my_broker:65535"),
        ] {
            assert_eq!(brokers(text).as_deref(), Ok(read));
        }
        for bad in [
            "",
            " ",
            ",,",
            ",,:,",
            ":",
            ":9092",
            "a:",
            "a:0",
            "a:65536",
            "a:b",
            "kafka://a:9092",
            "http://a",
            "a:1/x",
            "::1",
            "[::1",
            "[x]:1",
            "a b:1",
            "a;b",
        ] {
            assert!(brokers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn properties_cannot_lead_to_another_cluster() {
        let connection = Connection::plain("a:1").at("b:2");
        assert_eq!(connection.config().get("bootstrap.servers"), Some("b:2"));
    }
}
