//! The part `psql-gateway`: its flags, and running it.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use crate::{flags, networks};

/// How the psql gateway is reached, and what it lets clients do.
#[derive(Debug, Args)]
#[command(next_help_heading = "psql gateway")]
pub(crate) struct Psql {
    #[command(flatten)]
    restate_admin: flags::RestateAdmin,
    /// A file with lines <user>:<password>; only those users may connect, by SCRAM-SHA-256
    #[arg(long, env = "FOOD_ORDERING_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// In a container: the address on which the machine publishes the psql gateway's port. If that is loopback, clients that
    /// connect through the container's networks need no password
    #[arg(
        long = "psql-published-on",
        env = "FOOD_ORDERING_PSQL_PUBLISHED_ON",
        value_name = "ADDRESS"
    )]
    published_on: Option<IpAddr>,
    /// The certificate chain, as PEM; with it every client has to use TLS
    #[arg(
        long,
        env = "FOOD_ORDERING_TLS_CERT",
        requires = "tls_key",
        value_name = "FILE"
    )]
    tls_cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(
        long,
        env = "FOOD_ORDERING_TLS_KEY",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    tls_key: Option<PathBuf>,
    /// How long a query may take; `SET statement_timeout` can only shorten it
    #[arg(long, env = "FOOD_ORDERING_STATEMENT_TIMEOUT", default_value = "1m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    statement_timeout: Duration,
    /// How many clients may be connected at a time
    #[arg(
        long = "psql-connections",
        env = "FOOD_ORDERING_PSQL_CONNECTIONS",
        default_value = "100",
        value_name = "N"
    )]
    connections: NonZeroUsize,
    /// The largest message of a client, such as a query, in bytes
    #[arg(
        long = "psql-max-message",
        env = "FOOD_ORDERING_PSQL_MAX_MESSAGE",
        default_value = "1048576",
        value_name = "BYTES"
    )]
    max_message: NonZeroUsize,
}

impl Psql {
    /// Runs the part until `shutdown`.
    pub(crate) async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let config = psql_gateway::Config {
            password_file: self.password_file.clone(),
            neighbours: networks::neighbours(self.published_on),
            tls: self.tls_cert.clone().zip(self.tls_key.clone()),
            statement_timeout: self.statement_timeout,
            connections: self.connections.get(),
            max_message: self.max_message.get(),
            ..psql_gateway::Config::new(&self.restate_admin.urls)
        };
        psql_gateway::serve(config, listener, shutdown).await?;
        Ok(())
    }
}
