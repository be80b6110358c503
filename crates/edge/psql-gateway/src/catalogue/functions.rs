//! PostgreSQL's functions about the catalogue, for SQLite.

use std::collections::HashMap;
use std::sync::Arc;

use regex::RegexBuilder;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, Error, Result};
use sqlparser::parser::Parser;

use super::answers::CONSTANT;
use super::facts;
use crate::parameters::{array_text, text_array};
use crate::views::{View, Views};

/// The oid of the schema `public`.
pub(super) const PUBLIC: i64 = 2_200;

/// A schema of the catalogue, its oid and what it is for.
pub(super) const SCHEMAS: [(&str, i64); 3] = [
    ("pg_catalog", 11),
    ("public", PUBLIC),
    ("information_schema", 13_000),
];

/// How much greater the oid of the type of arrays of a table's rows is than that of a table of ours, and that of the type of its rows.
pub(super) const ARRAY_TYPE: i64 = 1;
pub(super) const ROW_TYPE: i64 = 2;

/// The oid and the name of a table, and whether it is found without its schema.
pub(super) type Relation = (i64, String, bool);

/// Teaches a database all of them.
pub(super) fn register(
    database: &Connection,
    relations: &[Relation],
    views: &Arc<Views>,
) -> Result<()> {
    for (answer, names) in CONSTANT {
        for name in names.split(' ') {
            define(database, name, -1, move |_| Ok(answer))?;
        }
    }
    types(database, relations)?;
    let of_view = |fact: fn(&View) -> Option<String>| {
        let views = views.clone();
        with_relations(relations, move |name| fact(views.find(name)?))
    };
    let comment = of_view(|view| view.comment.clone());
    define(database, "obj_description", -1, move |call| {
        let class = if call.len() > 1 { text(call, 1)? } else { None };
        let class = class.as_deref().map(last_part);
        if class.is_none_or(|class| class == "pg_class")
            && let Some(comment) = comment(call)?
        {
            return Ok(Some(comment));
        }
        let known = integer(call, 0)?.and_then(|oid| facts::description(oid, class));
        Ok(known.map(str::to_owned))
    })?;
    define(database, "pg_get_function_arguments", 1, |call| {
        let signature = integer(call, 0)?.and_then(facts::signature);
        Ok(signature.map(|(arguments, _)| arguments.as_str()))
    })?;
    define(database, "pg_get_function_result", 1, |call| {
        let signature = integer(call, 0)?.and_then(facts::signature);
        Ok(signature.map(|(_, result)| result.as_str()))
    })?;
    define(database, "pg_get_userbyid", 1, |call| {
        Ok(integer(call, 0)?.map(|oid| facts::role(oid).unwrap_or("restate")))
    })?;
    let definition = of_view(|view| Some(view.text.clone()));
    define(database, "pg_get_viewdef", -1, definition)?;
    // What is cast to `regclass` or `regtype` is an oid; where it is shown or becomes a text, it has a name.
    let name = with_relations(relations, |name| Some(name.to_owned()));
    let visible: Vec<i64> = relations.iter().filter(|of| of.2).map(|of| of.0).collect();
    define(database, "pg_table_is_visible", 1, move |call| {
        Ok(integer(call, 0)?.map(|oid| visible.contains(&oid)))
    })?;
    define(database, "pg_regclass_name", 1, name)?;
    for (function, is_optional) in [("pg_regclass", false), ("to_regclass", true)] {
        let known = relations.to_vec();
        define(database, function, 1, move |call| {
            let Some(text) = text(call, 0)? else {
                return Ok(None);
            };
            let name = last_part(&text);
            // Tables of the runtime come last, and before those of the catalogue of the same name.
            let found = known.iter().rev().find(|(_, other, _)| other == name);
            let oid = found.map(|(oid, ..)| *oid).or_else(|| text.parse().ok());
            match oid {
                None if !is_optional => Err(Error::UserFunctionError(
                    format!("no such table: {name}").into(),
                )),
                oid => Ok(oid),
            }
        })?;
    }
    for name in ["json_build_object", "jsonb_build_object"] {
        define(database, name, -1, |call| {
            let mut text = String::from("{");
            for index in 0..call.len() {
                let value = match (index % 2, call.get::<Value>(index)?) {
                    (0, Value::Text(name)) => serde_json::Value::from(name).to_string() + " : ",
                    (_, Value::Text(value)) => serde_json::Value::from(value).to_string(),
                    (_, Value::Integer(value)) => value.to_string(),
                    (_, Value::Real(value)) => value.to_string(),
                    (_, Value::Null | Value::Blob(_)) => "null".to_owned(),
                };
                text += if index > 0 && index % 2 == 0 {
                    ", "
                } else {
                    ""
                };
                text += &value;
            }
            Ok(text + "}")
        })?;
    }
    define(database, "quote_ident", 1, |call| {
        let name: Option<String> = call.get(0)?;
        Ok(name.map(|name| crate::sql::ident(&name).to_string()))
    })?;
    define(database, "pg_size_pretty", 1, |call| {
        let size: Option<i64> = call.get(0)?;
        Ok(size.map(|size| format!("{size} bytes")))
    })?;
    // Of a column; `translate.rs` answers for a literal, as the session has it.
    define(database, "current_setting", -1, |call| {
        let name = text(call, 0)?.unwrap_or_default().to_lowercase();
        let value = crate::settings::default(&name);
        Ok(value.map(|value| crate::settings::shown(&name, value)))
    })?;
    define(database, "quote_literal", 1, |call| {
        Ok(text(call, 0)?.map(|text| format!("'{}'", text.replace('\'', "''"))))
    })?;
    define(database, "pg_typeof", 1, |_| Ok("unknown"))?;
    names(database)?;
    operators(database)?;
    arrays(database)
}

