//! The time in a report, in whichever unit the phone writes it.

use std::cmp::Ordering;

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::json::Value;

/// The earliest time that is believed to be one: 2000-01-01, in seconds since 1970.
const EARLIEST_S: i64 = 946_684_800;
/// The first time that is not: 2100-01-01, in seconds since 1970.
const LATEST_S: i64 = 4_102_444_800;
/// The units in use, as a number of them in a second. No number is a time between 2000 and 2100 in two of them, because the
/// units are a factor of 1,000 apart and the two ends of the interval one of less than 5.
const UNITS: [i64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

/// The time that `value` stands for, in ms since 1970, or why it is not a time.
///
/// A number is recognised by its size as seconds, milliseconds, microseconds or nanoseconds. A text is one of these numbers,
/// as some JSON libraries write 64-bit integers, or a date and time with an offset (RFC 3339).
pub fn parse(value: Value<'_>) -> Result<i64, String> {
    let time = match value.string() {
        Ok(text) => of_number(&text).or_else(|| of_text(&text)),
        Err(_) => of_number(value.as_written()),
    };
    time.ok_or_else(|| {
        value.is_not(
            "a time between 2000 and 2100, as a number of milliseconds since 1970 (seconds, microseconds and nanoseconds are \
             recognised) or as a text like \"2026-11-28T12:00:00Z\" with its offset from UTC",
        )
    })
}

/// What [`parse`] reads, or `null`.
pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["number", "string", "null"],
        "description": "When, by the phone's clock: a time between 2000 and 2100 as a number of milliseconds since 1970 (seconds, \
                        microseconds and nanoseconds are recognised), as a text that holds one, or as a text like \
                        \"2026-11-28T12:00:00Z\" with its offset from UTC. If it is missing, the record's own time counts.",
        "minimum": EARLIEST_S,
        "exclusiveMaximum": LATEST_S * 1_000_000_000,
        "minLength": 1,
    })
}

fn of_text(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    let ms = time.as_millisecond();
    is_plausible(ms, 1_000).then_some(ms)
}

fn of_number(text: &str) -> Option<i64> {
    if let Ok(whole) = text.parse::<i64>() {
        let unit = UNITS.into_iter().find(|unit| is_plausible(whole, *unit))?;
        return Some(match unit.cmp(&1_000) {
            Ordering::Less => whole * (1_000 / unit),
            _ => whole / (unit / 1_000),
        });
    }
    // A fraction: seconds as Python's time.time() gives them, or milliseconds as a browser's performance clock does.
    let fraction: f64 = text.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number that is out of range is saturated, and then is no time"
    )]
    let whole = fraction as i64;
    let unit = UNITS.into_iter().find(|unit| is_plausible(whole, *unit))?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "units and times up to 2100 in ms are exact in 53 bits"
    )]
    let ms = (fraction / unit as f64 * 1_000.0) as i64;
    Some(ms)
}

/// Whether `number` is a time between 2000 and 2100, if there are `unit` of it in a second.
fn is_plausible(number: i64, unit: i64) -> bool {
    (EARLIEST_S..LATEST_S).contains(&number.div_euclid(unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(value: &serde_json::Value) -> Result<i64, String> {
        parse(Value::parse(value.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn a_time_is_recognised_in_every_unit_and_as_a_text() {
        let ms = 1_795_867_200_123;
        for (value, expected) in [
            (json!(1_795_867_200), 1_795_867_200_000),
            (json!(1_795_867_200.123), ms),
            (json!(ms), ms),
            (json!(1_795_867_200_123.5), ms),
            (json!(1_795_867_200_123_456_i64), ms),
            (json!(1_795_867_200_123_456_789_i64), ms),
            (json!("1795867200123"), ms),
            (json!("1795867200"), 1_795_867_200_000),
            (json!("2026-11-28T12:00:00.123Z"), ms),
            (json!("2026-11-28T12:00:00.123456789Z"), ms),
            (json!("2026-11-28T13:00:00.123+01:00"), ms),
            (json!("2026-11-28 12:00:00.123+00:00"), ms),
        ] {
            assert_eq!(read(&value), Ok(expected), "{value}");
        }
    }

    #[test]
    fn values_that_are_not_times_are_refused_and_not_read_as_1970() {
        for value in [
            json!(0),
            json!(-1),
            json!(5),
            json!(86_400_000),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(1e300),
            json!(""),
            json!("yesterday"),
            json!("12:00"),
            // A time without an offset could be anywhere.
            json!("2026-11-28T12:00:00"),
            json!("1970-01-01T00:00:00Z"),
            json!("9999-12-31T00:00:00Z"),
            json!(true),
            json!([1_795_867_200_123_i64]),
            json!({}),
        ] {
            let refused = read(&value).unwrap_err();
            assert!(refused.starts_with("must be a time"), "{refused}");
        }
        let long = read(&json!("x".repeat(10_000))).unwrap_err();
        assert!(
            long.ends_with("but is a string of 10000 characters"),
            "{long}"
        );
    }

    proptest! {
        #[test]
        fn the_same_moment_is_the_same_time_in_every_unit(seconds in EARLIEST_S..LATEST_S) {
            for unit in UNITS {
                prop_assert_eq!(read(&json!(seconds * unit)), Ok(seconds * 1_000));
            }
        }
    }
}
