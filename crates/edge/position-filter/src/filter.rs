//! Which reports are passed on.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use domain::driver::{LocationUpdate, Received, Track, Verdict};

use crate::course::Course;

/// How many drivers are remembered. When there are more, all are forgotten, and the next report of each is passed on.
const MOST_DRIVERS: usize = 100_000;

/// Why a report is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Nothing is known about the driver yet.
    First,
    /// The last report that was passed on is older than the interval, as is always the case after a silence.
    Due,
    /// The driver has left the straight line.
    Turn,
    /// The twin may refuse this report, or it comes after one that the twin may have refused: see [`Track`].
    Doubtful,
}

impl Reason {
    /// The reason as a label of a metric.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Due => "due",
            Self::Turn => "turn",
            Self::Doubtful => "doubtful",
        }
    }
}

/// What is known about a driver.
#[derive(Debug)]
struct Driver {
    /// All reports, evaluated as the twin does.
    track: Track,
    /// Whether the track accepted the last report as the newest position.
    is_certain: bool,
    course: Option<Course>,
    /// When the last report was passed on, by this process's clock.
    passed_at: Instant,
    /// The record time of that report, in ms since 1970. While a backlog is read, many reports arrive at once.
    passed_record_at: i64,
}

/// Decides for each report whether it is passed on.
#[derive(Debug)]
pub(crate) struct Filter {
    /// The longest interval at which a driver's position is passed on.
    interval: Duration,
    /// How far from the straight line a driver may be, in degrees.
    tolerance: f64,
    drivers: HashMap<String, Driver>,
}

impl Filter {
    pub(crate) fn new(interval: Duration, tolerance: f64) -> Self {
        Self {
            interval,
            tolerance,
            drivers: HashMap::new(),
        }
    }

    /// Takes a driver's report into account; one without an update has no valid place or time. Returns why it is passed on, or
    /// `None` if it can be left out.
    pub(crate) fn take(
        &mut self,
        driver: &str,
        update: Option<LocationUpdate>,
        received: Received,
        now: Instant,
    ) -> Option<Reason> {
        let course = update.map(|update| Course::from(update.location));
        let Some(known) = self.drivers.get_mut(driver) else {
            if self.drivers.len() >= MOST_DRIVERS {
                self.drivers.clear();
            }
            let mut track = Track::default();
            let is_certain = track.take(update, received) == Verdict::Newest;
            let first = Driver {
                track,
                is_certain,
                course,
                passed_at: now,
                passed_record_at: received.at,
            };
            self.drivers.insert(driver.to_owned(), first);
            return Some(Reason::First);
        };
        let was_certain = known.is_certain;
        known.is_certain = known.track.take(update, received) == Verdict::Newest;
        let reason = if !(was_certain && known.is_certain) {
            Reason::Doubtful
        } else if known.is_due(self.interval, received, now) {
            Reason::Due
        } else if let (Some(course), Some(update)) = (&mut known.course, update)
            && course.keeps(update.location, self.tolerance)
        {
            return None;
        } else {
            Reason::Turn
        };
        known.course = course;
        known.passed_at = now;
        known.passed_record_at = received.at;
        Some(reason)
    }
}

impl Driver {
    fn is_due(&self, interval: Duration, received: Received, now: Instant) -> bool {
        let by_records = Duration::from_millis(received.at.abs_diff(self.passed_record_at));
        now.duration_since(self.passed_at) >= interval || by_records >= interval
    }
}

#[cfg(test)]
mod tests {
    use domain::Location;

    use super::*;

    const START: i64 = 1_700_000_000_000;

    struct Road {
        filter: Filter,
        begin: Instant,
    }

    impl Road {
        fn new() -> Self {
            Self {
                filter: Filter::new(Duration::from_secs(15), 0.000_5),
                begin: Instant::now(),
            }
        }

