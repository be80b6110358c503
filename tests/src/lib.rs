//! Helpers for the end-to-end tests: starting a whole system, and operations on it.
//!
//! [`System::start`] runs the launcher (`food-ordering up`) on free ports in a fresh directory, so tests can run concurrently. All its
//! processes end with it, even if a test fails. Nothing here sleeps for a fixed time: [`eventually`] waits for a condition.
#![expect(
    clippy::disallowed_methods,
    reason = "tests and the systems they start trust each other"
)]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod apache_kafka;
mod books;
mod certificates;
mod clocks;
mod collector;
mod launcher;
mod manifests;
mod orders;
mod proxy;
mod second_process;
mod system;
mod tls;
mod topics;

pub use apache_kafka::ApacheKafka;
pub use books::{assert_books_balance, assert_nothing_left_behind};
pub use clocks::Clocks;
pub use collector::{Collector, Span};
pub use launcher::{CommandOutput, binary, doctor, psql_gateway, run, run_trials};
pub use manifests::manifests;
pub use orders::{order, order_with};
pub use proxy::{PaymentProxy, Tampering};
pub use second_process::SecondProcess;
pub use system::{Options, System};
pub use tls::tls_in_front_of;
pub use topics::{Record, Topic};

use std::time::Duration;

use tokio::time::Instant;

/// An HTTP client for parts on this machine, which ignores proxies in the environment.
///
/// # Panics
/// If TLS cannot be set up.
#[must_use]
pub fn http() -> reqwest::Client {
    let client = upstream::http::streaming_client().build();
    client.expect("an HTTP client without special settings")
}

/// How long to wait for something that should happen soon. Long enough for a busy machine.
pub const SOON: Duration = Duration::from_mins(2);

/// Calls `look` every 50 ms until it returns `Ok`.
///
/// # Panics
/// After `within`, with `what` and the last error of `look`.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(
                Instant::now() < deadline,
                "waited {within:?} for {what}; last seen: {seen}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
