//! What the edge is set to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Whom to trust, and how much of everything there may be. The defaults are reasoned in `docs/security.md`.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Whether who comes from this very machine is an operator. `None`: yes, unless there are trusted proxies, behind which
    /// everyone seems to come from there.
    pub trust_loopback: Option<bool>,
    /// Networks whose clients count as on this machine. For a container whose port is published on loopback only: requests from
    /// the machine reach it through these networks.
    pub neighbours: Vec<IpNet>,
    /// Whether everyone may read `/metrics`, and not operators alone.
    pub public_metrics: bool,
    /// The proxies whose word counts on where a request comes from. Nobody else's does.
    pub trusted_proxies: Vec<IpNet>,
    /// By which header they say so.
    pub client_address_header: ClientAddressHeader,
    /// How often orders may be placed and called off from an address.
    pub order_rate: Rate,
    /// How often anything may be read.
    pub read_rate: Rate,
    /// How often streams of events may be opened.
    pub stream_rate: Rate,
    /// How often restaurants may call back.
    pub callback_rate: Rate,
    /// How often a wrong operators' token may be tried.
    pub token_rate: Rate,
    /// How many streams an address may have open.
    pub streams_per_client: usize,
    /// How many connections there may be. Fewer where the system allows the process fewer files.
    pub connections: usize,
    /// How many of them an address may have.
    pub connections_per_client: usize,
    /// How long a client may take to send the head of a request.
    pub header_timeout: Duration,
    /// How long a connection is kept for another request.
    pub idle_timeout: Duration,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            trust_loopback: None,
            neighbours: Vec::new(),
            public_metrics: false,
            trusted_proxies: Vec::new(),
            client_address_header: ClientAddressHeader::default(),
            order_rate: Rate::per_minute(60),
            read_rate: Rate::per_minute(1_200),
            stream_rate: Rate::per_minute(300),
            callback_rate: Rate::per_minute(6_000),
            token_rate: Rate::per_minute(10),
            streams_per_client: 200,
            connections: 10_000,
            connections_per_client: 256,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
        }
    }
}

impl Edge {
    /// Whose clients are operators without a token, for a gateway that listens on this address.
    ///
    /// Nobody where others can come in: even a client on this machine may be a proxy for them.
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
    /// Whether a client with this address is one.
    pub(crate) fn include(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

/// The header by which proxies tell whom they speak for.
///
/// One, not whichever is there: a proxy that sets the one passes on the other as the client has written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAddressHeader {
    /// `X-Forwarded-For`, as most proxies do.
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

/// So many within such a time: all at once if need be, and from then on evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub(crate) most: NonZeroU32,
    pub(crate) within: Duration,
}

impl Rate {
    /// So many a minute, at least one.
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
            // Below a nanosecond each, nothing can be reckoned.
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
    fn a_rate_reads_as_it_is_written() {
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

    #[test]
    fn neighbours_are_operators_only_where_nobody_else_can_come_in() {
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
