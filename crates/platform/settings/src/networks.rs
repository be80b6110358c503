//! The networks of this machine or container.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

/// The networks of all interfaces that are up, each with this machine's address in it.
#[must_use]
pub fn own() -> Vec<IpNet> {
    let Ok(interfaces) = getifaddrs() else {
        return Vec::new();
    };
    interfaces
        .filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP))
        .filter_map(|interface| {
            let address = ip(interface.address.as_ref()?)?;
            let mask = ip(interface.netmask.as_ref()?)?;
            IpNet::with_netmask(address, mask).ok()
        })
        .collect()
}

/// The networks whose clients count as clients on this machine, for a part in a container whose port is published on this address: if
/// it is published on loopback, the machine's clients reach the container through its own networks.
#[must_use]
pub fn neighbours(published_on: Option<IpAddr>) -> Vec<IpNet> {
    match published_on {
        Some(address) if address.to_canonical().is_loopback() => own(),
        _ => Vec::new(),
    }
}

/// The address on which a port is published. An IPv6 address may have brackets, as Docker requires before a port: `[::1]`.
pub fn published_on(text: &str) -> Result<IpAddr, String> {
    let brackets = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let parsed = match brackets {
        Some(inside) => inside.parse().map(IpAddr::V6),
        None => text.parse(),
    };
    parsed.map_err(|_| "must be an IP address, such as 127.0.0.1 or [::1]".to_owned())
}

/// The address with which a program on this machine reaches a server that listens on `address`, which may be unspecified.
#[must_use]
pub fn here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The addresses with which other machines may reach a server that listens on `address`; empty if only this machine can.
#[must_use]
pub fn from_elsewhere(address: SocketAddr) -> Vec<SocketAddr> {
    let ip = address.ip();
    let ips: Vec<IpAddr> = if ip.is_unspecified() {
        let own = own().into_iter().map(|network| network.addr());
        // A server that listens on all IPv6 addresses also listens on all IPv4 addresses.
        own.filter(|own| own.is_ipv4() || ip.is_ipv6()).collect()
    } else {
        vec![ip]
    };
    let is_link_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    ips.into_iter()
        .filter(|ip| !ip.to_canonical().is_loopback() && !is_link_local(ip))
        .map(|ip| SocketAddr::new(ip, address.port()))
        .collect()
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_one_of_the_networks() {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(own().iter().any(|network| network.contains(&loopback)));
    }

    #[test]
    fn only_a_port_that_is_published_on_loopback_has_neighbours() {
        assert!(!neighbours(Some("127.0.0.1".parse().unwrap())).is_empty());
        assert!(neighbours(Some("0.0.0.0".parse().unwrap())).is_empty());
        assert!(neighbours(None).is_empty());
    }

    #[test]
    fn a_published_address_may_have_the_brackets_that_docker_wants() {
        for (text, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("[::]", "::"),
        ] {
            assert_eq!(published_on(text), Ok(expected.parse().unwrap()), "{text}");
        }
        for bad in ["", "localhost", "[127.0.0.1]", "[::1", "::1]", "[]"] {
            assert!(published_on(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_on_all_addresses_is_reached_by_loopback_here_and_by_other_addresses_from_elsewhere()
    {
        for (address, expected) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("192.0.2.1:3000", "192.0.2.1:3000"),
        ] {
            assert_eq!(here(address.parse().unwrap()).to_string(), expected);
        }
        assert!(from_elsewhere("127.0.0.1:3000".parse().unwrap()).is_empty());
        let address: SocketAddr = "192.0.2.1:3000".parse().unwrap();
        assert_eq!(from_elsewhere(address), [address]);
        let loopback = |address: &SocketAddr| address.ip().is_loopback();
        assert!(
            !from_elsewhere("0.0.0.0:1".parse().unwrap())
                .iter()
                .any(loopback)
        );
    }
}
