//! The settings of a session: their values at the beginning, and which others they may have.

use std::time::Duration;

use crate::catalogue::facts::{self, Setting};
use crate::error::{Error, Result};

/// Settings, spelled as clients know them. Each has the value with which a session begins, if that is not PostgreSQL's default, and whether
/// clients keep track of it.
fn ours() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    let lines = include_str!("settings.tsv").lines();
    lines.filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [name, value, reported] => Some((name, value, reported == "reported")),
        _ => None,
    })
}

/// Settings whose values differ from PostgreSQL's defaults, and those without one.
pub(crate) fn defaults() -> impl Iterator<Item = (&'static str, &'static str)> {
    let differ = ours().filter(|(_, value, _)| *value != facts::NULL);
    differ.map(|(name, value, _)| (name, value))
}

/// Settings whose values clients keep track of, in the spelling they know.
pub(crate) fn reported() -> impl Iterator<Item = &'static str> {
    ours()
        .filter(|(.., reported)| *reported)
        .map(|(name, ..)| name)
}

/// The value of a setting at the beginning.
pub(crate) fn default(name: &str) -> Option<&'static str> {
    let ours = defaults().find(|(known, _)| known.eq_ignore_ascii_case(name));
    ours.map(|(_, value)| value)
        .or_else(|| Some(setting(name)?.default))
}

/// A setting of PostgreSQL, by its name in any case.
pub(crate) fn setting(name: &str) -> Option<&'static Setting> {
    let mut settings = facts::settings().iter();
    settings.find(|setting| setting.name.eq_ignore_ascii_case(name))
}

/// The settings in the startup parameter `options`, which is written like arguments of a command: `-c name=value` or
/// `--name=value`, where a backslash makes the next character a part of the argument.
pub(crate) fn options(text: &str) -> Result<Vec<(String, String)>> {
    let mut words: Vec<String> = Vec::new();
    let mut letters = text.chars();
    let mut is_new = true;
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            is_new = true;
            continue;
        }
        if std::mem::take(&mut is_new) {
            words.push(String::new());
        }
        let letter = if letter == '\\' {
            letters.next()
        } else {
            Some(letter)
        };
        words
            .last_mut()
            .into_iter()
            .for_each(|word| word.extend(letter));
    }
    let mut settings = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let given = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            Some("") => words.next(),
            given => given.map(str::to_owned),
        };
        let setting = given.as_ref().and_then(|given| given.split_once('='));
        let Some((name, value)) = setting else {
            let message = format!("invalid command-line argument for server process: {word}");
            return Err(Error::new("42601", message).hint("Write settings as -c name=value."));
        };
        settings.push((name.trim().replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

/// Units of time in milliseconds.
const UNITS: [(u64, &str); 5] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "min"),
    (1_000, "s"),
    (1, "ms"),
];

/// Units of memory in bytes.
const SIZES: [(u64, &str); 5] = [
    (1 << 40, "TB"),
    (1 << 30, "GB"),
    (1 << 20, "MB"),
    (1 << 10, "kB"),
    (1, "B"),
];

/// A value of a setting as `SHOW` has it: a number in the largest unit in which it is whole.
pub(crate) fn shown(name: &str, value: &str) -> String {
    let unit = setting(name).map_or("", |setting| setting.unit);
    // Some count blocks of memory.
    let (blocks, unit) = unit.strip_prefix('8').map_or((1, unit), |unit| (8, unit));
    let in_units = |units: &[(u64, &str)]| {
        let (factor, _) = units.iter().find(|(_, name)| *name == unit)?;
        let number = value.parse::<u64>().ok().filter(|number| *number > 0)?;
        let number = number.checked_mul(factor * blocks)?;
        let mut units = units.iter();
        let (factor, unit) = units.find(|(factor, _)| number.is_multiple_of(*factor))?;
        Some(format!("{}{unit}", number / factor))
    };
    let shown = in_units(&UNITS).or_else(|| in_units(&SIZES));
    shown.unwrap_or_else(|| value.to_owned())
}

