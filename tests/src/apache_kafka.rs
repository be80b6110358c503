//! Apache Kafka itself, with a listener for each way to connect.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use kafka::Connection;
use tempfile::TempDir;

use crate::certificates::certificates;
use crate::launcher::trials;
use crate::{SOON, eventually};

/// How long the broker may take to start; its jars may have to be fetched first.
const READY_WITHIN: Duration = Duration::from_mins(5);

/// One broker with four listeners: plain text, user and password over plain text, TLS with certificates on both sides, and one with a
/// wrong advertised address. The broker is killed when this is dropped.
pub struct ApacheKafka {
    process: Child,
    directory: TempDir,
    plain: u16,
    sasl: u16,
    tls: u16,
    lost: u16,
}

impl ApacheKafka {
    /// Starts it and waits until it answers.
    pub async fn start() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("food-ordering-kafka-")
            .tempdir()?;
        certificates(directory.path())?;
        // Another process could take these ports before the broker does, but that is unlikely.
        let listeners = (0..5)
            .map(|_| TcpListener::bind("127.0.0.1:0"))
            .collect::<Result<Vec<_>, _>>()?;
        let ports = (listeners.iter())
            .map(|listener| Ok(listener.local_addr()?.port()))
            .collect::<anyhow::Result<Vec<u16>>>()?;
        drop(listeners);
        let [plain, sasl, tls, lost, controller] = ports[..] else {
            anyhow::bail!("five ports");
        };
        let at = directory.path().display();
        std::fs::write(
            directory.path().join("server.extra"),
            format!(
                "listeners=BROKER://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},TLS://127.0.0.1:{tls},LOST://127.0.0.1:{lost},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},TLS://127.0.0.1:{tls},LOST://{NOWHERE}
controller.quorum.voters=1@127.0.0.1:{controller}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,LOST:PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_food=\"{PASSWORD}\";
listener.name.tls.ssl.client.auth=required
listener.name.tls.ssl.keystore.type=PEM
listener.name.tls.ssl.keystore.location={at}/server.pem
listener.name.tls.ssl.truststore.type=PEM
listener.name.tls.ssl.truststore.location={at}/ca.pem
"
            ),
        )?;
        std::fs::write(
            directory.path().join("sasl.properties"),
            format!(
                "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=food\nsasl.password={PASSWORD}\n"
            ),
        )?;
        std::fs::write(
            directory.path().join("tls.properties"),
            "security.protocol=SSL\nssl.ca.location=ca.pem\nssl.certificate.location=client.pem\nssl.key.location=client.key\n",
        )?;
        Ok(Self {
            process: run(directory.path(), plain).await?,
            directory,
            plain,
            sasl,
            tls,
            lost,
        })
    }

    /// Kills it, and starts it again with its data.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        // The broker ends a moment after the program that started it.
        eventually("the broker's port to be free", SOON, async || {
            TcpListener::bind(address(self.plain)).map_err(|error| error.to_string())
        })
        .await;
        self.process = run(self.directory.path(), self.plain).await?;
        Ok(())
    }

    /// The connection without encryption or credentials.
    #[must_use]
    pub fn plain(&self) -> Connection {
        Connection::plain(address(self.plain))
    }

    /// The address that requires a user and password, and the properties file with both.
    #[must_use]
    pub fn sasl(&self) -> (String, PathBuf) {
        (address(self.sasl), self.file("sasl.properties"))
    }

    /// The address that requires a client certificate, and the properties file that names it.
    #[must_use]
    pub fn tls(&self) -> (String, PathBuf) {
        (address(self.tls), self.file("tls.properties"))
    }

    /// A listener without encryption or credentials, whose advertised address is unreachable, as is common with brokers in
    /// containers.
    #[must_use]
    pub fn misadvertised(&self) -> Connection {
        Connection::plain(address(self.lost))
    }

    /// Writes a properties file with this text, in the directory of the certificates.
    pub fn properties(&self, text: &str) -> anyhow::Result<PathBuf> {
        let file = tempfile::Builder::new()
            .suffix(".properties")
            .tempfile_in(self.directory.path())?;
        let (_, path) = file.keep()?;
        std::fs::write(&path, text)?;
        Ok(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for ApacheKafka {
    fn drop(&mut self) {
        // The broker ends with the program that started it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the broker with the files in this directory, and waits until it answers.
async fn run(directory: &Path, plain: u16) -> anyhow::Result<Child> {
    let at = directory.display();
    let log = directory.join("trials.log");
    let out = std::fs::File::create(&log)?;
    let mut process = Command::new(trials()?)
        .arg("kafka")
        .arg(format!("--port={plain}"))
        .arg(format!("--data-dir={at}/data"))
        .arg(format!("--server-properties={at}/server.extra"))
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .spawn()
        .context("starting Apache Kafka")?;
    eventually("Apache Kafka", READY_WITHIN, async || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        match process.try_wait() {
            Ok(None) if said.contains("is ready at") => Ok(Ok(())),
            Ok(None) => Err(said),
            ended => Ok(Err(anyhow::anyhow!("Apache Kafka: {ended:?}\n{said}"))),
        }
    })
    .await?;
    Ok(process)
}

/// An address at which no program listens: the system never gives this port to a program that asks for a free one.
const NOWHERE: &str = "127.0.0.1:1";

/// The password of user `food`.
const PASSWORD: &str = "open-sesame-7";

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}
