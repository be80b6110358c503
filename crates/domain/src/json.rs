//! JSON from outside, read in a way that reports all faults to its sender in one answer.
//!
//! [`Value::parse`] checks the bytes and the syntax, [`Fields`] takes an object apart field by field and collects a
//! [`Violation`] for each fault, with the path of the field and, where it is short, the value found there. The sentences are
//! for engineers of other companies: they mention JSON and never our types or our parser.
//!
//! Numbers are kept as they are written, so nothing is rounded on the way to a decimal. Nothing here recurses into the input.

use std::borrow::Cow;
use std::fmt;
use std::iter;
use std::ops::RangeInclusive;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, MapAccess};
use serde_json::value::RawValue;

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 128;
/// How many faults are named at most; the others are only counted.
pub const MAX_VIOLATIONS: usize = 20;
/// The longest value that is quoted, in characters.
const MAX_QUOTED: usize = 40;

/// Why bytes are not JSON. The text continues a sentence about the bytes: "the body …", "the event …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is empty, or only white space.
    #[error("is empty: it must be a JSON object")]
    Empty,
    /// It is text in another encoding than that of JSON.
    #[error("is encoded in {0}: JSON must be sent in UTF-8")]
    Encoding(&'static str),
    /// It has been compressed.
    #[error("is compressed with gzip: send the JSON itself")]
    Compressed,
    /// It is not text.
    #[error("is not text in UTF-8: its byte number {0} does not fit")]
    NotUtf8(usize),
    /// It ends too early.
    #[error("is incomplete: it ends in the middle of the JSON, at {0}")]
    Truncated(Position),
    /// An unexpected character.
    #[error("is not valid JSON: there is a mistake at {position}, where it has {found:?}")]
    Syntax {
        /// Where.
        position: Position,
        /// The character there.
        found: char,
    },
    /// It is JSON with other text behind it.
    #[error("must be one JSON value, but has more behind it, from {0}")]
    Trailing(Position),
    /// Arrays or objects are nested too deep.
    #[error("is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// A place in a text, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    line: usize,
    /// In characters.
    column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Position {
    /// The place of the byte at `offset`.
    fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// One fault of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The field, as in `products[0].quantity`; empty if the input is at fault as a whole.
    pub field: String,
    /// What the field must be, and what it is.
    pub message: String,
}

impl Violation {
    /// Creates the fault of `field` that `message` describes.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{} {}", self.field, self.message)
        }
    }
}

/// The faults as one line, separated by semicolons.
#[must_use]
pub fn in_one_line(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// The text in `bytes`. A byte order mark before it is ignored, which RFC 8259 permits.
pub fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    // UTF-16 and UTF-32 that begin with a byte order mark or with an ASCII character.
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Err(Malformed::Encoding("UTF-32"));
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] | [1..=0x7f, 0, ..] => {
            return Err(Malformed::Encoding("UTF-16"));
        }
        [0x1f, 0x8b, ..] => return Err(Malformed::Compressed),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    str::from_utf8(bytes).map_err(|error| Malformed::NotUtf8(error.valid_up_to() + 1))
}

/// A JSON value as it was sent.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a>(&'a RawValue);

