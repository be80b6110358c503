//! Parameters of prepared statements: which types they have, and how their values get into the query.
//!
//! The runtime's endpoint takes no parameters, so a value becomes a literal of the syntax tree. It is never put into a text.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bytes::Buf;
use chrono::DateTime;
use pgwire::api::Type;
use pgwire::api::portal::Portal;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Array, BinaryOperator, CaseWhen, DataType, Expr, Ident, LimitClause, Query, Statement, Value,
    VisitMut, VisitorMut, visit_expressions_mut,
};

use crate::catalogue::facts::{array_of, name_in_sql, type_in_sql, type_of_column};
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::settings::boolean;
use crate::sql::{self, literal};
use crate::{interval, literals};

/// The most parameters a statement may have, as in PostgreSQL.
const MAX: usize = 65_535;

/// The types of a statement's parameters, as far as the place where each stands tells one; else text.
pub(crate) fn types(statement: &Statement, schema: Option<&Schema>) -> Result<Vec<Type>> {
    let mut found = BTreeMap::new();
    let mut statement = statement.clone();
    let mut finder = Finder {
        schema,
        found: &mut found,
    };
    sql::walked(statement.visit(&mut finder))?;
    let count = found.keys().last().copied().unwrap_or(0);
    Ok((1..=count)
        .map(|number| found.get(&number).cloned().flatten().unwrap_or(Type::TEXT))
        .collect())
}

/// The number of a parameter, if the expression is one.
pub(crate) fn number(expr: &Expr) -> Result<Option<usize>> {
    let Some(name) = sql::placeholder(expr) else {
        return Ok(None);
    };
    let digits = name.strip_prefix('$');
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(number) if (1..=MAX).contains(&number) => Ok(Some(number)),
        _ => Err(Error::new("42P02", format!("there is no parameter {name}"))
            .hint("Parameters are written $1, $2, …")),
    }
}

/// Looks at every place where a parameter may stand.
struct Finder<'a> {
    schema: Option<&'a Schema>,
    found: &'a mut BTreeMap<usize, Option<Type>>,
}

impl Finder<'_> {
    fn note(&mut self, expr: &Expr, found: Option<Type>) -> ControlFlow<Error> {
        if let Some(number) = sql::flow(number(expr))? {
            let known = self.found.entry(number).or_default();
            *known = known.take().or(found);
        }
        ControlFlow::Continue(())
    }

    /// The type of what a parameter is compared with.
    fn type_of(&self, expr: &Expr) -> Option<Type> {
        match expr {
            Expr::Identifier(column) => self.type_of_column(column),
            Expr::CompoundIdentifier(parts) => self.type_of_column(parts.last()?),
            Expr::Cast { data_type, .. } => of_sql(data_type),
            Expr::Nested(expr) => self.type_of(expr),
            Expr::Value(value) => match &value.value {
                Value::Number(text, _) if text.contains(['.', 'e', 'E']) => Some(Type::FLOAT8),
                Value::Number(..) => Some(Type::INT8),
                Value::Boolean(_) => Some(Type::BOOL),
                _ => None,
            },
            Expr::Function(function) => match sql::last(&function.name)?.as_str() {
                "count" | "length" | "json_get_int" | "json_length" => Some(Type::INT8),
                "now" => Some(Type::TIMESTAMPTZ),
                _ => None,
            },
            _ => None,
        }
    }

    fn type_of_column(&self, column: &Ident) -> Option<Type> {
        let column = sql::folded(column);
        let of_runtime = self.schema?.type_of(&column);
        of_runtime.or_else(|| type_of_column(&column))
    }

    fn pair(&mut self, one: &Expr, other: &Expr) -> ControlFlow<Error> {
        let of_other = self.type_of(other);
        self.note(one, of_other)?;
        let of_one = self.type_of(one);
        self.note(other, of_one)
    }
}