const FLAGS: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// Adds one function with this number of arguments; -1 stands for any number.
fn define<T: ToSql>(
    database: &Connection,
    name: &str,
    arguments: i32,
    answer: impl Fn(&Context<'_>) -> Result<T> + Send + 'static,
) -> Result<()> {
    database.create_scalar_function(name, arguments, FLAGS, answer)
}

/// The last part of a name that may be qualified, without its quotes.
fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name).trim_matches('"')
}

/// A function of a relation's oid.
fn with_relations<T: ToSql>(
    relations: &[Relation],
    answer: impl Fn(&str) -> Option<T> + Send + 'static,
) -> impl Fn(&Context<'_>) -> Result<Option<T>> + Send + 'static {
    let relations = relations.to_vec();
    move |call| {
        let oid: Option<i64> = match call.get::<Value>(0)? {
            Value::Integer(oid) => Some(oid),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        let name = relations.iter().find(|(other, ..)| Some(*other) == oid);
        Ok(name.and_then(|(_, name, _)| answer(name)))
    }
}

/// The names of types, also of those of the rows of tables.
fn types(database: &Connection, relations: &[Relation]) -> Result<()> {
    let ours = relations.iter().map(|(oid, name, _)| (*oid, name));
    let ours =
        ours.filter(|(oid, _)| facts::name_in_sql(u32::try_from(*oid).unwrap_or(0)) == "???");
    let rows: HashMap<i64, String> = ours
        .flat_map(|(oid, name)| {
            [
                (oid + ROW_TYPE, name.clone()),
                (oid + ARRAY_TYPE, format!("{name}[]")),
            ]
        })
        .collect();
    let rows = Arc::new(rows);
    for function in ["format_type", "pg_regtype_name"] {
        let rows = rows.clone();
        define(database, function, -1, move |call| {
            let oid = integer::<i64>(call, 0)?;
            Ok(oid.map(|oid| {
                let known = || facts::name_in_sql(u32::try_from(oid).unwrap_or(0));
                rows.get(&oid).cloned().unwrap_or_else(known)
            }))
        })?;
    }
    define(database, "pg_type_is_visible", 1, |call| {
        let name = integer(call, 0)?.map(facts::name_in_sql);
        Ok(name.map(|name| !name.starts_with(facts::STANDARD)))
    })?;
    for (function, is_optional) in [("pg_regtype", false), ("to_regtype", true)] {
        let rows = rows.clone();
        define(database, function, 1, move |call| {
            let Some(text) = text(call, 0)? else {
                return Ok(None);
            };
            let known = facts::type_in_sql(&text).map(|known| i64::from(known.oid()));
            let name = last_part(&text);
            let array = name.strip_prefix('_').map(|name| format!("{name}[]"));
            let of_row = || {
                let named = |row: &String| row == name || array.as_ref() == Some(row);
                rows.iter().find(|(_, row)| named(row))
            };
            let oid = known
                .or_else(|| text.parse().ok())
                .or_else(|| facts::oid_of_type(name).map(i64::from))
                .or_else(|| of_row().map(|(oid, _)| *oid));
            match oid {
                None if !is_optional => Err(Error::UserFunctionError(
                    format!("no such type: {text}").into(),
                )),
                oid => Ok(oid),
            }
        })?;
    }
    Ok(())
}

/// Names written and read: `format`, and casts to `regnamespace`.
fn names(database: &Connection) -> Result<()> {
    define(database, "format", -1, |call| {
        let Some(pattern) = text(call, 0)? else {
            return Ok(None);
        };
        let mut written = String::new();
        let mut next = 1;
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            let kind = if letter == '%' { letters.next() } else { None };
            if letter != '%' || kind == Some('%') {
                written.push(letter);
                continue;
            }
            let value = if next < call.len() {
                text(call, next)?
            } else {
                None
            };
            next += 1;
            let part = match (kind, value) {
                (Some('I'), Some(name)) => crate::sql::ident(&name).to_string(),
                (Some('L'), None) => "NULL".to_owned(),
                (Some('L'), Some(value)) => format!("'{}'", value.replace('\'', "''")),
                (_, value) => value.unwrap_or_default(),
            };
            written.push_str(&part);
        }
        Ok(Some(written))
    })?;
    define(database, "parse_ident", -1, |call| {
        let name = text(call, 0)?.unwrap_or_default();
        let parsed = Parser::new(&crate::sql::DIALECT).try_with_sql(&name);
        let parsed = parsed.and_then(|mut parser| parser.parse_object_name(false));
        let parts = parsed.ok().and_then(|name| crate::sql::parts(&name));
        let parts = parts.map(|parts| parts.into_iter().map(Some).collect());
        Ok(parts.map(array_text))
    })?;
    define(database, "pg_regnamespace", 1, |call| {
        let name = text(call, 0)?.unwrap_or_default();
        let known = SCHEMAS.iter().find(|(known, _)| *known == last_part(&name));
        Ok(known.map(|(_, oid)| *oid).or_else(|| name.parse().ok()))
    })
}

fn operators(database: &Connection) -> Result<()> {
    // `~` and its kin: text, pattern, whether case matters not.
    define(database, "pg_regex", 3, |call| matches(call, str::to_owned))?;
    // `LIKE` of PostgreSQL minds case and has an escape character.
    define(database, "pg_like", 3, |call| {
        matches(call, |pattern| {
            let mut regex = String::from("^(?s:");
            let mut letters = pattern.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '%' => regex.push_str(".*"),
                    '_' => regex.push('.'),
                    '\\' => regex.push_str(&regex::escape(
                        &letters.next().map(String::from).unwrap_or_default(),
                    )),
                    other => regex.push_str(&regex::escape(&other.to_string())),
                }
            }
            regex + ")$"
        })
    })
}