impl<'a> Value<'a> {
    /// The value in `bytes`, whose syntax is checked as a whole.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let text = text(bytes)?;
        if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            return Err(Malformed::Empty);
        }
        let value: &RawValue =
            serde_json::from_str(text).map_err(|error| malformed(text, &error))?;
        if is_too_deep(value.get()) {
            return Err(Malformed::TooDeep);
        }
        Ok(Self(value))
    }

    /// The value as it is written.
    #[must_use]
    pub fn as_written(self) -> &'a str {
        self.0.get()
    }

    /// Whether it is `null`, which counts as left out.
    fn is_null(self) -> bool {
        self.as_written() == "null"
    }

    /// The text of a string.
    pub fn string(self) -> Result<String, String> {
        if !self.as_written().starts_with('"') {
            return Err(self.is_not("a string"));
        }
        // Its syntax has been checked. The only remaining fault is an escape that is not a character.
        serde_json::from_str(self.as_written()).map_err(|_| {
            "must be text, but has an escape of the kind \\ud800, which alone is not a character"
                .to_owned()
        })
    }

    /// A string, parsed into a type.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(self) -> Result<T, String> {
        (self.string()?.parse()).map_err(|error: T::Err| error.to_string())
    }

    /// A whole number within `range`; `2.0` and `1e2` are whole numbers, too.
    pub fn whole_number(self, range: RangeInclusive<i64>) -> Result<i64, String> {
        self.number()
            .and_then(|text| text.parse().ok().or_else(|| whole(text)))
            .filter(|number| range.contains(number))
            .ok_or_else(|| match (range.start(), range.end()) {
                (&i64::MIN, &i64::MAX) => self.is_not("a whole number"),
                (from, to) => self.is_not(&format!("a whole number from {from} to {to}")),
            })
    }

    /// A number of any kind, as the nearest float there is.
    pub fn float(self) -> Result<f64, String> {
        self.number()
            .and_then(|text| text.parse().ok())
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| self.is_not("a number"))
    }

    fn number(self) -> Option<&'a str> {
        let text = self.as_written();
        text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
            .then_some(text)
    }

    /// The elements of an array.
    pub fn elements(self) -> Result<Vec<Self>, String> {
        if !self.as_written().starts_with('[') {
            return Err(self.is_not("an array"));
        }
        let elements: Vec<&RawValue> =
            serde_json::from_str(self.as_written()).map_err(|_| self.is_not("an array"))?;
        Ok(elements.into_iter().map(Self).collect())
    }

    fn entries(self) -> Result<Vec<(Cow<'a, str>, Self)>, String> {
        if !self.as_written().starts_with('{') {
            return Err(self.is_not("an object"));
        }
        // Its syntax has been checked. The only remaining fault is a name that is not text.
        serde_json::from_str(self.as_written())
            .map(|Entries(entries)| entries)
            .map_err(|_| {
                "must be an object whose field names are text, without escapes of the kind \\ud800"
                    .to_owned()
            })
    }

    /// The fault that it is of another kind than required.
    #[must_use]
    pub fn is_not(self, what: &str) -> String {
        format!("must be {what}, but is {self}")
    }
}

/// A description for sentences: a short value itself, otherwise its kind and length. Control characters are escaped.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.as_written();
        match written.as_bytes().first() {
            Some(b'{') => f.write_str("an object"),
            Some(b'[') => f.write_str("an array"),
            Some(b'"') => match serde_json::from_str::<Cow<'_, str>>(written) {
                Ok(text) => match text.chars().count() {
                    0 => f.write_str("an empty string"),
                    1..=MAX_QUOTED => write!(f, "the string {text:?}"),
                    length => write!(f, "a string of {length} characters"),
                },
                Err(_) => f.write_str("a string that is not text"),
            },
            Some(b't' | b'f' | b'n') => f.write_str(written),
            _ if written.len() <= MAX_QUOTED => f.write_str(written),
            _ => write!(f, "a number of {} characters", written.len()),
        }
    }
}

/// The number in `text`, exactly: one that has more digits than a decimal holds is an error, and is not rounded.
pub fn decimal(text: &str) -> Result<Decimal, rust_decimal::Error> {
    // A decimal would also be read from digits grouped by underscores.
    if text.contains('_') {
        return Err("digits must not be grouped".into());
    }
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (text, None),
    };
    // Zeros are kept where they fit, so that an amount is written as it was read.
    let digits = match Decimal::from_str_exact(digits) {
        Ok(_) => digits,
        Err(_) => without_trailing_zeros(digits),
    };
    let number = Decimal::from_str_exact(digits)?;
    // `from_scientific` rounds, but nothing is left to round.
    exponent.map_or(Ok(number), |exponent| {
        Decimal::from_scientific(&format!("{digits}e{exponent}"))
    })
}

/// The same number without zeros at the end of its fraction; there may be more of them than a decimal holds.
fn without_trailing_zeros(digits: &str) -> &str {
    match digits.split_once('.') {
        Some((whole, fraction)) if !whole.is_empty() && !fraction.is_empty() => {
            let left = fraction.trim_end_matches('0').len();
            let point = usize::from(left > 0);
            &digits[..whole.len() + point + left]
        }
        _ => digits,
    }
}

fn whole(text: &str) -> Option<i64> {
    decimal(text).ok().filter(Decimal::is_integer)?.to_i64()
}

