//! A node of Apache Kafka that is its own controller (<https://kafka.apache.org/documentation/#brokerconfigs>).

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kafka::{Cluster, Connection};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::java::{self, Java};
use super::{download, jars};
use crate::files;
use crate::install::Cache;

pub use jars::VERSION;

/// How long the broker that prepares the archive may take to be ready, and then to end. Java starts slowly on a busy machine.
const PREPARED_WITHIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(50);

/// Apache Kafka on this machine, and a Java to run it.
#[derive(Debug, Clone)]
pub struct Installation {
    java: PathBuf,
    jars: PathBuf,
    /// The archive of loaded classes, with which the broker starts in half the time.
    classes: PathBuf,
}

impl Installation {
    /// One that exists nowhere.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        Self {
            java: PathBuf::new(),
            jars: PathBuf::new(),
            classes: PathBuf::new(),
        }
    }

    /// Finds Java and Apache Kafka, and installs what is missing: into `spare` if the user's cache cannot be written. `progress` is
    /// called with a line of text when a step takes long.
    pub async fn find(
        java: Option<&Path>,
        spare: Option<&Path>,
        progress: impl Fn(&str),
    ) -> anyhow::Result<Self> {
        let found = Self::find_or_install(java, spare, progress).await;
        found.with_context(|| {
            format!(
                "Apache Kafka {VERSION} cannot be used. Check the network and the disk space, give a Java with --java, a broker of \
                 your own with --kafka-brokers, or start with --kafka in-memory, which keeps no records"
            )
        })
    }

    async fn find_or_install(
        java: Option<&Path>,
        spare: Option<&Path>,
        progress: impl Fn(&str),
    ) -> anyhow::Result<Self> {
        let java = java::find(java, spare, &progress).await?;
        let cache = Cache::of(&format!("apache-kafka-{VERSION}"), spare)?;
        let found = Self::with(&java, &cache);
        let what = format!("Apache Kafka {VERSION} (43 MB)");
        let install = async |_: &Path| jars::fetch(&found.jars).await;
        cache.fill(&what, &progress, install).await?;
        if !found.classes.exists() {
            progress("Preparing Apache Kafka for faster starts, once …");
            if let Err(error) = found.archive_classes(cache.path()).await {
                progress(&format!(
                    "That failed, so Kafka will start more slowly: {error:#}"
                ));
            }
        }
        Ok(found)
    }

    fn with(java: &Java, cache: &Cache) -> Self {
        // An archive is valid for one build of Java.
        let version = download::hex(&Sha256::digest(java.version.as_bytes())[..8]);
        Self {
            java: java.program.clone(),
            jars: cache.path().join("lib"),
            classes: cache.path().join(format!("classes-{version}.jsa")),
        }
    }

    /// The program and arguments that run a node with this configuration.
    #[must_use]
    pub fn command(&self, configuration: &Path) -> Vec<OsString> {
        let classes = self.classes.exists().then(|| {
            let mut flag = OsString::from("-XX:SharedArchiveFile=");
            flag.push(&self.classes);
            flag
        });
        self.command_with(classes, configuration)
    }

    fn command_with(&self, classes: Option<OsString>, configuration: &Path) -> Vec<OsString> {
        let mut command = vec![self.java.clone().into_os_string()];
        command.extend(classes);
        // A small heap and options for a fast start, because there is one node with few records.
        let flags = [
            "-Xms32m",
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            // In Turkish and Azeri, `i` in upper case is another letter, with which Kafka does not find its own settings.
            "-Duser.language=en",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
            "-cp",
        ];
        command.extend(flags.map(OsString::from));
        command.push(self.jars.join("*").into_os_string());
        command.push("kafka.Kafka".into());
        command.push(configuration.into());
        command
    }

    /// Runs a node with no records until it answers, and has Java write the classes that it has loaded to the archive.
    async fn archive_classes(&self, cache: &Path) -> anyhow::Result<()> {
        let directory = tempfile::tempdir_in(cache).context("making a directory")?;
        let configuration = directory.path().join("server.properties");
        let new = directory.path().join("classes.jsa");
        let ports = Ports::free(0)?;
        let node = Node {
            data: &directory.path().join("data"),
            ports,
            more: "",
        };
        node.configure(&configuration)?;
        let mut flag = OsString::from("-XX:ArchiveClassesAtExit=");
        flag.push(&new);
        let command = self.command_with(Some(flag), &configuration);
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting Java")?;
        ready(&mut child, &ports.address(), PREPARED_WITHIN).await?;
        let pid = child.id().context("Kafka has ended")?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        let ended = timeout(PREPARED_WITHIN, child.wait()).await;
        ended.context("Kafka does not end")??;
        std::fs::rename(&new, &self.classes).context("Java wrote no archive")
    }
}

