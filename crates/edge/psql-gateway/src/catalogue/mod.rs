//! `pg_catalog` and `information_schema`: what `psql`'s `\d`, tab completion and drivers ask for.
//!
//! These queries use much of PostgreSQL's SQL, and none of it concerns the runtime. They are put into SQLite's dialect and
//! answered by an SQLite database in memory that holds the catalogue of the runtime's tables and of the views (ADR 6).
//!
//! | file | what it holds |
//! |---|---|
//! | `facts.tsv`, `facts.rs` | the tables, types, functions and settings of PostgreSQL, written by `facts.sql` |
//! | `fill.rs`, `fill.sql`, `personalize.sql` | what is in them |
//! | `answers.rs`, `answers.tsv`, `functions.rs` | PostgreSQL's functions about the catalogue |
//! | `concerns.rs` | whether a query concerns the catalogue |
//! | `translate.rs` | from PostgreSQL's dialect to SQLite's |
//! | `mixed.rs` | queries of the catalogue and of the runtime |
//! | `types.rs`, `kind.rs` | the types of the result's columns, and their values |

mod answers;
pub(crate) mod concerns;
pub(crate) mod facts;
mod fill;
mod functions;
mod kind;
mod mixed;
mod translate;
mod types;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parking_lot::Mutex;
use pgwire::api::Type;
use rusqlite::Connection;
use rusqlite::types::Value as SqliteValue;
use sqlparser::ast::Query;
use tokio::time::Instant;

use crate::about::About;
use crate::error::{Error, Result};
use crate::runtime::Answer;
use crate::schema::Schema;
use crate::session::Session;
use crate::{bounds, literals, parse, rewrite};

pub(crate) use self::concerns::{Concerns, concerns};
pub(crate) use self::types::{by_types, of_query as types_of};

/// The most rows a query of the catalogue may have: they are collected, and the whole catalogue has far fewer.
const MAX_ROWS: usize = 100_000;
/// After so many of SQLite's steps one looks whether there is still time.
const STEPS: i32 = 10_000;

/// How many databases are kept for queries to come.
const KEPT: usize = 4;

/// The catalogue of the runtime's tables and the views.
///
/// Each query has a database of its own while it runs, so that none waits for another's.
#[derive(Debug)]
pub(crate) struct Catalogue {
    schema: Arc<Schema>,
    idle: Arc<Mutex<Vec<(Connection, About)>>>,
}

impl Catalogue {
    /// A catalogue of these tables.
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        Self {
            schema,
            idle: Arc::default(),
        }
    }

    /// Answers a query that [`concerns`] the catalogue.
    pub(crate) async fn query(
        self: Arc<Self>,
        query: Query,
        session: &Arc<Session>,
    ) -> Result<Answer> {
        let session = session.clone();
        aside(move || {
            let found = self.find(&query, &session, MAX_ROWS)?;
            kind::batch(&found.columns, &found.values, found.rows).map(Answer::ready)
        })
        .await
    }

    /// Replaces the parts of a query that concern the catalogue with their rows.
    pub(crate) async fn mix(
        self: Arc<Self>,
        mut query: Query,
        session: &Arc<Session>,
    ) -> Result<Query> {
        let session = session.clone();
        aside(move || {
            mixed::resolve(&mut query, &self, &session)?;
            Ok(query)
        })
        .await
    }

    /// The rows of a query, at most so many.
    fn find(&self, query: &Query, session: &Arc<Session>, most: usize) -> Result<Found> {
        let mut query = query.clone();
        let kinds = types::of_query(&query, &self.schema, &[]);
        let names = rewrite::output_names(&query);
        translate::translate(&mut query, &kinds, session)?;
        bounds::check(&query)?;
        let text = literals::print(query)?;
        let running = session.running();
        let about = session.about();
        let kept = || self.idle.lock();
        let database = kept().pop();
        let (mut database, last) = match database {
            Some((database, about)) => (database, Some(about)),
            None => (fill::database(&self.schema)?, None),
        };
        // Whoever waits for the answer has been told so already; this ends the work.
        let late = move || running.cancelled.is_cancelled() || Instant::now() > running.deadline;
        database.progress_handler(STEPS, Some(late))?;
        if last.is_none_or(|last| !last.looks_like(&about)) {
            fill::personalize(&database, &about)?;
        }
        let found = run(&database, &text, &kinds, names.as_deref(), most);
        let mut kept = kept();
        if kept.len() < KEPT {
            kept.push((database, about));
        }
        found
    }
}