        /// A report after `ms`, at (`x`, `y`), which reaches the filter after `arrives` ms.
        fn report_at(&mut self, ms: i64, arrives: i64, x: f64, y: f64) -> Option<Reason> {
            let location = Location::new(-121.9 + x, 37.3 + y).unwrap();
            let at = START + ms;
            let now = self.begin + Duration::from_millis(arrives.unsigned_abs());
            let received = Received { at, offset: at };
            self.filter
                .take("d", Some(LocationUpdate::at(location, at)), received, now)
        }

        fn report(&mut self, ms: i64, x: f64, y: f64) -> Option<Reason> {
            self.report_at(ms, ms, x, y)
        }
    }

    #[test]
    fn reports_on_a_straight_line_are_left_out_until_one_is_due() {
        let mut road = Road::new();
        assert_eq!(road.report(0, 0.0, 0.0), Some(Reason::First));
        for second in [5, 10, 14] {
            assert_eq!(road.report(second * 1_000, 0.002, 0.0), None);
        }
        assert_eq!(road.report(15_000, 0.003, 0.0), Some(Reason::Due));
        assert_eq!(road.report(20_000, 0.004, 0.0), None);
        assert_eq!(road.report(25_000, 0.004, 0.001), Some(Reason::Turn));
    }

    #[test]
    fn the_first_report_after_a_silence_is_passed_on() {
        let mut road = Road::new();
        road.report(0, 0.0, 0.0);
        assert_eq!(road.report(5_000, 0.0, 0.0), None);
        assert_eq!(road.report(600_000, 0.0, 0.0), Some(Reason::Due));
    }

    #[test]
    fn a_backlog_that_is_read_at_once_is_thinned_by_the_times_of_the_records() {
        let mut road = Road::new();
        let passed: Vec<_> = (0..60)
            .filter(|n| road.report_at(n * 5_000, 0, 0.0, 0.0).is_some())
            .collect();
        assert_eq!(passed, (0..60).step_by(3).collect::<Vec<_>>());
    }

    #[test]
    fn reports_that_the_twin_may_refuse_and_the_next_one_are_passed_on() {
        let mut road = Road::new();
        road.report(0, 0.0, 0.0);
        assert_eq!(road.report(1_000, 0.0, 0.0), None);
        // 0.2° in a second: the twin refuses it, and accepts it when the next report confirms it.
        assert_eq!(road.report(2_000, 0.2, 0.0), Some(Reason::Doubtful));
        assert_eq!(road.report(3_000, 0.2, 0.0), Some(Reason::Doubtful));
        assert_eq!(road.report(4_000, 0.2, 0.0), None);
    }

    #[test]
    fn reports_without_a_position_and_the_next_one_are_passed_on() {
        let mut road = Road::new();
        let lost = |road: &mut Road, ms: i64| {
            let received = Received {
                at: START + ms,
                offset: ms,
            };
            road.filter.take("d", None, received, road.begin)
        };
        assert_eq!(lost(&mut road, 0), Some(Reason::First));
        assert_eq!(lost(&mut road, 1_000), Some(Reason::Doubtful));
        assert_eq!(road.report(2_000, 0.0, 0.0), Some(Reason::Doubtful));
        assert_eq!(road.report(3_000, 0.0, 0.0), None);
    }

    #[test]
    fn drivers_are_independent_of_each_other_and_their_number_is_bounded() {
        let mut road = Road::new();
        road.report(0, 0.0, 0.0);
        let location = Location::new(-121.9, 37.3).unwrap();
        for n in 0..MOST_DRIVERS {
            let received = Received {
                at: START,
                offset: 0,
            };
            let update = Some(LocationUpdate::at(location, START));
            let reason = road
                .filter
                .take(&n.to_string(), update, received, road.begin);
            assert_eq!(reason, Some(Reason::First));
        }
        assert!(road.filter.drivers.len() <= MOST_DRIVERS);
        assert_eq!(road.report(1_000, 0.0, 0.0), Some(Reason::First));
    }
}
