//! How brokers are reached, from a file with librdkafka's property names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::BaseProducer;
use secrets::{ExposeSecret, SecretString};

/// What the names of those properties begin with that say how brokers are reached. All others are set by this system: a
/// producer that does not wait for all replicas, or a consumer in another group, would lose orders.
const ALLOWED: [&str; 9] = [
    "security.",
    "sasl.",
    "ssl.",
    "enable.ssl.certificate.verification",
    "enable.sasl.oauthbearer.unsecure.jwt",
    "https.ca.",
    "broker.address.",
    "client.dns.lookup",
    "socket.",
];

/// Why a file of properties cannot be used. Tells no values.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the Kafka properties in {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line is not a property that can be used.
    #[error("line {line} of {}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Each property is fine, but together they are not.
    #[error("the Kafka properties in {} cannot be used together: {reason}", path.display())]
    Together {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Whose client the properties are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Clients in this process: files that are named must be here.
    ThisProcess,
    /// Clients elsewhere, such as Restate's, which may have other files.
    Elsewhere,
}

/// Properties of librdkafka that say how brokers are reached: protocol, credentials, certificates, sockets.
///
/// Shows names only, never values.
#[derive(Clone, Default)]
pub struct Properties(BTreeMap<String, SecretString>);

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Properties {
    /// Reads a file of properties, `name=value` on each line; blank lines and those that begin with `#` are remarks.
    ///
    /// Values go to the end of the line, without the spaces around them. A relative path in a `….location` is relative to the
    /// directory of the file.
    pub fn read(path: &Path, whose: For) -> Result<Self, Error> {
        let text = secrets::text(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let properties = Self::parse(text.expose_secret(), path, whose)?;
        if whose == For::ThisProcess {
            properties.check(path)?;
        }
        properties.warn_if_others_can_read(path);
        Ok(properties)
    }

    fn parse(text: &str, path: &Path, whose: For) -> Result<Self, Error> {
        let mut properties = BTreeMap::new();
        // Windows' editors put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let wrong = |reason: String| Error::Line {
                path: path.to_owned(),
                line,
                reason,
            };
            let (name, value) = text
                .split_once('=')
                .ok_or_else(|| wrong("it must be name=value".to_owned()))?;
            let (name, value) = (name.trim(), value.trim());
            if text.contains('\0') {
                return Err(wrong("it has a zero byte".to_owned()));
            }
            judge(name, value).map_err(wrong)?;
            let value = match whose {
                For::ThisProcess => located(name, value, path).map_err(wrong)?,
                For::Elsewhere => value.to_owned(),
            };
            let twice = properties.insert(name.to_owned(), SecretString::from(value));
            if twice.is_some() {
                return Err(wrong(format!("{name} was set further up")));
            }
        }
        Ok(Self(properties))
    }

    /// Whether librdkafka can make a client of them: it reads the certificates and keys meanwhile.
    fn check(&self, path: &Path) -> Result<(), Error> {
        let mut config = ClientConfig::new();
        self.apply(&mut config);
        let made: Result<BaseProducer, _> = config.create();
        made.map(drop).map_err(|error| {
            let text = match error {
                KafkaError::ClientCreation(text) => text,
                error => error.to_string(),
            };
            // Without `sasl.mechanism`, librdkafka means Kerberos.
            let reason = if text.contains("No provider for SASL mechanism") {
                "sasl.mechanism must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER (GSSAPI, the default, is not built in)"
                    .to_owned()
            } else {
                text
            };
            Error::Together {
                path: path.to_owned(),
                reason,
            }
        })
    }

    #[cfg(unix)]
    fn warn_if_others_can_read(&self, path: &Path) {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map_or(0, |file| file.permissions().mode());
        if mode & 0o004 != 0 && self.0.keys().any(|name| is_secret(name)) {
            tracing::warn!(
                "every user of this machine can read the secrets in {0}: chmod 600 {0}",
                path.display()
            );
        }
    }

    #[cfg(not(unix))]
    fn warn_if_others_can_read(&self, _: &Path) {}

    /// Sets all of them in the configuration of a client.
    pub(crate) fn apply(&self, config: &mut ClientConfig) {
        for (name, value) in self.iter() {
            config.set(name, value);
        }
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.0.iter()).map(|(name, value)| (name.as_str(), value.expose_secret()))
    }
}

