//! Connection settings, and explanations of connection errors.

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

/// The key of the properties file in `endpoints.json`.
pub const PROPERTIES_FILE: &str = "kafka-properties-file";

/// Parses the value of a flag with broker addresses: `host:port,…`. The default port is 9092.
///
/// librdkafka itself accepts almost any text, and fails only later, when it resolves the host name.
pub fn brokers(text: &str) -> Result<String, InvalidBrokers> {
    let brokers: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|broker| !broker.is_empty())
        .collect();
    if brokers.is_empty() {
        return Err(InvalidBrokers::None);
    }
    for broker in &brokers {
        if !is_broker(broker) {
            return Err(InvalidBrokers::Address((*broker).to_owned()));
        }
    }
    Ok(brokers.join(","))
}

/// Whether `text` is a host with an optional port and, as librdkafka permits, an optional protocol.
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
        // An IPv6 address is in brackets.
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

/// Why a text is not a list of broker addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBrokers {
    /// It contains no address.
    #[error("give at least one broker, such as 127.0.0.1:9092")]
    None,
    /// An entry is not an address.
    #[error(
        "{0:?} is not a broker address such as kafka.example.com:9092; separate several addresses with commas"
    )]
    Address(String),
}

/// How to reach the brokers: their addresses, and librdkafka's properties for the connection.
#[derive(Debug, Clone)]
pub struct Connection {
    brokers: String,
    properties: Properties,
}

impl Connection {
    /// A connection to `brokers` (`host:port,…`) without encryption or credentials.
    #[must_use]
    pub fn plain(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            properties: Properties::default(),
        }
    }

    /// A connection to `brokers` with the properties in `file`, if there is one.
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

    /// The connection in the addresses that `up` writes (`endpoints.json`); `None` if they contain no Kafka.
    pub fn from_endpoints(
        endpoints: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, properties::Error> {
        let file = endpoints.get(PROPERTIES_FILE).map(Path::new);
        let brokers = endpoints.get("kafka");
        brokers
            .map(|brokers| Self::with_file(brokers, file))
            .transpose()
    }

    /// The same properties with other broker addresses.
    #[must_use]
    pub fn at(&self, brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            properties: self.properties.clone(),
        }
    }

    /// The same brokers with other properties.
    #[must_use]
    pub fn with_properties(self, properties: Properties) -> Self {
        Self { properties, ..self }
    }

    /// The brokers' addresses: `host:port,…`.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// librdkafka's properties for the connection.
    #[must_use]
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// The configuration of a client with this connection.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        // librdkafka logs at this level that a broker closes the connection.
        config.set_log_level(RDKafkaLogLevel::Info);
        // Shorter than callers wait, so that errors can name the address that is unreachable.
        config.set("socket.connection.setup.timeout.ms", "4000");
        self.properties.apply(&mut config);
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// The error that a client could not be created.
    #[must_use]
    pub fn client_error(&self, source: KafkaError) -> Error {
        Error::Client {
            brokers: self.brokers.clone(),
            source,
        }
    }

    /// The error that the brokers did not answer. A reason in `last_error` is more precise than that of a timed-out request.
    pub(crate) fn unreachable(
        &self,
        last_error: &LastError,
        otherwise: impl Into<String>,
    ) -> Error {
        let brokers = self.brokers.clone();
        let reason = last_error.last().unwrap_or_else(|| otherwise.into());
        let advertised = advertised_in(&reason).map(str::to_owned);
        match advertised.filter(|address| brokers.split(',').all(|given| given != address)) {
            Some(advertised) => Error::Advertised {
                brokers,
                advertised,
                reason,
            },
            None => Error::Unreachable { brokers, reason },
        }
    }
}

/// The address of a broker in librdkafka's error that it cannot be reached, if a broker has advertised it: such an address is
/// followed by the broker's id, a configured one by `bootstrap`.
fn advertised_in(reason: &str) -> Option<&str> {
    let (broker, _) = reason.split_once(": Connect to ")?;
    let (address, id) = broker.rsplit_once('/')?;
    id.parse::<u32>().ok()?;
    Some(
        address
            .rsplit_once("://")
            .map_or(address, |(_, address)| address),
    )
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

/// A client context that remembers the last error of the brokers. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct LastError(Arc<Mutex<Option<String>>>);

impl LastError {
    /// The explanation of the last error since [`forget`](Self::forget).
    #[must_use]
    pub fn last(&self) -> Option<String> {
        self.0.lock().clone()
    }

    fn note(&self, reason: String) {
        *self.0.lock() = Some(reason);
    }

    /// Forgets the last error, so that [`last`](Self::last) returns only newer ones.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }
}

impl ClientContext for LastError {
    fn error(&self, error: KafkaError, reason: &str) {
        // This error follows those of the individual brokers and adds nothing to them.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            return;
        }
        tracing::debug!(%error, reason, "librdkafka");
        self.note(explain(reason));
    }

    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
        // librdkafka does not report an error if a broker closes the connection, even if it does so every time.
        if facility == "FAIL" && meaning(message).is_some() {
            self.note(explain(message));
        }
    }
}

impl ConsumerContext for LastError {}

