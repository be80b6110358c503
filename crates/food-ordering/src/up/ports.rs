//! Which part listens on which port.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::ops::Index;

use anyhow::{Context, bail};

use super::listener_of;

/// What a port is for. The embedded broker is not among them: it picks its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Gateway,
    PsqlGateway,
    RestateIngress,
    RestateAdmin,
    RestateNode,
    OrderServices,
    DriverSimulator,
    RestaurantPos,
    PaymentProvider,
}

impl Use {
    pub(super) const ALL: [Self; 9] = [
        Self::Gateway,
        Self::PsqlGateway,
        Self::RestateIngress,
        Self::RestateAdmin,
        Self::RestateNode,
        Self::OrderServices,
        Self::DriverSimulator,
        Self::RestaurantPos,
        Self::PaymentProvider,
    ];

    /// The name in `endpoints.json`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::PsqlGateway => "psql-gateway",
            Self::RestateIngress => "restate-ingress",
            Self::RestateAdmin => "restate-admin",
            Self::RestateNode => "restate-node",
            Self::OrderServices => "order-services",
            Self::DriverSimulator => "driver-simulator",
            Self::RestaurantPos => "restaurant-pos",
            Self::PaymentProvider => "payment-provider",
        }
    }

    /// The port unless told otherwise (DESIGN, "Ports and addresses").
    fn default_port(self) -> u16 {
        match self {
            Self::Gateway => 3000,
            Self::PsqlGateway => 9071,
            Self::RestateIngress => 8080,
            Self::RestateAdmin => 9070,
            Self::RestateNode => 5122,
            Self::OrderServices => 9080,
            Self::DriverSimulator => 9081,
            Self::RestaurantPos => 5050,
            Self::PaymentProvider => 5060,
        }
    }
}

/// How to choose.
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
    /// Use ports that are free: those of the last run in this data directory if they are, so that whom it has given an address finds
    /// it again
    #[arg(long, env = "FOOD_ORDERING_FREE_PORTS", conflicts_with = "port_offset")]
    free_ports: bool,
}

/// The port of every use.
#[derive(Debug, Clone)]
pub(super) struct Ports(BTreeMap<Use, u16>);

impl Index<Use> for Ports {
    type Output = u16;

    fn index(&self, port: Use) -> &u16 {
        &self.0[&port]
    }
}

/// The ports of a former run, by the names of their uses.
pub(super) type Former = BTreeMap<String, u16>;

impl Ports {
    /// The ports by the names of their uses, to be remembered.
    pub(super) fn by_name(&self) -> BTreeMap<&'static str, u16> {
        self.0
            .iter()
            .map(|(port, number)| (port.name(), *number))
            .collect()
    }

    /// `127.0.0.1:<port>`
    pub(super) fn address(&self, port: Use) -> SocketAddr {
        SocketAddr::V4(loopback(self[port]))
    }

    /// `http://127.0.0.1:<port>`, or with the scheme of what else is spoken there.
    pub(super) fn url(&self, port: Use) -> String {
        let scheme = match port {
            Use::PsqlGateway => "postgresql",
            _ => "http",
        };
        format!("{scheme}://{}", self.address(port))
    }
}

/// Ports that nobody else can take until they are let go, which is when the parts are about to take them.
#[derive(Debug)]
pub(super) struct Reserved {
    pub(super) ports: Ports,
    #[expect(dead_code, reason = "holds the ports until it is dropped")]
    listeners: Vec<TcpListener>,
}

/// Chooses and takes the ports; an error names those that are taken, and by whom.
pub(super) fn reserve(choice: Choice, former: &Former) -> anyhow::Result<Reserved> {
    if choice.free_ports {
        return reserve_free(former);
    }
    let planned = with_offset(choice.port_offset)?;
    let mut listeners = Vec::new();
    let mut taken = Vec::new();
    for (port, number) in &planned.0 {
        match TcpListener::bind(loopback(*number)) {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                let who = listener_of::port(*number)
                    .map_or_else(String::new, |who| format!(", by {who}"));
                taken.push(format!("  {number} ({}): {error}{who}", port.name()));
            }
        }
    }
    if !taken.is_empty() {
        bail!(
            "these ports cannot be used:\n{}\nStop who holds them, or choose others with --port-offset N or --free-ports.",
            taken.join("\n")
        );
    }
    Ok(Reserved {
        ports: planned,
        listeners,
    })
}

pub(super) fn with_offset(offset: u16) -> anyhow::Result<Ports> {
    let ports = Use::ALL.into_iter().map(|port| {
        let number = port.default_port().checked_add(offset);
        number.map(|number| (port, number)).with_context(|| {
            format!(
                "--port-offset {offset} is too much: {} is on port {} without it, and the last port is {}",
                port.name(),
                port.default_port(),
                u16::MAX
            )
        })
    });
    ports.collect::<anyhow::Result<_>>().map(Ports)
}

/// Free ports, those of a former run first: what was under way then has been told them.
///
/// New ones are below those that the kernel gives to outgoing connections: when a part is restarted, its port must not have become
/// somebody's end of a connection meanwhile.
fn reserve_free(former: &Former) -> anyhow::Result<Reserved> {
    const FIRST: u16 = 10_000;
    const LAST: u16 = 30_000;
    const ATTEMPTS: usize = 1_000;

    let mut ports = BTreeMap::new();
    let mut listeners = Vec::new();
    for port in Use::ALL {
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
        ports.insert(port, number);
        listeners.push(listener);
    }
    Ok(Reserved {
        ports: Ports(ports),
        listeners,
    })
}

fn loopback(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_offset_moves_every_port_and_too_large_a_one_is_refused() {
        let ports = with_offset(1000).unwrap();
        assert_eq!(ports[Use::Gateway], 4000);
        assert_eq!(ports.url(Use::RestateIngress), "http://127.0.0.1:9080");
        assert!(with_offset(60_000).is_err());
    }

    #[test]
    fn default_ports_are_told_apart_for_every_offset() {
        let ports: BTreeSet<u16> = Use::ALL.into_iter().map(Use::default_port).collect();
        assert_eq!(ports.len(), Use::ALL.len());
    }

    #[test]
    fn free_ports_are_held_until_they_are_let_go() {
        let reserved = reserve_free(&Former::new()).unwrap();
        let port = loopback(reserved.ports[Use::Gateway]);
        assert!(TcpListener::bind(port).is_err());
        drop(reserved);
        assert!(TcpListener::bind(port).is_ok());
    }

    #[test]
    fn the_ports_of_the_last_run_are_taken_again_if_they_are_free() {
        let first = reserve_free(&Former::new()).unwrap();
        let former: Former = (first.ports.by_name().into_iter())
            .map(|(name, number)| (name.to_owned(), number))
            .collect();
        let meanwhile = reserve_free(&former).unwrap();
        assert_ne!(meanwhile.ports[Use::Gateway], first.ports[Use::Gateway]);
        let taken = first.ports.by_name();
        drop(first);
        let again = reserve_free(&former).unwrap();
        assert_eq!(again.ports.by_name(), taken);
    }

    #[test]
    fn who_holds_a_port_is_named() {
        let reserved = reserve_free(&Former::new()).unwrap();
        let who = listener_of::port(reserved.ports[Use::Gateway]).unwrap();
        assert!(who.contains(&std::process::id().to_string()), "{who}");
    }
}
