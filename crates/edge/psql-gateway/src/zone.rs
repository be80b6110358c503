//! Time zones, in which times are shown: fixed offsets, rules of POSIX, and the zones of the system's time zone database.

use chrono::{DateTime, FixedOffset, Utc};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// After so many seconds the calendar repeats itself: 400 years.
const CYCLE: i64 = 146_097 * 86_400;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Default for Zone {
    fn default() -> Self {
        Self::new("UTC", TimeZone::UTC)
    }
}

impl Zone {
    fn new(name: &str, zone: TimeZone) -> Self {
        Self {
            name: name.to_owned(),
            zone,
        }
    }

    /// The zone of this name, or with this offset: `Europe/Berlin`, `UTC`, `2`, `+03:30`, `CET-1CEST,M3.5.0,M10.5.0/3`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        match name.to_lowercase().as_str() {
            "gmt" => return Some(Self::new("GMT", TimeZone::UTC)),
            "utc" | "default" | "z" => return Some(Self::default()),
            _ => {}
        }
        let fixed = |offset: i32| {
            let is_possible = offset.abs() < 86_400;
            let zone = Offset::from_seconds(offset).ok().filter(|_| is_possible);
            zone.map(TimeZone::fixed)
        };
        // A number is one of hours to the east.
        if let Ok(hours) = name.parse::<f64>() {
            #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
            let offset = (hours * 3_600.0) as i32;
            let zone = fixed(offset).filter(|_| hours.is_finite())?;
            let name = format!("<{0}>{1}", shown(offset), shown(-offset));
            return Some(Self::new(&name, zone));
        }
        // Any other offset is one of POSIX, which counts to the west.
        if let Some(offset) = after_name(name).and_then(seconds) {
            return Some(Self::new(name, fixed(-offset)?));
        }
        if let Ok(zone) = TimeZone::get(name) {
            let name = zone.iana_name()?.to_owned();
            return Some(Self { name, zone });
        }
        Some(Self::new(name, TimeZone::posix(name).ok()?))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The offset from UTC at a time, in seconds since 1970.
    fn offset(&self, time: i64) -> i32 {
        let [first, last] = [Timestamp::MIN, Timestamp::MAX].map(Timestamp::as_second);
        let time = match time {
            // Rules go on, and jiff's years end with 9999.
            late if late > last => last - CYCLE + (late - last) % CYCLE,
            time => time.max(first),
        };
        let time = Timestamp::from_second(time).unwrap_or(Timestamp::MAX);
        self.zone.to_offset(time).seconds()
    }

    /// A time in this zone.
    pub(crate) fn local(&self, time: DateTime<Utc>) -> Option<DateTime<FixedOffset>> {
        let offset = FixedOffset::east_opt(self.offset(time.timestamp()))?;
        Some(time.with_timezone(&offset))
    }
}

/// What comes after the abbreviation of a zone's name.
fn after_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(quoted) => Some(quoted.split_once('>')?.1),
        None => Some(text.trim_start_matches(|c: char| c.is_ascii_alphabetic())),
    }
}

/// `-1`, `2:30` or `26:00:00` in seconds.
fn seconds(text: &str) -> Option<i32> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut sum = 0;
    for (part, unit) in text.split(':').zip([3_600, 60, 1]) {
        sum += part.parse::<i32>().ok()?.checked_mul(unit)?;
    }
    Some(sign * sum)
}

/// An offset as PostgreSQL writes it: `+01`, `-03:30`.
pub(crate) fn shown(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let size = offset.abs();
    let (hours, minutes, seconds) = (size / 3_600, size / 60 % 60, size % 60);
    match (minutes, seconds) {
        (0, 0) => format!("{sign}{hours:02}"),
        (_, 0) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_local_before_and_after_the_last_known_change() {
        let only_rule = Zone::named("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let Some(berlin) = Zone::named("Europe/Berlin") else {
            eprintln!("skipped: this machine has no time zone database");
            return;
        };
        for (time, offset) in [
            ("2026-01-15T12:00:00Z", 3_600),
            ("2026-03-29T00:59:59Z", 3_600),
            ("2026-03-29T01:00:00Z", 7_200),
            ("2026-10-25T00:59:59Z", 7_200),
            ("2026-10-25T01:00:00Z", 3_600),
            ("2099-07-01T00:00:00Z", 7_200),
            ("9999-12-31T23:00:00Z", 3_600),
            ("+10000-07-01T00:00:00Z", 7_200),
            ("+200000-03-26T00:59:59Z", 3_600),
            ("+200000-03-26T01:00:00Z", 7_200),
        ] {
            let time: DateTime<Utc> = time.parse().unwrap();
            for zone in [&berlin, &only_rule] {
                assert_eq!(
                    zone.offset(time.timestamp()),
                    offset,
                    "{time} {}",
                    zone.name
                );
            }
        }
        let old: DateTime<Utc> = "1880-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(berlin.offset(old.timestamp()), 3_208);
    }

    #[test]
    fn names_and_offsets_are_read_as_postgres_reads_them() {
        for (name, offset, called) in [
            ("utc", 0, "UTC"),
            ("GMT", 0, "GMT"),
            ("1", 3_600, "<+01>-01"),
            ("-3.5", -12_600, "<-03:30>+03:30"),
            ("-3:30", 12_600, "-3:30"),
            ("02:00", -7_200, "02:00"),
            ("GMT-02:00", 7_200, "GMT-02:00"),
            ("<+02>-02", 7_200, "<+02>-02"),
        ] {
            let zone = Zone::named(name).unwrap();
            assert_eq!((zone.offset(0), zone.name()), (offset, called), "{name}");
        }
        for name in [
            "Nope/Nowhere",
            "../../etc/passwd",
            "",
            "99",
            "nan",
            "99:00",
            "Europe/Berlin\0",
        ] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
    }
}