impl VisitorMut for Finder<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &query.limit_clause {
            let offset = offset.iter().map(|offset| &offset.value);
            for expr in limit.iter().chain(offset) {
                self.note(expr, Some(Type::INT8))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::BinaryOp { left, op, right } => match op {
                BinaryOperator::Arrow
                | BinaryOperator::LongArrow
                | BinaryOperator::StringConcat => ControlFlow::Continue(()),
                _ => self.pair(left, right),
            },
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.pair(left, right)
            }
            Expr::Between {
                expr, low, high, ..
            } => {
                self.pair(expr, low)?;
                self.pair(expr, high)
            }
            Expr::InList { expr, list, .. } => {
                list.iter().try_for_each(|item| self.pair(expr, item))
            }
            Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => {
                let element = self.type_of(left).unwrap_or(Type::TEXT);
                self.note(right, array_of(&element))
            }
            Expr::Cast {
                expr, data_type, ..
            } => self.note(expr, of_sql(data_type)),
            Expr::Value(_) => self.note(&expr.clone(), None),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// The type that SQL calls so.
fn of_sql(data_type: &DataType) -> Option<Type> {
    type_in_sql(&data_type.to_string())
}

/// The value of each parameter of a portal, as an expression.
///
/// Texts are read here and not by `pgwire`, which takes a parameter for a literal of SQL and makes one quote of two.
pub(crate) fn values<S: Clone>(portal: &Portal<S>, types: &[Type]) -> Result<Vec<Expr>> {
    if portal.parameters.len() != types.len() {
        return Err(Error::new(
            "08P01",
            format!(
                "bind message supplies {} parameters, but prepared statement requires {}",
                portal.parameters.len(),
                types.len()
            ),
        ));
    }
    (0..types.len())
        .map(|index| value(portal, index, &types[index]))
        .collect()
}

/// A `NULL` for each parameter, with which a statement can be described.
pub(crate) fn nulls(types: &[Type]) -> Vec<Expr> {
    types.iter().map(null).collect()
}

fn value<S: Clone>(portal: &Portal<S>, index: usize, of: &Type) -> Result<Expr> {
    let Some(Some(bytes)) = portal.parameters.get(index) else {
        return Ok(null(of));
    };
    if !portal.parameter_format.is_binary(index) {
        return typed(utf8(bytes)?, of);
    }
    let text = from_binary(bytes, of)?.ok_or_else(|| {
        let message = format!(
            "incorrect binary data format in bind parameter {}",
            index + 1
        );
        Error::new("22P03", message)
    })?;
    if text.contains('\0') {
        return Err(literals::nul());
    }
    typed(&text, of)
}

/// A value in PostgreSQL's text format as an expression of the runtime.
pub(crate) fn typed(value: &str, of: &Type) -> Result<Expr> {
    let name = name_in_sql(of.oid());
    let invalid = || {
        let message = format!("invalid input syntax for type {name}: \"{value}\"");
        Error::new("22P02", message)
    };
    let whole = |least: i64, most: i64| {
        let number: i128 = value.trim().parse().map_err(|_| invalid())?;
        let number = i64::try_from(number).ok();
        let number = number.filter(|number| (least..=most).contains(number));
        number.map(integer).ok_or_else(|| {
            let message = format!("value \"{value}\" is out of range for type {name}");
            Error::new("22003", message)
        })
    };
    Ok(match *of {
        Type::BOOL => literal(Value::Boolean(boolean(value.trim()).ok_or_else(invalid)?)),
        Type::INT2 => whole(i16::MIN.into(), i16::MAX.into())?,
        Type::INT4 => whole(i32::MIN.into(), i32::MAX.into())?,
        Type::INT8 => whole(i64::MIN, i64::MAX)?,
        Type::OID => whole(0, u32::MAX.into())?,
        Type::FLOAT4 | Type::FLOAT8 => {
            let number: f64 = value.trim().parse().map_err(|_| invalid())?;
            cast(&number.to_string(), "DOUBLE")
        }
        Type::NUMERIC => match value.trim().to_lowercase().trim_start_matches(['-', '+']) {
            // The runtime's decimals cannot be any of these.
            "nan" | "infinity" | "inf" => cast(value.trim(), "DOUBLE"),
            _ => decimal(value.trim()).ok_or_else(invalid)??,
        },
        Type::INTERVAL => cast(&interval::read(value).ok_or_else(invalid)?, "INTERVAL"),
        Type::UUID => {
            let digits = value.trim().trim_matches(['{', '}']);
            let digits = digits.replace('-', "").to_lowercase();
            if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(invalid());
            }
            let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
            sql::string(parts.join("-"))
        }
        Type::TIME => cast(&with_seconds(without_zone(value)), "TIME"),
        Type::DATE => cast(only_date(value), "DATE"),
        Type::TIMESTAMP => without_time_zone(sql::string(with_seconds(without_zone(value)))),
        Type::TIMESTAMPTZ => with_time_zone(sql::string(with_seconds(value))),
        Type::BYTEA => bytea(&byte_array(value).ok_or_else(invalid)?),
        Type::JSON | Type::JSONB => match serde_json::from_str::<serde::de::IgnoredAny>(value) {
            Ok(_) => sql::string(value),
            Err(_) => return Err(Error::new("22P02", "invalid input syntax for type json")),
        },
        _ => match of.kind() {
            postgres_types::Kind::Array(element) => {
                let elements = text_array(value).ok_or_else(|| {
                    let message = format!("malformed array literal: \"{value}\"");
                    Error::new("22P02", message)
                })?;
                let elements = elements.into_iter().map(|one| match one {
                    Some(one) => typed(&one, element),
                    None => Ok(literal(Value::Null)),
                });
                list(elements.collect::<Result<_>>()?)
            }
            _ => sql::string(value),
        },
    })
}

