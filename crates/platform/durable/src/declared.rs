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

/// After how long without progress a waiting invocation is suspended. Until then it holds one of the runtime's slots
/// (`worker.invoker.concurrent-invocations-limit`). With Restate's default, a minute, a burst of orders fills all slots with
/// invocations that wait for others, and those others wait for a slot.
const SUSPENDED_AFTER: Duration = Duration::from_secs(1);

/// Adds the options that all services share: the program's version, that failed invocations are retried until they succeed, and
/// that waiting ones are soon suspended. With Restate's default of retries, an outage of about an hour would pause invocations, and
/// an operator would have to resume them.
///
/// A handler that should fail permanently returns a terminal error.
pub fn declared(service: impl IntoServiceDefinition, version: &str) -> ServiceDefinition {
    let options = ServiceOptions::new()
        .metadata(VERSION, version)
        .inactivity_timeout(SUSPENDED_AFTER)
        .retry_policy_initial_interval(FIRST_RETRY)
        .retry_policy_exponentiation_factor(2.0)
        .retry_policy_max_interval(LAST_RETRY)
        .retry_policy_max_attempts(ATTEMPTS)
        // Never reached, but explicit: a killed workflow would leave charges and deliveries behind.
        .retry_policy_pause_on_max_attempts();
    service.into_service_definition().options(options)
}
