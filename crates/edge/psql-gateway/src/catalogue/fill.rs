//! What is in the catalogue's tables.

use pgwire::api::Type;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Result, params, params_from_iter};

use super::facts::{self, Relation};
use super::functions;
use crate::about::About;
use crate::schema::{Schema, pg_type};
use crate::settings;

/// The first oid of what is not PostgreSQL's own.
const FIRST_OID: u32 = 16_384;

/// A database with the catalogue of these tables.
pub(super) fn database(schema: &Schema) -> Result<Connection> {
    let database = Connection::open_in_memory()?;
    // Or it would take a column that does not exist for a text.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    database.execute_batch(
        r#"ATTACH ':memory:' AS pg_catalog; ATTACH ':memory:' AS information_schema; BEGIN;
           CREATE TABLE pg_catalog.pg_get_keywords
             (word "text text", catcode "char text", barelabel "bool int", catdesc "text text", baredesc "text text");
           CREATE TEMP TABLE relation (oid INTEGER PRIMARY KEY, schema, name, kind, definition, comment);
           CREATE TEMP TABLE attribute (relation, number, name, type, required, PRIMARY KEY (relation, number));"#,
    )?;
    for relation in facts::relations() {
        create(&database, relation)?;
    }
    for (table, mut rows) in facts::sections().filter(|(table, _)| table.starts_with("pg_")) {
        let columns = rows.next().unwrap_or_default();
        let places = vec!["?"; columns.len()].join(", ");
        let columns = columns.join(", ");
        let mut insert = database.prepare(&format!(
            "INSERT INTO pg_catalog.{table} ({columns}) VALUES ({places})"
        ))?;
        for row in rows {
            let values = row.into_iter();
            let values = values.map(|value| (value != facts::NULL).then_some(value));
            insert.execute(params_from_iter(values))?;
        }
    }
    let ours = ours(schema);
    let all = || facts::relations().iter().chain(&ours);
    for relation in all() {
        tell(&database, relation)?;
    }
    let names = all().map(|relation| {
        let is_visible = relation.schema != "information_schema";
        (relation.oid.into(), relation.name.to_owned(), is_visible)
    });
    functions::register(&database, &names.collect::<Vec<_>>(), &schema.views)?;
    database.execute_batch(include_str!("fill.sql"))?;
    for default in settings::defaults() {
        database.execute(
            "UPDATE pg_catalog.pg_settings SET setting = ?2, boot_val = ?2, reset_val = ?2 WHERE name = ?1",
            <[&str; 2]>::from(default),
        )?;
    }
    Ok(database)
}

/// The tables of the runtime with their oids, of which the next ones are those of the types of its rows; and the views over them, which
/// have to be created after these.
fn ours(schema: &Schema) -> Vec<Relation<'_>> {
    let mut tables: Vec<_> = schema.tables.iter().collect();
    tables.sort_by_key(|table| table.view.is_some());
    let tables = (FIRST_OID..).step_by(3).zip(tables);
    let relations = tables.map(|(oid, table)| {
        let columns = table.columns.iter().map(|column| {
            // Columns of views are never declared as such.
            let required = table.view.is_none() && !column.is_nullable();
            (
                column.name().as_str(),
                pg_type(column.data_type()),
                required,
            )
        });
        Relation {
            oid,
            schema: "public",
            name: &table.name,
            kind: if table.view.is_some() { "v" } else { "r" },
            columns: columns.collect(),
            definition: table.view.as_ref().map(|view| view.text.as_str()),
            comment: table.view.as_ref().and_then(|view| view.comment.as_deref()),
        }
    });
    relations.collect()
}

/// Creates a table of the catalogue. The first word of a column's type is its type on the wire; the second decides how SQLite
/// stores values: "text" keeps it from reading texts as numbers.
fn create(database: &Connection, relation: &Relation<'_>) -> Result<()> {
    let columns = relation.columns.iter().map(|(name, of, required)| {
        let of = of.as_ref().unwrap_or(&Type::TEXT);
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

/// Tells `fill.sql` of a table.
fn tell(database: &Connection, relation: &Relation<'_>) -> Result<()> {
    let of = relation;
    database
        .prepare_cached("INSERT INTO relation VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![
            of.oid,
            of.schema,
            of.name,
            of.kind,
            of.definition,
            of.comment
        ])?;
    let mut insert = database.prepare_cached("INSERT INTO attribute VALUES (?, ?, ?, ?, ?)")?;
    for (number, (name, of, required)) in (1..).zip(&relation.columns) {
        let of = of.as_ref().unwrap_or(&Type::TEXT).oid();
        insert.execute(params![relation.oid, number, name, of, required])?;
    }
    Ok(())
}

/// Puts the user, the database and the settings of a session into the catalogue.
pub(super) fn personalize(database: &Connection, about: &About) -> Result<()> {
    database.pragma_update(None, "query_only", false)?;
    database.execute_batch(
        "CREATE TEMP TABLE session (user, database); CREATE TEMP TABLE changed (name, value)",
    )?;
    let session = [&about.user, &about.database];
    database.execute("INSERT INTO session VALUES (?, ?)", session)?;
    for (name, value) in about.settings.iter() {
        database.execute("INSERT INTO changed VALUES (?, ?)", [name, value])?;
    }
    database.execute_batch(include_str!("personalize.sql"))?;
    // Queries only read; this makes sure of it.
    database.pragma_update(None, "query_only", true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_client_is_there_once() {
        let database = database(&Schema::default()).unwrap();
        for (name, expected) in [
            ("orders", "orders template0 template1"),
            ("template1", "restate template0 template1"),
            ("postgres", "postgres template0 template1"),
        ] {
            let about = About {
                database: name.to_owned(),
                ..About::default()
            };
            personalize(&database, &about).unwrap();
            let all = "SELECT group_concat(datname, ' ') FROM (SELECT datname FROM pg_database ORDER BY 1)";
            let found: String = database.query_row(all, [], |row| row.get(0)).unwrap();
            assert_eq!(found, expected);
        }
    }
}
