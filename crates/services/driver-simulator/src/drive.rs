//! Routes between two positions. Pure code, without the runtime.

use std::time::Duration;

use domain::Location;

/// Positions reached within this time are reported in one durable step: the difference is not visible on the map, and a step costs
/// the runtime more than a position.
const GROUPING_TIME: Duration = Duration::from_millis(100);
/// The most positions reported in one step, however fast the driver is.
const MAX_GROUP: usize = 64;
/// If the clock is behind the last report by more than this, in ms, the clock was set back.
const SET_BACK_MS: i64 = 1_000;

/// The route from `from` to `to` in steps of `step` degrees, each of which takes `interval`. Positions that are reported together
/// are grouped.
pub(crate) fn legs(
    from: Location,
    to: Location,
    step: f64,
    interval: Duration,
) -> Vec<Vec<Location>> {
    let mut places = Vec::new();
    let mut place = from;
    while place != to {
        place = place.step_towards(to, step);
        places.push(place);
    }
    if places.is_empty() {
        places.push(to);
    }
    places
        .chunks(positions_per_step(interval))
        .map(<[Location]>::to_vec)
        .collect()
}

fn positions_per_step(interval: Duration) -> usize {
    let micros = interval.as_micros();
    if micros == 0 {
        return MAX_GROUP;
    }
    usize::try_from(GROUPING_TIME.as_micros() / micros)
        .unwrap_or(MAX_GROUP)
        .clamp(1, MAX_GROUP)
}

/// The time of a report made at `now`, if the last report had the time `last`. All in ms since the epoch.
///
/// Each report is later than the one before, even if there are several in a millisecond. After the phone's clock was set back, it
/// reports earlier times.
pub(crate) fn time_after(last: i64, now: i64) -> i64 {
    if last.saturating_sub(now) > SET_BACK_MS {
        now
    } else {
        now.max(last.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Region;

    #[test]
    fn a_route_ends_at_the_target_and_slow_drivers_report_every_step() {
        let from = Region::SanJose.at(0.0, 0.0);
        let to = Region::SanJose.at(1.0, 0.5);
        let slow = legs(from, to, 0.005, Duration::from_secs(1));
        assert_eq!(slow.len(), 27);
        assert!(slow.iter().all(|leg| leg.len() == 1));
        assert_eq!(slow.last().and_then(|leg| leg.last()), Some(&to));
        let fast = legs(from, to, 0.005, Duration::ZERO);
        assert_eq!(fast.len(), 1);
        assert_eq!(fast.concat(), slow.concat());
        let quick = legs(from, to, 0.005, Duration::from_millis(20));
        assert_eq!(quick[0].len(), 5);
    }

    #[test]
    fn a_driver_who_is_there_already_reports_once() {
        let place = Region::SanJose.centre();
        assert_eq!(legs(place, place, 0.005, Duration::ZERO), [[place]]);
    }

    #[test]
    fn report_times_increase_unless_the_clock_was_set_back() {
        assert_eq!(time_after(0, 100), 100);
        assert_eq!(time_after(100, 100), 101);
        assert_eq!(time_after(150, 100), 151);
        assert_eq!(time_after(3_600_100, 100), 100);
    }
}
