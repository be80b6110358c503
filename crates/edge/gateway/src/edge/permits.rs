//! Limits the number of connections or streams of each client.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// What counts as one client: an IPv4 address, or a network of 2^64 IPv6 addresses, because a customer usually has a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// Permits; each client may hold a limited number. A client without permits uses no memory.
#[derive(Debug, Clone)]
pub(crate) struct ClientPermits {
    most: usize,
    held: Arc<Mutex<HashMap<Client, usize>>>,
}

/// One permit, returned when it is dropped.
#[derive(Debug)]
pub(crate) struct ClientPermit {
    client: Client,
    held: Arc<Mutex<HashMap<Client, usize>>>,
}

impl ClientPermits {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            held: Arc::default(),
        }
    }

    /// Takes a permit for this client; `None` if it already holds as many as it may.
    pub(crate) fn take(&self, client: Client) -> Option<ClientPermit> {
        let mut held = self.held.lock();
        match held.entry(client) {
            Entry::Occupied(mut entry) if *entry.get() < self.most => *entry.get_mut() += 1,
            Entry::Vacant(entry) if self.most > 0 => drop(entry.insert(1)),
            _ => return None,
        }
        Some(ClientPermit {
            client,
            held: Arc::clone(&self.held),
        })
    }
}

impl Drop for ClientPermit {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.held.lock().entry(self.client) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn each_client_has_its_own_permits_and_can_take_returned_ones_again() {
        let permits = ClientPermits::new(2);
        let first = permits.take(client("192.0.2.1")).unwrap();
        let _second = permits.take(client("192.0.2.1")).unwrap();
        assert!(permits.take(client("192.0.2.1")).is_none());
        let other = permits.take(client("192.0.2.2")).unwrap();
        drop(first);
        assert!(permits.take(client("192.0.2.1")).is_some());
        drop(other);
        assert_eq!(permits.held.lock().len(), 1);
        assert!(ClientPermits::new(0).take(client("192.0.2.1")).is_none());
    }

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::7"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }
}
