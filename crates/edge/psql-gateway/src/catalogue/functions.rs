//! PostgreSQL's functions about the catalogue, for SQLite.

use pgwire::api::Type;
use regex::RegexBuilder;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{ToSql, ToSqlOutput, Value};
use rusqlite::{Connection, Error, Result};

use super::kind::Kind;
use crate::views;

/// Functions that return the same value for all arguments, grouped by this value.
const CONSTANT: [(Answer, &str); 9] = [
    (Answer::Text("restate"), "pg_get_userbyid"),
    (
        Answer::Text("UTF8"),
        "pg_encoding_to_char pg_client_encoding getdatabaseencoding",
    ),
    (Answer::Text(""), "pg_tablespace_location"),
    (
        Answer::Bool(true),
        "pg_table_is_visible pg_type_is_visible pg_function_is_visible pg_operator_is_visible \
         pg_opclass_is_visible pg_collation_is_visible pg_conversion_is_visible pg_statistics_obj_is_visible \
         pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible \
         has_table_privilege has_any_column_privilege has_column_privilege has_schema_privilege \
         has_database_privilege has_function_privilege pg_has_role",
    ),
    (
        Answer::Bool(false),
        "has_sequence_privilege pg_is_in_recovery pg_is_other_temp_schema pg_relation_is_publishable \
         row_security_active",
    ),
    (
        Answer::Number(0),
        "pg_my_temp_schema pg_relation_size pg_table_size pg_total_relation_size pg_indexes_size \
         pg_database_size",
    ),
    (Answer::Number(1), "txid_current"),
    (Answer::Number(6), "pg_char_to_encoding"),
    (
        Answer::Null,
        "pg_get_function_sqlbody pg_get_expr pg_get_indexdef pg_get_constraintdef pg_get_triggerdef \
         pg_get_ruledef pg_get_partkeydef pg_get_statisticsobjdef pg_get_statisticsobjdef_columns \
         pg_get_functiondef pg_get_function_result pg_get_function_arguments \
         pg_get_function_identity_arguments pg_get_serial_sequence col_description shobj_description \
         inet_server_addr pg_advisory_unlock_all",
    ),
];

/// The value that a function of [`CONSTANT`] returns.
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

/// The other functions of the catalogue, and those about the session that `translate.rs` answers, grouped by the type of their results.
const OTHERS: [(Kind, &str); 2] = [
    (
        Kind::Text,
        "format_type obj_description pg_get_viewdef pg_size_pretty to_regclass to_regtype quote_ident \
         current_schemas current_setting set_config current_user session_user user current_role \
         current_database current_catalog current_schema version array_to_string pg_typeof",
    ),
    (Kind::Int4, "pg_backend_pid array_upper array_length"),
];

/// Looks up a function in one of these tables.
fn find<T: Copy>(table: &[(T, &str)], name: &str) -> Option<T> {
    let found = (table.iter()).find(|(_, names)| names.split(' ').any(|known| known == name));
    found.map(|(of, _)| *of)
}

/// Whether a query of no table that calls this function is one of the catalogue.
pub(super) fn is_ours(name: &str) -> bool {
    let general = ["array_to_string", "array_upper", "array_length"];
    !general.contains(&name) && (find(&CONSTANT, name).is_some() || find(&OTHERS, name).is_some())
}

/// What a function answers with, if that is known.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let constant = find(&CONSTANT, name).map(|answer| match answer {
        Answer::Bool(_) => Kind::Bool,
        Answer::Number(_) => Kind::Int8,
        Answer::Text(_) | Answer::Null => Kind::Text,
    });
    constant.or_else(|| find(&OTHERS, name)).or(match name {
        "count" | "row_number" | "rank" | "sum" | "length" => Some(Kind::Int8),
        "upper" | "lower" | "replace" | "concat" | "substr" => Some(Kind::Text),
        _ => None,
    })
}

