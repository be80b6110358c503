//! The wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The current time, in ms since 1970.
///
/// Durable code calls this only inside `ctx.run`, so that a replay sees the time of the first execution.
#[must_use]
pub fn now_ms() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the only place where durable code reads the clock; callers are inside `ctx.run`"
    )]
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
