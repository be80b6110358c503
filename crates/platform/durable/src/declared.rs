//! What every durable service declares about itself in its discovery.

use std::time::Duration;

use restate_sdk::endpoint::ServiceOptions;
use restate_sdk::service::{IntoServiceDefinition, ServiceDefinition};

/// The key under which the metadata of a service, as Restate shows them, hold the version of the program that serves it.
pub const VERSION: &str = "version";

/// The delay before the first retry of a failed attempt; it doubles with each further one. Restate's own default.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest delay between two attempts, and so how long an order may rest after an outage has ended.
pub(crate) const LAST_RETRY: Duration = Duration::from_secs(10);
/// How many attempts an invocation gets. A manifest cannot say "without limit": what it leaves out is taken from Restate's
/// configuration, by default 70 attempts. This many, ten seconds apart, take more than a thousand years.
pub(crate) const ATTEMPTS: u64 = u32::MAX as u64;

/// `service` with what all of ours declare: the version of the program, and that an invocation that fails is tried again until
/// it succeeds. Left to Restate's default, invocations are paused after an outage of about an hour (`OnMaxAttempts`), and
/// somebody has to resume them.
///
/// A handler that is to fail for good returns a terminal error.
pub fn declared(service: impl IntoServiceDefinition, version: &str) -> ServiceDefinition {
    let options = ServiceOptions::new()
        .metadata(VERSION, version)
        .retry_policy_initial_interval(FIRST_RETRY)
        .retry_policy_exponentiation_factor(2.0)
        .retry_policy_max_interval(LAST_RETRY)
        .retry_policy_max_attempts(ATTEMPTS)
        // Never reached. Stated all the same: killing would leave money and food behind.
        .retry_policy_pause_on_max_attempts();
    service.into_service_definition().options(options)
}
