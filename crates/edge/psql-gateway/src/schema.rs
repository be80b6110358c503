//! The tables that the runtime has today, and the views over them.

use std::sync::Arc;
use std::time::Duration;

use arrow_schema::{DataType, FieldRef};
use pgwire::api::Type;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::Result;
use crate::views::{View, Views};

/// A table or view of schema `public`.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<FieldRef>,
    /// What it says of itself, if it is a view.
    pub(crate) view: Option<Arc<View>>,
}

/// All tables and views, by name.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    pub(crate) tables: Vec<Table>,
    /// All views, also those that the runtime refuses, so that it tells whoever asks for them why.
    pub(crate) views: Arc<Views>,
    /// The partition key of state follows from its key. That is so unless there are scopes, of which this system has none.
    pub(crate) keyed: bool,
}

impl Schema {
    /// The names of the columns of one of the runtime's tables.
    pub(crate) fn columns(&self, table: &str) -> Option<Vec<String>> {
        let mut tables = self.tables.iter().filter(|table| table.view.is_none());
        let columns = tables.find(|other| other.name == table)?.columns.iter();
        Some(columns.map(|field| field.name().clone()).collect())
    }

    /// The type of a column of this name, whatever table it is of; nothing if there is none or they differ.
    pub(crate) fn type_of(&self, column: &str) -> Option<Type> {
        let mut types = self.tables.iter().filter_map(|table| {
            let mut aliases = crate::aliases::columns(&table.name);
            match table.columns.iter().find(|field| field.name() == column) {
                Some(field) => pg_type(field.data_type()),
                // All of them are texts.
                None => (aliases.any(|(past, _)| past == column)).then_some(Type::TEXT),
            }
        });
        let first = types.next()?;
        types.all(|other| other == first).then_some(first)
    }
}

/// The type of PostgreSQL in which values of an Arrow type are sent.
pub(crate) fn pg_type(data_type: &DataType) -> Option<Type> {
    match data_type {
        DataType::Union(..) => Some(Type::TEXT),
        other => arrow_pg::datatypes::into_pg_type(other).ok(),
    }
}

/// Something as it was when it was last asked for. It is asked for once, and again when there is reason to doubt it.
#[derive(Debug)]
pub(crate) struct Known<T> {
    value: Mutex<Option<(Instant, Arc<T>)>>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self {
            value: Mutex::new(None),
        }
    }
}

impl<T> Known<T> {
    /// What is known, or else what `load` finds out. Who comes meanwhile waits for the same answer.
    pub(crate) async fn get(&self, load: impl AsyncFnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut value = self.value.lock().await;
        if let Some((_, known)) = &*value {
            return Ok(known.clone());
        }
        let loaded = Arc::new(load().await?);
        *value = Some((Instant::now(), loaded.clone()));
        Ok(loaded)
    }

    /// Asks anew next time, unless it was asked for less than `age` ago.
    pub(crate) async fn forget(&self, age: Duration) {
        let mut value = self.value.lock().await;
        value.take_if(|(since, _)| since.elapsed() > age);
    }
}
