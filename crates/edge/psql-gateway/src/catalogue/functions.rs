//! PostgreSQL's functions about the catalogue, for SQLite.

use pgwire::api::Type;
use regex::RegexBuilder;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{ToSql, ToSqlOutput, Value};
use rusqlite::{Connection, Error, Result};

use super::kind::Kind;
use crate::views;

/// Functions that answer the same whatever they are asked, and that answer.
const CONSTANT: [(&str, Answer); 55] = [
    ("pg_get_userbyid", Answer::Text("restate")),
    ("pg_encoding_to_char", Answer::Text("UTF8")),
    ("pg_client_encoding", Answer::Text("UTF8")),
    ("pg_tablespace_location", Answer::Text("")),
    ("pg_table_is_visible", Answer::Bool(true)),
    ("pg_type_is_visible", Answer::Bool(true)),
    ("pg_function_is_visible", Answer::Bool(true)),
    ("pg_operator_is_visible", Answer::Bool(true)),
    ("pg_opclass_is_visible", Answer::Bool(true)),
    ("pg_collation_is_visible", Answer::Bool(true)),
    ("pg_conversion_is_visible", Answer::Bool(true)),
    ("pg_statistics_obj_is_visible", Answer::Bool(true)),
    ("pg_ts_config_is_visible", Answer::Bool(true)),
    ("pg_ts_dict_is_visible", Answer::Bool(true)),
    ("pg_ts_parser_is_visible", Answer::Bool(true)),
    ("pg_ts_template_is_visible", Answer::Bool(true)),
    ("has_table_privilege", Answer::Bool(true)),
    ("has_any_column_privilege", Answer::Bool(true)),
    ("has_column_privilege", Answer::Bool(true)),
    ("has_schema_privilege", Answer::Bool(true)),
    ("has_database_privilege", Answer::Bool(true)),
    ("has_function_privilege", Answer::Bool(true)),
    ("has_sequence_privilege", Answer::Bool(false)),
    ("pg_has_role", Answer::Bool(true)),
    ("pg_is_in_recovery", Answer::Bool(false)),
    ("pg_is_other_temp_schema", Answer::Bool(false)),
    ("pg_relation_is_publishable", Answer::Bool(false)),
    ("row_security_active", Answer::Bool(false)),
    ("pg_my_temp_schema", Answer::Number(0)),
    ("pg_relation_size", Answer::Number(0)),
    ("pg_table_size", Answer::Number(0)),
    ("pg_total_relation_size", Answer::Number(0)),
    ("pg_indexes_size", Answer::Number(0)),
    ("pg_database_size", Answer::Number(0)),
    ("txid_current", Answer::Number(1)),
    ("getdatabaseencoding", Answer::Text("UTF8")),
    ("pg_char_to_encoding", Answer::Number(6)),
    ("pg_get_function_sqlbody", Answer::Null),
    ("pg_get_expr", Answer::Null),
    ("pg_get_indexdef", Answer::Null),
    ("pg_get_constraintdef", Answer::Null),
    ("pg_get_triggerdef", Answer::Null),
    ("pg_get_ruledef", Answer::Null),
    ("pg_get_partkeydef", Answer::Null),
    ("pg_get_statisticsobjdef", Answer::Null),
    ("pg_get_statisticsobjdef_columns", Answer::Null),
    ("pg_get_functiondef", Answer::Null),
    ("pg_get_function_result", Answer::Null),
    ("pg_get_function_arguments", Answer::Null),
    ("pg_get_function_identity_arguments", Answer::Null),
    ("pg_get_serial_sequence", Answer::Null),
    ("col_description", Answer::Null),
    ("shobj_description", Answer::Null),
    ("inet_server_addr", Answer::Null),
    ("pg_advisory_unlock_all", Answer::Null),
];

/// What a function of [`CONSTANT`] answers.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Text(&'static str),
    Bool(bool),
    Number(i64),
    Null,
}

impl ToSql for Answer {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(text) => (*text).into(),
            Self::Bool(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Null => ToSqlOutput::Owned(Value::Null),
        })
    }
}