/// Teaches a database all of them.
pub(super) fn register(database: &Connection, relations: &[(i64, String)]) -> Result<()> {
    for (answer, names) in CONSTANT {
        for name in names.split(' ') {
            define(database, name, -1, move |_| Ok(answer))?;
        }
    }
    let type_of_oid = |call: &Context<'_>| Ok(call.get::<Option<u32>>(0)?.map(type_name));
    define(database, "format_type", -1, type_of_oid)?;
    define(database, "pg_regtype_name", 1, type_of_oid)?;
    let comment = with_relations(relations, |name| {
        Some(views::find(name)?.comment.to_owned())
    });
    define(database, "obj_description", -1, comment)?;
    let text = with_relations(relations, |name| Some(views::find(name)?.text.to_owned()));
    define(database, "pg_get_viewdef", -1, text)?;
    // `c.oid::regclass`
    let name = with_relations(relations, |name| Some(name.to_owned()));
    define(database, "pg_regclass_name", 1, name)?;
    // `'state'::regclass`
    let known = relations.to_vec();
    define(database, "pg_regclass_oid", 1, move |call| {
        let text: String = call.get(0)?;
        let name = last_part(&text);
        let by_name = known.iter().find(|(_, other)| other == name);
        (by_name.map(|(oid, _)| *oid))
            .or_else(|| text.parse().ok())
            .ok_or_else(|| Error::UserFunctionError(format!("no such table: {name}").into()))
    })?;
    let known = relations.to_vec();
    define(database, "to_regclass", 1, move |call| {
        let text: Option<String> = call.get(0)?;
        let name = text.map(|text| last_part(&text).to_owned());
        Ok(name.filter(|name| known.iter().any(|(_, other)| other == name)))
    })?;
    define(database, "pg_regtype_oid", 1, |call| {
        let text: String = call.get(0)?;
        let name = last_part(&text);
        let found = (1..10_000)
            .filter_map(Type::from_oid)
            .find(|known| known.name() == name || type_name(known.oid()) == text);
        Ok(found.map(|known| known.oid()))
    })?;
    define(database, "quote_ident", 1, |call| {
        let name: Option<String> = call.get(0)?;
        Ok(name.map(|name| crate::sql::ident(&name).to_string()))
    })?;
    define(database, "pg_size_pretty", 1, |call| {
        let size: Option<i64> = call.get(0)?;
        Ok(size.map(|size| format!("{size} bytes")))
    })?;
    // With the name of a column; with a literal `translate.rs` answers for the session.
    define(database, "current_setting", -1, |call| {
        let name: Option<String> = call.get(0)?;
        let mut settings = crate::session::SETTINGS.iter();
        let known = settings.find(|(known, _)| Some(*known) == name.as_deref());
        Ok(known.map(|(_, value)| *value))
    })?;
    define(database, "pg_typeof", 1, |_| Ok("unknown"))?;
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
    let (Some(text), Some(pattern)) = (
        call.get::<Option<String>>(0)?,
        call.get::<Option<String>>(1)?,
    ) else {
        return Ok(None);
    };
    let regex = RegexBuilder::new(&regex(&pattern))
        .case_insensitive(call.get(2)?)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| Error::UserFunctionError(Box::new(error)))?;
    Ok(Some(regex.is_match(&text)))
}

/// Arrays are texts here, as PostgreSQL writes them: `{a,b}`.
fn arrays(database: &Connection) -> Result<()> {
    define(database, "pg_any_equal", 2, |call| {
        let (Some(value), Some(array)) = (text(call, 0)?, text(call, 1)?) else {
            return Ok(None);
        };
        Ok(Some(elements(&array).any(|element| element == value)))
    })?;
    define(database, "pg_array", -1, |call| {
        let elements: Result<Vec<String>> = (0..call.len())
            .map(|index| Ok(text(call, index)?.unwrap_or_else(|| "NULL".to_owned())))
            .collect();
        Ok(format!("{{{}}}", elements?.join(",")))
    })?;
    define(database, "pg_element", 2, |call| {
        let Some(array) = text(call, 0)? else {
            return Ok(None);
        };
        let index: usize = call.get::<i64>(1)?.try_into().unwrap_or(0);
        Ok(index
            .checked_sub(1)
            .and_then(|index| elements(&array).nth(index).map(str::to_owned)))
    })?;
    define(database, "pg_array_json", 1, |call| {
        let elements: Vec<String> = text(call, 0)?
            .iter()
            .flat_map(|array| elements(array))
            .map(str::to_owned)
            .collect();
        Ok(serde_json::Value::from(elements).to_string())
    })?;
    define(database, "array_to_string", -1, |call| {
        let Some(array) = text(call, 0)? else {
            return Ok(None);
        };
        let separator = text(call, 1)?.unwrap_or_default();
        Ok(Some(elements(&array).collect::<Vec<_>>().join(&separator)))
    })?;
    define(database, "array_remove", 2, |call| {
        let (Some(array), Some(unwanted)) = (text(call, 0)?, text(call, 1)?) else {
            return text(call, 0);
        };
        let kept: Vec<&str> = elements(&array)
            .filter(|element| *element != unwanted)
            .collect();
        Ok(Some(format!("{{{}}}", kept.join(","))))
    })?;
    for name in ["array_upper", "array_length"] {
        define(database, name, 2, |call| {
            let Some(array) = text(call, 0)? else {
                return Ok(None);
            };
            let length = i64::try_from(elements(&array).count()).unwrap_or(0);
            Ok((length > 0).then_some(length))
        })?;
    }
    database.create_aggregate_function("pg_array_agg", 1, FLAGS, Collect)
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
