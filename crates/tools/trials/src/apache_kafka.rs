//! `kafka`: runs a node of Apache Kafka with a configuration of your own, for tests and for trying things out.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use food_ordering::broker::apache::{self, Installation, Node, Ports};
use food_ordering::parent;
use tokio::process::{Child, Command};

use crate::usage;

/// How long the broker may take to be ready. Long, because Java starts slowly on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// Arguments of `kafka`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory for the broker's records and log
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_DATA_DIR",
        default_value = ".food-ordering/apache-kafka",
        value_name = "DIRECTORY"
    )]
    data_dir: PathBuf,
    /// Port on the loopback interface; 0 picks a free one
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_PORT",
        default_value_t = 9092,
        value_name = "PORT"
    )]
    port: u16,
    /// Java program, version 17 or later [default: that of `JAVA_HOME`, else the one on PATH, else one that is installed once]
    #[arg(long, env = "FOOD_ORDERING_JAVA", value_name = "FILE")]
    java: Option<PathBuf>,
    /// Properties file to append to the broker's configuration, for example to add listeners; its lines override the others
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_SERVER_PROPERTIES",
        value_name = "FILE"
    )]
    server_properties: Option<PathBuf>,
}

/// `kafka`: runs a broker until Ctrl-C.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    tokio::select! {
        ended = run(args) => ended,
        () = shutdown.requested.cancelled() => Ok(()),
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let more = args.server_properties.as_deref().map(|file| {
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
    });
    let more = more.transpose()?.unwrap_or_default();
    let java = args.java.as_deref();
    let mut broker = Running::start(&args.data_dir, args.port, java, &more).await?;
    let address = broker.ports.address();
    say!("Apache Kafka {} is ready at {address}", apache::VERSION);
    say!("Try: food-ordering up --kafka-brokers {address}");
    let status = broker
        .child
        .wait()
        .await
        .context("waiting for the broker")?;
    bail!(
        "the broker ended ({status}); its log is {}",
        broker.log.display()
    )
}

/// A broker that is ready. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) ports: Ports,
    log: PathBuf,
}

impl Running {
    /// Starts a broker with its records, configuration and log in `data_dir`. `more` is appended to its configuration.
    pub(crate) async fn start(
        data_dir: &Path,
        port: u16,
        java: Option<&Path>,
        more: &str,
    ) -> anyhow::Result<Self> {
        let installed = Installation::find(java, None, |line| say!("{line}")).await?;
        let directory = std::path::absolute(data_dir)?;
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let ports = Ports::free(port)?;
        let node = Node {
            data: &directory.join("data"),
            ports,
            more,
        };
        let configuration = directory.join("server.properties");
        node.configure(&configuration)?;
        let log = directory.join("kafka.log");
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("opening {}", log.display()))?;
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command
            .args(["exec-with-parent", "--"])
            .args(installed.command(&configuration))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        parent::tie(&mut command);
        // A process group of its own, so that Ctrl-C in the terminal reaches only this program.
        let mut child = Command::from(command)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("starting Kafka")?;
        let ready = apache::ready(&mut child, &ports.address(), READY_WITHIN).await;
        ready.with_context(|| format!("its log is {}", log.display()))?;
        Ok(Self { child, ports, log })
    }

    /// Its process, as long as it runs.
    pub(crate) fn process(&self) -> anyhow::Result<usage::Process> {
        Ok(usage::Process {
            name: "kafka".to_owned(),
            pid: self.child.id().context("the broker has ended")?,
        })
    }
}
