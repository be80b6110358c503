//! The delivery regions. Drivers and deliveries are matched within one region.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::Location;

/// A region in which drivers deliver.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Region {
    /// The region of an order that names none.
    #[default]
    SanJose,
    /// North-east of the bay.
    Oakland,
    /// The city.
    SanFrancisco,
}

impl JsonSchema for Region {
    fn schema_name() -> Cow<'static, str> {
        "Region".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A delivery region.",
            "enum": Self::ALL.map(Self::name),
        })
    }
}

/// A text that is not the name of a region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be one of {}", Region::ALL.map(Region::name).map(|name| format!("{name:?}")).join(", "))]
pub struct Unknown;

/// Half the width and height of a region in degrees, as in the example family.
pub const HALF_EXTENT: f64 = 0.0675;

impl Region {
    /// Every region.
    pub const ALL: [Self; 3] = [Self::SanJose, Self::Oakland, Self::SanFrancisco];

    /// The name on the wire, also the key of the region's matcher.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SanJose => "San Jose (CA)",
            Self::Oakland => "Oakland (CA)",
            Self::SanFrancisco => "San Francisco (CA)",
        }
    }

    /// The middle of the region.
    #[must_use]
    pub const fn centre(self) -> Location {
        match self {
            Self::SanJose => Location::known(-121.8863, 37.3382),
            Self::Oakland => Location::known(-122.2364, 37.8044),
            Self::SanFrancisco => Location::known(-122.4376, 37.7577),
        }
    }

    /// The place `x`, `y` of the way across the region, each from 0 (west, south) to 1 (east, north).
    #[must_use]
    pub fn at(self, x: f64, y: f64) -> Location {
        let offset = |fraction: f64| (fraction.clamp(0.0, 1.0) * 2.0 - 1.0) * HALF_EXTENT;
        let centre = self.centre();
        Location::rounded(centre.lon() + offset(x), centre.lat() + offset(y))
    }

    /// Whether `place` is near enough to be served: inside the region or not farther outside than the region is wide.
    #[must_use]
    pub fn serves(self, place: Location) -> bool {
        self.centre().distance(place) <= 3.0 * HALF_EXTENT
    }

    /// Whether a driver of this region may be at `place`: inside the region or not farther outside than twice its width, as
    /// roads do not end where customers are served.
    #[must_use]
    pub fn is_near(self, place: Location) -> bool {
        self.centre().distance(place) <= 5.0 * HALF_EXTENT
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Region {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        Self::ALL
            .into_iter()
            .find(|region| region.name() == name)
            .ok_or(Unknown)
    }
}

impl TryFrom<String> for Region {
    type Error = Unknown;

    fn try_from(name: String) -> Result<Self, Unknown> {
        name.parse()
    }
}

impl From<Region> for &'static str {
    fn from(region: Region) -> Self {
        region.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_region() {
        for region in Region::ALL {
            assert_eq!(region.name().parse(), Ok(region));
            assert!(region.serves(region.at(0.0, 1.0)));
        }
        assert_eq!(
            "Atlantis".parse::<Region>().unwrap_err().to_string(),
            r#"must be one of "San Jose (CA)", "Oakland (CA)", "San Francisco (CA)""#
        );
    }

    #[test]
    fn fractions_outside_the_region_stay_at_its_edge() {
        let edge = Region::SanJose.at(7.0, f64::NAN.max(0.0));
        assert_eq!(edge, Region::SanJose.at(1.0, 0.0));
    }
}
