//! Noticing that the machine's clock was set back.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Timers of Restate that are late by no more than this disturb nobody.
const TOLERATED: Duration = Duration::from_secs(5);

/// The machine's clock, as it was when it was looked at last.
#[derive(Debug)]
pub(super) struct Clock {
    time: SystemTime,
    looked: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the launcher is no durable code")]
    pub(super) fn now() -> Self {
        Self {
            time: SystemTime::now(),
            looked: Instant::now(),
        }
    }

    /// By how much the clock was set back between this look and `later`, if that matters.
    pub(super) fn set_back_until(&self, later: &Self) -> Option<Duration> {
        let expected = self.time + later.looked.duration_since(self.looked);
        let back = expected.duration_since(later.time).unwrap_or_default();
        (back > TOLERATED).then_some(back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_was_set_back_is_noticed() {
        const HOUR: Duration = Duration::from_hours(1);
        const LOOK: Duration = Duration::from_secs(10);
        let before = Clock::now();
        let later = |time| Clock {
            time,
            looked: before.looked + LOOK,
        };
        let on_time = before.time + LOOK;
        let forward = later(on_time + HOUR);
        assert_eq!(before.set_back_until(&later(on_time)), None);
        assert_eq!(before.set_back_until(&forward), None);
        assert_eq!(before.set_back_until(&later(on_time - TOLERATED)), None);
        assert_eq!(before.set_back_until(&later(on_time - HOUR)), Some(HOUR));
    }
}
