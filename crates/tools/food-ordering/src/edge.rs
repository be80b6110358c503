//! The part `gateway`: whom it trusts, and its limits.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::networks;
use anyhow::Context;
use clap::{ArgAction, Args};
use gateway::{ClientAddressHeader, Rate};
use ipnet::IpNet;
use secrets::{ExposeSecret, SecretString, Secrets};

/// The limits of the gateway. A client is an IPv4 address or an IPv6 network of 64 bits; operators have no limits.
#[derive(Debug, Args)]
#[command(next_help_heading = "Gateway, for the world outside")]
pub(crate) struct Edge {
    /// Secrets from which order keys are derived, one a line; the first is for new keys, all are accepted. All gateways need the
    /// same file. Required wherever others than operators can connect
    #[arg(
        long,
        env = "FOOD_ORDERING_ORDER_LINKS_SECRET_FILE",
        value_name = "FILE"
    )]
    order_links_secret_file: Option<PathBuf>,
    /// Whether clients on this machine are operators; set it to false behind a proxy on the same machine, because all requests then
    /// seem to come from here [default: true, unless there are trusted proxies]
    #[arg(long, env = "FOOD_ORDERING_TRUST_LOOPBACK", value_name = "BOOL")]
    trust_loopback: Option<bool>,
    /// In a container: the address on which the machine publishes the gateway's port. If that is loopback, clients that connect
    /// through the container's networks count as on this machine
    #[arg(
        long,
        env = "FOOD_ORDERING_GATEWAY_PUBLISHED_ON",
        value_name = "ADDRESS"
    )]
    gateway_published_on: Option<IpAddr>,
    /// Whether every client may read /metrics, not only operators; for networks that cannot be reached from outside
    #[arg(long, env = "FOOD_ORDERING_PUBLIC_METRICS", action = ArgAction::Set, default_value_t = false, value_name = "BOOL")]
    public_metrics: bool,
    /// Proxies that are trusted to name the client's address, as addresses or networks
    #[arg(
        long,
        env = "FOOD_ORDERING_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_parser = network,
        value_name = "NETWORK,…"
    )]
    trusted_proxies: Vec<IpNet>,
    /// The header in which they name it, x-forwarded-for or forwarded; they must set it themselves in every request
    #[arg(long, env = "FOOD_ORDERING_CLIENT_ADDRESS_HEADER", default_value_t = ClientAddressHeader::default(), value_name = "NAME")]
    client_address_header: ClientAddressHeader,
    /// How often a client may place and cancel orders: N at once, and then evenly over the time
    #[arg(long, env = "FOOD_ORDERING_ORDER_RATE", default_value_t = gateway::Edge::default().order_rate, value_name = "N/TIME")]
    order_rate: Rate,
    /// How often a client may read anything, files of the web UI included
    #[arg(long, env = "FOOD_ORDERING_READ_RATE", default_value_t = gateway::Edge::default().read_rate, value_name = "N/TIME")]
    read_rate: Rate,
    /// How often a client may open a stream of events
    #[arg(long, env = "FOOD_ORDERING_STREAM_RATE", default_value_t = gateway::Edge::default().stream_rate, value_name = "N/TIME")]
    stream_rate: Rate,
    /// How often a client may send callbacks of restaurants
    #[arg(long, env = "FOOD_ORDERING_CALLBACK_RATE", default_value_t = gateway::Edge::default().callback_rate, value_name = "N/TIME")]
    callback_rate: Rate,
    /// How often a client may try a wrong operators' token
    #[arg(long, env = "FOOD_ORDERING_TOKEN_RATE", default_value_t = gateway::Edge::default().token_rate, value_name = "N/TIME")]
    token_rate: Rate,
    /// How many streams a client may have open
    #[arg(long, env = "FOOD_ORDERING_STREAMS_PER_CLIENT", default_value_t = some(gateway::Edge::default().streams_per_client), value_name = "N")]
    streams_per_client: NonZeroUsize,
    /// How many connections are accepted in all; beyond that, idle ones are closed first
    #[arg(id = "gateway_connections", long = "gateway-connections", env = "FOOD_ORDERING_GATEWAY_CONNECTIONS", default_value_t = some(gateway::Edge::default().connections), value_name = "N")]
    connections: NonZeroUsize,
    /// How many connections a client may have; trusted proxies may have all
    #[arg(long, env = "FOOD_ORDERING_CONNECTIONS_PER_CLIENT", default_value_t = some(gateway::Edge::default().connections_per_client), value_name = "N")]
    connections_per_client: NonZeroUsize,
    /// How long a client may take to send the head of a request
    #[arg(long, env = "FOOD_ORDERING_HEADER_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    header_timeout: Duration,
    /// How long a connection is kept for another request; set it higher than in a proxy in front
    #[arg(long, env = "FOOD_ORDERING_IDLE_TIMEOUT", default_value = "75s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    idle_timeout: Duration,
}

impl Edge {
    /// Whom to trust, and how much.
    pub(crate) fn settings(&self) -> gateway::Edge {
        gateway::Edge {
            trust_loopback: self.trust_loopback,
            neighbours: networks::neighbours(self.gateway_published_on),
            public_metrics: self.public_metrics,
            trusted_proxies: self.trusted_proxies.clone(),
            client_address_header: self.client_address_header,
            order_rate: self.order_rate,
            read_rate: self.read_rate,
            stream_rate: self.stream_rate,
            callback_rate: self.callback_rate,
            token_rate: self.token_rate,
            streams_per_client: self.streams_per_client.get(),
            connections: self.connections.get(),
            connections_per_client: self.connections_per_client.get(),
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
        }
    }

    /// The secrets from which order keys are derived; none if there is no file.
    pub(crate) fn order_links_secrets(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let Some(file) = &self.order_links_secret_file else {
            return Ok(Vec::new());
        };
        let secrets = Secrets::read(file).context("--order-links-secret-file")?;
        let bytes = |secret: &SecretString| secret.expose_secret().as_bytes().to_vec();
        Ok(secrets.iter().map(bytes).collect())
    }
}

fn some(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

/// `10.0.0.0/8`, or an address, which is a network of its own.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| "must be an address or a network, such as 10.0.0.7 or 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        edge: Edge,
    }

    fn parse(flags: &[&str]) -> Result<gateway::Edge, String> {
        let flags = std::iter::once("serve").chain(flags.iter().copied());
        Command::try_parse_from(flags)
            .map(|command| command.edge.settings())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn without_flags_the_gateways_own_defaults_hold() {
        assert_eq!(parse(&[]).unwrap(), gateway::Edge::default());
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let edge = parse(&["--trusted-proxies=10.0.0.0/8,192.0.2.1,2001:db8::/32"]).unwrap();
        let shown: Vec<_> = edge
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
        assert!(
            parse(&["--trusted-proxies=everyone"])
                .unwrap_err()
                .contains("such as 10.0.0.7")
        );
    }

    #[test]
    fn a_rate_that_is_none_is_told_as_such() {
        for bad in ["--order-rate=0/1m", "--read-rate=fast", "--stream-rate=1"] {
            assert!(
                parse(&[bad]).unwrap_err().contains("such as 60/1m"),
                "{bad}"
            );
        }
    }
}
