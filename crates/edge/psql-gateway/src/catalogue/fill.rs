//! What is in the catalogue's tables.

use pgwire::api::Type;
use postgres_types::Kind;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Result, ToSql, params, params_from_iter};

use super::{facts, functions};
use crate::about::About;
use crate::schema::{Schema, Table, pg_type};
use crate::settings;

/// The first oid of what is not PostgreSQL's own.
const FIRST_OID: i64 = 16_384;
/// The oid of `pg_database_owner`, to whom the schema `public` belongs.
const OWNER: i64 = 6_171;

/// Columns by which tables are joined in most queries.
const INDEXED: [(&str, &str); 5] = [
    ("pg_class", "oid"),
    ("pg_attribute", "attrelid"),
    ("pg_type", "oid"),
    ("pg_proc", "oid"),
    ("pg_description", "objoid"),
];

/// A table or view, as the catalogue describes it.
struct Relation<'a> {
    oid: i64,
    schema: &'a str,
    name: &'a str,
    kind: &'a str,
    /// The name and the type of each column, and whether it is never NULL.
    columns: Vec<(&'a str, Type, bool)>,
    /// The definition of a view.
    definition: Option<&'a str>,
}

/// A database with the catalogue of these tables.
pub(super) fn database(schema: &Schema) -> Result<Connection> {
    let database = Connection::open_in_memory()?;
    // Or it would take a column that does not exist for a text.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    database.execute_batch(
        "ATTACH ':memory:' AS pg_catalog; ATTACH ':memory:' AS information_schema; BEGIN;",
    )?;
    let mut relations = Vec::new();
    for (table, mut rows) in facts::sections() {
        if table == "relation" {
            relations.extend(rows.skip(1).filter_map(|row| relation_of(&row)));
            for relation in &relations {
                create(&database, relation)?;
            }
            continue;
        }
        if table == "function" {
            continue;
        }
        let columns = rows.next().unwrap_or_default();
        if table == "pg_get_keywords" {
            database.execute_batch(
                r#"CREATE TABLE pg_catalog.pg_get_keywords (word "text text", catcode "char text", barelabel "bool int", catdesc "text text", baredesc "text text")"#,
            )?;
        }
        let places = vec!["?"; columns.len()].join(", ");
        let columns = columns.join(", ");
        let mut insert = database.prepare(&format!(
            "INSERT INTO pg_catalog.{table} ({columns}) VALUES ({places})"
        ))?;
        for row in rows {
            insert.execute(params_from_iter(
                row.into_iter()
                    .map(|value| (value != facts::NULL).then_some(value)),
            ))?;
        }
    }
    let tables: Vec<_> = oids(schema).collect();
    relations.extend(tables.iter().map(|(oid, table)| Relation::of(table, *oid)));
    for relation in &relations {
        describe(&database, relation)?;
    }
    for (oid, table) in tables {
        type_rows(&database, oid, &table.name)?;
        if let Some(comment) = table.view.as_ref().and_then(|view| view.comment.as_ref()) {
            insert(
                &database,
                "pg_catalog.pg_description (objoid, classoid, objsubid, description)",
                params![oid, 1_259, 0, comment],
            )?;
        }
    }
    for (name, oid) in functions::SCHEMAS {
        let (owner, called) = match oid {
            functions::PUBLIC => (OWNER, "pg_database_owner"),
            _ => (10, "restate"),
        };
        insert(
            &database,
            "pg_catalog.pg_namespace (oid, nspname, nspowner)",
            params![oid, name, owner],
        )?;
        insert(
            &database,
            "information_schema.schemata (schema_name, schema_owner)",
            params![name, called],
        )?;
    }
    database.execute_batch(
        "INSERT INTO pg_catalog.pg_database (oid, datname, datdba, encoding, datlocprovider, datallowconn, datconnlimit, \
           dattablespace, datcollate, datctype, datistemplate, datacl) VALUES \
           (1, 'template1', 10, 6, 'c', 1, -1, 1663, 'C', 'C', 1, '{=c/restate,restate=CTc/restate}'), \
           (4, 'template0', 10, 6, 'c', 0, -1, 1663, 'C', 'C', 1, '{=c/restate,restate=CTc/restate}'), \
           (5, 'restate', 10, 6, 'c', 1, -1, 1663, 'C', 'C', 0, NULL); \
         INSERT INTO pg_catalog.pg_roles (oid, rolname, rolinherit, rolcanlogin, rolconnlimit, rolpassword) VALUES \
           (10, 'restate', 1, 1, -1, '********'); \
         COMMIT;",
    )?;
    for (name, value) in settings::DEFAULTS {
        database.execute(
            "UPDATE pg_catalog.pg_settings SET setting = ?2, boot_val = ?2, reset_val = ?2 WHERE lower(name) = ?1",
            [name, value],
        )?;
    }
    for (table, column) in INDEXED {
        database.execute_batch(&format!(
            "CREATE INDEX pg_catalog.{table}_{column} ON {table} ({column})"
        ))?;
    }
    database.execute_batch(
        "UPDATE pg_catalog.pg_class SET reltype = of.oid FROM pg_catalog.pg_type of WHERE of.typrelid = pg_class.oid",
    )?;
    let names = relations.iter().map(|relation| {
        let is_visible = relation.schema != "information_schema";
        (relation.oid, relation.name.to_owned(), is_visible)
    });
    functions::register(&database, &names.collect::<Vec<_>>(), &schema.views)?;
    Ok(database)
}