/// A time with seconds, which the runtime insists on: `2026-01-02 03:04+01` gets `:00`.
fn with_seconds(value: &str) -> String {
    let value = value.trim();
    let Some(colon) = value.find(':') else {
        return value.to_owned();
    };
    let rest = &value[colon + 1..];
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let end = end.unwrap_or(rest.len());
    let has_seconds = rest[end..].starts_with(':');
    let (time, zone) = value.split_at(colon + 1 + end);
    if has_seconds {
        value.to_owned()
    } else {
        format!("{time}:00{zone}")
    }
}

/// A time without its zone, which PostgreSQL ignores in a text of a type that has none.
fn without_zone(value: &str) -> &str {
    let value = value.trim().trim_end_matches(['Z', 'z']);
    let colon = value.find(':').unwrap_or(value.len());
    let zone = value[colon..].find(['+', '-']);
    value[..zone.map_or(value.len(), |zone| colon + zone)].trim_end()
}

/// The date of a text that may also have a time and a zone.
fn only_date(value: &str) -> &str {
    let value = value.trim();
    match value.split_once([' ', 'T']) {
        Some((date, rest))
            if date.starts_with(|c: char| c.is_ascii_digit())
                && rest.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c))
                && !rest.ends_with("BC") =>
        {
            date
        }
        _ => value,
    }
}

