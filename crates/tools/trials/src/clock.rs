//! Wall-clock time, for load and measurements.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch, comparable with the times in the system's own events.
pub(crate) fn now_ms() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "load and measurements happen in real time"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).map_or(0, |elapsed| {
        i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
    })
}
