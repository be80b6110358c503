//! Whether a driver keeps moving along a straight line.

use std::f64::consts::{FRAC_PI_2, PI};

use domain::Location;

/// How far a straight line may lead, in degrees; about 5 km. The twin considers it a jump if a driver seems to have moved very far
/// in no time.
const MAX_LEG: f64 = 0.05;

/// The straight lines on which a driver may have been moving since the last position that was passed on, the anchor.
///
/// Each position since then narrows the directions in which a line from the anchor passes it at a distance of at most the
/// tolerance. As long as one direction remains, one line explains all of these positions. (This is the sector test of line
/// simplification by Sklansky and Gonzalez, 1980.)
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course {
    anchor: Location,
    /// The directions, in radians; `None` while the driver is near the anchor.
    sector: Option<Sector>,
    /// The greatest distance from the anchor so far, in degrees.
    farthest: f64,
}

#[derive(Debug, Clone, Copy)]
struct Sector {
    from: f64,
    to: f64,
}

impl Course {
    pub(crate) fn from(anchor: Location) -> Self {
        Self {
            anchor,
            sector: None,
            farthest: 0.0,
        }
    }

    /// Moves the driver on to `place`. Returns whether it is still on the line, within `tolerance` degrees.
    pub(crate) fn keeps(&mut self, place: Location, tolerance: f64) -> bool {
        let (x, y) = (
            place.lon() - self.anchor.lon(),
            place.lat() - self.anchor.lat(),
        );
        let distance = x.hypot(y);
        // The driver has turned back, or is far away.
        if distance < self.farthest - tolerance || distance > MAX_LEG {
            return false;
        }
        self.farthest = self.farthest.max(distance);
        if distance <= tolerance {
            return true;
        }
        let (direction, spread) = (y.atan2(x), (tolerance / distance).asin().min(FRAC_PI_2));
        let sector = self.sector.get_or_insert(Sector {
            from: direction - PI,
            to: direction + PI,
        });
        // The same direction, as a number that is closest to the sector's middle.
        let middle = f64::midpoint(sector.from, sector.to);
        let direction = middle + (direction - middle + PI).rem_euclid(2.0 * PI) - PI;
        if !(sector.from..=sector.to).contains(&direction) {
            return false;
        }
        sector.from = sector.from.max(direction - spread);
        sector.to = sector.to.min(direction + spread);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOLERANCE: f64 = 0.000_5;

    fn at(x: f64, y: f64) -> Location {
        Location::new(-121.9 + x, 37.3 + y).unwrap()
    }

    /// How many of these positions the course keeps before it is left.
    fn kept(places: &[(f64, f64)]) -> usize {
        let mut course = Course::from(at(0.0, 0.0));
        (places.iter())
            .take_while(|(x, y)| course.keeps(at(*x, *y), TOLERANCE))
            .count()
    }

    #[test]
    fn a_straight_line_is_kept_and_a_turn_is_not() {
        assert_eq!(kept(&[(0.005, 0.005), (0.01, 0.01), (0.02, 0.02)]), 3);
        assert_eq!(kept(&[(0.005, 0.0), (0.01, 0.0), (0.01, 0.001)]), 2);
        assert_eq!(kept(&[(-0.005, 0.0), (-0.01, 0.0), (-0.01, -0.001)]), 2);
        // West, where the direction changes from π to -π.
        assert_eq!(kept(&[(-0.005, 0.000_1), (-0.01, -0.000_1)]), 2);
    }

    #[test]
    fn a_line_does_not_lead_far() {
        assert_eq!(kept(&[(0.02, 0.0), (0.04, 0.0), (0.06, 0.0)]), 2);
    }

    #[test]
    fn a_driver_who_turns_back_leaves_the_line() {
        assert_eq!(kept(&[(0.005, 0.0), (0.01, 0.0), (0.008, 0.0)]), 2);
    }

    #[test]
    fn a_driver_who_stands_keeps_the_line_whatever_the_phone_adds_to_the_place() {
        assert_eq!(kept(&[(0.000_4, 0.0), (-0.000_4, 0.0), (0.0, -0.000_3)]), 3);
    }

    #[test]
    fn many_small_turns_to_one_side_leave_the_line() {
        let bend: Vec<_> = (1..100)
            .map(|n| f64::from(n) * 0.02)
            .map(|angle| (0.05 * angle.sin(), 0.05 * (1.0 - angle.cos())))
            .collect();
        let kept = kept(&bend);
        assert!((5..30).contains(&kept), "{kept}");
    }

    proptest! {
        /// What the filter promises: the line from the anchor to the last position kept passes each of those before it within
        /// twice the tolerance.
        #[test]
        fn positions_left_out_are_near_the_line(steps in proptest::collection::vec((-3i32..10, -3i32..3), 1..60)) {
            let (mut x, mut y) = (0.0, 0.0);
            let mut course = Course::from(at(0.0, 0.0));
            let mut kept = Vec::new();
            for (east, north) in steps {
                x += f64::from(east) * 0.000_1;
                y += f64::from(north) * 0.000_1;
                let place = at(x, y);
                if !course.keeps(place, TOLERANCE) {
                    break;
                }
                kept.push((place.lon() + 121.9, place.lat() - 37.3));
            }
            let Some((x, y)) = kept.last().copied() else { return Ok(()) };
            for (px, py) in kept {
                let length = x.hypot(y);
                let off = if length < TOLERANCE { px.hypot(py) } else { (px * y - py * x).abs() / length };
                prop_assert!(off <= 2.0 * TOLERANCE + 1e-6, "{off}");
            }
        }
    }
}
