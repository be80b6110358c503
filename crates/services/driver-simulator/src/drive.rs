//! The way from one place to another. No runtime needed.

use std::time::Duration;

use domain::Location;

/// Places that are reached within this time are reported by one durable step: a person would not see the difference, and a
/// step costs the runtime more than a place does.
const TOGETHER: Duration = Duration::from_millis(100);
/// How many places are reported together at most, however fast the driver is.
const MOST_TOGETHER: usize = 64;

/// The way from `from` to `to` in steps of `step` degrees that take `interval` each, cut into what is reported together.
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
        .chunks(together(interval))
        .map(<[Location]>::to_vec)
        .collect()
}

fn together(interval: Duration) -> usize {
    let micros = interval.as_micros();
    if micros == 0 {
        return MOST_TOGETHER;
    }
    usize::try_from(TOGETHER.as_micros() / micros)
        .unwrap_or(MOST_TOGETHER)
        .clamp(1, MOST_TOGETHER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Region;

    #[test]
    fn the_way_ends_at_the_target_and_slow_drivers_report_every_step() {
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
    fn a_driver_who_is_there_already_says_so_once() {
        let place = Region::SanJose.centre();
        assert_eq!(legs(place, place, 0.005, Duration::ZERO), [[place]]);
    }
}