/// Translates `error`, which the parser found in `text`, for the sender.
fn malformed(text: &str, error: &serde_json::Error) -> Malformed {
    if error.is_eof() {
        return Malformed::Truncated(Position::of(text, text.len()));
    }
    // The parser counts bytes within the line, from 1; right behind the end of a line it says 0.
    let line_start = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let mut offset = text.floor_char_boundary((line_start + error.column()).saturating_sub(1));
    // At a control character within a string, which must be escaped, it stops one character earlier.
    let next = text.ceil_char_boundary(offset + 1);
    if text[next..].starts_with(|next| next < ' ') && ends_in_string(&text[..next]) {
        offset = next;
    }
    let position = Position::of(text, offset);
    let is_whole = |head: &str| serde_json::from_str::<&RawValue>(head).is_ok();
    match text[offset..].chars().next() {
        _ if is_whole(&text[..offset]) => Malformed::Trailing(position),
        Some(found) => Malformed::Syntax { position, found },
        None => Malformed::Truncated(position),
    }
}

/// The bytes of `json`, which may be only the beginning of a text, each with whether a string is open after it. Skips the byte after
/// each backslash.
fn with_strings(json: &str) -> impl Iterator<Item = (u8, bool)> {
    let mut in_string = false;
    let mut bytes = json.bytes();
    iter::from_fn(move || {
        let byte = bytes.next()?;
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
        Some((byte, in_string))
    })
}

/// Whether `json`, the beginning of a text, ends within a string.
fn ends_in_string(json: &str) -> bool {
    with_strings(json)
        .last()
        .is_some_and(|(_, in_string)| in_string)
}

/// Whether arrays and objects are nested too deep in `json`, whose syntax is valid.
fn is_too_deep(json: &str) -> bool {
    let mut depth = 0_usize;
    with_strings(json).any(|(byte, in_string)| {
        match byte {
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

/// The fields of an object in the order in which they were sent, also those that were sent twice.
struct Entries<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    entries.push((name, Value(value)));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

/// Collects what is wrong while a value is read.
#[derive(Debug, Default)]
pub struct Violations {
    is_strict: bool,
    named: Vec<Violation>,
    more: usize,
}

impl Violations {
    /// Creates an empty collection. If `is_strict`, an unknown field is a fault, so that the sender notices a misspelled name.
    #[must_use]
    pub fn new(is_strict: bool) -> Self {
        Self {
            is_strict,
            ..Self::default()
        }
    }

    /// Adds a fault of `field`.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.named.len() < MAX_VIOLATIONS {
            self.named.push(Violation::new(field, message));
        } else {
            self.more += 1;
        }
    }

    /// Whether there is no fault so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The faults, with the number of those that are not named as the last entry.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Violation> {
        if self.more > 0 {
            let message = format!("and {} more faults", self.more);
            self.named.push(Violation::new("", message));
        }
        self.named
    }
}

/// The fields of an object, to be taken one by one. Their faults are added to the [`Violations`].
///
/// `null` counts as left out. A field that occurs twice is a fault, because readers differ about which of the two counts.
#[derive(Debug)]
pub struct Fields<'a, 'v> {
    path: String,
    entries: Vec<(Cow<'a, str>, Value<'a>)>,
    violations: &'v mut Violations,
}

impl<'a, 'v> Fields<'a, 'v> {
    /// The fields of `value`, which was sent as a whole and is called `what` in sentences.
    pub fn of(value: Value<'a>, what: &str, violations: &'v mut Violations) -> Option<Self> {
        let message = match value.entries() {
            Ok(entries) => {
                let path = String::new();
                return Some(Self {
                    path,
                    entries,
                    violations,
                });
            }
            Err(message) if value.as_written().starts_with('{') => message,
            Err(_) => format!("must be a JSON object, but it is {value}"),
        };
        violations.add("", format!("{what} {message}"));
        None
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// Takes the field `name` out. An error means that a fault has been added.
    fn take(&mut self, name: &str) -> Result<Option<Value<'a>>, ()> {
        let mut found = self.entries.extract_if(.., |(entry, _)| entry == name);
        let value = found.next().map(|(_, value)| value);
        if found.count() > 0 {
            self.refuse(name, "must be there once, but is there more than once");
            return Err(());
        }
        Ok(value.filter(|value| !value.is_null()))
    }

    /// Adds a fault of the field `name`.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.violations.add(self.path_of(name), message);
    }

    /// The field `name`, if it is present.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value<'a>) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(name).ok()??;
        read(value)
            .map_err(|message| self.refuse(name, message))
            .ok()
    }

    /// The field `name`, or the default if it is left out; `None` if it is at fault.
    pub fn or_default<T: Default>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value<'a>) -> Result<T, String>,
    ) -> Option<T> {
        self.optional_or(name, read, || Ok(T::default()))
    }

    /// The field `name`, or the result of `default` if it is left out; `None` if the field is at fault.
    pub fn optional_or<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value<'a>) -> Result<T, String>,
        default: impl FnOnce() -> Result<T, String>,
    ) -> Option<T> {
        let result = match self.take(name).ok()? {
            Some(value) => read(value),
            None => default(),
        };
        result.map_err(|message| self.refuse(name, message)).ok()
    }

    /// The first of these names that is present; the first of all if none is.
    #[must_use]
    pub fn first_of<const N: usize>(&self, names: [&'static str; N]) -> &'static str {
        let is_used = |name: &&str| self.entries.iter().any(|(entry, _)| entry == name);
        names.iter().copied().find(is_used).unwrap_or(names[0])
    }

    /// The field `name`, which is required.
    pub fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value<'a>) -> Result<T, String>,
    ) -> Option<T> {
        self.optional_or(name, read, || Err("is required".to_owned()))
    }

    /// The object `name`, if it is present.
    pub fn object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields<'a, '_>) -> Option<T>,
    ) -> Option<T> {
        let entries = self.optional(name, Value::entries)?;
        self.within(self.path_of(name), entries, read)
    }

    /// The object `name`, which is required.
    pub fn required_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields<'a, '_>) -> Option<T>,
    ) -> Option<T> {
        let entries = self.required(name, Value::entries)?;
        self.within(self.path_of(name), entries, read)
    }

    /// The array `name` of objects, which is required and must have a length within `length`.
    pub fn list<T>(
        &mut self,
        name: &str,
        length: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Fields<'a, '_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let elements = self.required(name, |value| {
            let elements = value.elements()?;
            if length.contains(&elements.len()) {
                return Ok(elements);
            }
            Err(format!(
                "must have {} to {} elements, but has {}",
                length.start(),
                length.end(),
                elements.len()
            ))
        })?;
        // All of them are read, so that all faults are found.
        let mut list = Some(Vec::with_capacity(elements.len()));
        for (index, element) in elements.into_iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(name));
            let item = match element.entries() {
                Ok(entries) => self.within(path, entries, &mut read),
                Err(message) => {
                    self.violations.add(path, message);
                    None
                }
            };
            list = list.zip(item).map(|(mut list, item)| {
                list.push(item);
                list
            });
        }
        list
    }

    fn within<T>(
        &mut self,
        path: String,
        entries: Vec<(Cow<'a, str>, Value<'a>)>,
        read: impl FnOnce(&mut Fields<'a, '_>) -> Option<T>,
    ) -> Option<T> {
        let mut fields = Fields {
            path,
            entries,
            violations: self.violations,
        };
        let result = read(&mut fields);
        fields.finish();
        result
    }

    /// Ends the reading. Fields that were not taken are unknown, which is a fault if the collection is strict.
    pub fn finish(self) {
        if !self.violations.is_strict {
            return;
        }
        for (name, _) in &self.entries {
            let is_name = (1..=64).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_name {
                self.violations.add(
                    self.path_of(name),
                    "is not known: leave it out, or check how it is spelt",
                );
            } else {
                // Its name does not fit into a path.
                self.violations.add(
                    self.path.clone(),
                    match name.chars().count() {
                        ..=MAX_QUOTED => format!("must not have a field {name:?}"),
                        length => {
                            format!("must not have a field whose name has {length} characters")
                        }
                    },
                );
            }
        }
    }
}

