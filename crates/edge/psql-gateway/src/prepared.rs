//! Prepared statements.

use std::sync::Arc;

use pgwire::api::Type;
use sqlparser::ast::Statement;
use tokio::sync::OnceCell;

use crate::rows::Columns;

/// A prepared statement.
pub(crate) type Parsed = Arc<Prepared>;

/// What is known of a prepared statement.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    /// The text it came in, for positions of errors.
    pub(crate) text: String,
    /// The types of its parameters.
    pub(crate) types: Vec<Type>,
    /// Its columns, once they were asked for.
    pub(crate) columns: OnceCell<Option<Columns>>,
}
