//! Settings of the part `psql-gateway`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use upstream::RestateAdmin;

/// How the psql gateway is reached, and what it lets clients do.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// The runtime.
    #[command(flatten)]
    pub restate_admin: RestateAdmin,
    /// A file with lines <user>:<password>; only those users may connect, by SCRAM-SHA-256. Without it every client on
    /// this machine may connect
    #[arg(long, env = "FOOD_ORDERING_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// In a container: the address on which the machine publishes the psql gateway's port. If that is loopback, clients that
    /// connect through the container's networks need no password
    #[arg(
        long = "psql-published-on",
        env = "FOOD_ORDERING_PSQL_PUBLISHED_ON",
        value_parser = settings::networks::published_on,
        value_name = "ADDRESS"
    )]
    pub published_on: Option<IpAddr>,
    /// The certificate chain, as PEM; with it every client has to use TLS
    #[arg(
        long,
        env = "FOOD_ORDERING_TLS_CERT",
        requires = "tls_key",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(
        long,
        env = "FOOD_ORDERING_TLS_KEY",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,
    /// How long a query may take; `SET statement_timeout` can only shorten it
    #[arg(long, env = "FOOD_ORDERING_STATEMENT_TIMEOUT", default_value = "1m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub statement_timeout: Duration,
    /// How long a client may take to come in.
    #[arg(skip = Duration::from_secs(10))]
    pub startup_timeout: Duration,
    /// How many clients may be connected at a time
    #[arg(
        long = "psql-connections",
        env = "FOOD_ORDERING_PSQL_CONNECTIONS",
        default_value = "100",
        value_parser = settings::at_least_one,
        value_name = "N"
    )]
    pub connections: usize,
    /// The largest message of a client, such as a query, in bytes
    #[arg(
        long = "psql-max-message",
        env = "FOOD_ORDERING_PSQL_MAX_MESSAGE",
        default_value = "1048576",
        value_parser = settings::at_least_one,
        value_name = "BYTES"
    )]
    pub max_message: usize,
}

settings::listen_address! {
    /// Where the psql gateway listens; an address that others can reach needs --password-file
    "psql-gateway-listen", "FOOD_ORDERING_PSQL_GATEWAY_LISTEN", "127.0.0.1:9071"
}

impl Options {
    /// A gateway for everyone on this machine, before the runtime whose admin API is `http://host:port`; those of its nodes,
    /// separated by commas, if it has several.
    #[must_use]
    pub fn new(restate_admin: &str) -> Self {
        let restate_admin = RestateAdmin {
            urls: restate_admin.to_owned(),
        };
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
