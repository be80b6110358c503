//! Where a request comes from, also behind proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

use super::settings::ClientAddressHeader;

/// The trusted proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    trusted: Vec<IpNet>,
    header: ClientAddressHeader,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<IpNet>, header: ClientAddressHeader) -> Self {
        Self { trusted, header }
    }

    /// Whether this address is a trusted proxy.
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|net| net.contains(&address))
    }

    /// The client: the peer itself, or the one that trusted proxies name.
    ///
    /// Each proxy appends the address of its own peer. So the last entry is from the peer. The one before it is from the proxy
    /// that the last entry names, and counts only if that is trusted too. Entries written by the client come before all of these.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        for said in self.said(headers).rev() {
            if !self.trust(client) {
                break;
            }
            match said {
                Some(address) => client = address.to_canonical(),
                // The client is not named, so the request counts as the proxy's own.
                None => break,
            }
        }
        client
    }

    /// The header's entries, in order; `None` for an entry that is not an address.
    fn said(&self, headers: &HeaderMap) -> std::vec::IntoIter<Option<IpAddr>> {
        if self.trusted.is_empty() {
            return Vec::new().into_iter();
        }
        let values = headers.get_all(self.header.name());
        let entries = values.iter().flat_map(|value| match value.to_str() {
            Ok(text) => text.split(',').map(|entry| self.address(entry)).collect(),
            Err(_) => vec![None],
        });
        entries.collect::<Vec<_>>().into_iter()
    }

    fn address(&self, entry: &str) -> Option<IpAddr> {
        match self.header {
            ClientAddressHeader::XForwardedFor => node(entry.trim()),
            ClientAddressHeader::Forwarded => entry.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                let is_for = name.trim().eq_ignore_ascii_case("for");
                is_for.then(|| node(value.trim().trim_matches('"')))?
            }),
        }
    }
}

/// `10.0.0.7`, `10.0.0.7:4711`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:4711`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .ok()
        .or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(
        header: ClientAddressHeader,
        trusted: &[&str],
        peer: &str,
        values: &[&'static str],
    ) -> String {
        let trusted = trusted.iter().map(|net| net.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header.name(), value.parse().unwrap());
        }
        let proxies = Proxies::new(trusted, header);
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_entries_of_trusted_proxies_count() {
        let x = ClientAddressHeader::XForwardedFor;
        let ours = &["10.0.0.0/8", "::1/128"][..];
        for (trusted, peer, values, expected) in [
            (&[][..], "203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            (ours, "203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            (ours, "10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (ours, "::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (ours, "::1", &["[2001:db8::7]:443"], "2001:db8::7"),
            // What the client wrote itself comes before what the proxy has appended.
            (ours, "10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            (
                ours,
                "10.0.0.1",
                &["6.6.6.6", "198.51.100.1"],
                "198.51.100.1",
            ),
            (
                ours,
                "10.0.0.1",
                &["198.51.100.1, 10.0.0.2"],
                "198.51.100.1",
            ),
            (ours, "10.0.0.1", &["6.6.6.6, unknown"], "10.0.0.1"),
            (ours, "10.0.0.1", &["6.6.6.6, "], "10.0.0.1"),
            (ours, "10.0.0.1", &[], "10.0.0.1"),
            (ours, "10.0.0.1", &["10.0.0.3"], "10.0.0.3"),
        ] {
            assert_eq!(
                client(x, trusted, peer, values),
                expected,
                "{peer} {values:?}"
            );
        }
    }

    #[test]
    fn forwarded_is_read_as_in_rfc_7239() {
        let trusted = &["10.0.0.1/32"][..];
        for (value, expected) in [
            ("for=192.0.2.43;proto=http;by=203.0.113.43", "192.0.2.43"),
            (
                "proto=https; For=\"[2001:db8:cafe::17]:4711\"",
                "2001:db8:cafe::17",
            ),
            ("for=6.6.6.6, for=192.0.2.60", "192.0.2.60"),
            ("for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            let forwarded = ClientAddressHeader::Forwarded;
            assert_eq!(
                client(forwarded, trusted, "10.0.0.1", &[value]),
                expected,
                "{value}"
            );
        }
    }
}
