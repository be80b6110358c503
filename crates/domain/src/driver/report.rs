//! A record of topic `driver-updates`, parsed or refused with a reason.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::{self, NotATime};
use crate::Location;
use crate::geo::OutOfRange;

/// Where a driver was, and when by the clock of the driver's phone. Records are read by [`LocationUpdate::parse`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LocationUpdate {
    /// Where.
    #[serde(flatten)]
    pub location: Location,
    /// When, in ms since 1970. The record's own time counts where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
}

/// The longest value of a record that is read, in bytes. A report has about 60; phones may add accuracy, speed and the like.
pub const LONGEST: usize = 16 * 1024;

/// Why a record is no location update.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unreadable {
    /// Nothing in it.
    #[error("the record has no value; expected {EXAMPLE}")]
    Empty,
    /// More than [`LONGEST`] in it.
    #[error("the value has {0} bytes; at most {LONGEST} are read")]
    TooLong(usize),
    /// No JSON in it.
    #[error("the value is not JSON; expected {EXAMPLE}")]
    NotJson,
    /// Another kind of JSON value in it.
    #[error("the value must be a JSON object, but is {0}; expected {EXAMPLE}")]
    NotAnObject(&'static str),
    /// A field has twice been given a value.
    #[error("the value names a field twice")]
    Ambiguous,
    /// No longitude or no latitude in it.
    #[error("{0} is required; expected {EXAMPLE}")]
    Missing(&'static str),
    /// A longitude or latitude that is no number.
    #[error("{0} must be a number of degrees, but is {1}")]
    NotANumber(&'static str, &'static str),
    /// Not a place on Earth.
    #[error("the location {0}")]
    Place(#[from] OutOfRange),
    /// A timestamp that is none.
    #[error(transparent)]
    Time(#[from] NotATime),
}

/// What a report looks like, for whoever sends something else.
const EXAMPLE: &str = r#"{"lon":-121.9,"lat":37.3,"timestamp":1700000000000}"#;

impl Unreadable {
    /// The reason as a label of a metric.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Place(_) | Self::Missing(_) | Self::NotANumber(..) => "location",
            Self::Time(_) => "timestamp",
            _ => "unreadable",
        }
    }
}

/// The fields as they come. Others are left unread.
#[derive(Deserialize)]
struct Raw {
    #[serde(alias = "long")]
    lon: Option<Value>,
    lat: Option<Value>,
    timestamp: Option<Value>,
}

impl LocationUpdate {
    /// Reads a record's value. A byte order mark before the JSON is ignored, as RFC 8259 allows.
    pub fn parse(value: &[u8]) -> Result<Self, Unreadable> {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        if value.len() > LONGEST {
            return Err(Unreadable::TooLong(value.len()));
        }
        let json = value.strip_prefix(BYTE_ORDER_MARK).unwrap_or(value);
        // A struct may also be read from an array, field by field, which nobody means.
        let is_object = json.trim_ascii_start().starts_with(b"{");
        let raw = is_object.then(|| serde_json::from_slice::<Raw>(json));
        let Some(Ok(raw)) = raw else {
            return Err(not_a_report(json));
        };
        Ok(Self {
            location: Location::new(degrees("lon", raw.lon)?, degrees("lat", raw.lat)?)?,
            timestamp: raw.timestamp.as_ref().map(clock::parse).transpose()?,
        })
    }

    /// The update as a record has it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // It holds only numbers that JSON has, so it can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The update of a driver who was at `location` at `timestamp` ms since 1970.
    #[must_use]
    pub fn at(location: Location, timestamp: i64) -> Self {
        Self {
            location,
            timestamp: Some(timestamp),
        }
    }
}

/// Why JSON, or what was to be JSON, is no object with the fields of [`Raw`].
fn not_a_report(json: &[u8]) -> Unreadable {
    if json.trim_ascii().is_empty() {
        return Unreadable::Empty;
    }
    match serde_json::from_slice(json) {
        Ok(Value::Object(_)) => Unreadable::Ambiguous,
        Ok(other) => Unreadable::NotAnObject(kind(&other)),
        Err(_) => Unreadable::NotJson,
    }
}

fn degrees(field: &'static str, value: Option<Value>) -> Result<f64, Unreadable> {
    let value = value.ok_or(Unreadable::Missing(field))?;
    (value.as_f64()).ok_or_else(|| Unreadable::NotANumber(field, kind(&value)))
}

/// What kind of JSON value this is, for people.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_with_and_without_a_time_are_read() {
        let here = Location::new(-121.9, 37.3).unwrap();
        for (value, timestamp) in [
            (r#"{"lon":-121.9,"lat":37.3}"#, None),
            (r#"{"lon":-121.9,"lat":37.3,"timestamp":null}"#, None),
            (
                r#"{"long":-121.9,"lat":37.3,"timestamp":1700000000,"accuracy":{"m":5}}"#,
                Some(1_700_000_000_000),
            ),
            (
                "\u{feff} {\"lon\":-121.9,\"lat\":37.3,\"timestamp\":\"2023-11-14T22:13:20Z\"}\n",
                Some(1_700_000_000_000),
            ),
        ] {
            let expected = LocationUpdate {
                location: here,
                timestamp,
            };
            assert_eq!(
                LocationUpdate::parse(value.as_bytes()),
                Ok(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let update = LocationUpdate::at(Location::new(-121.9, 37.3).unwrap(), 1_700_000_000_000);
        let json = serde_json::to_vec(&update).unwrap();
        assert_eq!(LocationUpdate::parse(&json), Ok(update));
    }

    #[test]
    fn what_is_no_update_is_refused_in_the_words_of_whoever_sent_it() {
        for (value, reason, kind) in [
            (&b""[..], "the record has no value", "unreadable"),
            (b" \r\n", "the record has no value", "unreadable"),
            (b"\xef\xbb\xbf", "the record has no value", "unreadable"),
            (b"nowhere", "the value is not JSON", "unreadable"),
            (b"{\"lon\":1", "the value is not JSON", "unreadable"),
            (
                b"{\"lon\":NaN,\"lat\":1}",
                "the value is not JSON",
                "unreadable",
            ),
            (
                b"{\"lon\":1e999,\"lat\":1}",
                "the value is not JSON",
                "unreadable",
            ),
            (
                b"\xff\xfe{\0\"\0l\0o\0n\0",
                "the value is not JSON",
                "unreadable",
            ),
            (b"null", "must be a JSON object, but is null", "unreadable"),
            (
                b"[-121.9,37.3]",
                "must be a JSON object, but is an array",
                "unreadable",
            ),
            (b"\"here\"", "but is a text", "unreadable"),
            (
                b"{\"lon\":1,\"long\":2,\"lat\":3}",
                "names a field twice",
                "unreadable",
            ),
            (b"{}", "lon is required", "location"),
            (b"{\"lon\":1,\"lat\":null}", "lat is required", "location"),
            (
                b"{\"lon\":\"1\",\"lat\":0}",
                "lon must be a number of degrees, but is a text",
                "location",
            ),
            (
                b"{\"lon\":999,\"lat\":0}",
                "the location must be a place in degrees",
                "location",
            ),
            (
                b"{\"lon\":1,\"lat\":2,\"timestamp\":5}",
                "timestamp must be a time between 2000 and 2100",
                "timestamp",
            ),
        ] {
            let text = String::from_utf8_lossy(value);
            let refused = LocationUpdate::parse(value).unwrap_err();
            assert!(refused.to_string().contains(reason), "{text}: {refused}");
            assert_eq!(refused.kind(), kind, "{text}");
        }
        let deep = "{\"a\":".repeat(LONGEST / 5);
        assert_eq!(
            LocationUpdate::parse(deep.as_bytes()),
            Err(Unreadable::NotJson)
        );
        let huge = vec![b' '; LONGEST + 1];
        assert_eq!(
            LocationUpdate::parse(&huge),
            Err(Unreadable::TooLong(LONGEST + 1))
        );
    }
}
