//! What a driver's phone reports.

use serde::{Deserialize, Serialize};

use crate::Location;

/// A record of topic `driver-updates`: where a driver is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LocationUpdate {
    /// Degrees east; checked by [`LocationUpdate::location`].
    #[serde(alias = "long")]
    pub lon: f64,
    /// Degrees north; checked by [`LocationUpdate::location`].
    pub lat: f64,
    /// When the phone was there, in ms since the epoch; the record's own time where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
}

/// Why a record is no location update.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not JSON, or not of this shape.
    #[error(
        "not a location update like {{\"lon\":-121.9,\"lat\":37.3,\"timestamp\":1700000000000}}: {0}"
    )]
    Json(#[from] serde_json::Error),
    /// Not a place on Earth.
    #[error(transparent)]
    Place(#[from] crate::geo::OutOfRange),
}

impl LocationUpdate {
    /// Reads a record's value and checks that the place is on Earth.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let update: Self = serde_json::from_slice(json)?;
        Location::new(update.lon, update.lat)?;
        Ok(update)
    }

    /// The update of a driver who was at `place` at `timestamp` ms since the epoch.
    #[must_use]
    pub fn at(place: Location, timestamp: i64) -> Self {
        Self {
            lon: place.lon(),
            lat: place.lat(),
            timestamp: Some(timestamp),
        }
    }

    /// The place, if it is one.
    pub fn location(self) -> Result<Location, crate::geo::OutOfRange> {
        Location::new(self.lon, self.lat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_with_and_without_a_time_are_read_and_nonsense_is_refused() {
        assert_eq!(
            LocationUpdate::parse(br#"{"lon":-121.9,"lat":37.3}"#)
                .unwrap()
                .timestamp,
            None
        );
        assert_eq!(
            LocationUpdate::parse(br#"{"long":1,"lat":2,"timestamp":5}"#).unwrap(),
            LocationUpdate {
                lon: 1.0,
                lat: 2.0,
                timestamp: Some(5)
            }
        );
        for bad in ["", "{}", r#"{"lon":999,"lat":0}"#, r#"{"lon":"1","lat":0}"#] {
            assert!(LocationUpdate::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
