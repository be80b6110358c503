//! When a driver counts as silent.

use serde::{Deserialize, Serialize};

/// How long a driver has been silent, by the clock of the digital twin alone.
///
/// Neither the phone's clock nor the record's time counts: the phone sets the one, and whoever publishes the record may set the
/// other. A report that was handled between two looks is a fact, so the driver counts as heard from at the second look. The twin
/// journals its clock only when it looks, not for each report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// When the driver was last known to be heard from, or got the delivery, in ms since 1970.
    #[serde(default)]
    heard_at: i64,
    /// A report was handled since the last look.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reported: bool,
}

impl Silence {
    /// Nothing has been heard since `now`.
    #[must_use]
    pub fn since(now: i64) -> Self {
        Self {
            heard_at: now,
            reported: false,
        }
    }

    /// A report was handled, whatever its content.
    pub fn end(&mut self) {
        self.reported = true;
    }

    /// Looks at `now`. Returns how many ms are left until the driver has been silent for `limit`; at most zero once that is so.
    pub fn left(&mut self, now: i64, limit: i64) -> i64 {
        // After the clock was set back, silence would otherwise stay hidden until the clock has caught up.
        if self.reported || self.heard_at > now {
            *self = Self::since(now);
        }
        self.heard_at.saturating_add(limit).saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_report_between_two_looks_counts_from_the_second_one() {
        let mut silence = Silence::since(0);
        assert_eq!(silence.left(40, 60), 20);
        silence.end();
        assert_eq!(silence.left(60, 60), 60);
        assert_eq!(silence.left(90, 60), 30);
        assert_eq!(silence.left(120, 60), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_silent_and_hides_nobody() {
        let mut silence = Silence::since(3_600_000);
        assert_eq!(silence.left(10, 60), 60);
        assert_eq!(silence.left(70, 60), 0);
    }

    proptest! {
        /// A driver who reports at least once in `limit` is never silent, however the looks fall. A driver who stops
        /// reporting is silent once the limit is over, counted from the first look after the last report.
        #[test]
        fn drivers_who_report_are_not_silent_and_others_are(
            events in proptest::collection::vec((1..50_i64, any::<bool>()), 1..60)
        ) {
            let limit = 60;
            let (mut silence, mut now, mut heard) = (Silence::since(0), 0, 0);
            for (after, is_report) in events {
                now += after;
                if is_report {
                    silence.end();
                    heard = now;
                } else {
                    let is_silent = silence.left(now, limit) <= 0;
                    prop_assert!(!is_silent || now - heard >= limit);
                }
            }
            // One last report, and then every look at the time that the one before has asked for.
            silence.end();
            heard = now;
            now += 49;
            let mut left = silence.left(now, limit);
            while left > 0 {
                now += left;
                left = silence.left(now, limit);
            }
            prop_assert!(now - heard <= limit + 49);
        }
    }
}
