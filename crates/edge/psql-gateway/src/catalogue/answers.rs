//! Which functions the catalogue answers.

use rusqlite::types::{ToSql, ToSqlOutput, Value};

/// Functions that return the same value for all arguments, grouped by this value.
pub(super) const CONSTANT: [(Answer, &str); 8] = [
    (
        Answer::Text("UTF8"),
        "pg_encoding_to_char pg_client_encoding getdatabaseencoding",
    ),
    (Answer::Text(""), "pg_tablespace_location"),
    (
        Answer::Bool(true),
        "pg_function_is_visible pg_operator_is_visible pg_opfamily_is_visible \
         pg_opclass_is_visible pg_collation_is_visible pg_conversion_is_visible pg_statistics_obj_is_visible \
         pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible \
         has_table_privilege has_any_column_privilege has_column_privilege has_schema_privilege \
         has_database_privilege has_function_privilege pg_has_role",
    ),
    (
        Answer::Bool(false),
        "pg_cancel_backend pg_terminate_backend has_sequence_privilege pg_is_in_recovery pg_is_other_temp_schema pg_relation_is_publishable \
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
         pg_get_functiondef pg_get_function_identity_arguments pg_get_serial_sequence col_description shobj_description \
         inet_server_addr pg_advisory_unlock_all",
    ),
];

/// The value that a function of [`CONSTANT`] returns.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    Text(&'static str),
    Bool(bool),
    Number(i64),
    Null,
}

impl ToSql for Answer {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(text) => (*text).into(),
            Self::Bool(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Null => ToSqlOutput::Owned(Value::Null),
        })
    }
}

/// Functions without a place in [`CONSTANT`] that make a query of no table one of the catalogue, besides those whose names begin with
/// `pg_`.
const OTHERS: &str = "format_type obj_description to_regclass to_regtype quote_ident quote_literal current_schemas \
     current_setting set_config current_user session_user user current_role current_database current_catalog \
     current_schema version json_build_object jsonb_build_object _pg_expandarray generate_subscripts";

/// Whether a query of no table that calls this function is one of the catalogue.
pub(super) fn is_ours(name: &str) -> bool {
    let listed = |names: &str| names.split(' ').any(|known| known == name);
    name.starts_with("pg_") || listed(OTHERS) || CONSTANT.iter().any(|(_, names)| listed(names))
}
