//! Intervals as PostgreSQL reads and the runtime reads them.

use std::fmt::Write;

use bytes::BufMut;

/// Units by their names, of which the singular has none with an s, and how many months, days and microseconds they have.
const UNITS: [(&str, f64, f64, f64); 12] = [
    ("microsecond usec us", 0.0, 0.0, 1.0),
    ("millisecond msec ms", 0.0, 0.0, 1e3),
    ("second sec s", 0.0, 0.0, 1e6),
    ("minute min", 0.0, 0.0, 60e6),
    ("hour hr h", 0.0, 0.0, 3_600e6),
    ("day d", 0.0, 1.0, 0.0),
    ("week w", 0.0, 7.0, 0.0),
    ("month mon", 1.0, 0.0, 0.0),
    ("year yr y", 12.0, 0.0, 0.0),
    ("decade", 120.0, 0.0, 0.0),
    ("century centuries", 1_200.0, 0.0, 0.0),
    ("millennium", 12_000.0, 0.0, 0.0),
];

/// Reads an interval in the styles of PostgreSQL, of its verbose style and of ISO 8601 with designators. Answers it as the runtime
/// reads it.
pub(crate) fn read(text: &str) -> Option<String> {
    let mut sum = Sum::default();
    let text = text.trim();
    if let Some(iso) = text.strip_prefix(['P', 'p']) {
        let (date, time) = iso.split_once(['T', 't']).unwrap_or((iso, ""));
        let units = [("Y", "year"), ("M", "month"), ("W", "week"), ("D", "day")];
        sum.designated(date, &units)?;
        sum.designated(time, &[("H", "hour"), ("M", "minute"), ("S", "second")])?;
        return (!iso.is_empty()).then(|| sum.text()).flatten();
    }
    let text = text.trim_start_matches('@').to_lowercase();
    let (text, is_ago) = match text.trim_end().strip_suffix("ago") {
        Some(text) => (text, true),
        None => (text.as_str(), false),
    };
    let mut words = text.split_whitespace().peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        if word.contains(':') {
            sum.clock(word)?;
            continue;
        }
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &word[digits.len()..] {
            // A number without a unit at the end is one of seconds.
            "" => words.next().unwrap_or("second"),
            unit => unit,
        };
        sum.add(digits.parse().ok()?, unit)?;
    }
    if is_ago {
        sum = Sum {
            months: -sum.months,
            days: -sum.days,
            microseconds: -sum.microseconds,
        };
    }
    sum.text()
}

/// Writes months, days and microseconds in a style of `intervalstyle`.
pub(crate) fn put(
    (months, days, microseconds): (i32, i32, i64),
    style: &str,
    out: &mut impl BufMut,
) {
    let date = [
        (months / 12, "year", 'Y'),
        (months % 12, "mon", 'M'),
        (days, "day", 'D'),
    ];
    let size = microseconds.unsigned_abs();
    let seconds = size / 1_000_000;
    let fraction = match size % 1_000_000 {
        0 => String::new(),
        part => format!(".{part:06}").trim_end_matches('0').to_owned(),
    };
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let sign = if microseconds < 0 { "-" } else { "" };
    let mut text = String::new();
    if style == "iso_8601" {
        for (number, _, letter) in date.iter().filter(|part| part.0 != 0) {
            let _ = write!(text, "{number}{letter}");
        }
        text += if size > 0 { "T" } else { "" };
        for (number, letter) in [(hours, 'H'), (minutes, 'M')] {
            if number > 0 {
                let _ = write!(text, "{sign}{number}{letter}");
            }
        }
        if seconds > 0 || !fraction.is_empty() {
            let _ = write!(text, "{sign}{seconds}{fraction}S");
        }
        let text = if text.is_empty() { "T0S" } else { &text };
        out.put_slice(b"P");
        out.put_slice(text.as_bytes());
        return;
    }
    // A part after a negative one says that it is not negative too.
    let mut was_negative = false;
    for (number, unit, _) in date.iter().filter(|part| part.0 != 0) {
        let plus = if was_negative && *number > 0 { "+" } else { "" };
        let plural = if *number == 1 { "" } else { "s" };
        let space = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{space}{plus}{number} {unit}{plural}");
        was_negative = *number < 0;
    }
    if size > 0 || text.is_empty() {
        let plus = if was_negative && sign.is_empty() {
            "+"
        } else {
            sign
        };
        let space = if text.is_empty() { "" } else { " " };
        let _ = write!(
            text,
            "{space}{plus}{hours:02}:{minutes:02}:{seconds:02}{fraction}"
        );
    }
    out.put_slice(text.as_bytes());
}