/// Whether the value of a property is not to be shown.
fn is_secret(name: &str) -> bool {
    [
        "password",
        "secret",
        ".pem",
        "passphrase",
        "sasl.oauthbearer.config",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// Whether a property may stand in the file.
fn judge(name: &str, value: &str) -> Result<(), String> {
    let mut alone = ClientConfig::new();
    alone.set(name, value);
    if let Err(KafkaError::ClientConfig(_, reason, ..)) = alone.create_native_config() {
        // It may repeat the value.
        return Err(match value {
            "" => reason,
            value => reason.replace(value, "…"),
        });
    }
    if !ALLOWED.iter().any(|start| name.starts_with(start)) {
        return Err(format!(
            "{name} is not for this file, which says how brokers are reached (security.…, sasl.…, ssl.…, socket.…): \
             what else Kafka's clients need to know, the system sets by itself"
        ));
    }
    Ok(())
}

/// The value of a property; where it names a file, that file, from wherever this process was started.
fn located(name: &str, value: &str, properties: &Path) -> Result<String, String> {
    if !name.ends_with(".location") || value == "probe" {
        return Ok(value.to_owned());
    }
    let directory = properties.parent().unwrap_or(Path::new(""));
    let file = std::path::absolute(directory.join(value)).map_err(|error| error.to_string())?;
    match std::fs::metadata(&file) {
        Ok(_) => Ok(file.display().to_string()),
        Err(error) => Err(format!("{name} names {}: {error}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Properties, Error> {
        Properties::parse(text, Path::new("/etc/kafka.properties"), For::Elsewhere)
    }

    fn read(text: &str) -> Result<Properties, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kafka.properties");
        std::fs::write(&path, text).unwrap();
        Properties::read(&path, For::ThisProcess)
    }

    #[test]
    fn remarks_spaces_line_ends_and_a_byte_order_mark_do_not_matter() {
        let text = "\u{feff}# ours\r\nsecurity.protocol = SASL_PLAINTEXT\r\n\r\n  sasl.mechanism=PLAIN\r\nsasl.username=a=b #1\nsasl.password=x\n";
        let properties = read(text).unwrap();
        let found: Vec<_> = properties.iter().collect();
        assert_eq!(
            found,
            [
                ("sasl.mechanism", "PLAIN"),
                ("sasl.password", "x"),
                ("sasl.username", "a=b #1"),
                ("security.protocol", "SASL_PLAINTEXT"),
            ]
        );
        assert_eq!(read("").unwrap().iter().count(), 0);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_without_values() {
        for (line, expected) in [
            ("security.protocol: SSL", "must be name=value"),
            ("security.protocl=hunter2", "No such configuration property"),
            ("security.protocol=hunter2", "security.protocol"),
            ("bootstrap.servers=hunter2:9092", "is not for this file"),
            ("group.id=hunter2", "is not for this file"),
            ("acks=1", "is not for this file"),
            (
                "ssl.truststore.location=/hunter2.jks",
                "use `ssl.ca.location`",
            ),
            ("sasl.jaas.config=hunter2", "JAAS"),
            ("socket.timeout.ms=hunter2", "socket.timeout.ms"),
            ("sasl.password", "must be name=value"),
            ("=x", "No such configuration property"),
        ] {
            let error = parse(&format!("# one\n{line}\n")).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(
                text.contains("line 2 of /etc/kafka.properties: "),
                "{line}: {text}"
            );
            assert!(text.contains(expected), "{line}: {text}");
            assert!(!text.contains("hunter2"), "{line}: {text}");
        }
        let twice = parse("ssl.ca.location=a\nssl.ca.location=b\n").unwrap_err();
        assert!(twice.to_string().contains("line 2"), "{twice}");
    }

    #[test]
    fn a_mechanism_that_is_missing_and_a_file_that_is_not_there_are_said_plainly() {
        let error = read("security.protocol=SASL_PLAINTEXT\n").unwrap_err();
        assert!(error.to_string().contains("must be PLAIN"), "{error}");
        let error = read("ssl.ca.location=ca.pem\n").unwrap_err();
        assert!(
            error.to_string().contains("/ca.pem: No such file"),
            "{error}"
        );
        let error = Properties::read(Path::new("/nowhere/x"), For::ThisProcess).unwrap_err();
        assert!(error.to_string().contains("/nowhere/x"), "{error}");
    }

    #[test]
    fn values_are_not_shown() {
        let shown = format!(
            "{:?}",
            parse("sasl.username=me\nsasl.password=hunter2\n").unwrap()
        );
        assert_eq!(shown, r#"{"sasl.password", "sasl.username"}"#);
    }

    #[test]
    fn files_beside_the_properties_are_found_from_anywhere_and_those_elsewhere_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ca.pem"), "").unwrap();
        let properties = directory.path().join("kafka.properties");
        let parsed = |whose| Properties::parse("ssl.ca.location=ca.pem", &properties, whose);
        let here = parsed(For::ThisProcess).unwrap();
        let ca = directory.path().join("ca.pem").display().to_string();
        assert_eq!(
            here.iter().collect::<Vec<_>>(),
            [("ssl.ca.location", ca.as_str())]
        );
        let elsewhere = parsed(For::Elsewhere).unwrap();
        assert_eq!(
            elsewhere.iter().collect::<Vec<_>>(),
            [("ssl.ca.location", "ca.pem")]
        );
    }
}
