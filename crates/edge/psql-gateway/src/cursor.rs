//! Cursors of SQL: `DECLARE` starts a query, and each `FETCH` reads some of its rows.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures::{TryStreamExt, stream};
use sqlparser::ast::{FetchDirection, Value, ValueWithSpan};
use tokio::sync::Mutex;

use crate::error::{Error, Result};
use crate::rows::{Columns, Rows};
use crate::runtime::{Answer, Batches};

/// A query whose rows are fetched by `FETCH`.
#[derive(Clone)]
pub(crate) struct Cursor {
    pub(crate) columns: Columns,
    /// Whether it outlives its transaction.
    pub(crate) is_held: bool,
    schema: SchemaRef,
    rest: Arc<Mutex<Rest>>,
}

/// The rows that have not been fetched.
struct Rest {
    /// What is left of the last batch.
    batch: Option<RecordBatch>,
    batches: Batches,
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.columns.fmt(f)
    }
}

impl Cursor {
    /// A cursor over these rows.
    pub(crate) fn new(rows: Rows, is_held: bool) -> Self {
        Self {
            columns: rows.columns,
            is_held,
            schema: rows.answer.schema,
            rest: Arc::new(Mutex::new(Rest {
                batch: None,
                batches: rows.answer.batches,
            })),
        }
    }

    /// The next rows, at most `count`. None are read before they are asked for.
    pub(crate) fn fetch(&self, count: usize) -> Rows {
        let batches = stream::try_unfold((self.rest.clone(), count), async |(rest, count)| {
            if count == 0 {
                return Ok(None);
            }
            let mut held = rest.lock().await;
            let Rest { batch, batches } = &mut *held;
            let next = match batch.take() {
                Some(batch) => Some(batch),
                None => batches.try_next().await?,
            };
            let Some(next) = next else {
                return Ok(None);
            };
            let taken = next.num_rows().min(count);
            if taken < next.num_rows() {
                *batch = Some(next.slice(taken, next.num_rows() - taken));
            }
            drop(held);
            Ok(Some((next.slice(0, taken), (rest, count - taken))))
        });
        Rows {
            columns: self.columns.clone(),
            answer: Answer {
                schema: self.schema.clone(),
                batches: Box::pin(batches),
            },
        }
    }
}

/// How many rows a direction asks for.
pub(crate) fn count(direction: &FetchDirection) -> Result<usize> {
    use FetchDirection::{All, Count, Forward, ForwardAll, Next, Relative};
    let number = |limit: &ValueWithSpan| match &limit.value {
        Value::Number(digits, _) => digits.parse().ok(),
        _ => None,
    };
    let count = match direction {
        Next => Some(1),
        All | ForwardAll => Some(usize::MAX),
        Count { limit } => number(limit),
        Forward { limit } => limit.as_ref().map_or(Some(1), number),
        Relative { limit } => number(limit).filter(|count| *count == 1),
        _ => None,
    };
    count.ok_or_else(|| {
        Error::new("55000", "cursor can only scan forward")
            .hint("FETCH NEXT, FORWARD, ALL or a number of rows.")
    })
}