/// What an interval amounts to so far.
#[derive(Default)]
struct Sum {
    months: f64,
    days: f64,
    microseconds: f64,
}

impl Sum {
    fn add(&mut self, number: f64, unit: &str) -> Option<()> {
        let names = [Some(unit), unit.strip_suffix('s')];
        let is_one = |known: &str| known.split(' ').any(|name| names.contains(&Some(name)));
        let (_, months, days, microseconds) = UNITS.iter().find(|(known, ..)| is_one(known))?;
        let (months, days) = (number * months, number * days);
        self.months += months.trunc();
        // A part of a month is as many of 30 days.
        self.days += days.trunc() + months.fract() * 30.0;
        self.microseconds += number * microseconds + days.fract() * 86_400e6;
        Some(())
    }

    /// `-01:02:03.5` or `01:02`
    fn clock(&mut self, word: &str) -> Option<()> {
        let (sign, clock) = match word.strip_prefix('-') {
            Some(clock) => (-1.0, clock),
            None => (1.0, word.trim_start_matches('+')),
        };
        let mut units = ["hour", "minute", "second"].into_iter();
        for part in clock.split(':') {
            let number: f64 = part.parse().ok().filter(|number: &f64| *number >= 0.0)?;
            self.add(sign * number, units.next()?)?;
        }
        Some(())
    }

    /// Numbers that are followed by the letters of their units.
    fn designated(&mut self, mut text: &str, units: &[(&str, &str)]) -> Option<()> {
        while !text.is_empty() {
            let end = text.find(|c: char| c.is_ascii_alphabetic())?;
            let (number, rest) = text.split_at(end);
            let (letter, rest) = rest.split_at(1);
            let (_, unit) = units
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(letter))?;
            self.add(number.parse().ok()?, unit)?;
            text = rest;
        }
        Some(())
    }

    fn text(&self) -> Option<String> {
        let whole_days = self.days.trunc();
        let microseconds = (self.microseconds + self.days.fract() * 86_400e6).round();
        // The runtime counts nanoseconds in 64 bits.
        let fits = self.months.abs() < 2e9 && whole_days.abs() < 2e9 && microseconds.abs() < 9e15;
        // Nothing is -0.
        let (months, days) = (self.months + 0.0, whole_days + 0.0);
        let seconds = microseconds / 1e6 + 0.0;
        fits.then(|| format!("{months} mons {days} days {seconds:.6} secs"))
    }
}

#[cfg(test)]
mod tests {
    use super::{put, read};

    #[test]
    fn intervals_are_written_as_postgres_writes_them() {
        for (interval, postgres, iso) in [
            ((0, 0, 0), "00:00:00", "PT0S"),
            (
                (14, -3, 14_706_500_000),
                "1 year 2 mons -3 days +04:05:06.5",
                "P1Y2M-3DT4H5M6.5S",
            ),
            (
                (-13, 1, -1_000),
                "-1 years -1 mons +1 day -00:00:00.001",
                "P-1Y-1M1DT-0.001S",
            ),
            ((0, 0, 49_016_000), "00:00:49.016", "PT49.016S"),
            ((0, 2, 0), "2 days", "P2D"),
        ] {
            for (style, expected) in [("postgres", postgres), ("iso_8601", iso)] {
                let mut written = Vec::new();
                put(interval, style, &mut written);
                assert_eq!(String::from_utf8(written).as_deref(), Ok(expected));
            }
        }
    }

    #[test]
    fn intervals_are_read_as_postgres_reads_them() {
        for (text, months, days, seconds) in [
            ("1 day 01:02:03.5", 0, 1, "3723.500000"),
            ("1 year 2 mons -3 days", 14, -3, "0.000000"),
            ("-00:00:01", 0, 0, "-1.000000"),
            ("P1Y2M3DT4H5M6.5S", 14, 3, "14706.500000"),
            ("P-1W", 0, -7, "0.000000"),
            ("@ 1 hour 5 secs ago", 0, 0, "-3605.000000"),
            ("1.5 months", 1, 15, "0.000000"),
            ("5", 0, 0, "5.000000"),
            ("2h 30min", 0, 0, "9000.000000"),
            ("1 day 3.000000 second", 0, 1, "3.000000"),
        ] {
            let expected = format!("{months} mons {days} days {seconds} secs");
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "P",
            "1 parsec",
            "a day",
            "1:2:3:4",
            "999999999999 years",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
