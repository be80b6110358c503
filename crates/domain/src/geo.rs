//! Places on the map: distances, travel times, and the cells by which drivers are found.
//!
//! Distances are in degrees, and the longer axis counts (Chebyshev distance), because that is how the drivers of this example
//! family drive: each step moves them at most one step length along either axis. It is a model of a small region, not geodesy.

use std::borrow::Cow;
use std::time::Duration;

use h3o::{CellIndex, LatLng, Resolution};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A place in degrees (WGS 84): latitude within ±90, longitude within ±180, exact to a millionth of a degree (11 cm).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Degrees", into = "Degrees")]
pub struct Location {
    lon: f64,
    lat: f64,
}

/// The wire form of a [`Location`].
#[derive(Serialize, Deserialize)]
struct Degrees {
    #[serde(alias = "long")]
    lon: f64,
    lat: f64,
}

impl JsonSchema for Location {
    fn schema_name() -> Cow<'static, str> {
        "Location".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let degrees = |most: u8| json_schema!({"type": "number", "minimum": -i16::from(most), "maximum": most});
        json_schema!({
            "type": "object",
            "description": "A place in degrees (WGS 84): `lon` east of Greenwich, which may be called `long`, and `lat` north of the \
                            equator.",
            "properties": {"lat": degrees(90)},
            "required": ["lat"],
            "anyOf": [
                {"properties": {"lon": degrees(180)}, "required": ["lon"]},
                {"properties": {"long": degrees(180)}, "required": ["long"]},
            ],
        })
    }
}

/// A pair of numbers that are not coordinates of a place on Earth.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "must be a place in degrees (lon within ±180, lat within ±90), not lon {lon:?}, lat {lat:?}"
)]
pub struct OutOfRange {
    lon: f64,
    lat: f64,
}

impl TryFrom<Degrees> for Location {
    type Error = OutOfRange;

    fn try_from(Degrees { lon, lat }: Degrees) -> Result<Self, OutOfRange> {
        Self::new(lon, lat)
    }
}

impl From<Location> for Degrees {
    fn from(Location { lon, lat }: Location) -> Self {
        Self { lon, lat }
    }
}

impl Location {
    /// The place at `lon` degrees east and `lat` degrees north.
    pub fn new(lon: f64, lat: f64) -> Result<Self, OutOfRange> {
        // NaN is in no range, so this refuses it too.
        if (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat) {
            Ok(Self::rounded(lon, lat))
        } else {
            Err(OutOfRange { lon, lat })
        }
    }

    /// A place that is known to be on Earth when the program is compiled.
    #[must_use]
    pub(crate) const fn known(lon: f64, lat: f64) -> Self {
        assert!(lon >= -180.0 && lon <= 180.0 && lat >= -90.0 && lat <= 90.0);
        Self { lon, lat }
    }

    /// A tenth of a metre is precise enough, and short numbers are cheap to journal.
    pub(crate) fn rounded(lon: f64, lat: f64) -> Self {
        let round = |degrees: f64| (degrees * 1e6).round() / 1e6;
        Self {
            lon: round(lon),
            lat: round(lat),
        }
    }

    /// Degrees east of Greenwich.
    #[must_use]
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Degrees north of the equator.
    #[must_use]
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Longitude and latitude in millionths of a degree, which is how exact a place is.
    pub(crate) fn millionths(self) -> (i64, i64) {
        #[expect(clippy::cast_possible_truncation, reason = "at most 180 million")]
        let whole = |degrees: f64| (degrees * 1e6).round() as i64;
        (whole(self.lon), whole(self.lat))
    }

    /// How far `other` is, in degrees along the longer axis.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        (self.lon - other.lon)
            .abs()
            .max((self.lat - other.lat).abs())
    }

    /// The place after one step of at most `step` degrees along each axis towards `target`.
    #[must_use]
    pub fn step_towards(self, target: Self, step: f64) -> Self {
        let axis = |from: f64, to: f64| {
            if (to - from).abs() <= step {
                to
            } else {
                from + step.copysign(to - from)
            }
        };
        Self::rounded(axis(self.lon, target.lon), axis(self.lat, target.lat))
    }

    /// The map cell this place lies in.
    #[must_use]
    pub fn cell(self) -> Cell {
        // `LatLng::new` refuses only numbers that are not finite, and a `Location` is always finite.
        let place = LatLng::new(self.lat, self.lon).unwrap_or_default();
        Cell(place.to_cell(Cell::RESOLUTION))
    }
}