/// The tables with their oids, of which the next ones are those of the types of its rows. Tables come before views, as they have to be
/// created.
fn oids(schema: &Schema) -> impl Iterator<Item = (i64, &Table)> {
    let of_kind = |is_view: bool| {
        let tables = schema.tables.iter();
        tables.filter(move |table| table.view.is_some() == is_view)
    };
    let tables = of_kind(false).chain(of_kind(true));
    (FIRST_OID..).step_by(3).zip(tables)
}

/// The type of a table's rows, and that of arrays of them.
fn type_rows(database: &Connection, table: i64, name: &str) -> Result<()> {
    let (array, row) = (table + functions::ARRAY_TYPE, table + functions::ROW_TYPE);
    let mut insert = database.prepare_cached(
        "INSERT INTO pg_catalog.pg_type (oid, typname, typnamespace, typowner, typlen, typtype, typcategory, typisdefined, typdelim, \
           typrelid, typsubscript, typelem, typarray, typinput, typoutput, typreceive, typsend, typanalyze, typalign, typstorage, \
           typtypmod) VALUES \
           (?1, ?4, ?5, 10, -1, 'c', 'C', 1, ',', ?3, '-', 0, ?2, 'record_in', 'record_out', 'record_recv', 'record_send', '-', 'd', \
           'x', -1), \
           (?2, '_' || ?4, ?5, 10, -1, 'b', 'A', 1, ',', 0, 'array_subscript_handler', ?1, 0, 'array_in', 'array_out', 'array_recv', \
           'array_send', 'array_typanalyze', 'd', 'x', -1)",
    )?;
    let values = params![row, array, table, name, functions::PUBLIC];
    insert.execute(values).map(drop)
}