/// Does work of SQLite on a thread where it may take long, with as much stack as a syntax tree takes.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(|| bounds::with_stack(work)).await;
    done.map_err(|error| Error::new("XX000", error.to_string()))?
}

/// The answer of SQLite: columns with their types, and the values of each.
struct Found {
    columns: Vec<(String, Type)>,
    values: Vec<Vec<SqliteValue>>,
    rows: usize,
}

fn run(
    database: &Connection,
    text: &str,
    kinds: &[Option<Type>],
    names: Option<&[Option<String>]>,
    most: usize,
) -> Result<Found> {
    let mut statement = database.prepare(text)?;
    let columns = statement.columns().enumerate().map(|(index, column)| {
        let declared = column.decl_type();
        let declared =
            declared.and_then(|declared| facts::type_named(declared.split_whitespace().next()?));
        let guessed = || kinds.get(index).cloned().flatten();
        let name = names.and_then(|names| names.get(index).cloned().flatten());
        let name = name.unwrap_or_else(|| column.name().to_owned());
        (name, declared.or_else(guessed).unwrap_or(Type::TEXT))
    });
    let columns: Vec<(String, Type)> = columns.collect();
    let mut values: Vec<Vec<SqliteValue>> = vec![Vec::new(); columns.len()];
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        if count > most {
            let message = format!("a query of the catalogue with more than {most} rows");
            return Err(Error::new("54000", message));
        }
        for (index, values) in values.iter_mut().enumerate() {
            values.push(row.get(index)?);
        }
    }
    Ok(Found {
        columns,
        values,
        rows: count,
    })
}

/// SQLite's complaint as PostgreSQL would put it.
impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let text = match &error {
            rusqlite::Error::SqliteFailure(failure, _)
                if failure.code == rusqlite::ErrorCode::OperationInterrupted =>
            {
                return Error::new("57014", "canceling statement due to statement timeout");
            }
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            other => other.to_string(),
        };
        let about = |code: &'static str, before: &str, what: &str| {
            let name = text.split_once(before)?.1;
            let name = name.rsplit('.').next().unwrap_or(name);
            Some(Error::new(code, format!("{what} \"{name}\" does not exist")).about(name))
        };
        about("42703", "no such column: ", "column")
            .or_else(|| about("42P01", "no such table: ", "relation"))
            .or_else(|| about("42704", "no such type: ", "type"))
            .or_else(|| about("42883", "no such function: ", "function"))
            .unwrap_or_else(|| {
                Error::unsupported(format!("the catalogue cannot answer this query: {text}"))
                    .hint("Ask for less at a time: the catalogue is not a whole PostgreSQL.")
            })
    }
}

/// What `SHOW TABLES` asks for.
pub(crate) fn tables_query() -> Result<Query> {
    parse::query(
        "SELECT table_schema, table_name, table_type FROM information_schema.tables \
         WHERE table_schema = 'public' ORDER BY table_name",
    )
}

/// A batch of texts.
pub(crate) fn texts<'a, const N: usize>(
    names: &[&str; N],
    rows: impl Iterator<Item = [&'a str; N]>,
) -> Result<RecordBatch> {
    let rows: Vec<[&str; N]> = rows.collect();
    let columns = names.iter().enumerate().map(|(index, name)| {
        let values: StringArray = rows.iter().map(|row| Some(row[index])).collect();
        (*name, Arc::new(values) as ArrayRef, true)
    });
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
