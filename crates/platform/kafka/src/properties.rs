//! Connection properties in a file with librdkafka's names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::BaseProducer;
use secrets::{ExposeSecret, SecretString};

/// The prefixes of the permitted properties, which concern only the connection. The system sets all others itself: a producer that
/// does not wait for all replicas, or a consumer in another group, would lose orders.
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

/// Why a properties file cannot be used. Contains no values.
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
    /// A line is not a permitted property.
    #[error("line {line} of {}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Each property is valid, but not the combination.
    #[error("the Kafka properties in {} cannot be used together: {reason}", path.display())]
    Together {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The location of the clients that use the properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Clients in this process: files in properties must exist on this machine.
    ThisProcess,
    /// Clients elsewhere, such as Restate's, where other files may exist.
    Elsewhere,
}

/// Connection properties of librdkafka: protocol, credentials, certificates, sockets.
///
/// The `Debug` output contains only names, never values.
#[derive(Clone, Default)]
pub struct Properties(BTreeMap<String, SecretString>);

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Properties {
    /// Reads a file with one property `name=value` per line. Ignores blank lines and lines that begin with `#`.
    ///
    /// A value extends to the end of the line, without surrounding spaces. A relative path in a `….location` is relative to the
    /// file's directory.
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
        // Editors on Windows may add a byte order mark.
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
                .ok_or_else(|| wrong("the line must be name=value".to_owned()))?;
            let (name, value) = (name.trim(), value.trim());
            if text.contains('\0') {
                return Err(wrong("the line contains a zero byte".to_owned()));
            }
            check_property(name, value).map_err(wrong)?;
            let value = match whose {
                For::ThisProcess => with_absolute_path(name, value, path).map_err(wrong)?,
                For::Elsewhere => value.to_owned(),
            };
            let former = properties.insert(name.to_owned(), SecretString::from(value));
            if former.is_some() {
                return Err(wrong(format!("{name} is already set on an earlier line")));
            }
        }
        Ok(Self(properties))
    }

    /// Checks that librdkafka can create a client with the properties, for which it reads the certificates and keys.
    fn check(&self, path: &Path) -> Result<(), Error> {
        let mut config = ClientConfig::new();
        self.apply(&mut config);
        let made: Result<BaseProducer, _> = config.create();
        made.map(drop).map_err(|error| {
            let text = match error {
                KafkaError::ClientCreation(text) => text,
                error => error.to_string(),
            };
            // Without `sasl.mechanism`, librdkafka uses Kerberos.
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

    /// Sets the properties in a client's configuration.
    pub(crate) fn apply(&self, config: &mut ClientConfig) {
        for (name, value) in self.iter() {
            config.set(name, value);
        }
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (self.0.iter()).map(|(name, value)| (name.as_str(), value.expose_secret()))
    }
}

/// Whether the value of a property is secret.
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

/// Checks that a property is valid and permitted in the file.
fn check_property(name: &str, value: &str) -> Result<(), String> {
    let mut alone = ClientConfig::new();
    alone.set(name, value);
    if let Err(KafkaError::ClientConfig(_, reason, ..)) = alone.create_native_config() {
        // librdkafka's reason may contain the value.
        return Err(match value {
            "" => reason,
            value => reason.replace(value, "…"),
        });
    }
    if !ALLOWED.iter().any(|start| name.starts_with(start)) {
        return Err(format!(
            "{name} is not permitted in this file, which may only set connection properties (security.…, sasl.…, ssl.…, \
             socket.…): the system sets all others itself"
        ));
    }
    Ok(())
}

/// The value of a property, where the path of a file is made absolute.
fn with_absolute_path(name: &str, value: &str, properties: &Path) -> Result<String, String> {
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
    fn comments_spaces_line_ends_and_a_byte_order_mark_are_ignored() {
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
    fn errors_contain_the_line_but_no_values() {
        for (line, expected) in [
            ("security.protocol: SSL", "must be name=value"),
            ("security.protocl=hunter2", "No such configuration property"),
            ("security.protocol=hunter2", "security.protocol"),
            ("bootstrap.servers=hunter2:9092", "is not permitted"),
            ("group.id=hunter2", "is not permitted"),
            ("acks=1", "is not permitted"),
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
        let former = parse("ssl.ca.location=a\nssl.ca.location=b\n").unwrap_err();
        assert!(former.to_string().contains("line 2"), "{former}");
    }

    #[test]
    fn a_missing_mechanism_and_a_missing_file_are_reported() {
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
    fn paths_are_made_absolute_for_this_process_only() {
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
