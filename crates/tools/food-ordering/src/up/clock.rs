//! Notices when the machine's clock was set back.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Steps back of up to this are ignored: Restate's timers are then late by no more than this, which does no harm.
const TOLERATED: Duration = Duration::from_secs(5);

/// A reading of the machine's wall clock, with that of the monotonic clock.
#[derive(Debug)]
pub(super) struct Clock {
    time: SystemTime,
    instant: Instant,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the launcher is not durable code"
    )]
    pub(super) fn now() -> Self {
        Self {
            time: SystemTime::now(),
            instant: Instant::now(),
        }
    }

    /// By how much the clock was set back between this reading and `later`; `None` if not, or by too little to matter.
    pub(super) fn set_back_until(&self, later: &Self) -> Option<Duration> {
        let expected = self.time + later.instant.duration_since(self.instant);
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
            instant: before.instant + LOOK,
        };
        let on_time = before.time + LOOK;
        let forward = later(on_time + HOUR);
        assert_eq!(before.set_back_until(&later(on_time)), None);
        assert_eq!(before.set_back_until(&forward), None);
        assert_eq!(before.set_back_until(&later(on_time - TOLERATED)), None);
        assert_eq!(before.set_back_until(&later(on_time - HOUR)), Some(HOUR));
    }
}