/// A number as a decimal with exactly its digits. An error if the runtime's decimals do not have so many.
fn decimal(value: &str) -> Option<Result<Expr>> {
    let (mantissa, exponent) = match value.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (value, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let too_long = || Err(Error::new("22003", "a number with more than 38 digits"));
    if scale.unsigned_abs() > DECIMAL_DIGITS {
        return Some(too_long());
    }
    if scale < 0 {
        digits.extend(std::iter::repeat_n('0', scale.unsigned_abs() as usize));
    }
    let scale = usize::try_from(scale).unwrap_or(0);
    let padded = format!(
        "{:0>width$}",
        digits.trim_start_matches('0'),
        width = scale + 1
    );
    if padded.trim_start_matches('0').len().max(scale) > DECIMAL_DIGITS as usize {
        return Some(too_long());
    }
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    let text = format!("{sign}{whole}{point}{fraction}");
    Some(Ok(cast(
        &text,
        &format!("DECIMAL({DECIMAL_DIGITS}, {scale})"),
    )))
}

/// The most digits that a decimal has in the runtime.
const DECIMAL_DIGITS: u32 = 38;

/// An expression as a time with a zone. In the runtime, `TIMESTAMPTZ` has none.
pub(crate) fn with_time_zone(expr: Expr) -> Expr {
    arrow_cast(expr, r#"Timestamp(Microsecond, Some("+00:00"))"#)
}

/// An expression as a time without a zone. In the runtime, `TIMESTAMP` ends in 2262.
pub(crate) fn without_time_zone(expr: Expr) -> Expr {
    arrow_cast(expr, "Timestamp(Microsecond, None)")
}

/// An array of times with a zone.
pub(crate) fn with_time_zones(expr: Expr) -> Expr {
    arrow_cast(expr, r#"List(Timestamp(Microsecond, Some("+00:00")))"#)
}

fn arrow_cast(expr: Expr, to: &str) -> Expr {
    sql::call("arrow_cast", [expr, sql::string(to)])
}

/// A value in PostgreSQL's binary format, in its text format. Nothing if the bytes are not valid.
pub(crate) fn from_binary(bytes: &[u8], of: &Type) -> Result<Option<String>> {
    // Values are counted from the beginning of 2000.
    let since_2000 = |microseconds: i64| {
        let microseconds = microseconds.checked_add(946_684_800_000_000)?;
        Some(DateTime::from_timestamp_micros(microseconds)?.naive_utc())
    };
    let number = |width: usize| {
        let sign = if bytes.first().is_some_and(|byte| *byte > 127) {
            255
        } else {
            0
        };
        let mut number = [sign; 8];
        number[8 - width..].copy_from_slice((bytes.len() == width).then_some(bytes)?);
        Some(i64::from_be_bytes(number))
    };
    let time = |format: &str| {
        let time = number(8).and_then(since_2000)?;
        Some(time.format(format).to_string())
    };
    Ok(match *of {
        Type::BOOL => number(1).map(|value| (value != 0).to_string()),
        Type::INT2 => number(2).map(|value| value.to_string()),
        Type::INT4 => number(4).map(|value| value.to_string()),
        Type::INT8 => number(8).map(|value| value.to_string()),
        Type::OID => number(4).map(|value| (value & 0xffff_ffff).to_string()),
        Type::FLOAT4 => (bytes.try_into().ok()).map(|bytes| f32::from_be_bytes(bytes).to_string()),
        Type::FLOAT8 => (bytes.try_into().ok()).map(|bytes| f64::from_be_bytes(bytes).to_string()),
        Type::NUMERIC => numeric(bytes),
        Type::DATE => number(4)
            .and_then(|days| since_2000(days.checked_mul(86_400_000_000)?))
            .map(|date| date.date().to_string()),
        Type::TIMESTAMP => time("%Y-%m-%dT%H:%M:%S%.f"),
        Type::TIMESTAMPTZ => time("%Y-%m-%dT%H:%M:%S%.f+00:00"),
        Type::TIME => time("%H:%M:%S%.f"),
        Type::INTERVAL => interval_of(bytes),
        Type::UUID => (bytes.len() == 16).then(|| hex(bytes)),
        Type::BYTEA => Some(format!("\\x{}", hex(bytes))),
        // A version goes before the text.
        Type::JSONB => match bytes.split_first() {
            Some((1, json)) => Some(utf8(json)?.to_owned()),
            _ => None,
        },
        Type::JSON
        | Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::CHAR
        | Type::UNKNOWN => Some(utf8(bytes)?.to_owned()),
        _ => match of.kind() {
            postgres_types::Kind::Array(element) => array(bytes, element)?,
            _ => {
                return Err(
                    Error::unsupported(format!("a parameter of type {of} in binary"))
                        .hint("Send it as text, and cast it in the query."),
                );
            }
        },
    })
}

/// An interval in binary: microseconds, days and months.
fn interval_of(mut bytes: &[u8]) -> Option<String> {
    let time = bytes.try_get_i64().ok()?;
    let (days, months) = (bytes.try_get_i32().ok()?, bytes.try_get_i32().ok()?);
    let (sign, micros) = (if time < 0 { "-" } else { "" }, time.unsigned_abs());
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    Some(format!(
        "{months} mons {days} days {sign}{seconds}.{micros:06} secs"
    ))
}

/// An array in binary.
fn array(bytes: &[u8], of: &Type) -> Result<Option<String>> {
    let mut rest = bytes;
    match rest.try_get_i32() {
        Ok(0) => return Ok(Some("{}".to_owned())),
        Ok(1) => {}
        _ => return Err(Error::unsupported("arrays of more than one dimension")),
    }
    let Some(elements) = elements_of(rest) else {
        return Ok(None);
    };
    let elements = elements.into_iter().map(|element| match element {
        Some(bytes) => Ok(from_binary(bytes, of)?.map(Some)),
        None => Ok(Some(None)),
    });
    let elements = elements.collect::<Result<Option<Vec<_>>>>()?;
    Ok(elements.map(array_text))
}

/// The elements of an array after the number of its dimensions: two fields that say nothing new, the number of elements and of the first
/// of them, and each element with its length.
fn elements_of(mut rest: &[u8]) -> Option<Vec<Option<&[u8]>>> {
    rest.split_off(..8)?;
    let count = rest.try_get_i32().ok()?;
    rest.split_off(..4)?;
    let mut elements = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(rest.try_get_i32().ok()?).ok();
        elements.push(match length {
            Some(length) => Some(rest.split_off(..length)?),
            None => None,
        });
    }
    Some(elements)
}

/// A `numeric` in binary: groups of four digits, the weight of the first, the sign, and the number of digits after the point.
fn numeric(bytes: &[u8]) -> Option<String> {
    let words = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let words: Vec<u16> = words.collect();
    let [_, weight, sign, scale, groups @ ..] = words.as_slice() else {
        return None;
    };
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        0xC000 => return Some("NaN".to_owned()),
        0xD000 => return Some("Infinity".to_owned()),
        0xF000 => return Some("-Infinity".to_owned()),
        _ => return None,
    };
    let digits = groups.iter().map(|group| format!("{group:04}"));
    let digits = digits.collect::<Vec<_>>().concat();
    let last = i32::from(weight.cast_signed()) + 1 - i32::try_from(groups.len()).ok()?;
    let digits = if digits.is_empty() { "0" } else { &digits };
    // With as many digits after the point as it says.
    let exponent = 4 * last;
    let scale = usize::from(*scale);
    let shown = usize::try_from(-exponent).unwrap_or(0);
    let (digits, exponent) = if shown > scale {
        let dropped = (shown - scale).min(digits.len() - 1);
        let exponent = exponent + i32::try_from(dropped).ok()?;
        (digits[..digits.len() - dropped].to_owned(), exponent)
    } else {
        let exponent = exponent.min(0) - i32::try_from(scale - shown).ok()?;
        let zeros = usize::try_from(4 * last.max(0)).ok()? + scale - shown;
        (format!("{digits}{}", "0".repeat(zeros)), exponent)
    };
    Some(format!("{sign}{digits}e{exponent}"))
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(literals::nul()),
        Ok(text) => Ok(text),
        Err(_) => Err(Error::new(
            "22021",
            "invalid byte sequence for encoding \"UTF8\"",
        )),
    }
}

