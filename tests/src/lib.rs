//! What the end-to-end tests need: a whole system of their own, and words for what is done to it.
//!
//! [`System::start`] runs the launcher (`food-ordering up`) on free ports in a fresh directory, so tests run side by side; what
//! it starts ends with it, also when a test fails. Nothing here sleeps for a fixed time: [`eventually`] waits for a condition.
#![expect(
    clippy::disallowed_methods,
    reason = "tests and the systems they start trust each other"
)]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod apache_kafka;
mod beside;
mod books;
mod clocks;
mod collector;
mod launcher;
mod manifests;
mod orders;
mod proxy;
mod system;
mod topics;

pub use apache_kafka::ApacheKafka;
pub use beside::Beside;
pub use books::{assert_books_balance, assert_nothing_left_behind};
pub use clocks::Clocks;
pub use collector::{Collector, Span};
pub use launcher::{Ran, binary, doctor, run, run_trials};
pub use manifests::manifests;
pub use orders::{order, order_with};
pub use proxy::{Harm, PaymentProxy};
pub use system::{Options, System};
pub use topics::{Record, Topic};

use std::time::Duration;

use tokio::time::Instant;

/// An HTTP client for what runs on this machine, also where the environment names a proxy.
///
/// # Panics
/// If TLS cannot be set up.
#[must_use]
pub fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().build();
    client.expect("an HTTP client without settings can be made")
}

/// How long anything may take that should happen soon. Long enough for a busy machine, short enough to wait for.
pub const SOON: Duration = Duration::from_mins(1);

/// Waits until `look` finds something, looking every 50 ms.
///
/// # Panics
/// After `within`, saying what was waited for and what was seen last.
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
