//! Retry policies of steps, one for each kind of dependency. All of them retry without end; callers can add `max_duration` or
//! `max_attempts`.

use std::time::Duration;

use restate_sdk::context::RunRetryPolicy;

/// For publishing records to Kafka.
#[must_use]
pub fn kafka() -> RunRetryPolicy {
    doubling(Duration::from_millis(100), Duration::from_secs(5))
}

/// For requests to a third party that may be repeated soon.
#[must_use]
pub fn third_party() -> RunRetryPolicy {
    doubling(Duration::from_millis(200), Duration::from_secs(10))
}

/// For requests about a payment whose outcome is unknown: at most 7 in the first minute.
#[must_use]
pub fn money_in_doubt() -> RunRetryPolicy {
    doubling(Duration::from_secs(1), Duration::from_secs(30))
}

/// For steps that have failed for a while and may take hours: once per `interval`.
#[must_use]
pub fn every(interval: Duration) -> RunRetryPolicy {
    RunRetryPolicy::new().initial_delay(interval)
}

/// Delays that start at `first` and double up to `longest`.
fn doubling(first: Duration, longest: Duration) -> RunRetryPolicy {
    RunRetryPolicy::new()
        .initial_delay(first)
        .exponentiation_factor(2.0)
        .max_delay(longest)
}
