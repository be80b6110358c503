//! Who sends a request: determined once per request.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;

use super::access::{Access, Denied};
use super::permits::Client;
use super::proxies::Proxies;

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor {
    /// The client that the limits count the request for.
    pub(crate) client: Client,
    /// Whether it comes from this machine, where everyone is an operator.
    pub(crate) is_from_here: bool,
    /// Whether it has an operator's rights, or why not.
    pub(crate) operator: Result<(), Denied>,
}

impl Visitor {
    pub(crate) fn of(
        request: &Request,
        peer: Option<SocketAddr>,
        access: &Access,
        proxies: &Proxies,
    ) -> Self {
        // Without a network, clients cannot be told apart.
        let peer = peer.map(|peer| peer.ip().to_canonical());
        let address = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let is_from_here = !proxies.trust(address) && access.is_from_here(peer, request);
        Self {
            client: proxies.client(address, request.headers()).into(),
            is_from_here,
            operator: if is_from_here {
                Ok(())
            } else {
                access.check_token_of(request.headers())
            },
        }
    }

    pub(crate) fn is_operator(&self) -> bool {
        self.operator.is_ok()
    }
}
