//! Prepared statements.

use std::sync::Arc;

use pgwire::api::Type;
use sqlparser::ast::Statement;
use tokio::sync::OnceCell;

use crate::rows::Columns;

/// A prepared statement.
#[derive(Debug, Clone)]
pub(crate) struct Parsed(pub(crate) Arc<Inner>);

/// What is known of a prepared statement.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) statement: Statement,
    /// The text it came in, for positions of errors.
    pub(crate) text: String,
    /// The types of its parameters.
    pub(crate) types: Vec<Type>,
    /// Its columns, once they were asked for.
    pub(crate) columns: OnceCell<Option<Columns>>,
}

impl Parsed {
    pub(crate) fn new(statement: Statement, text: &str, types: Vec<Type>) -> Self {
        Self(Arc::new(Inner {
            statement,
            text: text.to_owned(),
            types,
            columns: OnceCell::new(),
        }))
    }
}
