//! Time zones, in which times are shown: fixed offsets, and the zones of the system's time zone database.

use std::path::Path;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, TimeDelta, Utc};

/// Where systems keep their time zones.
const DATABASE: &str = "/usr/share/zoneinfo";

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    name: String,
    /// From which second since 1970 on which offset is in force, in seconds.
    changes: Vec<(i64, i32)>,
    /// The offset before the first change.
    before: i32,
    /// The rule after the last change, if the offset changes with the seasons.
    rule: Option<Rule>,
}

/// Standard time and summer time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    standard: i32,
    summer: i32,
    begin: Day,
    end: Day,
}

/// A weekday of a week of a month, the last week being the fifth, and a time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    month: u32,
    week: u32,
    weekday: u32,
    time: i64,
}

impl Default for Zone {
    fn default() -> Self {
        Self::fixed("UTC", 0)
    }
}

impl Zone {
    fn fixed(name: &str, offset: i32) -> Self {
        Self {
            name: name.to_owned(),
            changes: Vec::new(),
            before: offset,
            rule: None,
        }
    }

    /// The zone of this name, or with this offset: `Europe/Berlin`, `UTC`, `2`, `-03:30`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        if ["utc", "gmt", "default", "z"].contains(&name.to_lowercase().as_str()) {
            let name = if name.eq_ignore_ascii_case("gmt") {
                "GMT"
            } else {
                "UTC"
            };
            return Some(Self::fixed(name, 0));
        }
        // Hours to the east, or an offset as POSIX has it, which counts to the west.
        let offset = match after_name(name) {
            Some(rest) if rest == name => seconds(rest),
            Some(rest) => seconds(rest).map(|offset| -offset),
            None => None,
        };
        if let Some(offset) = offset.filter(|offset| offset.abs() < 86_400) {
            return Some(Self::fixed(
                &format!("<{0}>{1}", shown(offset), shown(-offset)),
                offset,
            ));
        }
        let is_name = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
        if !is_name || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let file = std::fs::read(Path::new(DATABASE).join(name)).ok();
        file.and_then(|file| Self::read(name, &file))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Reads a file of the database (RFC 9636): the second block, which has times of 64 bits, and the rule after it.
    fn read(name: &str, file: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8], at: usize| {
            let bytes = bytes.get(at..at + 4)?;
            Some(i32::from_be_bytes(bytes.try_into().ok()?))
        };
        let counts = |bytes: &[u8]| {
            let count = |index: usize| usize::try_from(number(bytes, 20 + 4 * index)?).ok();
            bytes.starts_with(b"TZif").then_some(())?;
            Some([
                count(0)?,
                count(1)?,
                count(2)?,
                count(3)?,
                count(4)?,
                count(5)?,
            ])
        };
        let [utc, standard, leaps, times, types, letters] = counts(file)?;
        let first = 44 + times * 5 + types * 6 + letters + leaps * 8 + standard + utc;
        let file = file.get(first..)?;
        let [utc, standard, leaps, times, types, letters] = counts(file)?;
        let body = file.get(44..)?;
        let (kinds, offsets) = (body.get(8 * times..)?, body.get(9 * times..)?);
        let offset = |kind: usize| number(offsets, 6 * kind);
        let changes = (0..times).map(|index| {
            let time = body.get(8 * index..8 * index + 8)?;
            let kind = usize::from(*kinds.get(index)?);
            Some((i64::from_be_bytes(time.try_into().ok()?), offset(kind)?))
        });
        let changes = changes.collect::<Option<Vec<_>>>()?;
        let rest = body.get(times * 9 + types * 6 + letters + leaps * 12 + standard + utc..)?;
        let rule = std::str::from_utf8(rest)
            .ok()
            .and_then(|rule| Rule::read(rule.trim()));
        Some(Self {
            name: name.to_owned(),
            changes,
            before: offset(0)?,
            rule,
        })
    }

    /// The offset from UTC at a time, in seconds since 1970.
    fn offset(&self, time: i64) -> i32 {
        let next = self.changes.partition_point(|(from, _)| *from <= time);
        if next == self.changes.len()
            && let Some(offset) = self.rule.as_ref().and_then(|rule| rule.offset(time))
        {
            return offset;
        }
        next.checked_sub(1)
            .map_or(self.before, |last| self.changes[last].1)
    }

    /// A time in this zone.
    pub(crate) fn local(&self, time: DateTime<Utc>) -> Option<DateTime<FixedOffset>> {
        let offset = FixedOffset::east_opt(self.offset(time.timestamp()))?;
        Some(time.with_timezone(&offset))
    }
}

