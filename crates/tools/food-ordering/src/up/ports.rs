//! Chooses and reserves the ports of the parts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, bail};
use settings::networks;

use super::nodes::{Node, Nodes};
use crate::sockets;

/// What a port is used for. The broker in memory is missing, because it picks its own port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Gateway,
    PsqlGateway,
    RestateIngress(Node),
    RestateAdmin(Node),
    RestateNode(Node),
    OrderServices,
    DriverSimulator,
    PositionFilter,
    RestaurantPos,
    PaymentProvider,
    /// Apache Kafka.
    Kafka,
    /// Apache Kafka's controller, which only the broker itself uses.
    KafkaController,
}

impl Use {
    /// All uses, for a Restate with this number of nodes, and perhaps Apache Kafka and a position filter.
    pub(super) fn all(nodes: Nodes, kafka: bool, filter: bool) -> Vec<Self> {
        let mut all = vec![Self::Gateway, Self::PsqlGateway];
        for node in nodes.all() {
            all.extend([
                Self::RestateIngress(*node),
                Self::RestateAdmin(*node),
                Self::RestateNode(*node),
            ]);
        }
        all.extend([
            Self::OrderServices,
            Self::DriverSimulator,
            Self::RestaurantPos,
            Self::PaymentProvider,
        ]);
        if filter {
            all.push(Self::PositionFilter);
        }
        if kafka {
            all.extend([Self::Kafka, Self::KafkaController]);
        }
        all
    }

    /// The name in `endpoints.json`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::PsqlGateway => "psql-gateway",
            Self::RestateIngress(node) => {
                node.of(["restate-ingress", "restate-ingress-2", "restate-ingress-3"])
            }
            Self::RestateAdmin(node) => {
                node.of(["restate-admin", "restate-admin-2", "restate-admin-3"])
            }
            Self::RestateNode(node) => {
                node.of(["restate-node", "restate-node-2", "restate-node-3"])
            }
            Self::OrderServices => "order-services",
            Self::DriverSimulator => "driver-simulator",
            Self::PositionFilter => "position-filter",
            Self::RestaurantPos => "restaurant-pos",
            Self::PaymentProvider => "payment-provider",
            Self::Kafka => "kafka",
            Self::KafkaController => "kafka-controller",
        }
    }

    /// The default port. The ports of further nodes of Restate are 10,000 and 20,000 higher than the first node's, which is
    /// below the range that the kernel uses for outgoing connections.
    fn default_port(self) -> u16 {
        match self {
            Self::Gateway => 3000,
            Self::PsqlGateway => 9071,
            Self::RestateIngress(node) => node.of([8080, 18080, 28080]),
            Self::RestateAdmin(node) => node.of([9070, 19070, 29070]),
            Self::RestateNode(node) => node.of([5122, 15122, 25122]),
            Self::OrderServices => 9080,
            Self::DriverSimulator => 9081,
            Self::PositionFilter => 9082,
            Self::RestaurantPos => 5050,
            Self::PaymentProvider => 5060,
            Self::Kafka => 9092,
            Self::KafkaController => 9093,
        }
    }
}

/// How the ports are chosen.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Choice {
    /// Add this to every default port
    #[arg(
        long,
        env = "FOOD_ORDERING_PORT_OFFSET",
        default_value_t = 0,
        value_name = "N"
    )]
    port_offset: u16,
    /// Use free ports, if possible those of the last run in this data directory, so that addresses given to third parties stay
    /// valid
    #[arg(long, env = "FOOD_ORDERING_FREE_PORTS", conflicts_with = "port_offset")]
    free_ports: bool,
    /// Address on which the gateway listens, such as 0.0.0.0:3000 to serve other machines; their users need an order's key to
    /// read it, and operators need the token [default: 127.0.0.1 and the gateway's port]
    #[arg(long, env = "FOOD_ORDERING_GATEWAY_LISTEN", value_parser = settings::address, value_name = "ADDRESS")]
    gateway_listen: Option<SocketAddr>,
    /// Address on which the psql gateway listens; if other machines can reach it, every client needs a user and password from
    /// `keys/psql.passwords` in the data directory [default: 127.0.0.1 and the psql gateway's port]
    #[arg(long, env = "FOOD_ORDERING_PSQL_GATEWAY_LISTEN", value_parser = settings::address, value_name = "ADDRESS")]
    psql_gateway_listen: Option<SocketAddr>,
}