/// Whether the first argument of a call matches the regular expression that its second argument stands for.
fn matches(call: &Context<'_>, regex: impl Fn(&str) -> String) -> Result<Option<bool>> {
    // SQLite keeps the compiled pattern while the statement runs, if the pattern is a literal.
    let is_case_insensitive = call.get(2)?;
    let regex = call.get_or_create_aux(1, |pattern| {
        let Some(pattern) = pattern.as_str_or_null()? else {
            return Ok::<_, Box<dyn std::error::Error + Send + Sync>>(None);
        };
        let regex = RegexBuilder::new(&regex(pattern))
            .case_insensitive(is_case_insensitive)
            .size_limit(1 << 20)
            .build()?;
        Ok(Some(regex))
    })?;
    let text = call.get::<Option<String>>(0)?;
    Ok(regex
        .as_ref()
        .as_ref()
        .zip(text)
        .map(|(regex, text)| regex.is_match(&text)))
}

/// Arrays are texts here, as PostgreSQL writes them: `{a,b}`, or `1 2` for an `int2vector`.
fn arrays(database: &Connection) -> Result<()> {
    define(database, "pg_any_equal", 2, |call| {
        let (Some(value), Some(array)) = (text(call, 0)?, text(call, 1)?) else {
            return Ok(None);
        };
        Ok(Some(elements(&array).contains(&Some(value))))
    })?;
    define(database, "pg_array", -1, |call| {
        let elements: Result<Vec<_>> = (0..call.len()).map(|index| text(call, index)).collect();
        Ok(array_text(elements?))
    })?;
    define(database, "pg_element", 2, |call| {
        let (Some(array), Some(index)) = (text(call, 0)?, integer::<usize>(call, 1)?) else {
            return Ok(None);
        };
        // Vectors are counted from 0.
        let first = usize::from(array.starts_with('{'));
        let index = index.checked_sub(first);
        Ok(index.and_then(|index| elements(&array).into_iter().nth(index).flatten()))
    })?;
    define(database, "pg_array_json", 1, |call| {
        let elements = text(call, 0)?.map(|array| elements(&array));
        Ok(serde_json::Value::from(elements.unwrap_or_default()).to_string())
    })?;
    define(database, "array_to_string", -1, |call| {
        let (Some(array), Some(separator)) = (text(call, 0)?, text(call, 1)?) else {
            return Ok(None);
        };
        let elements: Vec<String> = elements(&array).into_iter().flatten().collect();
        Ok(Some(elements.join(&separator)))
    })?;
    define(database, "string_to_array", 2, |call| {
        let (Some(text), Some(separator)) = (text(call, 0)?, text(call, 1)?) else {
            return Ok(None);
        };
        let parts = text.split(&separator).map(|part| Some(part.to_owned()));
        Ok(Some(array_text(parts.collect())))
    })?;
    define(database, "pg_regtype_names", 1, |call| {
        let names = text(call, 0)?.map(|array| {
            let oids = elements(&array).into_iter();
            oids.map(|oid| Some(facts::name_in_sql(oid?.parse().ok()?)))
        });
        Ok(names.map(|names| array_text(names.collect())))
    })?;
    // The numbers from one to another, as JSON.
    define(database, "pg_series", 2, |call| {
        let bounds = (integer::<i64>(call, 0)?, integer::<i64>(call, 1)?);
        let (Some(first), Some(last)) = bounds else {
            return Ok("[]".to_owned());
        };
        if last.saturating_sub(first) > 100_000 {
            return Err(Error::UserFunctionError("more than 100000 rows".into()));
        }
        Ok((first..=last).collect::<serde_json::Value>().to_string())
    })?;
    define(database, "array_remove", 2, |call| {
        let (Some(all), unwanted) = (text(call, 0)?, text(call, 1)?) else {
            return Ok(None);
        };
        let kept = elements(&all)
            .into_iter()
            .filter(|element| *element != unwanted);
        Ok(Some(array_text(kept.collect())))
    })?;
    define(database, "array_lower", 2, |call| {
        Ok(text(call, 0)?
            .filter(|array| !elements(array).is_empty())
            .map(|_| 1))
    })?;
    for name in ["array_upper", "array_length"] {
        define(database, name, 2, |call| {
            let length =
                text(call, 0)?.and_then(|array| i64::try_from(elements(&array).len()).ok());
            Ok(length.filter(|length| *length > 0))
        })?;
    }
    database.create_aggregate_function("array_agg", 1, FLAGS, Collect)
}