/// Puts the user, the database and the settings of a session into the catalogue.
pub(super) fn personalize(database: &Connection, about: &About) -> Result<()> {
    database.pragma_update(None, "query_only", false)?;
    // A view in PostgreSQL: nothing but what the session has changed differs from the beginning.
    database.execute(
        "UPDATE pg_catalog.pg_settings SET setting = reset_val WHERE setting IS NOT reset_val",
        [],
    )?;
    database.execute(
        "UPDATE pg_catalog.pg_database SET datname = ?1 WHERE oid = 5",
        [&about.database],
    )?;
    database.execute("DELETE FROM pg_catalog.pg_roles WHERE oid = 16382", [])?;
    database.execute(
        "INSERT INTO pg_catalog.pg_roles (oid, rolname, rolinherit, rolcanlogin, rolconnlimit, rolpassword) \
         SELECT 16382, ?1, 1, 1, -1, '********' WHERE ?1 <> 'restate'",
        [&about.user],
    )?;
    for (table, column) in [
        ("schemata", "catalog_name"),
        ("tables", "table_catalog"),
        ("columns", "table_catalog"),
        ("columns", "udt_catalog"),
        ("views", "table_catalog"),
    ] {
        database.execute(
            &format!(
                "UPDATE information_schema.{table} SET {column} = ?1 WHERE {column} IS NOT ?1"
            ),
            [&about.database],
        )?;
    }
    for (name, value) in &about.settings {
        database.execute(
            "UPDATE pg_catalog.pg_settings SET setting = ?2, source = 'session' WHERE lower(name) = ?1",
            [name, value],
        )?;
    }
    // Queries only read; this makes sure of it.
    database.pragma_update(None, "query_only", true)
}