impl Choice {
    /// The address that was given for this use.
    fn given(&self, port: Use) -> Option<SocketAddr> {
        match port {
            Use::Gateway => self.gateway_listen,
            Use::PsqlGateway => self.psql_gateway_listen,
            _ => None,
        }
    }
}

/// The address that each use listens on.
#[derive(Debug, Clone)]
pub(super) struct Ports(BTreeMap<Use, SocketAddr>);

/// The ports of the last run, by the names of their uses.
pub(super) type PreviousPorts = BTreeMap<String, u16>;

impl Ports {
    /// The ports by the names of their uses, for `ports.json`.
    pub(super) fn by_name(&self) -> BTreeMap<&'static str, u16> {
        self.0
            .iter()
            .map(|(port, address)| (port.name(), address.port()))
            .collect()
    }

    /// The number of a port.
    pub(super) fn number(&self, port: Use) -> u16 {
        self.0[&port].port()
    }

    /// The address to listen on: `127.0.0.1:<port>` unless another one was given.
    pub(super) fn listen(&self, port: Use) -> SocketAddr {
        self.0[&port]
    }

    /// The address at which programs on this machine reach it.
    pub(super) fn address(&self, port: Use) -> SocketAddr {
        networks::here(self.0[&port])
    }

    /// Its URL on this machine, such as `http://127.0.0.1:<port>`.
    pub(super) fn url(&self, port: Use) -> String {
        url(port, self.address(port))
    }

    /// Its URLs for other machines, one for each of this machine's addresses; empty if only this machine can reach it.
    pub(super) fn urls_from_elsewhere(&self, port: Use) -> Vec<String> {
        let addresses = networks::from_elsewhere(self.0[&port]).into_iter();
        addresses.map(|address| url(port, address)).collect()
    }

    /// Whether only this machine can reach it.
    pub(super) fn is_local(&self, port: Use) -> bool {
        self.0[&port].ip().to_canonical().is_loopback()
    }

    /// The URLs of all Restate nodes for a use, separated by commas.
    pub(super) fn urls(&self, port: fn(Node) -> Use) -> String {
        let urls = (Node::ALL.into_iter().map(port))
            .filter(|port| self.0.contains_key(port))
            .map(|port| self.url(port));
        urls.collect::<Vec<_>>().join(",")
    }

    /// All uses that have a port.
    pub(super) fn uses(&self) -> impl Iterator<Item = Use> {
        self.0.keys().copied()
    }
}

fn url(port: Use, address: SocketAddr) -> String {
    let scheme = match port {
        Use::PsqlGateway => "postgresql",
        _ => "http",
    };
    format!("{scheme}://{address}")
}

/// Ports that are held by this process until it is dropped, just before the parts take them.
#[derive(Debug)]
pub(super) struct Reserved {
    pub(super) ports: Ports,
    #[expect(dead_code, reason = "holds the ports until it is dropped")]
    listeners: Vec<TcpListener>,
}