/// An argument as a text.
fn text(call: &Context<'_>, index: usize) -> Result<Option<String>> {
    Ok(match call.get::<Value>(index)? {
        Value::Text(text) => Some(text),
        Value::Integer(value) => Some(value.to_string()),
        Value::Real(value) => Some(value.to_string()),
        Value::Null | Value::Blob(_) => None,
    })
}

/// An argument as a whole number.
fn integer<T: std::str::FromStr>(call: &Context<'_>, index: usize) -> Result<Option<T>> {
    Ok(text(call, index)?.and_then(|text| text.parse().ok()))
}

/// The elements of an array or vector.
pub(super) fn elements(array: &str) -> Vec<Option<String>> {
    text_array(array).unwrap_or_else(|| {
        array
            .split_whitespace()
            .map(|one| Some(one.to_owned()))
            .collect()
    })
}

/// `array_agg`, which also serves `ARRAY(SELECT …)`.
struct Collect;

impl Aggregate<Vec<Option<String>>, Option<String>> for Collect {
    fn init(&self, _: &mut Context<'_>) -> Result<Vec<Option<String>>> {
        Ok(Vec::new())
    }

    fn step(&self, call: &mut Context<'_>, collected: &mut Vec<Option<String>>) -> Result<()> {
        collected.push(text(call, 0)?);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        collected: Option<Vec<Option<String>>>,
    ) -> Result<Option<String>> {
        Ok(collected.map(array_text))
    }
}
