//! Settings of the edge.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use settings::at_least_one;

/// Whom to trust, and the limits on everything. A client is an IPv4 address or an IPv6 network of 64 bits; operators have no
/// limits. The reasons for the defaults are in `docs/security.md`.
#[derive(Debug, Clone, Args)]
#[group(skip)]
#[command(next_help_heading = "Gateway, for the world outside")]
pub struct Edge {
    /// Whether clients on this machine are operators; set it to false behind a proxy on the same machine, because all requests then
    /// seem to come from here [default: true, unless there are trusted proxies]
    #[arg(long, env = "FOOD_ORDERING_TRUST_LOOPBACK", value_name = "BOOL")]
    pub trust_loopback: Option<bool>,
    /// In a container: the address on which the machine publishes the gateway's port. If that is loopback, clients that connect
    /// through the container's networks count as on this machine
    #[arg(
        long = "gateway-published-on",
        env = "FOOD_ORDERING_GATEWAY_PUBLISHED_ON",
        value_parser = settings::networks::published_on,
        value_name = "ADDRESS"
    )]
    pub published_on: Option<IpAddr>,
    /// Networks whose clients count as on this machine: those that requests from the machine come through into its container.
    #[arg(skip)]
    pub neighbours: Vec<IpNet>,
    /// Whether every client may read /metrics, not only operators; for networks that cannot be reached from outside
    #[arg(long, env = "FOOD_ORDERING_PUBLIC_METRICS", action = ArgAction::Set, default_value_t = false, value_name = "BOOL")]
    pub public_metrics: bool,
    /// Proxies that are trusted to name the client's address, as addresses or networks
    #[arg(
        long,
        env = "FOOD_ORDERING_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_parser = network,
        value_name = "NETWORK,…"
    )]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they name it, x-forwarded-for or forwarded; they must set it themselves in every request
    #[arg(
        long,
        env = "FOOD_ORDERING_CLIENT_ADDRESS_HEADER",
        default_value_t,
        value_name = "NAME"
    )]
    pub client_address_header: ClientAddressHeader,
    /// How often a client may do something: N at once, and then evenly over the time. `order`: place and cancel orders; `read`: read
    /// anything, files of the web UI included; `stream`: open a stream of events; `callback`: send callbacks of restaurants;
    /// `token`: try a wrong operators' token. Rates that are not named keep their defaults
    #[arg(
        long,
        env = "FOOD_ORDERING_CLIENT_RATES",
        default_value_t,
        value_name = "NAME=N/TIME,…"
    )]
    pub client_rates: Rates,
    /// How many streams a client may have open
    #[arg(long, env = "FOOD_ORDERING_STREAMS_PER_CLIENT", default_value = "200", value_parser = at_least_one, value_name = "N")]
    pub streams_per_client: usize,
    /// How many connections are accepted in all; beyond that, idle ones are closed first. Fewer where the system allows the process
    /// fewer files
    #[arg(id = "gateway_connections", long = "gateway-connections", env = "FOOD_ORDERING_GATEWAY_CONNECTIONS", default_value = "10000", value_parser = at_least_one, value_name = "N")]
    pub connections: usize,
    /// How many connections a client may have; trusted proxies may have all
    #[arg(long, env = "FOOD_ORDERING_CONNECTIONS_PER_CLIENT", default_value = "256", value_parser = at_least_one, value_name = "N")]
    pub connections_per_client: usize,
    /// How long a client may take to send the head of a request
    #[arg(long, env = "FOOD_ORDERING_HEADER_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub header_timeout: Duration,
    /// How long a connection is kept for another request; set it higher than in a proxy in front
    #[arg(long, env = "FOOD_ORDERING_IDLE_TIMEOUT", default_value = "75s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub idle_timeout: Duration,
}

impl Default for Edge {
    fn default() -> Self {
        settings::defaults()
    }
}

/// `10.0.0.0/8`, or an address, which is a network of one.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "must be an address or a network, such as 10.0.0.7 or 10.0.0.0/8".to_owned())
}