/// Chooses and reserves the ports. Fails with a list of the ports that are in use, and the processes that use them.
pub(super) fn reserve(
    choice: Choice,
    uses: Vec<Use>,
    former: &PreviousPorts,
) -> anyhow::Result<Reserved> {
    let planned = if choice.free_ports {
        free(uses, former)?
    } else {
        with_offset(choice.port_offset, uses)?
    };
    let mut ports = BTreeMap::new();
    let mut listeners = Vec::new();
    let mut taken = Vec::new();
    for (port, listen, held) in planned {
        let given = choice.given(port);
        let listen = given.unwrap_or(listen);
        let listener = match held {
            Some(held) if given.is_none() => Ok(held),
            _ => TcpListener::bind(listen),
        };
        match listener.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => {
                ports.insert(port, address);
                listeners.push(listener);
            }
            Err(error) => {
                let who = sockets::listener(listen.port())
                    .map_or_else(String::new, |who| format!(", by {who}"));
                let what = match given {
                    Some(address) => address.to_string(),
                    None => listen.port().to_string(),
                };
                taken.push(format!("  {what} ({}): {error}{who}", port.name()));
            }
        }
    }
    if !taken.is_empty() {
        bail!(
            "these ports cannot be used:\n{}\nStop the programs that use them, or choose other ports with --port-offset N or --free-ports.",
            taken.join("\n")
        );
    }
    Ok(Reserved {
        ports: Ports(ports),
        listeners,
    })
}

/// A use, the address to listen on, and the listener if there is one already.
type Planned = (Use, SocketAddr, Option<TcpListener>);

fn with_offset(offset: u16, uses: Vec<Use>) -> anyhow::Result<Vec<Planned>> {
    let ports = uses.into_iter().map(|port| {
        let number = port.default_port().checked_add(offset);
        number.map(|number| (port, loopback(number), None)).with_context(|| {
            format!(
                "--port-offset {offset} is too large: {} is on port {} without it, and the highest port is {}",
                port.name(),
                port.default_port(),
                u16::MAX
            )
        })
    });
    ports.collect()
}

#[cfg(test)]
impl Ports {
    /// The default ports, with another address for one use.
    pub(super) fn of(port: Use, address: SocketAddr) -> Self {
        let mut ports = Self::with_offset(0, Nodes::One).unwrap();
        ports.0.insert(port, address);
        ports
    }

    /// The default ports, each plus `offset`, whether or not they are free.
    pub(super) fn with_offset(offset: u16, nodes: Nodes) -> anyhow::Result<Self> {
        let planned = with_offset(offset, Use::all(nodes, true, true))?.into_iter();
        Ok(Self(
            planned.map(|(port, address, _)| (port, address)).collect(),
        ))
    }
}