/// A truth value as settings take it.
pub(crate) fn boolean(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "on" | "true" | "t" | "yes" | "y" | "1" => Some(true),
        "off" | "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

impl Setting {
    /// The value as it is shown, if it is a valid one.
    pub(crate) fn valid(&self, value: &str) -> Option<String> {
        match self.kind {
            "bool" => boolean(value).map(|value| if value { "on" } else { "off" }.to_owned()),
            "enum" => {
                let values = self.values.trim_matches(['{', '}']).split(',');
                let mut values = values.map(|known| known.trim_matches('"'));
                let known = values.find(|known| known.eq_ignore_ascii_case(value));
                let is_switch = self.values.contains("on") && boolean(value).is_some();
                let switch = is_switch.then(|| value.to_lowercase());
                known.map(str::to_owned).or(switch)
            }
            "integer" | "real" => {
                let digits = value.trim().trim_start_matches('-');
                digits
                    .starts_with(|c: char| c.is_ascii_digit())
                    .then(|| value.to_owned())
            }
            _ => Some(value.to_owned()),
        }
    }
}

/// A date style that is `now` and is changed by the words of `wished`: an output style, an order of the parts, or both.
pub(crate) fn date_style(now: &str, wished: &str) -> Result<Option<String>> {
    let (style, mut order) = now.split_once(", ").unwrap_or(("ISO", "MDY"));
    for word in wished.split(',').map(str::trim) {
        match word.to_lowercase().as_str() {
            "iso" => {}
            "sql" | "postgres" | "postgresql" | "german" => {
                let message = format!("date style {word}");
                return Err(
                    Error::unsupported(message).hint("Dates are sent as ISO 8601 has them.")
                );
            }
            "mdy" | "us" | "noneuropean" | "default" => order = "MDY",
            "dmy" | "euro" | "european" => order = "DMY",
            "ymd" => order = "YMD",
            _ => return Ok(None),
        }
    }
    Ok(Some(format!("{style}, {order}")))
}

/// A time as `statement_timeout` takes it: a number of ms, or one with a unit. Nothing if it is 0, which stands for no limit.
pub(crate) fn timeout(text: &str) -> Result<Option<Duration>> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = if unit.trim().is_empty() {
        "ms"
    } else {
        unit.trim()
    };
    let factor = UNITS.iter().find(|(_, name)| *name == unit);
    let number: Option<u64> = number.parse().ok();
    match number
        .zip(factor)
        .and_then(|(number, (factor, _))| number.checked_mul(*factor))
    {
        Some(ms) => Ok((ms > 0).then(|| Duration::from_millis(ms))),
        None => Err(Error::new(
            "22023",
            format!("invalid value for parameter \"statement_timeout\": \"{text}\""),
        )
        .hint("Valid units are \"ms\", \"s\", \"min\", \"h\", and \"d\".")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_with_their_units() {
        for (name, value, expected) in [
            ("work_mem", "4096", "4MB"),
            ("work_mem", "100", "100kB"),
            ("work_mem", "64MB", "64MB"),
            ("shared_buffers", "16384", "128MB"),
            ("statement_timeout", "0", "0"),
            ("Statement_Timeout", "90000", "90s"),
            ("log_min_duration_statement", "-1", "-1"),
            ("extra_float_digits", "1", "1"),
        ] {
            assert_eq!(shown(name, value), expected, "{name} {value}");
        }
    }

    #[test]
    fn a_statement_timeout_is_read_as_postgres_reads_it() {
        for (text, ms) in [
            ("0", None),
            ("1500", Some(1500)),
            ("2s", Some(2000)),
            (" 1 min", Some(60_000)),
            ("1h", Some(3_600_000)),
        ] {
            assert_eq!(timeout(text), Ok(ms.map(Duration::from_millis)), "{text}");
        }
        for text in ["", "-1", "1 year", "s", "99999999999999999999s"] {
            assert_eq!(timeout(text).unwrap_err().code, "22023", "{text}");
        }
    }
}
