//! Facts about PostgreSQL: its catalogue's tables, types, functions and settings. `facts.sql` wrote them.

use std::collections::HashMap;
use std::sync::LazyLock;

use pgwire::api::Type;

/// The part of [`section`] that `facts.sql` writes for NULL.
pub(super) const NULL: &str = "\\N";

/// The rows of a table, each split into its columns, and before them the names of the columns.
type Rows = std::iter::Map<std::str::Lines<'static>, fn(&'static str) -> Vec<&'static str>>;

/// All tables of the facts, by name.
pub(super) fn sections() -> impl Iterator<Item = (&'static str, Rows)> {
    let sections = include_str!("facts.tsv").trim_start_matches('@');
    sections.split("\n@").map(|section| {
        let (name, rows) = section.split_once('\t').unwrap_or((section, ""));
        let split: fn(&'static str) -> Vec<&'static str> = |row| row.split('\t').collect();
        (name, rows.lines().map(split))
    })
}

/// The rows of one table of the facts.
fn section(name: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let found = sections().find(|(other, _)| *other == name);
    found.into_iter().flat_map(|(_, rows)| rows.skip(1))
}

/// The built-in type with the name that the catalogue gives it, such as `int4`.
pub(super) fn type_named(name: &str) -> Option<Type> {
    static TYPES: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
        let types = section("pg_type").filter_map(|row| Some((row[1], row[0].parse().ok()?)));
        types.collect()
    });
    TYPES.get(name).and_then(|oid| Type::from_oid(*oid))
}

/// The built-in type with the name that SQL gives it, such as `integer`, or the catalogue.
pub(crate) fn type_in_sql(name: &str) -> Option<Type> {
    let mut name = name.to_lowercase();
    // Without the length, precision or scale.
    if let Some((before, after)) = name.split_once('(') {
        name = before.trim_end().to_owned() + after.split_once(')').unwrap_or_default().1;
    }
    let name = name.trim();
    let of_array = name.strip_suffix("[]");
    let element = of_array.unwrap_or(name);
    let (_, element) = element.rsplit_once('.').unwrap_or(("", element));
    let long = NAMES.iter().find(|(_, long)| *long == element);
    let short = long.map_or(element, |(short, _)| *short);
    let short = match short {
        "int" => "int4",
        "decimal" => "numeric",
        "char" => "bpchar",
        "\"char\"" => "char",
        "float" | "double" => "float8",
        other => other,
    };
    type_named(&format!("{}{short}", of_array.map_or("", |_| "_")))
}

/// `pg_type.typlen`
pub(crate) fn size_of(of: &Type) -> i16 {
    static SIZES: LazyLock<HashMap<&str, i16>> = LazyLock::new(|| {
        let sizes = section("pg_type").filter_map(|row| Some((row[1], row[2].parse().ok()?)));
        sizes.collect()
    });
    SIZES.get(of.name()).copied().unwrap_or(-1)
}

/// The columns of a table of the catalogue and their types.
pub(super) fn columns_of(table: &str) -> &'static [(&'static str, Option<Type>)] {
    type Columns = Vec<(&'static str, Option<Type>)>;
    static COLUMNS: LazyLock<HashMap<&str, Columns>> = LazyLock::new(|| {
        let mut all = HashMap::new();
        for row in section("relation") {
            let columns = row[4].split(',').filter_map(|column| {
                let (name, of) = column.split_once(' ')?;
                Some((name, type_named(of.trim_end_matches('!'))))
            });
            all.entry(row[2]).or_insert_with(|| columns.collect());
        }
        all
    });
    COLUMNS.get(table).map_or(&[], Vec::as_slice)
}

/// The type of the columns of the catalogue that have this name, if it is the same for all.
pub(crate) fn type_of_column(column: &str) -> Option<Type> {
    let columns = section("relation").flat_map(|row| row[4].split(','));
    let mut types = columns.filter_map(|named| {
        let (name, of) = named.split_once(' ')?;
        (name == column).then(|| of.trim_end_matches('!'))
    });
    let first = types.next()?;
    types.all(|of| of == first).then(|| type_named(first))?
}

/// The type of arrays whose elements have this type.
pub(crate) fn array_of(element: &Type) -> Option<Type> {
    type_named(&format!("_{}", element.name()))
}

/// The names of types in the catalogue and in SQL, where they differ.
const NAMES: [(&str, &str); 15] = [
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timetz", "time with time zone"),
    ("time", "time without time zone"),
    ("varchar", "character varying"),
    ("bpchar", "character"),
    ("varbit", "bit varying"),
    ("char", "\"char\""),
    // A word of SQL.
    ("any", "\"any\""),
];

/// What SQL calls a type.
pub(crate) fn name_in_sql(oid: u32) -> String {
    let Some(known) = Type::from_oid(oid) else {
        return if oid == 0 { "-" } else { "???" }.to_owned();
    };
    let in_sql = |name: &str| {
        let found = NAMES.iter().find(|(short, _)| *short == name);
        found.map_or(name, |(_, long)| *long).to_owned()
    };
    match known.kind() {
        postgres_types::Kind::Array(element) => format!("{}[]", in_sql(element.name())),
        _ => in_sql(known.name()),
    }
}

/// The type that a function returns, if all functions with this name return the same one.
pub(super) fn result_of(function: &str) -> Option<Type> {
    static RESULTS: LazyLock<HashMap<&str, u32>> = LazyLock::new(|| {
        let mut results = HashMap::new();
        for row in section("pg_proc") {
            let result: u32 = row[12].parse().unwrap_or(0);
            let known = results.entry(row[1]).or_insert(result);
            if *known != result {
                *known = 0;
            }
        }
        results
    });
    RESULTS.get(function).and_then(|oid| Type::from_oid(*oid))
}

/// A setting of PostgreSQL.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    /// Whether clients can change it.
    pub(crate) is_variable: bool,
    /// `bool`, `integer`, `real`, `enum` or `string`.
    pub(crate) kind: &'static str,
    /// The values of an `enum`: `{a,b}`.
    pub(crate) values: &'static str,
}

/// All settings of PostgreSQL.
pub(crate) fn settings() -> &'static [Setting] {
    static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
        let settings = section("pg_settings").map(|row| Setting {
            name: row[0],
            default: if row[1] == NULL { "" } else { row[1] },
            is_variable: matches!(row[3], "user" | "superuser"),
            kind: row[4],
            values: row[8],
        });
        settings.collect()
    });
    &SETTINGS
}
