//! What is in the catalogue's tables.

use pgwire::api::Type;

use rusqlite::{Connection, Result, params};

use super::functions;
use crate::schema::{Schema, Table, pg_type};
use crate::session;

/// The first oid of what is not PostgreSQL's own.
const FIRST_OID: i64 = 16_384;
/// The oids of PostgreSQL's built-in types lie below.
const LAST_TYPE: u32 = 6_200;
const PG_CATALOG: i64 = 11;
const PUBLIC: i64 = 2_200;
const INFORMATION_SCHEMA: i64 = 13_000;

/// A database with the catalogue of these tables.
pub(super) fn database(schema: &Schema) -> Result<Connection> {
    let database = Connection::open_in_memory()?;
    database.execute_batch(
        "ATTACH ':memory:' AS pg_catalog; ATTACH ':memory:' AS information_schema;",
    )?;
    database.execute_batch(include_str!("tables.sql"))?;
    types(&database)?;
    let mut relations = Vec::new();
    let mut oid = FIRST_OID;
    for table in &schema.tables {
        relation(&database, oid, table)?;
        relations.push((oid, table.name.clone()));
        oid += 1;
    }
    // The catalogue itself is in the catalogue too.
    for (schema, namespace) in [
        ("pg_catalog", PG_CATALOG),
        ("information_schema", INFORMATION_SCHEMA),
    ] {
        let names: Vec<String> = database
            .prepare(&format!(
                "SELECT name FROM {schema}.sqlite_master WHERE type = 'table' ORDER BY name"
            ))?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_>>()?;
        for name in names {
            database.execute(
                "INSERT INTO pg_catalog.pg_class (oid, relname, relnamespace, relkind, relnatts) VALUES (?1, ?2, ?3, 'r', 0)",
                params![oid, name, namespace],
            )?;
            relations.push((oid, name));
            oid += 1;
        }
    }
    settings(&database)?;
    functions::register(&database, &relations)?;
    // Queries only read; this makes sure of it.
    database.pragma_update(None, "query_only", true)?;
    Ok(database)
}

fn relation(database: &Connection, oid: i64, table: &Table) -> Result<()> {
    let (kind, what) = if table.view.is_some() {
        ("v", "VIEW")
    } else {
        ("r", "BASE TABLE")
    };
    database.execute(
        "INSERT INTO pg_catalog.pg_class (oid, relname, relnamespace, relkind, relnatts, relam, relhasrules) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            oid,
            table.name,
            PUBLIC,
            kind,
            i64::try_from(table.columns.len()).unwrap_or(0),
            if table.view.is_some() { 0 } else { 2 },
            table.view.is_some()
        ],
    )?;
    database.execute(
        "INSERT INTO information_schema.tables (table_catalog, table_schema, table_name, table_type) \
         VALUES ('restate', 'public', ?1, ?2)",
        params![table.name, what],
    )?;
    match table.view {
        Some(view) => {
            database.execute(
                "INSERT INTO pg_catalog.pg_views VALUES ('public', ?1, 'restate', ?2)",
                params![view.name, view.text],
            )?;
            database.execute(
                "INSERT INTO information_schema.views (table_catalog, table_schema, table_name, view_definition) \
                 VALUES ('restate', 'public', ?1, ?2)",
                params![view.name, view.text],
            )?;
            // 1259 is the oid of pg_class.
            database.execute(
                "INSERT INTO pg_catalog.pg_description VALUES (?1, 1259, 0, ?2)",
                params![oid, view.comment],
            )?;
        }
        None => {
            database.execute(
                "INSERT INTO pg_catalog.pg_tables VALUES ('public', ?1, 'restate', NULL, 0, 0, 0, 0)",
                params![table.name],
            )?;
        }
    }
    for (number, column) in (1_i64..).zip(&table.columns) {
        let column_type = pg_type(column.data_type()).unwrap_or(Type::TEXT);
        database.execute(
            "INSERT INTO pg_catalog.pg_attribute (attrelid, attname, atttypid, attlen, attnum, attnotnull) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                oid,
                column.name(),
                column_type.oid(),
                crate::rows::size(&column_type),
                number,
                !column.is_nullable()
            ],
        )?;
        let in_sql = functions::type_name(column_type.oid());
        database.execute(
            "INSERT INTO information_schema.columns (table_catalog, table_schema, table_name, column_name, \
             ordinal_position, is_nullable, data_type, udt_catalog, udt_schema, udt_name) \
             VALUES ('restate', 'public', ?1, ?2, ?3, ?4, ?5, 'restate', 'pg_catalog', ?6)",
            params![
                table.name,
                column.name(),
                number,
                if column.is_nullable() { "YES" } else { "NO" },
                if in_sql.ends_with("[]") { "ARRAY" } else { &in_sql },
                column_type.name()
            ],
        )?;
    }
    Ok(())
}

/// PostgreSQL's built-in types, by which drivers learn how to read values.
fn types(database: &Connection) -> Result<()> {
    let known: Vec<Type> = (1..LAST_TYPE).filter_map(Type::from_oid).collect();
    let mut insert = database.prepare(
        "INSERT INTO pg_catalog.pg_type (oid, typname, typlen, typtype, typcategory, typelem, typarray, typinput, \
         typoutput, typreceive, typsend) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 || 'in', ?8 || 'out', ?8 || 'recv', ?8 || 'send')",
    )?;
    for of in &known {
        let element = match of.kind() {
            postgres_types::Kind::Array(element) => element.oid(),
            _ => 0,
        };
        let array = known.iter().find(|other| {
            matches!(other.kind(), postgres_types::Kind::Array(element) if element.oid() == of.oid())
        });
        let (kind, category) = match of.kind() {
            postgres_types::Kind::Array(_) => ("b", "A"),
            postgres_types::Kind::Pseudo => ("p", "P"),
            postgres_types::Kind::Range(_) => ("r", "R"),
            _ => ("b", category(of)),
        };
        let functions = if element == 0 { of.name() } else { "array_" };
        insert.execute(params![
            of.oid(),
            of.name(),
            crate::rows::size(of),
            kind,
            category,
            element,
            array.map_or(0, Type::oid),
            functions
        ])?;
    }
    Ok(())
}

fn category(of: &Type) -> &'static str {
    match *of {
        Type::BOOL => "B",
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR => "S",
        Type::INT2
        | Type::INT4
        | Type::INT8
        | Type::FLOAT4
        | Type::FLOAT8
        | Type::NUMERIC
        | Type::OID => "N",
        Type::DATE | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => "D",
        Type::INTERVAL => "T",
        _ => "U",
    }
}

fn settings(database: &Connection) -> Result<()> {
    for (name, value) in session::SETTINGS {
        database.execute(
            "INSERT INTO pg_catalog.pg_settings (name, setting, context, vartype, source) \
             VALUES (?1, ?2, 'user', 'string', 'default')",
            params![name, value],
        )?;
    }
    Ok(())
}
