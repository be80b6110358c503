//! PostgreSQL's functions about the catalogue, for SQLite.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use regex::RegexBuilder;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, Error, Result};
use sqlparser::parser::Parser;

use super::answers::constant;
use super::facts;
use super::kind::{self, elements};
use crate::parameters::array_text;
use crate::sql;
use crate::views::{View, Views};

/// The schemas of the catalogue and their oids.
const SCHEMAS: [(&str, i64); 4] = [
    ("pg_catalog", 11),
    ("public", 2_200),
    ("information_schema", 13_207),
    ("pg_toast", 99),
];

/// How much greater the oid of the type of arrays of a table's rows is than that of a table of ours, and that of the type of its rows: see
/// `fill.sql`.
const ARRAY_TYPE: i64 = 1;
const ROW_TYPE: i64 = 2;

/// The oid and the name of a table, and whether it is found without its schema.
pub(super) type Relation = (i64, String, bool);

/// Teaches a database all of them.
pub(super) fn register(
    database: &Connection,
    relations: &[Relation],
    views: &Arc<Views>,
) -> Result<()> {
    for (value, names) in constant() {
        let select = format!("SELECT {value}");
        let value: Value = database.query_row(&select, [], |row| row.get(0))?;
        for name in names {
            let value = value.clone();
            define(database, name, -1, move |_| Ok(value.clone()))?;
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
        let known = argument(call, 0)?.and_then(|oid| facts::description(oid, class));
        Ok(known.map(str::to_owned))
    })?;
    of_one(database, "pg_get_function_arguments", |oid| {
        Some(facts::signature(oid)?.0)
    })?;
    of_one(database, "pg_get_function_result", |oid| {
        Some(facts::signature(oid)?.1)
    })?;
    of_one(database, "pg_regproc", |name: String| {
        facts::function(&name)
    })?;
    of_one(database, "pg_get_userbyid", |oid| {
        Some(facts::role(oid).unwrap_or("restate"))
    })?;
    let definition = of_view(|view| Some(view.text.clone()));
    define(database, "pg_get_viewdef", -1, definition)?;
    // What is cast to `regclass` or `regtype` is an oid; where it is shown or becomes a text, it has a name.
    let name = with_relations(relations, |name| Some(name.to_owned()));
    let visible: Vec<i64> = relations.iter().filter(|of| of.2).map(|of| of.0).collect();
    of_one(database, "pg_table_is_visible", move |oid| {
        Some(visible.contains(&oid))
    })?;
    define(database, "pg_regclass_name", 1, name)?;
    for (function, is_optional) in [("pg_regclass", false), ("to_regclass", true)] {
        let known = relations.to_vec();
        oid_of(database, function, "table", is_optional, move |text| {
            // Tables of the runtime come last, and before those of the catalogue of the same name.
            let mut all = known.iter().rev();
            let found = all.find(|(_, name, _)| name == last_part(text));
            found.map(|(oid, ..)| *oid).or_else(|| text.parse().ok())
        })?;
    }
    for name in ["json_build_object", "jsonb_build_object"] {
        define(database, name, -1, |call| {
            let part = |index| -> Result<String> {
                Ok(match call.get::<Value>(index)? {
                    Value::Text(text) => serde_json::Value::from(text).to_string(),
                    other => kind::text(&other).unwrap_or_else(|| "null".to_owned()),
                })
            };
            let pairs = (0..call.len() / 2)
                .map(|pair| Ok(format!("{} : {}", part(2 * pair)?, part(2 * pair + 1)?)));
            Ok(format!(
                "{{{}}}",
                pairs.collect::<Result<Vec<_>>>()?.join(", ")
            ))
        })?;
    }
    of_one(database, "quote_ident", |name: String| {
        Some(sql::ident(&name).to_string())
    })?;
    of_one(database, "quote_literal", |text: String| {
        Some(quoted(&text))
    })?;
    of_one(database, "pg_size_pretty", |size: i64| {
        Some(format!("{size} bytes"))
    })?;
    // Of a column; `translate.rs` answers for a literal, as the session has it.
    define(database, "current_setting", -1, |call| {
        let name = text(call, 0)?.unwrap_or_default().to_lowercase();
        let value = crate::settings::default(&name);
        Ok(value.map(|value| crate::settings::shown(&name, value)))
    })?;
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

/// Adds one with an argument, which is NULL for a NULL.
fn of_one<A: FromStr, T: ToSql>(
    database: &Connection,
    name: &str,
    answer: impl Fn(A) -> Option<T> + Send + 'static,
) -> Result<()> {
    define(database, name, 1, move |call| {
        Ok(argument(call, 0)?.and_then(&answer))
    })
}

/// Adds one with a text and another argument, which is NULL if one of them is.
fn of_two<A: FromStr, T: ToSql>(
    database: &Connection,
    name: &str,
    answer: impl Fn(String, A) -> Option<T> + Send + 'static,
) -> Result<()> {
    define(database, name, 2, move |call| {
        let given = text(call, 0)?.zip(argument(call, 1)?);
        Ok(given.and_then(|(one, other)| answer(one, other)))
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
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
        let oid = argument(call, 0)?;
        let name = relations.iter().find(|(other, ..)| Some(*other) == oid);
        Ok(name.and_then(|(_, name, _)| answer(name)))
    }
}

/// The names of types, also of those of the rows of tables.
fn types(database: &Connection, relations: &[Relation]) -> Result<()> {
    let known = |oid: i64| facts::name_in_sql(u32::try_from(oid).unwrap_or(0));
    let ours = relations.iter().filter(|(oid, ..)| known(*oid) == "???");
    let rows = ours.flat_map(|(oid, name, _)| {
        [
            (oid + ROW_TYPE, name.clone()),
            (oid + ARRAY_TYPE, format!("{name}[]")),
        ]
    });
    let rows: Arc<HashMap<i64, String>> = Arc::new(rows.collect());
    for function in ["format_type", "pg_regtype_name"] {
        let rows = rows.clone();
        define(database, function, -1, move |call| {
            let oid = argument::<i64>(call, 0)?;
            let of_row = |oid| rows.get(&oid).cloned();
            Ok(oid.map(|oid| of_row(oid).unwrap_or_else(|| known(oid).to_owned())))
        })?;
    }
    of_one(database, "pg_type_is_visible", |oid| {
        Some(!facts::name_in_sql(oid).starts_with(facts::STANDARD))
    })?;
    for (function, is_optional) in [("pg_regtype", false), ("to_regtype", true)] {
        let rows = rows.clone();
        let found = move |text: &str| {
            let name = last_part(text);
            let array = name.strip_prefix('_').map(|name| format!("{name}[]"));
            let is_named = |row: &String| row == name || array.as_ref() == Some(row);
            let of_row = || rows.iter().find(|(_, row)| is_named(row));
            (facts::oid_in_sql(text).map(i64::from))
                .or_else(|| text.parse().ok())
                .or_else(|| of_row().map(|(oid, _)| *oid))
        };
        oid_of(database, function, "type", is_optional, found)?;
    }
    Ok(())
}

/// Adds a function of a name that returns the oid of what it names, which has to be there unless the function says so.
fn oid_of(
    database: &Connection,
    function: &str,
    kind: &'static str,
    is_optional: bool,
    found: impl Fn(&str) -> Option<i64> + Send + 'static,
) -> Result<()> {
    define(database, function, 1, move |call| {
        let Some(name) = text(call, 0)? else {
            return Ok(None);
        };
        let missing = || Error::UserFunctionError(format!("no such {kind}: {name}").into());
        match found(&name) {
            None if !is_optional => Err(missing()),
            oid => Ok(oid),
        }
    })
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
                (Some('I'), Some(name)) => sql::ident(&name).to_string(),
                (Some('L'), None) => "NULL".to_owned(),
                (Some('L'), Some(value)) => quoted(&value),
                (_, value) => value.unwrap_or_default(),
            };
            written.push_str(&part);
        }
        Ok(Some(written))
    })?;
    define(database, "parse_ident", -1, |call| {
        let name = text(call, 0)?.unwrap_or_default();
        let parsed = Parser::new(&sql::DIALECT).try_with_sql(&name);
        let parsed = parsed.and_then(|mut parser| parser.parse_object_name(false));
        let parts = parsed.ok().and_then(|name| sql::parts(&name));
        let parts = parts.map(|parts| parts.into_iter().map(Some).collect());
        Ok(parts.map(array_text))
    })?;
    of_one(database, "pg_regnamespace", |name: String| {
        let known = SCHEMAS.iter().find(|(known, _)| *known == last_part(&name));
        known.map(|(_, oid)| *oid).or_else(|| name.parse().ok())
    })
}

