//! Calls to HTTP servers: creating clients ([`http`]), and failover between several addresses of one service, such as the nodes of a
//! Restate cluster ([`Upstream`]).
//!
//! A client stays with the node that answered last. A node that is unreachable or silent is skipped, and the others are tried in
//! turn:
//!
//! | event | the request was | result |
//! |---|---|---|
//! | the connection is refused | not sent | it is sent to the next address |
//! | the connection breaks, or there is no response in time | perhaps processed | it is sent to the next address if repeating it is harmless ([`Repeat::Harmless`]); otherwise the call fails, and later requests go to the next address |
//! | any response arrives | processed | the response is returned |
//!
//! The second row covers nodes that are killed during a response, and nodes that are silent: stopped, swapping, or behind a broken
//! network connection. These may accept connections or have open ones, so only a timeout reveals them.
//!
//! With a single address, a request is sent once, with the whole limit.

mod addresses;
pub mod http;
mod restate;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

pub use addresses::{Addresses, InvalidAddress};
use http::Failure;
pub use restate::{RestateAdmin, RestateIngress};

/// Whether a request may be sent twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// The request only reads, or is idempotent.
    Harmless,
    /// The request must not be sent twice.
    Never,
}

/// A service at one or more addresses. Clones share the node that answered last.
#[derive(Debug, Clone)]
pub struct Upstream {
    nodes: Arc<[Url]>,
    /// The index of the node to try first.
    first: Arc<AtomicUsize>,
    limit: Duration,
}

/// Where to send a request, and how long the response may take.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The base URL.
    pub base: Url,
    /// The timeout, for `RequestBuilder::timeout`.
    pub limit: Duration,
}

impl Upstream {
    /// The service at these addresses. `limit` is the time for all attempts of a request together.
    #[must_use]
    pub fn new(addresses: Addresses, limit: Duration) -> Self {
        Self {
            nodes: addresses.into_urls().into(),
            first: Arc::default(),
            limit,
        }
    }

    /// Tries one node after the other until one answers.
    ///
    /// The client in `attempt` should have a timeout for connecting, since the first attempt of a request that must not be repeated
    /// gets the whole limit.
    ///
    /// # Errors
    /// Returns the error of the last attempt.
    pub async fn ask<T, E: Failure, F: Future<Output = Result<T, E>>>(
        &self,
        repeat: Repeat,
        attempt: impl Fn(Attempt) -> F,
    ) -> Result<T, E> {
        let deadline = Instant::now() + self.limit;
        let mut index = self.first.load(Ordering::Relaxed);
        let mut left = self.nodes.len();
        loop {
            let time = deadline.saturating_duration_since(Instant::now());
            let limit = match repeat {
                // The remaining time is shared with the nodes that may have to be tried after this one.
                Repeat::Harmless => time / u32::try_from(left).unwrap_or(u32::MAX),
                Repeat::Never => time,
            };
            let base = self.nodes[index].clone();
            let error = match attempt(Attempt { base, limit }).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            left -= 1;
            let next = (index + 1) % self.nodes.len();
            if next != index {
                // Unless another request has already moved to another node.
                let moved = (self.first).compare_exchange(
                    index,
                    next,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                if moved.is_ok() {
                    tracing::warn!(node = %self.nodes[index], next = %self.nodes[next], %error, "skipping a node");
                }
            }
            let may_go_on = repeat == Repeat::Harmless || error.is_unsent();
            if left == 0 || !may_go_on || Instant::now() >= deadline {
                return Err(error);
            }
            index = next;
        }
    }
}