/// Functions of the catalogue beside the constant ones, and those about the session that `translate.rs` answers.
const OTHERS: [(&str, Kind); 23] = [
    ("format_type", Kind::Text),
    ("obj_description", Kind::Text),
    ("pg_get_viewdef", Kind::Text),
    ("pg_size_pretty", Kind::Text),
    ("to_regclass", Kind::Text),
    ("to_regtype", Kind::Text),
    ("quote_ident", Kind::Text),
    ("current_schemas", Kind::Text),
    ("current_setting", Kind::Text),
    ("set_config", Kind::Text),
    ("current_user", Kind::Text),
    ("session_user", Kind::Text),
    ("user", Kind::Text),
    ("current_role", Kind::Text),
    ("current_database", Kind::Text),
    ("current_catalog", Kind::Text),
    ("current_schema", Kind::Text),
    ("version", Kind::Text),
    ("pg_backend_pid", Kind::Int4),
    ("array_to_string", Kind::Text),
    ("array_upper", Kind::Int4),
    ("array_length", Kind::Int4),
    ("pg_typeof", Kind::Text),
];

/// Whether a query of no table that calls this function is one of the catalogue.
pub(super) fn is_ours(name: &str) -> bool {
    let general = ["array_to_string", "array_upper", "array_length"];
    !general.contains(&name)
        && (CONSTANT.iter().any(|(known, _)| *known == name)
            || OTHERS.iter().any(|(known, _)| *known == name))
}

/// What a function answers with, if that is known.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let constant = CONSTANT.iter().find(|(known, _)| *known == name);
    if let Some((_, answer)) = constant {
        return Some(match answer {
            Answer::Bool(_) => Kind::Bool,
            Answer::Number(_) => Kind::Int8,
            Answer::Text(_) | Answer::Null => Kind::Text,
        });
    }
    let other = OTHERS.iter().find(|(known, _)| *known == name);
    other.map(|(_, kind)| *kind).or(match name {
        "count" | "row_number" | "rank" | "sum" | "length" => Some(Kind::Int8),
        "upper" | "lower" | "replace" | "concat" | "substr" => Some(Kind::Text),
        _ => None,
    })
}

/// Teaches a database all of them.
pub(super) fn register(database: &Connection, relations: &[(i64, String)]) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    for (name, answer) in CONSTANT {
        database.create_scalar_function(name, -1, flags, move |_| Ok(answer))?;
    }
    database.create_scalar_function("format_type", -1, flags, |call| {
        Ok(call.get::<Option<u32>>(0)?.map(type_name))
    })?;
    database.create_scalar_function(
        "obj_description",
        -1,
        flags,
        with_relations(relations, |name| {
            Some(views::find(name)?.comment.to_owned())
        }),
    )?;
    database.create_scalar_function(
        "pg_get_viewdef",
        -1,
        flags,
        with_relations(relations, |name| Some(views::find(name)?.text.to_owned())),
    )?;
    // `c.oid::regclass`
    database.create_scalar_function(
        "pg_regclass_name",
        1,
        flags,
        with_relations(relations, |name| Some(name.to_owned())),
    )?;
    // `'state'::regclass`
    let known = relations.to_vec();
    database.create_scalar_function("pg_regclass_oid", 1, flags, move |call| {
        let text: String = call.get(0)?;
        let name = text.rsplit('.').next().unwrap_or(&text).trim_matches('"');
        let by_name = known
            .iter()
            .find(|(_, other)| other == name)
            .map(|(oid, _)| *oid);
        by_name
            .or_else(|| text.parse().ok())
            .ok_or_else(|| Error::UserFunctionError(format!("no such table: {name}").into()))
    })?;
    let known = relations.to_vec();
    database.create_scalar_function("to_regclass", 1, flags, move |call| {
        let text: Option<String> = call.get(0)?;
        let name = text
            .as_deref()
            .and_then(|text| text.rsplit('.').next())
            .map(|name| name.trim_matches('"').to_owned());
        Ok(name.filter(|name| known.iter().any(|(_, other)| other == name)))
    })?;
    database.create_scalar_function("pg_regtype_oid", 1, flags, |call| {
        let text: String = call.get(0)?;
        let name = text.rsplit('.').next().unwrap_or(&text).trim_matches('"');
        let found = (1..10_000)
            .filter_map(Type::from_oid)
            .find(|known| known.name() == name || type_name(known.oid()) == text);
        Ok(found.map(|known| known.oid()))
    })?;
    database.create_scalar_function("pg_regtype_name", 1, flags, |call| {
        Ok(call.get::<Option<u32>>(0)?.map(type_name))
    })?;
    database.create_scalar_function("quote_ident", 1, flags, |call| {
        Ok(call
            .get::<Option<String>>(0)?
            .map(|name| crate::sql::ident(&name).to_string()))
    })?;
    database.create_scalar_function("pg_size_pretty", 1, flags, |call| {
        Ok(call
            .get::<Option<i64>>(0)?
            .map(|size| format!("{size} bytes")))
    })?;
    // With the name of a column; with a literal `translate.rs` answers for the session.
    database.create_scalar_function("current_setting", -1, flags, |call| {
        let name: Option<String> = call.get(0)?;
        let known = crate::session::SETTINGS
            .iter()
            .find(|(known, _)| Some(*known) == name.as_deref());
        Ok(known.map(|(_, value)| *value))
    })?;
    database.create_scalar_function("pg_typeof", 1, flags, |_| Ok("unknown"))?;
    operators(database, flags)?;
    arrays(database, flags)
}