/// The bytes that a text means: `\x` and hexadecimal digits, or characters and octal escapes.
pub(crate) fn byte_array(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let pairs = digits.as_bytes().chunks(2);
        return pairs
            .map(|pair| match *pair {
                [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
                _ => None,
            })
            .collect();
    }
    let mut bytes = text.bytes();
    let mut read = Vec::new();
    while let Some(byte) = bytes.next() {
        read.push(match byte {
            b'\\' => match bytes.next()? {
                b'\\' => b'\\',
                first => {
                    let octal = [first, bytes.next()?, bytes.next()?];
                    let octal = std::str::from_utf8(&octal).ok()?;
                    u8::from_str_radix(octal, 8).ok()?
                }
            },
            plain => plain,
        });
    }
    Some(read)
}

/// White space around the elements of an array. All other characters belong to them.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

/// The elements of an array as PostgreSQL writes one: `{a,"b,c",NULL}`.
pub(crate) fn text_array(text: &str) -> Option<Vec<Option<String>>> {
    let inside = text
        .trim_matches(is_space)
        .strip_prefix('{')?
        .strip_suffix('}')?;
    let mut rest = inside.chars().peekable();
    let mut elements = Vec::new();
    if inside.trim_matches(is_space).is_empty() {
        return Some(elements);
    }
    loop {
        while rest.next_if(|c| is_space(*c)).is_some() {}
        let mut element = String::new();
        let quoted = rest.next_if_eq(&'"').is_some();
        // Up to which of its bytes white space belongs to an element without quotes.
        let mut kept = 0;
        let mut escaped = false;
        loop {
            match rest.peek() {
                Some('"') if quoted => {
                    rest.next();
                    while rest.next_if(|c| is_space(*c)).is_some() {}
                    break;
                }
                Some(',') | None if !quoted => {
                    element.truncate(kept);
                    break;
                }
                Some('{' | '}' | '"') if !quoted => return None,
                None => return None,
                Some(_) => {}
            }
            let mut next = rest.next()?;
            let is_escaped = next == '\\';
            if is_escaped {
                next = rest.next()?;
                escaped = true;
            }
            element.push(next);
            if is_escaped || !is_space(next) {
                kept = element.len();
            }
        }
        if !quoted && element.is_empty() {
            return None;
        }
        let null = !quoted && !escaped && element.eq_ignore_ascii_case("null");
        elements.push((!null).then_some(element));
        match rest.next() {
            Some(',') => {}
            None => return Some(elements),
            Some(_) => return None,
        }
    }
}