impl Rule {
    /// Reads a rule of POSIX, such as `CET-1CEST,M3.5.0,M10.5.0/3`. Nothing if there is no summer time, or one by days of the year.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let names = parts.next()?;
        let rest = after_name(names)?;
        let end = rest.find(|c: char| c.is_ascii_alphabetic() || c == '<')?;
        let (standard, summer) = rest.split_at(end);
        let standard = -seconds(standard)?;
        let summer = match after_name(summer)? {
            "" => standard + 3_600,
            offset => -seconds(offset)?,
        };
        Some(Self {
            standard,
            summer,
            begin: Day::read(parts.next()?)?,
            end: Day::read(parts.next()?)?,
        })
    }

    fn offset(&self, time: i64) -> Option<i32> {
        let year = DateTime::from_timestamp(time, 0)?.year();
        let begin = self.begin.in_year(year)? - i64::from(self.standard);
        let end = self.end.in_year(year)? - i64::from(self.summer);
        let is_summer = if begin < end {
            (begin..end).contains(&time)
        } else {
            !(end..begin).contains(&time)
        };
        Some(if is_summer {
            self.summer
        } else {
            self.standard
        })
    }
}

impl Day {
    /// Reads `M3.5.0/2`.
    fn read(text: &str) -> Option<Self> {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let mut numbers = day.strip_prefix('M')?.split('.').map(str::parse);
        Some(Self {
            month: numbers.next()?.ok()?,
            week: numbers.next()?.ok()?,
            weekday: numbers.next()?.ok()?,
            time: seconds(time)?.into(),
        })
    }

    /// The local time at which it begins, in seconds since 1970.
    fn in_year(self, year: i32) -> Option<i64> {
        let first = NaiveDate::from_ymd_opt(year, self.month, 1)?;
        let to_weekday = (7 + self.weekday - first.weekday().num_days_from_sunday()) % 7;
        let mut day = first + TimeDelta::days((to_weekday + 7 * (self.week.max(1) - 1)).into());
        while day.month() != self.month {
            day -= TimeDelta::days(7);
        }
        Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp() + self.time)
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
        let Some(berlin) = Zone::named("Europe/Berlin") else {
            eprintln!("skipped: this machine has no {DATABASE}");
            return;
        };
        let only_rule = Zone {
            rule: Rule::read("CET-1CEST,M3.5.0,M10.5.0/3"),
            ..Zone::fixed("rule", 3_600)
        };
        for (time, offset) in [
            ("2026-01-15T12:00:00Z", 3_600),
            ("2026-03-29T00:59:59Z", 3_600),
            ("2026-03-29T01:00:00Z", 7_200),
            ("2026-10-25T00:59:59Z", 7_200),
            ("2026-10-25T01:00:00Z", 3_600),
            ("2099-07-01T00:00:00Z", 7_200),
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
            ("-3:30", -12_600, "<-03:30>+03:30"),
            ("GMT-02:00", 7_200, "<+02>-02"),
        ] {
            let zone = Zone::named(name).unwrap();
            assert_eq!((zone.before, zone.name()), (offset, called), "{name}");
        }
        for name in [
            "Nope/Nowhere",
            "../../etc/passwd",
            "",
            "99",
            "Europe/Berlin\0",
        ] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
    }
}