/// The ports of a node.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// The port for clients.
    pub broker: u16,
    /// The port on which the node reaches itself as controller.
    pub controller: u16,
}

impl Ports {
    /// This port for clients (0 picks a free one), and a free one for the controller.
    pub fn free(broker: u16) -> anyhow::Result<Self> {
        let bind = |port| {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .with_context(|| format!("port {port} cannot be used"))
        };
        // Both are held until both are known.
        let (broker, controller) = (bind(broker)?, bind(0)?);
        Ok(Self {
            broker: broker.local_addr()?.port(),
            controller: controller.local_addr()?.port(),
        })
    }

    /// `host:port` for clients.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.broker)
    }
}

/// The configuration of a node.
#[derive(Debug)]
pub struct Node<'a> {
    /// The directory of its records.
    pub data: &'a Path,
    /// The ports to listen on.
    pub ports: Ports,
    /// More lines for its configuration, which override earlier lines of the same name.
    pub more: &'a str,
}

impl Node<'_> {
    /// Writes the configuration to `file`, and prepares the directory of the records if it is new.
    pub fn configure(&self, file: &Path) -> anyhow::Result<()> {
        files::write_atomically(file, self.properties())
            .with_context(|| format!("writing {}", file.display()))?;
        std::fs::create_dir_all(self.data)
            .with_context(|| format!("creating {}", self.data.display()))?;
        // What `kafka-storage format` writes, without another start of Java. The node completes it.
        let meta = self.data.join("meta.properties");
        if meta.exists() {
            return Ok(());
        }
        // A cluster id is 16 bytes in base64: 21 characters and one that has no bits left over.
        let id: String = (0..21)
            .map(|_| char::from(rand::random_range(b'a'..=b'z')))
            .chain(['A'])
            .collect();
        let text = format!("version=1\ncluster.id={id}\nnode.id=1\n");
        files::write_atomically(&meta, text).with_context(|| format!("writing {}", meta.display()))
    }

    fn properties(&self) -> String {
        // A backslash begins an escape in this format.
        let data = self.data.display().to_string().replace('\\', "\\\\");
        let Ports { broker, controller } = self.ports;
        format!(
            "# Written at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{broker}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
# `setup` creates the topics: a misspelt name must not create another one.
auto.create.topics.enable=false
# There is only one broker.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Short, so that a broker that was killed can register again soon: the controller first has to drop its old session.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
# A consumer that joins an empty group need not wait for more members.
group.initial.rebalance.delay.ms=0
# For one machine: the defaults reserve 128 MB for compacting topics, and threads for many disks and clients.
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=4
background.threads=2
{}",
            self.more
        )
    }
}

/// Waits until the broker at this address answers. Fails if its process ends first.
pub async fn ready(child: &mut Child, address: &str, within: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    while !answers(address).await {
        if let Some(status) = child.try_wait()? {
            bail!("Kafka {status}");
        }
        ensure!(
            Instant::now() < deadline,
            "Kafka is not ready after {within:?}"
        );
        sleep(POLL).await;
    }
    Ok(())
}

/// Whether a broker answers at this address.
pub(crate) async fn answers(address: &str) -> bool {
    // Checks the port first, because librdkafka waits longer after each failed attempt to connect.
    TcpStream::connect(address).await.is_ok()
        && Cluster::discover(&Connection::plain(address)).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_directory_and_extra_lines_are_rendered() {
        let node = Node {
            data: Path::new("/a b/data"),
            ports: Ports {
                broker: 1,
                controller: 2,
            },
            more: "compression.type=zstd\n",
        };
        let text = node.properties();
        for line in [
            "listeners=BROKER://127.0.0.1:1,CONTROLLER://127.0.0.1:2",
            "controller.quorum.voters=1@127.0.0.1:2",
            "log.dirs=/a b/data",
            "compression.type=zstd",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    #[test]
    fn a_directory_keeps_the_cluster_id_of_its_first_start() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let ids = [1, 2].map(|port| {
            let node = Node {
                data: &data,
                ports: Ports {
                    broker: port,
                    controller: port,
                },
                more: "",
            };
            node.configure(&directory.path().join("server.properties"))
                .unwrap();
            std::fs::read_to_string(data.join("meta.properties")).unwrap()
        });
        assert_eq!(ids[0], ids[1]);
        assert!(ids[0].contains("cluster.id="), "{}", ids[0]);
    }
}