/// An array as PostgreSQL writes it.
pub(crate) fn array_text(elements: Vec<Option<String>>) -> String {
    let elements = elements.into_iter().map(|element| match element {
        None => "NULL".to_owned(),
        Some(text)
            if text.is_empty()
                || text.eq_ignore_ascii_case("null")
                || text.contains(|c: char| is_space(c) || r#"{},"\"#.contains(c)) =>
        {
            format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
        }
        Some(text) => text,
    });
    format!("{{{}}}", elements.collect::<Vec<_>>().join(","))
}

/// Bytes as a literal.
pub(crate) fn bytea(bytes: &[u8]) -> Expr {
    literal(Value::HexStringLiteral(hex(bytes)))
}

fn integer(value: i64) -> Expr {
    let number = sql::number(value.to_string());
    // `1 -$1` must not become `1 --1`, which begins a comment.
    if value < 0 {
        Expr::Nested(Box::new(number))
    } else {
        number
    }
}

/// A text as a value of another type.
pub(crate) fn cast(value: &str, to: &str) -> Expr {
    sql::cast(sql::string(value), sql_type(to))
}

fn sql_type(name: &str) -> DataType {
    sqlparser::parser::Parser::new(&sql::DIALECT)
        .try_with_sql(name)
        .and_then(|mut parser| parser.parse_data_type())
        .unwrap_or(DataType::Text)
}

fn list(elem: Vec<Expr>) -> Expr {
    Expr::Array(Array { elem, named: true })
}

pub(crate) fn null(of: &Type) -> Expr {
    let to = match *of {
        Type::BOOL => "BOOLEAN",
        Type::INT2 => "SMALLINT",
        Type::INT4 => "INTEGER",
        Type::INT8 | Type::OID => "BIGINT",
        Type::FLOAT4 | Type::FLOAT8 => "DOUBLE",
        Type::NUMERIC => "DECIMAL(38, 10)",
        Type::TIMESTAMPTZ => return with_time_zone(literal(Value::Null)),
        Type::TIMESTAMP => "TIMESTAMP",
        Type::DATE => "DATE",
        Type::TIME => "TIME",
        Type::INTERVAL => "INTERVAL",
        Type::BYTEA => "BYTEA",
        _ => {
            if let postgres_types::Kind::Array(element) = of.kind() {
                // The runtime has no other expression that is an array and NULL.
                return Expr::Case {
                    case_token: AttachedToken::empty(),
                    end_token: AttachedToken::empty(),
                    operand: None,
                    conditions: vec![CaseWhen {
                        condition: literal(Value::Boolean(false)),
                        result: list(vec![null(element)]),
                    }],
                    else_result: None,
                };
            }
            "VARCHAR"
        }
    };
    sql::cast(literal(Value::Null), sql_type(to))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// Puts `values` in place of the parameters.
pub(crate) fn substitute<T: VisitMut>(node: &mut T, values: &[Expr]) -> Result<()> {
    sql::walked(visit_expressions_mut(node, |expr| {
        if let Some(number) = sql::flow(number(expr))? {
            let unknown = || Error::new("42P02", format!("there is no parameter ${number}"));
            *expr = sql::flow(values.get(number - 1).cloned().ok_or_else(unknown))?;
        }
        ControlFlow::Continue(())
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_array_of_texts_is_read_as_it_was_written(
            elements in proptest::collection::vec(proptest::option::of("([^\0]|[\"\\\\,{}' ]|NULL){0,6}"), 0..6),
        ) {
            let written: Vec<String> = elements
                .iter()
                .map(|element| match element {
                    None => "NULL".to_owned(),
                    Some(text) => {
                        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
                    }
                })
                .collect();
            let written = format!("{{{}}}", written.join(","));
            prop_assert_eq!(text_array(&written), Some(elements.clone()), "{}", written);
            let written = array_text(elements.clone());
            prop_assert_eq!(text_array(&written), Some(elements), "{}", written);
        }

        #[test]
        fn bytes_are_read_as_they_were_written(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            prop_assert_eq!(byte_array(&format!("\\x{}", hex(&bytes))), Some(bytes.clone()));
            let escaped: String = bytes
                .iter()
                .map(|byte| match byte {
                    b'\\' => "\\\\".to_owned(),
                    0x20..0x7f => char::from(*byte).to_string(),
                    _ => format!("\\{byte:03o}"),
                })
                .collect();
            prop_assert_eq!(byte_array(&escaped), Some(bytes));
        }
    }

    #[test]
    fn arrays_and_bytes_are_read_as_postgres_reads_them() {
        let spaces = text_array("{\u{a0}a\u{85},\u{2003}, \t\n\u{b}\u{c}\rb }");
        let expected = ["\u{a0}a\u{85}", "\u{2003}", "b"].map(|text| Some(text.to_owned()));
        assert_eq!(spaces.as_deref(), Some(&expected[..]));
        let texts = |all: &[Option<&str>]| {
            let all = all.iter().map(|one| one.map(str::to_owned));
            Some(all.collect::<Vec<_>>())
        };
        for (text, expected) in [
            ("{}", texts(&[])),
            (
                " { a b , \"\" ,NuLL} ",
                texts(&[Some("a b"), Some(""), None]),
            ),
            (r"{\N\U\L\L,\ }", texts(&[Some("NULL"), Some(" ")])),
            (
                r#"{"a\"b","c\\d","NULL"}"#,
                texts(&[Some("a\"b"), Some(r"c\d"), Some("NULL")]),
            ),
            ("{a,}", None),
            ("{,}", None),
            ("{{a}}", None),
            ("{\"a\"b}", None),
            ("{\"a}", None),
            ("a,b", None),
        ] {
            assert_eq!(text_array(text), expected, "{text}");
        }
        for text in [r"\x0", r"\xzz", r"\9", r"a\", r"\400"] {
            assert_eq!(byte_array(text), None, "{text}");
        }
    }
}