fn operators(database: &Connection) -> Result<()> {
    // `~` and its kin: text, pattern, whether case matters not.
    define(database, "pg_regex", 3, |call| matches(call, str::to_owned))?;
    // `LIKE` of PostgreSQL minds case and has an escape character.
    define(database, "pg_like", 3, |call| {
        let is_plain = |letter| !matches!(letter, '%' | '_');
        matches(call, |pattern| sql::regex(pattern, Some('\\'), is_plain))
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

fn arrays(database: &Connection) -> Result<()> {
    of_two(database, "pg_any_equal", |value, array: String| {
        Some(elements(&array).contains(&Some(value)))
    })?;
    define(database, "pg_array", -1, |call| {
        let elements: Result<Vec<_>> = (0..call.len()).map(|index| text(call, index)).collect();
        Ok(array_text(elements?))
    })?;
    of_two(database, "pg_element", |array, index: usize| {
        // Vectors are counted from 0.
        let index = index.checked_sub(usize::from(array.starts_with('{')))?;
        elements(&array).into_iter().nth(index).flatten()
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
    define(database, "split_part", 3, |call| {
        let (Some(text), Some(separator)) = (text(call, 0)?, text(call, 1)?) else {
            return Ok(None);
        };
        let index = argument::<usize>(call, 2)?.and_then(|number| number.checked_sub(1));
        let part = index.and_then(|index| text.split(&separator).nth(index));
        Ok(Some(part.unwrap_or_default().to_owned()))
    })?;
    of_two(database, "string_to_array", |text, separator: String| {
        let parts = text.split(&separator).map(|part| Some(part.to_owned()));
        Some(array_text(parts.collect()))
    })?;
    of_one(database, "pg_regtype_names", |oids: String| {
        let names = elements(&oids).into_iter().map(|oid| {
            let name = facts::name_in_sql(oid?.parse().ok()?);
            Some(name.to_owned())
        });
        Some(array_text(names.collect()))
    })?;
    // The numbers from one to another, as JSON.
    define(database, "pg_series", 2, |call| {
        let bounds = (argument::<i64>(call, 0)?, argument::<i64>(call, 1)?);
        let (Some(first), Some(last)) = bounds else {
            return Ok("[]".to_owned());
        };
        if last.saturating_sub(first) > 100_000 {
            return Err(Error::UserFunctionError("more than 100000 rows".into()));
        }
        Ok((first..=last).collect::<serde_json::Value>().to_string())
    })?;
    define(database, "array_remove", 2, |call| {
        let unwanted = text(call, 1)?;
        let kept = |all: String| {
            let elements = elements(&all).into_iter();
            array_text(elements.filter(|one| *one != unwanted).collect())
        };
        Ok(text(call, 0)?.map(kept))
    })?;
    of_two(database, "array_lower", |array, _: i64| {
        elements(&array).first().map(|_| 1)
    })?;
    for name in ["array_upper", "array_length"] {
        of_two(database, name, |array, _: i64| {
            let length = i64::try_from(elements(&array).len()).ok();
            length.filter(|length| *length > 0)
        })?;
    }
    database.create_aggregate_function("array_agg", 1, FLAGS, Collect)
}

/// An argument as a text.
fn text(call: &Context<'_>, index: usize) -> Result<Option<String>> {
    Ok(kind::text(&call.get(index)?))
}

/// An argument as something that can be read from its text.
fn argument<T: FromStr>(call: &Context<'_>, index: usize) -> Result<Option<T>> {
    Ok(text(call, index)?.and_then(|text| text.parse().ok()))
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