/// A table of the facts.
fn relation_of(row: &[&'static str]) -> Option<Relation<'static>> {
    let columns = row.get(4)?.split(',').filter_map(|column| {
        let (name, of) = column.split_once(' ')?;
        let of_type = facts::type_named(of.trim_end_matches('!')).unwrap_or(Type::TEXT);
        Some((name, of_type, of.ends_with('!')))
    });
    Some(Relation {
        oid: row[0].parse().ok()?,
        schema: row[1],
        name: row[2],
        kind: row[3],
        columns: columns.collect(),
        definition: None,
    })
}

impl<'a> Relation<'a> {
    /// A table of the runtime, or a view over them.
    fn of(table: &'a Table, oid: i64) -> Self {
        let columns = table.columns.iter().map(|column| {
            let of = pg_type(column.data_type()).unwrap_or(Type::TEXT);
            // Columns of views are never declared as such.
            let required = table.view.is_none() && !column.is_nullable();
            (column.name().as_str(), of, required)
        });
        Self {
            oid,
            schema: "public",
            name: &table.name,
            kind: if table.view.is_some() { "v" } else { "r" },
            columns: columns.collect(),
            definition: table.view.as_ref().map(|view| view.text.as_str()),
        }
    }
}

/// Creates a table of the catalogue. The first word of a column's type is its type on the wire; the second decides how SQLite
/// stores values: "text" keeps it from reading texts as numbers.
fn create(database: &Connection, relation: &Relation<'_>) -> Result<()> {
    let columns = relation.columns.iter().map(|(name, of, required)| {
        let (affinity, default) = match *of {
            Type::BOOL | Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::XID => {
                ("int", "0")
            }
            Type::FLOAT4 | Type::FLOAT8 => ("real", "0"),
            Type::REGPROC => ("text", "'-'"),
            _ => ("text", "''"),
        };
        let default = if *required { default } else { "NULL" };
        format!(r#""{name}" "{} {affinity}" DEFAULT {default}"#, of.name())
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    database.execute_batch(&format!(
        "CREATE TABLE {}.{} ({columns})",
        relation.schema, relation.name
    ))
}

fn insert(database: &Connection, columns: &str, values: &[&dyn ToSql]) -> Result<()> {
    let places = vec!["?"; values.len()].join(", ");
    let insert = format!("INSERT INTO {columns} VALUES ({places})");
    database.prepare_cached(&insert)?.execute(values).map(drop)
}

/// Describes a table in the catalogue's tables about tables.
fn describe(database: &Connection, relation: &Relation<'_>) -> Result<()> {
    let Relation {
        oid,
        schema,
        name,
        kind,
        columns,
        definition,
    } = relation;
    let is_view = *kind == "v";
    let namespace = functions::SCHEMAS
        .iter()
        .find(|(name, _)| name == schema)
        .map(|(_, oid)| *oid);
    insert(
        database,
        "pg_catalog.pg_class (oid, relname, relnamespace, relowner, relkind, relnatts, relam, relhasrules, relpersistence, \
         relreplident, relispopulated, reltuples)",
        params![
            oid,
            name,
            namespace,
            10,
            kind,
            i64::try_from(columns.len()).unwrap_or(0),
            if is_view { 0 } else { 2 },
            is_view,
            "p",
            "n",
            true,
            -1
        ],
    )?;
    insert(
        database,
        "information_schema.tables (table_schema, table_name, table_type, is_insertable_into, is_typed)",
        params![
            schema,
            name,
            if is_view { "VIEW" } else { "BASE TABLE" },
            "NO",
            "NO"
        ],
    )?;
    if is_view {
        insert(
            database,
            "pg_catalog.pg_views (schemaname, viewname, viewowner, definition)",
            params![schema, name, "restate", definition],
        )?;
        insert(
            database,
            "information_schema.views (table_schema, table_name, view_definition, check_option, is_updatable, \
             is_insertable_into, is_trigger_updatable, is_trigger_deletable, is_trigger_insertable_into)",
            params![
                schema, name, definition, "NONE", "NO", "NO", "NO", "NO", "NO"
            ],
        )?;
    } else {
        insert(
            database,
            "pg_catalog.pg_tables (schemaname, tablename, tableowner, hasindexes, hasrules, hastriggers, rowsecurity)",
            params![schema, name, "restate", false, false, false, false],
        )?;
    }
    for (number, (column, of, required)) in (1_i64..).zip(columns) {
        insert(
            database,
            "pg_catalog.pg_attribute (attrelid, attname, atttypid, attlen, attnum, attnotnull, attstattarget, attcacheoff, \
             atttypmod, attstorage, attalign, attislocal)",
            params![
                oid,
                column,
                of.oid(),
                facts::size_of(of),
                number,
                required,
                -1,
                -1,
                -1,
                "p",
                "i",
                true
            ],
        )?;
        describe_column(database, (schema, name, column), (number, of, *required))?;
    }
    Ok(())
}

/// Describes a column in the standard's table about columns.
fn describe_column(
    database: &Connection,
    (schema, table, name): (&str, &str, &str),
    (number, of, required): (i64, &Type, bool),
) -> Result<()> {
    let in_sql = facts::name_in_sql(of.oid());
    let (precision, radix, scale) = match *of {
        Type::INT2 => (Some(16), Some(2), Some(0)),
        Type::INT4 => (Some(32), Some(2), Some(0)),
        Type::INT8 => (Some(64), Some(2), Some(0)),
        Type::FLOAT4 => (Some(24), Some(2), None),
        Type::FLOAT8 => (Some(53), Some(2), None),
        Type::NUMERIC => (None, Some(10), None),
        _ => (None, None, None),
    };
    let of_seconds = match *of {
        Type::DATE => Some(0),
        Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME | Type::INTERVAL => Some(6),
        _ => None,
    };
    let of_text = matches!(*of, Type::TEXT | Type::VARCHAR).then_some(1 << 30);
    insert(
        database,
        "information_schema.columns (table_schema, table_name, column_name, ordinal_position, is_nullable, data_type, \
         udt_schema, udt_name, dtd_identifier, numeric_precision, numeric_precision_radix, numeric_scale, \
         datetime_precision, character_octet_length, is_self_referencing, is_identity, identity_cycle, is_generated, \
         is_updatable)",
        params![
            schema,
            table,
            name,
            number,
            if required { "NO" } else { "YES" },
            if matches!(of.kind(), Kind::Array(_)) {
                "ARRAY"
            } else {
                &in_sql
            },
            "pg_catalog",
            of.name(),
            number.to_string(),
            precision,
            radix,
            scale,
            of_seconds,
            of_text,
            "NO",
            "NO",
            "NO",
            "NEVER",
            "NO"
        ],
    )
}
