//! `kafka`: runs Apache Kafka itself, as one `KRaft` node on this machine, from the jars of Maven Central.
//!
//! The embedded broker loses its records when its process ends. This one keeps them, so a chaos run can kill it. It needs Java,
//! and Maven to fetch the jars once.
//!
//! | file | what it holds |
//! |---|---|
//! | `jars.rs` | finding Java, fetching the jars |
//! | `properties.rs` | the broker's configuration |
//! | `server.rs` | the broker process: starting, killing, restarting |

mod jars;
mod properties;
mod server;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;

#[cfg(test)]
pub(crate) use self::jars::VERSION;
pub(crate) use self::server::Server;
use food_ordering::shutdown;

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
    /// Properties file to append to the broker's configuration, for example to add listeners; its lines override the others
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_SERVER_PROPERTIES",
        value_name = "FILE"
    )]
    server_properties: Option<PathBuf>,
}

/// The broker of a system under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Broker {
    /// Apache Kafka, from the jars of Maven Central; needs Java
    Real,
    /// The embedded broker
    Embedded,
    /// Apache Kafka if Java and Maven are installed, otherwise the embedded broker
    Auto,
}

impl Broker {
    /// Whether it is Apache Kafka.
    pub(crate) fn is_real(self) -> bool {
        match self {
            Self::Real => true,
            Self::Embedded => false,
            Self::Auto => jars::is_available(),
        }
    }

    /// Starts Apache Kafka with its records in `directory`; `None` if the broker is the embedded one.
    pub(crate) async fn start(self, directory: &Path) -> anyhow::Result<Option<Server>> {
        if !self.is_real() {
            return Ok(None);
        }
        let directory = directory.join("apache-kafka");
        let server = Server::start(&directory, 0, "", |line| say!("{line}")).await?;
        Ok(Some(server))
    }
}

/// `kafka`: runs a broker until Ctrl-C.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    let running = async {
        let more = args.server_properties.as_deref().map(|file| {
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
        });
        let more = more.transpose()?.unwrap_or_default();
        let mut server =
            Server::start(&args.data_dir, args.port, &more, |line| say!("{line}")).await?;
        let address = server.address().to_owned();
        say!("Apache Kafka {} is ready at {address}", jars::VERSION);
        say!("Try: food-ordering up --kafka-brokers {address}");
        let status = server.ended().await.context("waiting for the broker")?;
        bail!(
            "the broker ended ({status}); its log is {}",
            server.log().display()
        )
    };
    tokio::select! {
        ended = running => ended,
        () = shutdown.requested.cancelled() => Ok(()),
    }
}