/// Free ports, if possible those of the last run, because third parties have them from orders that are under way.
///
/// New ports are below the range that the kernel uses for outgoing connections. Otherwise a part's port could become the local end
/// of a connection while the part is being restarted.
fn free(uses: Vec<Use>, former: &PreviousPorts) -> anyhow::Result<Vec<Planned>> {
    const FIRST: u16 = 10_000;
    const LAST: u16 = 30_000;
    const ATTEMPTS: usize = 1_000;

    let ports = uses.into_iter().map(|port| {
        let any = std::iter::repeat_with(|| rand::random_range(FIRST..=LAST)).take(ATTEMPTS);
        let mut numbers = former.get(port.name()).copied().into_iter().chain(any);
        let free =
            numbers.find_map(|number| Some((number, TcpListener::bind(loopback(number)).ok()?)));
        let (number, listener) = free.with_context(|| {
            format!(
                "found no free port between {FIRST} and {LAST} for {}",
                port.name()
            )
        })?;
        Ok((port, loopback(number), Some(listener)))
    });
    // All listeners are held at the same time, so no port is chosen twice.
    ports.collect()
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        choice: Choice,
    }

    fn choice(flags: &[&str]) -> Choice {
        let line = std::iter::once("up").chain(flags.iter().copied());
        Flags::parse_from(line).choice
    }

    fn reserve_free(nodes: Nodes, former: &PreviousPorts) -> Reserved {
        reserve(
            choice(&["--free-ports"]),
            Use::all(nodes, true, true),
            former,
        )
        .unwrap()
    }

    #[test]
    fn an_offset_is_added_to_every_port_and_too_large_a_one_is_refused() {
        let ports = Ports::with_offset(1000, Nodes::One).unwrap();
        assert_eq!(ports.number(Use::Gateway), 4000);
        assert_eq!(ports.urls(Use::RestateIngress), "http://127.0.0.1:9080");
        assert!(with_offset(60_000, Use::all(Nodes::One, true, true)).is_err());
    }

    #[test]
    fn each_node_has_ports_of_its_own() {
        let ports = Ports::with_offset(0, Nodes::Three).unwrap();
        assert_eq!(
            ports.urls(Use::RestateAdmin),
            "http://127.0.0.1:9070,http://127.0.0.1:19070,http://127.0.0.1:29070"
        );
    }

    #[test]
    fn default_ports_and_names_are_unique() {
        let all = Use::all(Nodes::Three, true, true);
        let ports: BTreeSet<u16> = all.iter().map(|port| port.default_port()).collect();
        let names: BTreeSet<&str> = all.iter().map(|port| port.name()).collect();
        assert_eq!((ports.len(), names.len()), (all.len(), all.len()));
    }

    #[test]
    fn reserved_ports_are_held_until_they_are_dropped() {
        let reserved = reserve_free(Nodes::Three, &PreviousPorts::new());
        let port = reserved.ports.listen(Use::Gateway);
        assert!(TcpListener::bind(port).is_err());
        drop(reserved);
        assert!(TcpListener::bind(port).is_ok());
    }

    #[test]
    fn the_ports_of_the_last_run_are_reused_if_they_are_free() {
        let first = reserve_free(Nodes::Three, &PreviousPorts::new());
        let former: PreviousPorts = (first.ports.by_name().into_iter())
            .map(|(name, number)| (name.to_owned(), number))
            .collect();
        let meanwhile = reserve_free(Nodes::Three, &former);
        let number = |reserved: &Reserved| reserved.ports.number(Use::Gateway);
        assert_ne!(number(&meanwhile), number(&first));
        let taken = first.ports.by_name();
        drop(first);
        let again = reserve_free(Nodes::Three, &former);
        assert_eq!(again.ports.by_name(), taken);
    }

    #[test]
    fn the_process_that_holds_a_port_is_named() {
        let reserved = reserve_free(Nodes::One, &PreviousPorts::new());
        let who = sockets::listener(reserved.ports.number(Use::Gateway)).unwrap();
        assert!(who.contains(&std::process::id().to_string()), "{who}");
    }

    #[test]
    fn a_given_address_is_used_for_listening_and_its_url_is_on_loopback() {
        let flags = ["--free-ports", "--gateway-listen=0.0.0.0:0"];
        let reserved = reserve(
            choice(&flags),
            Use::all(Nodes::One, true, true),
            &PreviousPorts::new(),
        )
        .unwrap();
        let ports = &reserved.ports;
        let number = ports.number(Use::Gateway);
        assert_ne!(number, 0);
        assert_eq!(
            ports.listen(Use::Gateway).to_string(),
            format!("0.0.0.0:{number}")
        );
        assert_eq!(
            ports.url(Use::Gateway),
            format!("http://127.0.0.1:{number}")
        );
        assert!(!ports.is_local(Use::Gateway) && ports.is_local(Use::PsqlGateway));
        assert_eq!(ports.urls_from_elsewhere(Use::PsqlGateway), [""; 0]);
    }

    #[test]
    fn a_given_address_that_is_in_use_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let flag = format!("--psql-gateway-listen={address}");
        let refused = reserve(
            choice(&["--free-ports", &flag]),
            Use::all(Nodes::One, true, true),
            &PreviousPorts::new(),
        );
        let error = refused.unwrap_err().to_string();
        assert!(
            error.contains(&format!("{address} (psql-gateway)")),
            "{error}"
        );
    }
}
