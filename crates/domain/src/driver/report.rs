//! A record of topic `driver-updates`, parsed or refused with a reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::clock;
use crate::Location;
use crate::json::{Fields, Malformed, Value, Violation, Violations, in_one_line};

/// The place of a driver, and the time by the clock of the driver's phone. Records are read by [`LocationUpdate::parse`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Location update")]
pub struct LocationUpdate {
    /// The place.
    #[serde(flatten)]
    pub location: Location,
    /// The time, in ms since 1970. If it is missing, the record's own time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "clock::schema")]
    pub timestamp: Option<i64>,
}

/// The longest value of a record that is read, in bytes. A report has about 60; phones may add accuracy, speed and the like.
pub const MAX_BYTES: usize = 16 * 1024;

/// Why a record is not a location update.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is longer than [`MAX_BYTES`].
    #[error("the value has {0} bytes; at most {MAX_BYTES} are read")]
    TooLong(usize),
    /// It is not JSON.
    #[error("the value {0}")]
    Malformed(#[from] Malformed),
    /// It is JSON without a valid position or time.
    #[error("invalid location update: {}", in_one_line(.0))]
    Invalid(Vec<Violation>),
}

impl Unreadable {
    /// Whether it is nevertheless a report, of a phone that does not know its place or the time: a JSON object. Such a phone was
    /// heard from.
    #[must_use]
    pub fn is_report(&self) -> bool {
        match self {
            Self::Invalid(violations) => violations.iter().all(|fault| !fault.field.is_empty()),
            Self::TooLong(_) | Self::Malformed(_) => false,
        }
    }

    /// The reason as a label of a metric.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        let Self::Invalid(violations) = self else {
            return "unreadable";
        };
        match violations.first().map(|first| first.field.as_str()) {
            Some("timestamp") => "timestamp",
            Some("") | None => "unreadable",
            Some(_) => "location",
        }
    }
}

impl LocationUpdate {
    /// Reads a record's value. Unknown fields are ignored.
    pub fn parse(value: &[u8]) -> Result<Self, Unreadable> {
        if value.len() > MAX_BYTES {
            return Err(Unreadable::TooLong(value.len()));
        }
        let json = Value::parse(value)?;
        let mut violations = Violations::default();
        let update = Fields::of(json, "it", &mut violations).and_then(|mut fields| {
            let lon = fields.first_of(["lon", "long"]);
            let lon = fields.required(lon, Value::float);
            let lat = fields.required("lat", Value::float);
            let timestamp = fields.optional("timestamp", clock::parse);
            match Location::new(lon?, lat?) {
                Ok(location) => Some(Self {
                    location,
                    timestamp,
                }),
                Err(error) => {
                    fields.refuse("location", error.to_string());
                    None
                }
            }
        });
        match update {
            Some(update) if violations.is_empty() => Ok(update),
            _ => Err(Unreadable::Invalid(violations.into_vec())),
        }
    }

    /// The update as the value of a record.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // It holds only finite numbers, so it can always be written as JSON.
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

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use jsonschema::Validator;
    use serde_json::json;

    use super::*;
    use crate::testing::{allows, validator};

    static SCHEMA: LazyLock<Validator> = LazyLock::new(validator::<LocationUpdate>);

    /// Parses a record, and checks the result against the schema.
    fn parse(value: &[u8]) -> Result<LocationUpdate, Unreadable> {
        let parsed = LocationUpdate::parse(value);
        allows(&SCHEMA, value, parsed.is_ok());
        parsed
    }

    #[test]
    fn what_the_schema_refuses_is_refused() {
        let times = [
            json!(null),
            json!(1_700_000_000),
            json!(1_700_000_000.5),
            json!("1700000000"),
            json!("2023-11-14T22:13:20Z"),
            json!(946_684_800),
            json!(4_102_444_799_999_999_999_u64),
            json!(946_684_799),
            json!(4_102_444_800_000_000_000_u64),
            json!(""),
            json!([]),
            json!(true),
        ];
        let by_schema = times.iter().filter(|time| {
            let value = json!({"lon": -121.9, "lat": 37.3, "timestamp": time}).to_string();
            let is_accepted = LocationUpdate::parse(value.as_bytes()).is_ok();
            !allows(&SCHEMA, value.as_bytes(), is_accepted)
        });
        assert_eq!(by_schema.count(), 5);
        for place in [
            r#"{"lat":37.3}"#,
            r#"{"lon":-121.9}"#,
            r#"{"lon":181,"lat":37.3}"#,
            r#"{"lon":-121.9,"lat":91}"#,
            r#"{"lon":"-121.9","lat":37.3}"#,
            "[]",
        ] {
            assert!(!allows(&SCHEMA, place.as_bytes(), false), "{place}");
            assert!(parse(place.as_bytes()).is_err(), "{place}");
        }
    }

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
            let read = parse(value.as_bytes());
            assert_eq!(read, Ok(expected), "{value}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let update = LocationUpdate::at(Location::new(-121.9, 37.3).unwrap(), 1_700_000_000_000);
        assert_eq!(parse(&update.to_json()), Ok(update));
    }

    #[test]
    fn invalid_updates_are_refused_in_terms_that_the_sender_knows() {
        for (value, reason, kind) in [
            (&b""[..], "the value is empty", "unreadable"),
            (b" \r\n", "the value is empty", "unreadable"),
            (b"\xef\xbb\xbf", "the value is empty", "unreadable"),
            (b"nowhere", "the value is not valid JSON", "unreadable"),
            (b"{\"lon\":1", "the value is incomplete", "unreadable"),
            (
                b"{\"lon\":NaN}",
                "the value is not valid JSON",
                "unreadable",
            ),
            (b"\xff\xfe{\0\"\0", "is encoded in UTF-16", "unreadable"),
            (
                b"null",
                "it must be a JSON object, but it is null",
                "unreadable",
            ),
            (
                b"[-121.9,37.3]",
                "it must be a JSON object, but it is an array",
                "unreadable",
            ),
            (
                b"{\"lon\":1,\"lon\":2,\"lat\":3}",
                "lon must be there once",
                "location",
            ),
            (b"{}", "lon is required; lat is required", "location"),
            (b"{\"lon\":1,\"lat\":null}", "lat is required", "location"),
            (
                b"{\"lon\":1e999,\"lat\":1}",
                "lon must be a number",
                "location",
            ),
            (
                b"{\"lon\":\"1\",\"lat\":0}",
                "lon must be a number, but is the string \"1\"",
                "location",
            ),
            (
                b"{\"lon\":999,\"lat\":0}",
                "location must be a place in degrees",
                "location",
            ),
            (
                b"{\"lon\":1,\"lat\":2,\"timestamp\":5}",
                "timestamp must be a time between 2000 and 2100",
                "timestamp",
            ),
        ] {
            let text = String::from_utf8_lossy(value);
            let refused = parse(value).unwrap_err();
            assert!(refused.to_string().contains(reason), "{text}: {refused}");
            assert_eq!(refused.kind(), kind, "{text}");
            assert_eq!(refused.is_report(), kind != "unreadable", "{text}");
        }
        let deep = "{\"a\":".repeat(MAX_BYTES / 5);
        assert!(parse(deep.as_bytes()).is_err());
        let huge = vec![b' '; MAX_BYTES + 1];
        assert_eq!(parse(&huge), Err(Unreadable::TooLong(MAX_BYTES + 1)));
    }
}
