//! `kafka`: Apache Kafka itself, one `KRaft` node on this machine, from the jars of Maven Central.
//!
//! The embedded broker loses its records with its process; this one keeps them, so chaos can kill it. It needs Java and, to
//! fetch the jars once, Maven.
//!
//! | file | what it holds |
//! |---|---|
//! | `jars.rs` | finding Java, fetching the jars |
//! | `properties.rs` | the broker's configuration |
//! | `server.rs` | a broker that runs, and can be killed and started again |

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
    /// Where the broker keeps its records and its log
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_DATA_DIR",
        default_value = ".food-ordering/apache-kafka",
        value_name = "DIRECTORY"
    )]
    data_dir: PathBuf,
    /// The port on the loopback interface; 0 = one that is free
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_PORT",
        default_value_t = 9092,
        value_name = "PORT"
    )]
    port: u16,
    /// Lines to add to the broker's configuration, such as other listeners; they win over those it has without them
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_SERVER_PROPERTIES",
        value_name = "FILE"
    )]
    server_properties: Option<PathBuf>,
}

/// Which broker a system under test has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Broker {
    /// Apache Kafka, from the jars of Maven Central; needs Java
    Real,
    /// The embedded one
    Embedded,
    /// Apache Kafka where Java and Maven are present
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

    /// Starts Apache Kafka with its records in `directory`, if that is what is wanted.
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
        () = shutdown.asked.cancelled() => Ok(()),
    }
}