/// How fast a driver is expected to be, in degrees a second along the longer axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(f64);

impl Speed {
    /// 0.005° a second, which the original example assumes.
    pub const DEFAULT: Self = Self(0.005);

    /// The speed of a driver who moves `step` degrees every `interval`; `None` unless both are more than zero.
    #[must_use]
    pub fn new(step: f64, interval: Duration) -> Option<Self> {
        let speed = step / interval.as_secs_f64();
        (speed.is_finite() && speed > 0.0).then_some(Self(speed))
    }

    /// How long it takes to drive `distance` degrees.
    #[must_use]
    pub fn time_for(self, distance: f64) -> Duration {
        // No distance on Earth takes longer than this; it also bounds a distance that is not finite.
        const LONGEST: Duration = Duration::from_hours(24 * 365);
        Duration::try_from_secs_f64(distance / self.0).map_or(LONGEST, |time| time.min(LONGEST))
    }
}

/// A cell of the H3 grid at resolution 7: about 5.2 km², so a demo region has some fifty.
///
/// Source of the area: the H3 documentation's table of cell statistics (average hexagon area at resolution 7: 5.161 km²).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(description = "A cell of the H3 grid, as a hexadecimal number.")]
pub struct Cell(#[schemars(with = "String", regex(pattern = "^[0-9a-f]+$"))] CellIndex);

impl Cell {
    const RESOLUTION: Resolution = Resolution::Seven;

    /// How many cells lie on the way to `other`; `None` where the grid cannot tell because it is too far away.
    #[must_use]
    pub fn steps_to(self, other: Self) -> Option<u32> {
        self.0
            .grid_distance(other.0)
            .ok()
            .and_then(|steps| u32::try_from(steps).ok())
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Cell {
    type Err = h3o::error::InvalidCellIndex;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Location> {
        (-122.0..-121.8, 37.2..37.4).prop_map(|(lon, lat)| Location::new(lon, lat).unwrap())
    }

    #[test]
    fn only_places_on_earth_are_locations() {
        for (lon, lat) in [
            (f64::NAN, 0.0),
            (0.0, f64::INFINITY),
            (180.1, 0.0),
            (0.0, -90.1),
        ] {
            assert!(Location::new(lon, lat).is_err(), "{lon} {lat}");
        }
        assert!(serde_json::from_str::<Location>(r#"{"lon":500,"lat":0}"#).is_err());
    }

    #[test]
    fn a_degree_takes_two_hundred_seconds_at_the_default_speed() {
        assert_eq!(Speed::DEFAULT.time_for(1.0), Duration::from_secs(200));
        assert_eq!(Speed::new(0.005, Duration::ZERO), None);
        assert_eq!(
            Speed::DEFAULT.time_for(f64::INFINITY),
            Duration::from_hours(24 * 365)
        );
    }

    proptest! {
        #[test]
        fn driving_step_by_step_arrives_after_distance_over_step(from in place(), to in place()) {
            let step = 0.005;
            let mut at = from;
            let mut steps = 0.0;
            while at != to {
                let next = at.step_towards(to, step);
                prop_assert!(next.distance(to) < at.distance(to));
                at = next;
                steps += 1.0;
                prop_assert!(steps < 1000.0);
            }
            prop_assert!((steps - (from.distance(to) / step).ceil()).abs() <= 1.0);
        }

        #[test]
        fn cells_survive_text_and_neighbours_are_near(a in place()) {
            let cell = a.cell();
            prop_assert_eq!(cell.to_string().parse::<Cell>().unwrap(), cell);
            prop_assert_eq!(cell.steps_to(cell), Some(0));
        }
    }
}
