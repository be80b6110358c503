//! Parameters of prepared statements: which types they have, and how their values get into the query.
//!
//! The runtime's endpoint takes no parameters, so a value becomes a literal of the syntax tree. It is never put into a text.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
use pgwire::api::Type;
use pgwire::api::portal::Portal;
use pgwire::error::PgWireResult;
use rust_decimal::Decimal;
use sqlparser::ast::{
    Array, BinaryOperator, DataType, Expr, LimitClause, Query, Statement, Value, VisitMut,
    VisitorMut,
};

use crate::error::{Error, Result};
use crate::literals;
use crate::schema::Schema;
use crate::sql::{self, literal};

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
fn number(expr: &Expr) -> Result<Option<usize>> {
    let Expr::Value(value) = expr else {
        return Ok(None);
    };
    let Value::Placeholder(name) = &value.value else {
        return Ok(None);
    };
    let number = name
        .strip_prefix('$')
        .and_then(|digits| digits.parse().ok());
    match number {
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
        match number(expr) {
            Err(error) => ControlFlow::Break(error),
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(number)) => {
                let known = self.found.entry(number).or_default();
                if known.is_none() {
                    *known = found;
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// The type of what a parameter is compared with.
    fn type_of(&self, expr: &Expr) -> Option<Type> {
        match expr {
            Expr::Identifier(column) => self.schema?.type_of(&sql::folded(column)),
            Expr::CompoundIdentifier(parts) => self.schema?.type_of(&sql::folded(parts.last()?)),
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
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                for expr in limit
                    .iter()
                    .chain(offset.iter().map(|offset| &offset.value))
                {
                    self.note(expr, Some(Type::INT8))?;
                }
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
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
    Some(match data_type {
        DataType::Text
        | DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::CharacterVarying(_) => Type::TEXT,
        DataType::SmallInt(_) | DataType::Int2(_) => Type::INT2,
        DataType::Int(_) | DataType::Int4(_) | DataType::Integer(_) => Type::INT4,
        DataType::BigInt(_) | DataType::Int8(_) => Type::INT8,
        DataType::Real | DataType::Float4 => Type::FLOAT4,
        DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 | DataType::Float(_) => {
            Type::FLOAT8
        }
        DataType::Numeric(_) | DataType::Decimal(_) => Type::NUMERIC,
        DataType::Boolean | DataType::Bool => Type::BOOL,
        DataType::Date => Type::DATE,
        DataType::Timestamp(_, zone) => match zone {
            sqlparser::ast::TimezoneInfo::Tz | sqlparser::ast::TimezoneInfo::WithTimeZone => {
                Type::TIMESTAMPTZ
            }
            _ => Type::TIMESTAMP,
        },
        DataType::Bytea => Type::BYTEA,
        DataType::JSON => Type::JSON,
        DataType::JSONB => Type::JSONB,
        DataType::Array(sqlparser::ast::ArrayElemTypeDef::SquareBracket(element, _)) => {
            return array_of(&of_sql(element)?);
        }
        _ => return None,
    })
}

fn array_of(element: &Type) -> Option<Type> {
    Some(match *element {
        Type::TEXT => Type::TEXT_ARRAY,
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::BOOL => Type::BOOL_ARRAY,
        _ => return None,
    })
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
    fn read<T>(
        value: PgWireResult<Option<T>>,
        index: usize,
        of: &Type,
        expr: impl FnOnce(T) -> Expr,
    ) -> Result<Expr> {
        match value {
            Ok(Some(value)) => Ok(expr(value)),
            Ok(None) => Ok(null(of)),
            Err(error) => Err(Error::new(
                "22P02",
                format!("parameter ${} is no {of}: {error}", index + 1),
            )),
        }
    }
    let binary = portal.parameter_format.is_binary(index);
    let Some(Some(bytes)) = portal.parameters.get(index) else {
        return Ok(null(of));
    };
    macro_rules! of {
        ($rust:ty, $expr:expr) => {
            read(portal.parameter::<$rust>(index, of), index, of, $expr)
        };
    }
    match *of {
        Type::BOOL => of!(bool, |value| literal(Value::Boolean(value))),
        Type::INT2 => of!(i16, |value| integer(value.into())),
        Type::INT4 => of!(i32, |value| integer(value.into())),
        Type::INT8 => of!(i64, integer),
        Type::OID => of!(u32, |value| integer(value.into())),
        Type::FLOAT4 => of!(f32, |value| cast(&value.to_string(), "DOUBLE")),
        Type::FLOAT8 => of!(f64, |value| cast(&value.to_string(), "DOUBLE")),
        Type::NUMERIC => of!(Decimal, |value| {
            cast(
                &value.to_string(),
                &format!("DECIMAL(38, {})", value.scale()),
            )
        }),
        Type::TIMESTAMPTZ => of!(DateTime<FixedOffset>, |value| cast(
            &value.to_rfc3339(),
            "TIMESTAMPTZ"
        )),
        Type::TIMESTAMP => of!(NaiveDateTime, |value| {
            cast(
                &value.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
                "TIMESTAMP",
            )
        }),
        Type::DATE => of!(NaiveDate, |value| cast(&value.to_string(), "DATE")),
        Type::BYTEA if binary => Ok(bytea(bytes)),
        Type::BYTEA => byte_array(utf8(bytes)?)
            .map(|bytes| bytea(&bytes))
            .ok_or_else(|| invalid("bytea")),
        Type::JSON | Type::JSONB => {
            // A version goes before the text of a `jsonb` in binary.
            let bytes = match (&of, bytes.split_first()) {
                (&&Type::JSONB, Some((1, json))) if binary => json,
                _ => bytes,
            };
            let json = utf8(bytes)?;
            match serde_json::from_str::<serde::de::IgnoredAny>(json) {
                Ok(_) => Ok(text(json)),
                Err(_) => Err(invalid("json")),
            }
        }
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY if binary => {
            of!(Vec<Option<String>>, texts)
        }
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY => text_array(utf8(bytes)?)
            .map(texts)
            .ok_or_else(|| invalid("array")),
        Type::INT2_ARRAY => of!(Vec<Option<i16>>, |all| array(all, |one| integer(
            one.into()
        ))),
        Type::INT4_ARRAY => of!(Vec<Option<i32>>, |all| array(all, |one| integer(
            one.into()
        ))),
        Type::INT8_ARRAY => of!(Vec<Option<i64>>, |all| array(all, integer)),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
            utf8(bytes).map(text)
        }
        _ => Err(
            Error::unsupported(format!("parameter ${} of type {of}", index + 1))
                .hint("Send it as text, and cast it in the query."),
        ),
    }
}

fn invalid(what: &str) -> Error {
    Error::new("22P02", format!("invalid input syntax for type {what}"))
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

/// The elements of an array as PostgreSQL writes one: `{a,"b,c",NULL}`.
pub(crate) fn text_array(text: &str) -> Option<Vec<Option<String>>> {
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut rest = inside.chars().peekable();
    let mut elements = Vec::new();
    if inside.trim().is_empty() {
        return Some(elements);
    }
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        let mut element = String::new();
        let quoted = rest.next_if_eq(&'"').is_some();
        // Up to which of its bytes white space belongs to an element without quotes.
        let mut kept = 0;
        let mut escaped = false;
        loop {
            match rest.peek() {
                Some('"') if quoted => {
                    rest.next();
                    while rest.next_if(|c| c.is_whitespace()).is_some() {}
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
            if is_escaped || !next.is_whitespace() {
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

/// An array of texts.
pub(crate) fn texts(elements: Vec<Option<String>>) -> Expr {
    array(elements, |element| text(&element))
}

/// Bytes as a literal.
pub(crate) fn bytea(bytes: &[u8]) -> Expr {
    literal(Value::HexStringLiteral(hex(bytes)))
}

fn text(value: &str) -> Expr {
    literal(Value::SingleQuotedString(value.to_owned()))
}

fn integer(value: i64) -> Expr {
    let number = literal(Value::Number(value.to_string(), false));
    // `1 -$1` must not become `1 --1`, which begins a comment.
    if value < 0 {
        Expr::Nested(Box::new(number))
    } else {
        number
    }
}

/// A text as a value of another type.
pub(crate) fn cast(value: &str, to: &str) -> Expr {
    sql::cast(text(value), sql_type(to))
}

fn sql_type(name: &str) -> DataType {
    sqlparser::parser::Parser::new(&sql::DIALECT)
        .try_with_sql(name)
        .and_then(|mut parser| parser.parse_data_type())
        .unwrap_or(DataType::Text)
}

fn array<T>(elements: Vec<Option<T>>, element: impl Fn(T) -> Expr) -> Expr {
    let elements = elements.into_iter();
    Expr::Array(Array {
        elem: elements
            .map(|one| one.map_or_else(|| literal(Value::Null), &element))
            .collect(),
        named: true,
    })
}

fn null(of: &Type) -> Expr {
    let to = match *of {
        Type::BOOL => "BOOLEAN",
        Type::INT2 => "SMALLINT",
        Type::INT4 => "INTEGER",
        Type::INT8 | Type::OID => "BIGINT",
        Type::FLOAT4 | Type::FLOAT8 => "DOUBLE",
        Type::NUMERIC => "DECIMAL(38, 10)",
        Type::TIMESTAMPTZ => "TIMESTAMPTZ",
        Type::TIMESTAMP => "TIMESTAMP",
        Type::DATE => "DATE",
        Type::BYTEA => "BYTEA",
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY => return array(vec![Some("")], text),
        Type::INT2_ARRAY | Type::INT4_ARRAY | Type::INT8_ARRAY => {
            return array(vec![Some(0)], integer);
        }
        _ => "VARCHAR",
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
    sql::walked(node.visit(&mut Substitute(values)))
}

struct Substitute<'a>(&'a [Expr]);

impl VisitorMut for Substitute<'_> {
    type Break = Error;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match number(expr) {
            Err(error) => ControlFlow::Break(error),
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(number)) => match self.0.get(number - 1) {
                Some(value) => {
                    *expr = value.clone();
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Break(Error::new(
                    "42P02",
                    format!("there is no parameter ${number}"),
                )),
            },
        }
    }
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
