//! Wall-clock time.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time in milliseconds since the Unix epoch.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a third party uses wall-clock time, and nothing here is ever replayed"
)]
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}
