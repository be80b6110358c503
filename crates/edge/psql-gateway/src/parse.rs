//! Parsing SQL.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Query, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, visit_expressions_mut,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result};
use crate::sql::{self, DIALECT};
use crate::{bounds, chains, forms, literals};

/// How deep a query may be nested: far beyond what people write, far below what the stack holds.
const RECURSION_LIMIT: usize = 50;

/// The statements of a query text.
///
/// All literals are plain ones, and chains of comparisons are lists. What is larger or deeper than `bounds.rs` says is refused.
pub(crate) fn statements(sql: &str) -> Result<Vec<Statement>> {
    bounds::with_stack(|| {
        let complaint = |error: ParserError| match writing_command(sql) {
            Some(command) => Error::read_only(command),
            None => Error::syntax(&error, sql),
        };
        let tokens = Tokenizer::new(&DIALECT, sql).tokenize_with_location();
        let tokens = tokens.map_err(|error| complaint(error.into()))?;
        bounds::check_words(&tokens, sql)?;
        let tokens = forms::long_forms(literals::join_adjacent(tokens, sql)?);
        let mut parsed = Parser::new(&DIALECT)
            .with_recursion_limit(RECURSION_LIMIT)
            .with_tokens_with_locations(tokens)
            .parse_statements()
            .map_err(complaint)?;
        for statement in &mut parsed {
            literals::make_plain(statement);
            forms::make_limits(statement)?;
            chains::make_lists(statement);
            bounds::check(statement)?;
        }
        Ok(parsed)
    })
}

/// Commands of PostgreSQL that change something. The parser does not know all of them, and those that it knows not in every
/// form.
const WRITING_COMMANDS: &str = "ALTER ANALYZE CALL CHECKPOINT CLUSTER COMMENT CREATE DELETE DO DROP GRANT IMPORT \
    INSERT LISTEN LOAD LOCK MERGE NOTIFY REASSIGN REFRESH REINDEX REVOKE SECURITY TRUNCATE UPDATE VACUUM";

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
        let mut commands = WRITING_COMMANDS.split(' ');
        commands.find(|command| word.value.eq_ignore_ascii_case(command))
    })
}

/// A query that this program wrote itself.
pub(crate) fn query(text: &str) -> Result<Query> {
    match statements(text)?.pop() {
        Some(Statement::Query(query)) => Ok(*query),
        _ => Err(Error::new("42601", "no query")),
    }
}

/// The expression that is written so, with these in the places of `$1`, `$2` and so on.
pub(crate) fn expression(text: &str, parts: &[Expr]) -> Result<Expr> {
    let parser = Parser::new(&DIALECT).try_with_sql(text);
    let parsed = parser.and_then(|mut parser| parser.parse_expr());
    let mut expr = parsed.map_err(|error| Error::syntax(&error, text))?;
    let _ = visit_expressions_mut(&mut expr, |expr| {
        let place = sql::placeholder(expr).and_then(|place| place.strip_prefix('$'));
        let number = place.and_then(|digits| digits.parse::<usize>().ok());
        if let Some(part) = number.and_then(|number| parts.get(number.checked_sub(1)?)) {
            *expr = part.clone();
        }
        ControlFlow::<()>::Continue(())
    });
    Ok(expr)
}

/// `SELECT projection FROM from WHERE selection`
pub(crate) fn select(
    projection: Vec<SelectItem>,
    from: Option<TableFactor>,
    selection: Option<Expr>,
) -> Result<Query> {
    let mut query = query("SELECT a")?;
    if let SetExpr::Select(select) = &mut *query.body {
        select.projection = projection;
        let from = from.into_iter().map(|relation| TableWithJoins {
            relation,
            joins: Vec::new(),
        });
        select.from = from.collect();
        select.selection = selection;
    }
    Ok(query)
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
            assert_eq!(statements(asked).unwrap_err().code, "25006", "{asked}");
        }
    }

    #[test]
    fn what_only_looks_like_a_change_is_a_mistake_at_its_place() {
        for asked in ["selct 1", "select do from", "dont", "select 'do; do'; sel"] {
            let error = statements(asked).unwrap_err();
            assert_eq!(error.code, "42601", "{asked}");
            assert!(error.position.is_some(), "{asked}");
        }
    }
}