impl ProducerContext for LastError {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// What an obscure `reason` of librdkafka means, and what to do.
fn meaning(reason: &str) -> Option<&'static str> {
    // (part of librdkafka's text, meaning)
    const MEANINGS: [(&str, &str); 13] = [
        (
            "might require SASL authentication",
            "the broker requires a user name and password: set security.protocol=SASL_PLAINTEXT or SASL_SSL in the file of \
             --kafka-properties-file",
        ),
        (
            "connecting to a SSL listener",
            "the broker requires TLS: set security.protocol=SSL or SASL_SSL in the file of --kafka-properties-file",
        ),
        (
            "connecting to a PLAINTEXT broker listener",
            "the broker does not use TLS on this port: use another port, or set security.protocol=PLAINTEXT or SASL_PLAINTEXT",
        ),
        (
            "mechanism handshake failed",
            "the broker does not support this mechanism on this port, or accepts no credentials: check security.protocol and sasl.mechanism",
        ),
        (
            "Authentication failed",
            "the broker refuses the user name or the password: check sasl.username, sasl.password and sasl.mechanism",
        ),
        (
            "SASL authentication error",
            "the broker refuses these credentials: check sasl.mechanism, sasl.username and sasl.password",
        ),
        (
            "certificate could not be verified",
            "the broker's certificate is not signed by a trusted authority, or is another host's: see ssl.ca.location",
        ),
        // librdkafka's text is the same if the certificate is for another host.
        (
            "certificate verify failed",
            "the broker's certificate is not signed by a trusted authority, or is another host's: see ssl.ca.location",
        ),
        (
            "Invalid response size",
            "the server at this address is not Kafka, or uses TLS: check the port and security.protocol",
        ),
        (
            "certificate required",
            "the broker requires a client certificate: set ssl.certificate.location and ssl.key.location",
        ),
        (
            "alert certificate expired",
            "the client certificate has expired: check ssl.certificate.location",
        ),
        (
            "alert certificate unknown",
            "the broker refuses the client certificate, which may have expired: check ssl.certificate.location",
        ),
        (
            "bad certificate",
            "the broker requires a client certificate, or refuses this one: check ssl.certificate.location and ssl.key.location",
        ),
    ];
    // A broker that expects another protocol closes the connection without an error at the first request that it cannot read.
    if reason.contains("Disconnected: connection closed by peer") {
        if reason.contains("in state APIVERSION_QUERY") {
            return Some(
                "the broker closes the connection; if it always does, it requires TLS: set security.protocol=SSL or SASL_SSL in the \
                 file of --kafka-properties-file",
            );
        }
        if reason.contains("in state UP") {
            return Some(
                "the broker closes the connection; if it always does, it requires a user name and password: set \
                 security.protocol=SASL_PLAINTEXT or SASL_SSL in the file of --kafka-properties-file",
            );
        }
    }
    if reason.contains("SSL connection closed by peer") && reason.contains("in state SSL_HANDSHAKE")
    {
        return Some(
            "the broker closes the connection during the TLS handshake; if it always does, it does not use TLS on this port: use \
             another port, or set security.protocol=PLAINTEXT or SASL_PLAINTEXT",
        );
    }
    let found = MEANINGS.iter().find(|(said, _)| reason.contains(said));
    found.map(|(_, meaning)| *meaning)
}

/// The meaning of librdkafka's `reason`, followed by the reason itself.
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
    fn librdkafkas_errors_about_a_wrong_protocol_are_explained() {
        for (reason, expected) in [
            (
                "127.0.0.1:1/bootstrap: Disconnected: verify that security.protocol is correctly configured, broker might \
                 require SASL authentication (after 347ms in state UP)",
                "requires a user name and password",
            ),
            (
                "127.0.0.1:1/bootstrap: Disconnected while requesting ApiVersion: might be caused by incorrect \
                 security.protocol configuration (connecting to a SSL listener?) or broker version is < 0.10",
                "requires TLS",
            ),
            (
                "ssl://127.0.0.1:1/bootstrap: error:0A000086:SSL routines::certificate verify failed (after 53ms in state \
                 SSL_HANDSHAKE)",
                "another host's",
            ),
            (
                "ssl://127.0.0.1:1/bootstrap: Disconnected: SSL connection closed by peer (after 3ms in state SSL_HANDSHAKE)",
                "does not use TLS",
            ),
            (
                "127.0.0.1:1/bootstrap: Receive failed: Invalid response size 1213486160 (0..100000000): increase \
                 receive.message.max.bytes (after 2ms in state APIVERSION_QUERY)",
                "is not Kafka",
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
    fn an_advertised_address_that_is_unreachable_is_named_unless_it_was_configured() {
        let reason = "127.0.0.1:1/1: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)";
        let unreachable = |brokers: &str, reason: &str| {
            let error = Connection::plain(brokers).unreachable(&LastError::default(), reason);
            error.to_string()
        };
        let said = unreachable("127.0.0.1:9092", reason);
        assert!(said.contains("refers clients to 127.0.0.1:1,"), "{said}");
        let tls = format!("sasl_ssl://{reason}");
        let said = unreachable("127.0.0.1:9092", &tls);
        assert!(said.contains("refers clients to 127.0.0.1:1,"), "{said}");
        let said = unreachable("b:9092,127.0.0.1:1", reason);
        assert!(!said.contains("advertised"), "{said}");
        let bootstrap = reason.replace("/1:", "/bootstrap:");
        let said = unreachable("127.0.0.1:9092", &bootstrap);
        assert!(!said.contains("advertised"), "{said}");
    }

    #[test]
    fn broker_addresses_are_parsed() {
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
    fn the_brokers_of_a_connection_can_be_replaced() {
        let connection = Connection::plain("a:1").at("b:2");
        assert_eq!(connection.config().get("bootstrap.servers"), Some("b:2"));
    }
}
