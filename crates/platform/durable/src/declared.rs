//! Options that every durable service declares in its discovery.

use std::time::Duration;

use restate_sdk::endpoint::ServiceOptions;
use restate_sdk::service::{IntoServiceDefinition, ServiceDefinition};

/// The key of the program's version in a service's metadata, which Restate shows.
pub const VERSION: &str = "version";

/// The delay before the first retry of a failed attempt, which doubles with each further retry. This is Restate's default.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest delay between two attempts, and therefore the longest that an order waits after an outage has ended.
pub(crate) const LAST_RETRY: Duration = Duration::from_secs(10);
/// The maximum number of attempts. A manifest cannot request unlimited attempts: without a number, Restate's configuration applies,
/// by default 70 attempts. This many attempts, ten seconds apart, take more than a thousand years.
pub(crate) const ATTEMPTS: u64 = u32::MAX as u64;

/// Adds the options that all services share: the program's version, and that failed invocations are retried until they succeed.
/// With Restate's default, an outage of about an hour would pause invocations, and an operator would have to resume them.
///
/// A handler that should fail permanently returns a terminal error.
pub fn declared(service: impl IntoServiceDefinition, version: &str) -> ServiceDefinition {
    let options = ServiceOptions::new()
        .metadata(VERSION, version)
        .retry_policy_initial_interval(FIRST_RETRY)
        .retry_policy_exponentiation_factor(2.0)
        .retry_policy_max_interval(LAST_RETRY)
        .retry_policy_max_attempts(ATTEMPTS)
        // Never reached, but explicit: a killed workflow would leave charges and deliveries behind.
        .retry_policy_pause_on_max_attempts();
    service.into_service_definition().options(options)
}
