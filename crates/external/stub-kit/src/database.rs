//! A `SQLite` file that is used by one dedicated thread.
//!
//! `SQLite` allows one writer at a time. A single thread that owns the connection and takes work from a queue is as fast as a pool,
//! never waits for a lock, needs only one page cache, and keeps every query off the async runtime.
//!
//! The file is in WAL mode with `synchronous=NORMAL`: a committed transaction has been written to the operating system, so it
//! survives `kill -9` of the process. A power loss can lose the last transactions, but never a part of one.

use std::path::Path;
use std::sync::mpsc;
use std::{fs, io, thread};

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, types};
use serde::de::{DeserializeOwned, IntoDeserializer};
use tokio::sync::oneshot;

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory of the file cannot be created, or the thread cannot be started.
    #[error("cannot open the database: {0}")]
    Io(#[from] io::Error),
    /// `SQLite` reported an error.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was written by a program with another schema.
    #[error(
        "the database has schema version {found}, but this program needs {expected}: \
         move the file away, or run the version of the program that wrote it"
    )]
    Version {
        /// The schema version of the file.
        found: u32,
        /// The schema version that this program needs.
        expected: u32,
    },
    /// [`Database::close`] was called, or a query panicked.
    #[error("the database is closed: restart the process")]
    Closed,
}

/// The tables of a database.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Stored in the file (`user_version`), and compared when it is opened again. At least 1.
    pub version: u32,
    /// The statements that create the tables in an empty file.
    pub sql: &'static str,
}

/// A handle to an open database, shared by its clones.
///
/// Work is done in the sequence in which it is queued. It is always finished, even if the caller stops waiting for it, for example
/// because a client hangs up.
#[derive(Debug, Clone)]
pub struct Database {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Work(Box<dyn FnOnce(&mut Connection) + Send>),
    Close(oneshot::Sender<()>),
}

impl Database {
    /// Opens the file at `path`. Creates the file, its directory and its tables if they are missing.
    pub async fn open(path: &Path, schema: Schema) -> Result<Self, Error> {
        let path = path.to_owned();
        let (jobs, queue) = mpsc::channel();
        let (opened, open) = oneshot::channel();
        thread::Builder::new()
            .name("database".to_owned())
            .spawn(move || match connect(&path, schema) {
                Ok(connection) => {
                    // If the caller has stopped waiting, the queue is dropped too, and the thread ends at once.
                    let _ = opened.send(Ok(()));
                    work(connection, &queue);
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })?;
        open.await.map_err(|_| Error::Closed)??;
        Ok(Self { jobs })
    }

    /// Runs `work` in a transaction, which is committed if it returns `Ok` and rolled back if it returns `Err`.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.run(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        })
        .await
    }

    /// Runs `work`, which must not write.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.run(move |connection| work(connection)).await
    }

    /// Checks that the database still answers.
    pub async fn check(&self) -> Result<(), Error> {
        self.read(|connection| version(connection).map(drop)).await
    }

    /// Finishes the queued work and closes the file, for all clones of this handle.
    pub async fn close(self) {
        let (closed, close) = oneshot::channel();
        if self.jobs.send(Job::Close(closed)).is_ok() {
            // An error means that the thread has ended and closed the connection.
            let _ = close.await;
        }
    }

    async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        self.jobs
            .send(Job::Work(Box::new(move |connection| {
                // The caller may have stopped waiting; the work is done anyway.
                let _ = done.send(work(connection));
            })))
            .map_err(|_| Error::Closed)?;
        Ok(answer.await.map_err(|_| Error::Closed)??)
    }
}

fn work(mut connection: Connection, queue: &mpsc::Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        match job {
            Job::Work(work) => work(&mut connection),
            Job::Close(closed) => {
                drop(connection);
                let _ = closed.send(());
                return;
            }
        }
    }
}

fn connect(path: &Path, schema: Schema) -> Result<Connection, Error> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A negative value is in KiB. Half of SQLite's default, because a stub uses few pages.
    connection.pragma_update(None, "cache_size", -1024)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match version(&transaction)? {
        0 => {
            transaction.execute_batch(schema.sql)?;
            transaction.pragma_update(None, "user_version", schema.version)?;
        }
        found if found != schema.version => {
            return Err(Error::Version {
                found,
                expected: schema.version,
            });
        }
        _ => {}
    }
    transaction.commit()?;
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Reads a text column and parses it as a `T`.
pub fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get::<_, String>(column)?.parse().map_err(invalid)
}

/// Reads a column that contains the name of a `T` as serde writes it.
pub fn named<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let name = row.get::<_, String>(column)?.into_deserializer();
    T::deserialize(name).map_err(|error: serde::de::value::Error| invalid(error))
}

/// The error for a column whose value this program cannot have written.
pub fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    types::FromSqlError::other(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{crash_copy, send_and_hang_up};

    const SCHEMA: Schema = Schema {
        version: 1,
        sql: "CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT;",
    };

    async fn insert(database: &Database, number: i64) -> Result<usize, Error> {
        database
            .write(move |tx| tx.execute("INSERT INTO numbers VALUES (?1)", [number]))
            .await
    }

    async fn count(database: &Database) -> i64 {
        database
            .read(|c| c.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_committed_transaction_is_in_the_files_while_the_process_still_runs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/books.db");
        let database = Database::open(&path, SCHEMA).await.unwrap();
        for number in 0..100 {
            insert(&database, number).await.unwrap();
        }

        let again = Database::open(&crash_copy(&path), SCHEMA).await.unwrap();

        assert_eq!(count(&again).await, 100);
    }

    #[tokio::test]
    async fn a_transaction_that_fails_leaves_no_trace() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(&directory.path().join("books.db"), SCHEMA)
            .await
            .unwrap();

        let failed: Result<(), _> = database
            .write(|tx| {
                tx.execute("INSERT INTO numbers VALUES (1)", [])?;
                Err(rusqlite::Error::InvalidQuery)
            })
            .await;

        assert!(matches!(failed, Err(Error::Sqlite(_))));
        assert_eq!(count(&database).await, 0);
    }

    #[tokio::test]
    async fn work_is_done_even_if_the_caller_stops_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(&directory.path().join("books.db"), SCHEMA)
            .await
            .unwrap();

        send_and_hang_up(&database, insert(&database, 1)).await;

        assert_eq!(count(&database).await, 1);
    }

    #[tokio::test]
    async fn a_closed_database_returns_an_error_and_can_be_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("books.db");
        let database = Database::open(&path, SCHEMA).await.unwrap();
        insert(&database, 1).await.unwrap();

        let clone = database.clone();
        clone.close().await;

        assert!(matches!(database.check().await, Err(Error::Closed)));
        // Closing the last connection merges the write-ahead log into the file.
        assert!(!path.with_extension("db-wal").exists());
        let again = Database::open(&path, SCHEMA).await.unwrap();
        assert_eq!(count(&again).await, 1);
    }

    #[tokio::test]
    async fn a_file_with_other_tables_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("books.db");
        Database::open(&path, SCHEMA).await.unwrap().close().await;

        let newer = Schema {
            version: 2,
            ..SCHEMA
        };

        assert!(matches!(
            Database::open(&path, newer).await,
            Err(Error::Version {
                found: 1,
                expected: 2
            })
        ));
    }
}
