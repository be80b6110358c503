//! The gateway's settings.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use upstream::Addresses;

/// How the gateway is reached, and what it lets clients do.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// Address to listen on; one that other machines can reach needs --password-file
    #[arg(long, env = "PSQL_GATEWAY_LISTEN", default_value = "127.0.0.1:9071", value_parser = settings::address, value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Restate's admin API; for several nodes, give the URL of each, so that any of them may be down
    #[arg(
        long,
        env = "PSQL_GATEWAY_RESTATE_ADMIN",
        default_value = "http://127.0.0.1:9070",
        value_name = "URL,…"
    )]
    pub restate_admin: Addresses,
    /// A directory of views: each file <name>.sql is one query, and defines a view of that name
    #[arg(long, env = "PSQL_GATEWAY_VIEWS", value_name = "DIRECTORY")]
    pub views: Option<PathBuf>,
    /// A file with lines <user>:<password>; only those users may connect, by SCRAM-SHA-256. Without it every client on
    /// this machine may connect
    #[arg(long, env = "PSQL_GATEWAY_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// In a container: the address on which the machine publishes the gateway's port. If that is loopback, clients that connect
    /// through the container's networks need no password
    #[arg(
        long,
        env = "PSQL_GATEWAY_PUBLISHED_ON",
        value_parser = settings::networks::published_on,
        value_name = "ADDRESS"
    )]
    pub published_on: Option<IpAddr>,
    /// The certificate chain, as PEM; with it every client has to use TLS
    #[arg(
        long,
        env = "PSQL_GATEWAY_TLS_CERT",
        requires = "tls_key",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(
        long,
        env = "PSQL_GATEWAY_TLS_KEY",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,
    /// How long a query may take; `SET statement_timeout` can only shorten it
    #[arg(long, env = "PSQL_GATEWAY_STATEMENT_TIMEOUT", default_value = "1m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub statement_timeout: Duration,
    /// How long a client may take to come in.
    #[arg(skip = Duration::from_secs(10))]
    pub startup_timeout: Duration,
    /// How many clients may be connected at a time
    #[arg(
        long,
        env = "PSQL_GATEWAY_CONNECTIONS",
        default_value = "100",
        value_parser = settings::at_least_one,
        value_name = "N"
    )]
    pub connections: usize,
    /// The largest message of a client, such as a query, in bytes
    #[arg(
        long,
        env = "PSQL_GATEWAY_MAX_MESSAGE",
        default_value = "1048576",
        value_parser = settings::at_least_one,
        value_name = "BYTES"
    )]
    pub max_message: usize,
}

impl Options {
    /// A gateway without views for everyone on this machine, before the runtime with this admin API.
    #[must_use]
    pub fn new(restate_admin: Addresses) -> Self {
        Self {
            restate_admin,
            ..settings::defaults()
        }
    }

    /// Networks whose clients need no password: in a container whose port is published on loopback only, clients on the machine
    /// come through these.
    pub(crate) fn neighbours(&self) -> Vec<IpNet> {
        settings::networks::neighbours(self.published_on)
    }
}
