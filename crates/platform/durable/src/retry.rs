//! How often a step is tried again: one policy for each kind of neighbour. All of them try until the step is done; who has less
//! time adds `max_duration` or `max_attempts`.

use std::time::Duration;

use restate_sdk::context::RunRetryPolicy;

/// For records that Kafka has to take.
#[must_use]
pub fn kafka() -> RunRetryPolicy {
    doubling(Duration::from_millis(100), Duration::from_secs(5))
}

/// For requests of a third party that may be repeated soon.
#[must_use]
pub fn third_party() -> RunRetryPolicy {
    doubling(Duration::from_millis(200), Duration::from_secs(10))
}

/// For requests about money that is in doubt: at most 7 in the first minute.
#[must_use]
pub fn money_in_doubt() -> RunRetryPolicy {
    doubling(Duration::from_secs(1), Duration::from_secs(30))
}

/// For what has failed for a while and may take hours: once an `interval`.
#[must_use]
pub fn every(interval: Duration) -> RunRetryPolicy {
    RunRetryPolicy::new().initial_delay(interval)
}

/// Delays that begin with `first` and double up to `longest`.
fn doubling(first: Duration, longest: Duration) -> RunRetryPolicy {
    RunRetryPolicy::new()
        .initial_delay(first)
        .exponentiation_factor(2.0)
        .max_delay(longest)
}
