//! The time in a report, in whichever unit the phone writes it.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// The earliest time that is believed to be one: 2000-01-01, in seconds since 1970.
const EARLIEST_S: i64 = 946_684_800;
/// The first time that is not: 2100-01-01, in seconds since 1970.
const LATEST_S: i64 = 4_102_444_800;
/// The units in use, as a number of them in a second. No number is a time between 2000 and 2100 in two of them, because the
/// units are a factor of 1,000 apart and the two ends of the interval one of less than 5.
const UNITS: [i64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

/// A value that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "timestamp must be a time between 2000 and 2100: milliseconds since 1970 (seconds, microseconds and nanoseconds are \
     recognised), or a text like \"2026-11-28T12:00:00Z\" with its offset from UTC; it is {0}"
)]
pub struct NotATime(String);

/// The time that `value` stands for, in ms since 1970.
///
/// A number is recognised by its size as seconds, milliseconds, microseconds or nanoseconds. A text is one of these numbers,
/// as some JSON libraries write 64-bit integers, or a date and time with an offset (RFC 3339).
pub fn parse(value: &Value) -> Result<i64, NotATime> {
    let time = match value {
        Value::Number(number) => of_number(number),
        Value::String(text) => of_text(text),
        _ => None,
    };
    time.ok_or_else(|| NotATime(shown(value)))
}

/// What a value is, for people: short, however long it is.
fn shown(value: &Value) -> String {
    /// As long as any time that somebody writes.
    const LONGEST: usize = 40;
    match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() <= LONGEST => format!("{text:?}"),
        other => super::report::kind(other).to_owned(),
    }
}

fn of_text(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<Number>() {
        return of_number(&number);
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    let ms = time.as_millisecond();
    is_plausible(ms, 1_000).then_some(ms)
}

fn of_number(number: &Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        let unit = UNITS.into_iter().find(|unit| is_plausible(whole, *unit))?;
        return Some(match unit.cmp(&1_000) {
            Ordering::Less => whole * (1_000 / unit),
            _ => whole / (unit / 1_000),
        });
    }
    // A fraction: seconds as Python's time.time() gives them, or milliseconds as a browser's performance clock does.
    let fraction = number.as_f64()?;
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
            assert_eq!(parse(&value), Ok(expected), "{value}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_and_not_read_as_1970() {
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
            let refused = parse(&value).unwrap_err().to_string();
            assert!(refused.starts_with("timestamp must be a time"), "{refused}");
        }
        let long = parse(&json!("x".repeat(10_000))).unwrap_err().to_string();
        assert!(long.ends_with("it is a text"), "{long}");
    }

    proptest! {
        #[test]
        fn the_same_moment_is_the_same_time_in_every_unit(seconds in EARLIEST_S..LATEST_S) {
            for unit in UNITS {
                prop_assert_eq!(parse(&json!(seconds * unit)), Ok(seconds * 1_000));
            }
        }
    }
}
