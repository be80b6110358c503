//! Calls to HTTP servers: how clients are made ([`http`]), and one service at several addresses, such as the nodes of a Restate
//! cluster ([`Upstream`]).
//!
//! A client stays with the node that answered last. One that cannot be reached, or that says nothing, is passed over, and the
//! others are tried in turn:
//!
//! | what happens | the request was | so it |
//! |---|---|---|
//! | nobody accepts the connection | not sent | is tried at the next address |
//! | the connection breaks, or no answer comes in time | perhaps acted upon | is tried at the next address if repeating does no harm ([`Repeat::Harmless`]); else the error is the answer, and later requests go elsewhere |
//! | an answer comes, whichever | acted upon | is done |
//!
//! The second row is for nodes that were killed in the middle of an answer, and for those that are there but silent: stopped,
//! swapping, or behind a cable that was pulled. They accept connections, or have an open one, and only time tells.
//!
//! With one address a request is sent once, with the whole limit.

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

pub use addresses::{Addresses, NoAddress};
use http::Failure;
pub use restate::{RestateAdmin, RestateIngress};

/// Whether a request may arrive twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It only asks, or the service recognises what it has done already.
    Harmless,
    /// Twice would be one too many.
    Never,
}

/// The service. Clones share what is known of its nodes.
#[derive(Debug, Clone)]
pub struct Upstream {
    nodes: Arc<[Url]>,
    /// The one that is asked first.
    first: Arc<AtomicUsize>,
    limit: Duration,
}

/// Where to send a request, and how long its answer may take.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The base URL.
    pub base: Url,
    /// For `RequestBuilder::timeout`.
    pub limit: Duration,
}

impl Upstream {
    /// The service at these addresses, whose answers may take `limit`, all attempts together.
    #[must_use]
    pub fn new(addresses: Addresses, limit: Duration) -> Self {
        Self {
            nodes: addresses.into_urls().into(),
            first: Arc::default(),
            limit,
        }
    }

    /// Makes an attempt at one node after the other until one answers.
    ///
    /// The client that `attempt` uses should have a limit for connecting: a request that must not be repeated has all the time
    /// there is for its first attempt.
    ///
    /// # Errors
    /// That of the last attempt.
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
                // What is left is shared with those that may have to be asked after this one.
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
                // Unless somebody else has moved on already, perhaps further.
                let moved = (self.first).compare_exchange(
                    index,
                    next,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                if moved.is_ok() {
                    tracing::warn!(node = %self.nodes[index], next = %self.nodes[next], %error, "passed over");
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