impl Edge {
    /// The clients that are operators without a token, for a gateway that listens on this address.
    ///
    /// None, if others can connect: then even a client on this machine may be a proxy for them.
    pub(crate) fn neighbours(&self, listens_on: IpAddr) -> Neighbours {
        let only_from_here = listens_on.to_canonical().is_loopback() || !self.neighbours.is_empty();
        let trusted = (self.trust_loopback).unwrap_or(self.trusted_proxies.is_empty());
        if !(only_from_here && trusted) {
            return Neighbours::default();
        }
        let loopback = [
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8)),
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
        ];
        Neighbours(self.neighbours.iter().copied().chain(loopback).collect())
    }
}

/// The networks whose clients count as on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Neighbours(Vec<IpNet>);

impl Neighbours {
    /// Whether they include a client with this address.
    pub(crate) fn include(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

/// The header in which proxies name the client.
///
/// One is chosen rather than whichever is present: a proxy that sets one passes on the other as the client wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAddressHeader {
    /// `X-Forwarded-For`, which most proxies use.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ClientAddressHeader {
    /// The header's name, as in flags.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

impl FromStr for ClientAddressHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::XForwardedFor, Self::Forwarded]
            .into_iter()
            .find(|header| header.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| "must be x-forwarded-for or forwarded".to_owned())
    }
}

impl std::fmt::Display for ClientAddressHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How often a client may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Placing and cancelling orders.
    pub order: Rate,
    /// Reading anything.
    pub read: Rate,
    /// Opening streams of events.
    pub stream: Rate,
    /// Sending callbacks, as restaurants do.
    pub callback: Rate,
    /// Trying a wrong operators' token.
    pub token: Rate,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            order: Rate::per_minute(60),
            read: Rate::per_minute(1_200),
            stream: Rate::per_minute(300),
            callback: Rate::per_minute(6_000),
            token: Rate::per_minute(10),
        }
    }
}

impl Rates {
    fn by_name(&mut self) -> [(&'static str, &mut Rate); 5] {
        [
            ("order", &mut self.order),
            ("read", &mut self.read),
            ("stream", &mut self.stream),
            ("callback", &mut self.callback),
            ("token", &mut self.token),
        ]
    }
}

impl FromStr for Rates {
    type Err = String;

    /// Reads `order=60/1m,read=20/s`; rates that are not named keep their defaults.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rates = Self::default();
        for one in text.split(',') {
            let (name, rate) = one.split_once('=').unwrap_or((one, ""));
            let mut known = rates.by_name().into_iter();
            let Some((_, known)) = known.find(|(known, _)| *known == name.trim()) else {
                return Err(format!(
                    "must be rates with their names, such as order=60/1m,read=1200/1m; {name:?} is not one of order, read, stream, \
                     callback and token"
                ));
            };
            *known = rate
                .trim()
                .parse()
                .map_err(|wrong| format!("{name} {wrong}"))?;
        }
        Ok(rates)
    }
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rates = *self;
        let all = rates.by_name().map(|(name, rate)| format!("{name}={rate}"));
        f.write_str(&all.join(","))
    }
}

/// A number of requests in a period: at once if need be, and then evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub(crate) most: NonZeroU32,
    pub(crate) within: Duration,
}

