//! The broker process.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kafka::Cluster;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::jars::{self, Java};
use super::properties;
use food_ordering::{files, parent};

/// How long a broker may take to be ready. Long, because Java starts slowly on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(100);

/// A running broker. It is killed when this is dropped; its records stay in its directory.
#[derive(Debug)]
pub(crate) struct Server {
    java: Java,
    directory: PathBuf,
    address: String,
    child: Child,
}

impl Server {
    /// Starts a broker with its records in `directory`, at `port` (0 picks a free one), and waits until it answers. `more` is
    /// appended to its configuration. `progress` is called with a line of text when a step takes long.
    pub(crate) async fn start(
        directory: &Path,
        port: u16,
        more: &str,
        progress: impl Fn(&str),
    ) -> anyhow::Result<Self> {
        let java = jars::find(progress).await?;
        let directory = std::path::absolute(directory)?;
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let (port, controller_port) = ports(port)?;
        let data = directory.join("data");
        let config = directory.join("server.properties");
        files::write_atomically(
            &config,
            properties::render(&data, port, controller_port, more),
        )
        .with_context(|| format!("writing {}", config.display()))?;
        if !data.join("meta.properties").exists() {
            format(&java, &config).await?;
        }
        let child = spawn(&java, &directory)?;
        let mut server = Self {
            java,
            directory,
            address: format!("127.0.0.1:{port}"),
            child,
        };
        server.ready().await?;
        Ok(server)
    }

    /// `host:port`
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The process id, while the broker runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The path of the broker's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("kafka.log")
    }

    /// Kills the broker with SIGKILL.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("killing Kafka")
    }

    /// Starts a killed broker again, with the same records and address, and waits until it answers.
    pub(crate) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.java, &self.directory)?;
        self.ready().await
    }

    /// Waits until the broker ends.
    pub(crate) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait().await
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("Kafka {status}; its log is {}", self.log().display());
            }
            if Cluster::discover(&self.address.as_str().into())
                .await
                .is_ok()
            {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "Kafka is not ready after {READY_WITHIN:?}; its log is {}",
                self.log().display()
            );
            sleep(POLL).await;
        }
    }
}

/// The broker's port and one for its controller.
fn ports(port: u16) -> anyhow::Result<(u16, u16)> {
    let bind = |port| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
            format!("port {port} cannot be used; choose another with --port, or 0 for a free one")
        })
    };
    // Both are held until both are known.
    let (broker, controller) = (bind(port)?, bind(0)?);
    Ok((broker.local_addr()?.port(), controller.local_addr()?.port()))
}

/// Makes an empty directory one of a new cluster.
async fn format(java: &Java, config: &Path) -> anyhow::Result<()> {
    // A cluster id is 16 bytes in base64: 21 characters and one that has no bits left over.
    let mut id: String = (0..21)
        .map(|_| char::from(rand::random_range(b'a'..=b'z')))
        .collect();
    id.push('A');
    let output = Command::new(&java.program)
        .arg("-cp")
        .arg(&java.class_path)
        .args([
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            &id,
            "--config",
        ])
        .arg(config)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("running java")?;
    ensure!(
        output.status.success(),
        "Kafka's storage could not be formatted ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(())
}

fn spawn(java: &Java, directory: &Path) -> anyhow::Result<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(directory.join("kafka.log"))?;
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command
        .args(["exec-with-parent", "--"])
        .arg(&java.program)
        // Settings for a small heap and a quick start: there is one broker with few records.
        .args([
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
        ])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg("-Dorg.slf4j.simpleLogger.showDateTime=true")
        .arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS")
        .arg("-cp")
        .arg(&java.class_path)
        .arg("kafka.Kafka")
        .arg(directory.join("server.properties"))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    parent::tie(&mut command);
    // A process group of its own, so that Ctrl-C in the terminal reaches only the launcher.
    Command::from(command)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("starting Kafka")
}