/// A function of a relation's oid.
fn with_relations<T: ToSql>(
    relations: &[(i64, String)],
    answer: impl Fn(&str) -> Option<T> + Send + 'static,
) -> impl Fn(&Context<'_>) -> Result<Option<T>> + Send + 'static {
    let relations = relations.to_vec();
    move |call| {
        let oid: Option<i64> = match call.get::<Value>(0)? {
            Value::Integer(oid) => Some(oid),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        let name = relations.iter().find(|(other, _)| Some(*other) == oid);
        Ok(name.and_then(|(_, name)| answer(name)))
    }
}

/// What PostgreSQL calls a type in SQL.
pub(super) fn type_name(oid: u32) -> String {
    let Some(known) = Type::from_oid(oid) else {
        return "???".to_owned();
    };
    let plain = |name: &str| {
        match name {
            "bool" => "boolean",
            "int2" => "smallint",
            "int4" => "integer",
            "int8" => "bigint",
            "float4" => "real",
            "float8" => "double precision",
            "timestamptz" => "timestamp with time zone",
            "timestamp" => "timestamp without time zone",
            "varchar" => "character varying",
            "char" => "\"char\"",
            other => other,
        }
        .to_owned()
    };
    match known.name().strip_prefix('_') {
        Some(element) => format!("{}[]", plain(element)),
        None => plain(known.name()),
    }
}

fn operators(database: &Connection, flags: FunctionFlags) -> Result<()> {
    // `~` and its kin: text, pattern, whether case matters not.
    database.create_scalar_function("pg_regex", 3, flags, |call| {
        let (Some(text), Some(pattern)) = (
            call.get::<Option<String>>(0)?,
            call.get::<Option<String>>(1)?,
        ) else {
            return Ok(None);
        };
        let pattern = RegexBuilder::new(&pattern)
            .case_insensitive(call.get(2)?)
            .size_limit(1 << 20)
            .build();
        let pattern = pattern.map_err(|error| Error::UserFunctionError(Box::new(error)))?;
        Ok(Some(pattern.is_match(&text)))
    })?;
    // `LIKE` of PostgreSQL minds case and has an escape character.
    database.create_scalar_function("pg_like", 3, flags, |call| {
        let (Some(text), Some(pattern)) = (
            call.get::<Option<String>>(0)?,
            call.get::<Option<String>>(1)?,
        ) else {
            return Ok(None);
        };
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
        regex.push_str(")$");
        let regex = RegexBuilder::new(&regex)
            .case_insensitive(call.get(2)?)
            .size_limit(1 << 20)
            .build();
        let regex = regex.map_err(|error| Error::UserFunctionError(Box::new(error)))?;
        Ok(Some(regex.is_match(&text)))
    })
}

/// Arrays are texts here, as PostgreSQL writes them: `{a,b}`.
fn arrays(database: &Connection, flags: FunctionFlags) -> Result<()> {
    database.create_scalar_function("pg_any_equal", 2, flags, |call| {
        let (Some(value), Some(array)) = (text(call, 0)?, text(call, 1)?) else {
            return Ok(None);
        };
        Ok(Some(elements(&array).any(|element| element == value)))
    })?;
    database.create_scalar_function("pg_array", -1, flags, |call| {
        let elements: Result<Vec<String>> = (0..call.len())
            .map(|index| Ok(text(call, index)?.unwrap_or_else(|| "NULL".to_owned())))
            .collect();
        Ok(format!("{{{}}}", elements?.join(",")))
    })?;
    database.create_scalar_function("pg_element", 2, flags, |call| {
        let Some(array) = text(call, 0)? else {
            return Ok(None);
        };
        let index: usize = call.get::<i64>(1)?.try_into().unwrap_or(0);
        Ok(index
            .checked_sub(1)
            .and_then(|index| elements(&array).nth(index).map(str::to_owned)))
    })?;
    database.create_scalar_function("pg_array_json", 1, flags, |call| {
        let elements: Vec<String> = text(call, 0)?
            .iter()
            .flat_map(|array| elements(array))
            .map(str::to_owned)
            .collect();
        Ok(serde_json::Value::from(elements).to_string())
    })?;
    database.create_scalar_function("array_to_string", -1, flags, |call| {
        let Some(array) = text(call, 0)? else {
            return Ok(None);
        };
        let separator = text(call, 1)?.unwrap_or_default();
        Ok(Some(elements(&array).collect::<Vec<_>>().join(&separator)))
    })?;
    database.create_scalar_function("array_remove", 2, flags, |call| {
        let (Some(array), Some(unwanted)) = (text(call, 0)?, text(call, 1)?) else {
            return text(call, 0);
        };
        let kept: Vec<&str> = elements(&array)
            .filter(|element| *element != unwanted)
            .collect();
        Ok(Some(format!("{{{}}}", kept.join(","))))
    })?;
    for name in ["array_upper", "array_length"] {
        database.create_scalar_function(name, 2, flags, |call| {
            let Some(array) = text(call, 0)? else {
                return Ok(None);
            };
            let length = i64::try_from(elements(&array).count()).unwrap_or(0);
            Ok((length > 0).then_some(length))
        })?;
    }
    database.create_aggregate_function("pg_array_agg", 1, flags, Collect)
}

fn text(call: &Context<'_>, index: usize) -> Result<Option<String>> {
    Ok(match call.get::<Value>(index)? {
        Value::Text(text) => Some(text),
        Value::Integer(value) => Some(value.to_string()),
        Value::Real(value) => Some(value.to_string()),
        Value::Null | Value::Blob(_) => None,
    })
}

fn elements(array: &str) -> impl Iterator<Item = &str> {
    let inner = array.trim_start_matches('{').trim_end_matches('}');
    inner
        .split([',', ' '])
        .filter(|element| !element.is_empty())
}

/// `ARRAY(SELECT …)`
struct Collect;

impl Aggregate<Vec<String>, String> for Collect {
    fn init(&self, _: &mut Context<'_>) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn step(&self, call: &mut Context<'_>, collected: &mut Vec<String>) -> Result<()> {
        collected.push(text(call, 0)?.unwrap_or_else(|| "NULL".to_owned()));
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, collected: Option<Vec<String>>) -> Result<String> {
        Ok(format!("{{{}}}", collected.unwrap_or_default().join(",")))
    }
}
