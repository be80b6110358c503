//! Parsing SQL, and small things about its syntax tree.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, Query, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result};
use crate::{bounds, chains, literals, statement};

/// What the clients speak.
pub(crate) const DIALECT: PostgreSqlDialect = PostgreSqlDialect {};

/// How deep a query may be nested: far beyond what people write, far below what the stack holds.
const RECURSION_LIMIT: usize = 50;

/// The statements of a query text.
///
/// All literals are plain ones, and chains of comparisons are lists. What is larger or deeper than `bounds.rs` says is refused.
pub(crate) fn parse(sql: &str) -> Result<Vec<Statement>> {
    bounds::with_stack(|| {
        let complaint = |error: ParserError| match writing_command(sql) {
            Some(command) => statement::read_only(command),
            None => Error::syntax(&error, sql),
        };
        let tokens = Tokenizer::new(&DIALECT, sql).tokenize_with_location();
        let tokens = tokens.map_err(|error| complaint(error.into()))?;
        bounds::check_words(&tokens, sql)?;
        let tokens = literals::join_adjacent(tokens, sql)?;
        let mut statements = Parser::new(&DIALECT)
            .with_recursion_limit(RECURSION_LIMIT)
            .with_tokens_with_locations(tokens)
            .parse_statements()
            .map_err(complaint)?;
        for statement in &mut statements {
            literals::make_plain(statement);
            chains::make_lists(statement);
            bounds::check(statement)?;
        }
        Ok(statements)
    })
}

/// Commands of PostgreSQL that change something. The parser does not know all of them, and those that it knows not in every
/// form.
const WRITING_COMMANDS: [&str; 26] = [
    "ALTER",
    "ANALYZE",
    "CALL",
    "CHECKPOINT",
    "CLUSTER",
    "COMMENT",
    "CREATE",
    "DELETE",
    "DO",
    "DROP",
    "GRANT",
    "IMPORT",
    "INSERT",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "NOTIFY",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "REVOKE",
    "SECURITY",
    "TRUNCATE",
    "UPDATE",
    "VACUUM",
];

/// The first statement of a text that begins with one of them: it is refused for what it would do, whether or not it could be
/// read.
fn writing_command(sql: &str) -> Option<&'static str> {
    let tokens = Tokenizer::new(&DIALECT, sql).tokenize().ok()?;
    let mut words = tokens.split(|token| *token == Token::SemiColon);
    words.find_map(|statement| {
        let first = (statement.iter()).find(|token| !matches!(token, Token::Whitespace(_)))?;
        let Token::Word(word) = first else {
            return None;
        };
        (WRITING_COMMANDS.into_iter()).find(|command| word.value.eq_ignore_ascii_case(command))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_change_something_is_refused_as_that_even_where_the_parser_does_not_know_it() {
        for asked in [
            "do $$ begin perform 1; end $$",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY orders",
            "reindex table state",
            "cluster state using pk",
            "checkpoint",
            "import foreign schema s from server x into y",
            "reassign owned by a to b",
            "security label on table state is 'x'",
            "/* now */ select 1; -- and\n do 'x'",
            "create publication p for all tables",
        ] {
            assert_eq!(parse(asked).unwrap_err().code, "25006", "{asked}");
        }
    }

    #[test]
    fn what_only_looks_like_a_change_is_a_mistake_at_its_place() {
        for asked in ["selct 1", "select do from", "dont", "select 'do; do'; sel"] {
            let error = parse(asked).unwrap_err();
            assert_eq!(error.code, "42601", "{asked}");
            assert!(error.position.is_some(), "{asked}");
        }
    }
}