impl Rate {
    /// A rate of `most` a minute, at least one.
    pub(crate) fn per_minute(most: u32) -> Self {
        Self {
            most: NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN),
            within: Duration::from_mins(1),
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    /// Reads `60/1m`: the time in seconds, minutes or hours.
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (most, within) = text.split_once('/')?;
            let unit = within.chars().next_back()?;
            let seconds = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                _ => return None,
            };
            let count = match within.strip_suffix(unit)? {
                "" => 1,
                count => count.parse::<u32>().ok().filter(|count| *count > 0)?,
            };
            let within = Duration::from_secs(u64::from(count) * seconds);
            let most: NonZeroU32 = most.parse().ok()?;
            // Less than a nanosecond for each cannot be represented.
            (within.as_nanos() >= u128::from(most.get())).then_some(Self { most, within })
        };
        parse().ok_or_else(|| {
            "must be a number from 1 and a time in s, m or h, such as 60/1m".to_owned()
        })
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.within.as_secs();
        match (seconds % 3_600, seconds % 60) {
            (0, _) => write!(f, "{}/{}h", self.most, seconds / 3_600),
            (_, 0) => write!(f, "{}/{}m", self.most, seconds / 60),
            _ => write!(f, "{}/{seconds}s", self.most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shown_as_it_is_read() {
        for (text, shown) in [
            ("60/1m", "60/1m"),
            ("60/m", "60/1m"),
            ("1/90s", "1/90s"),
            ("100/120s", "100/2m"),
            ("5/2h", "5/2h"),
        ] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), shown, "{text}");
        }
        for bad in [
            "", "60", "0/1m", "-1/1m", "x/1m", "60/0s", "60/1d", "60/", "6/1.5s",
        ] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        edge: Edge,
    }

    fn parse(flag: &str) -> Result<Edge, String> {
        let command = <Command as clap::Parser>::try_parse_from(["gateway", flag]);
        command
            .map(|command| command.edge)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let edge = parse("--trusted-proxies=10.0.0.0/8,192.0.2.1,2001:db8::/32").unwrap();
        let shown: Vec<_> = (edge.trusted_proxies.iter())
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
        let error = parse("--trusted-proxies=everyone").unwrap_err();
        assert!(error.contains("such as 10.0.0.7"), "{error}");
    }

    #[test]
    fn rates_that_are_not_named_keep_their_defaults_and_wrong_ones_are_named() {
        let rates = parse("--client-rates=read=7/1h,order=5/s")
            .unwrap()
            .client_rates;
        assert_eq!(
            rates.to_string(),
            "order=5/1s,read=7/1h,stream=300/1m,callback=6000/1m,token=10/1m"
        );
        for (bad, said) in [
            ("order=0/1m", "order must be a number from 1"),
            ("read=fast", "such as 60/1m"),
            ("stream", "stream must be"),
            ("60/1m", "is not one of"),
            ("order=1/s,writes=1/s", "writes"),
        ] {
            let error = parse(&format!("--client-rates={bad}")).unwrap_err();
            assert!(error.contains(said), "{bad}: {error}");
        }
    }

    #[test]
    fn neighbours_are_operators_only_where_nobody_else_can_connect() {
        let edge = |trust, proxies: &[&str]| Edge {
            trust_loopback: trust,
            trusted_proxies: proxies.iter().map(|net| net.parse().unwrap()).collect(),
            ..Edge::default()
        };
        let includes = |edge: &Edge, listens_on: &str, peer: &str| {
            let neighbours = edge.neighbours(listens_on.parse().unwrap());
            neighbours.include(peer.parse().unwrap())
        };
        let (here, everywhere) = ("127.0.0.1", "0.0.0.0");
        assert!(includes(&edge(None, &[]), here, "127.0.0.9"));
        assert!(includes(&edge(None, &[]), "::1", "::1"));
        assert!(!includes(&edge(None, &[]), here, "172.18.0.1"));
        assert!(!includes(&edge(Some(false), &[]), here, here));
        assert!(!includes(&edge(None, &["127.0.0.1/32"]), here, here));
        assert!(includes(&edge(Some(true), &["10.0.0.0/8"]), here, here));
        assert!(!includes(&edge(Some(true), &[]), everywhere, here));

        let published = |trust, proxies: &[&str]| Edge {
            neighbours: vec!["172.18.0.0/16".parse().unwrap()],
            ..edge(trust, proxies)
        };
        for (peer, is_neighbour) in [
            ("172.18.0.1", true),
            ("::ffff:172.18.0.1", true),
            ("127.0.0.1", true),
            ("192.168.1.7", false),
        ] {
            assert_eq!(
                includes(&published(None, &[]), everywhere, peer),
                is_neighbour,
                "{peer}"
            );
            assert!(!includes(&published(Some(false), &[]), everywhere, peer));
            assert!(!includes(
                &published(None, &["10.0.0.0/8"]),
                everywhere,
                peer
            ));
        }
    }
}
