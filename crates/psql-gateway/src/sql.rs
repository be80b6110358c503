//! Parsing SQL, and small things about its syntax tree.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, Query, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use crate::error::{Error, Result};

/// What the clients speak.
pub(crate) const DIALECT: PostgreSqlDialect = PostgreSqlDialect {};

/// How deep a query may be nested: far beyond what people write, far below what the stack holds.
const RECURSION_LIMIT: usize = 50;

/// The statements of a query text.
pub(crate) fn parse(sql: &str) -> Result<Vec<Statement>> {
    Parser::new(&DIALECT)
        .with_recursion_limit(RECURSION_LIMIT)
        .try_with_sql(sql)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| Error::syntax(&error, sql))
}

/// The name as it is looked up: lower case unless quoted.
pub(crate) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}

/// The parts of a name as they are looked up; nothing if it is no plain name.
pub(crate) fn parts(name: &ObjectName) -> Option<Vec<String>> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(folded(ident)),
            ObjectNamePart::Function(_) => None,
        })
        .collect()
}

/// An identifier that means exactly `name`, quoted only where it must be.
pub(crate) fn ident(name: &str) -> Ident {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.starts_with(|c: char| !c.is_ascii_digit());
    if plain {
        Ident::new(name)
    } else {
        Ident::with_quote('"', name)
    }
}

/// A query that this program wrote itself.
pub(crate) fn query(text: &str) -> Result<Query> {
    match parse(text)?.pop() {
        Some(Statement::Query(query)) => Ok(*query),
        _ => Err(Error::new("42601", "no query")),
    }
}
