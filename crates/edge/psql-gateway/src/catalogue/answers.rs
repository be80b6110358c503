//! Which functions the catalogue answers.

/// Functions that return the same value for all arguments: the value as SQL has it, and their names.
pub(super) fn constant() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)>
{
    let lines = include_str!("answers.tsv").lines();
    lines.filter_map(|line| {
        line.split_once('\t')
            .map(|(value, names)| (value, names.split(' ')))
    })
}

/// Functions without a place in [`constant`] that make a query of no table one of the catalogue, besides those whose names begin with
/// `pg_`.
const OTHERS: &str = "format_type obj_description to_regclass to_regtype quote_ident quote_literal current_schemas \
     current_setting set_config current_user session_user user current_role current_database current_catalog \
     current_schema version json_build_object jsonb_build_object _pg_expandarray generate_subscripts";

/// Whether a query of no table that calls this function is one of the catalogue.
pub(super) fn is_ours(name: &str) -> bool {
    name.starts_with("pg_")
        || OTHERS.split(' ').any(|known| known == name)
        || constant().any(|(_, mut names)| names.any(|known| known == name))
}