/// A type that is read from a JSON object.
pub trait FromJson: Sized {
    /// Whether an unknown field is a fault.
    const IS_STRICT: bool = true;

    /// Reads it field by field; `None` if any is at fault.
    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self>;
}

/// Why the input cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It is not JSON.
    Malformed(Malformed),
    /// It is JSON with faults. At least one entry.
    Invalid(Vec<Violation>),
}

/// Reads a JSON object, which sentences call `what`.
pub fn read<T: FromJson>(bytes: &[u8], what: &str) -> Result<T, Unusable> {
    read_with(bytes, what, Violations::new(T::IS_STRICT), T::from_fields)
}

/// The same by `read`, with a collection without faults.
pub fn read_with<T>(
    bytes: &[u8],
    what: &str,
    mut violations: Violations,
    read: impl FnOnce(&mut Fields<'_, '_>) -> Option<T>,
) -> Result<T, Unusable> {
    let value = Value::parse(bytes).map_err(Unusable::Malformed)?;
    let value = Fields::of(value, what, &mut violations).and_then(|mut fields| {
        let value = read(&mut fields);
        fields.finish();
        value
    });
    match value {
        Some(value) if violations.is_empty() => Ok(value),
        _ => Err(Unusable::Invalid(violations.into_vec())),
    }
}
