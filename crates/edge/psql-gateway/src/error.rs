//! Everything that can go wrong, with the SQLSTATE that PostgreSQL's clients expect for it.

use arrow_schema::ArrowError;
use pgwire::error::{ErrorInfo, PgWireError};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token, Tokenizer};

/// A SQLSTATE and its message; see appendix A of PostgreSQL's manual for the codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The five characters of the SQLSTATE.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the text of the query, in characters from 1.
    pub position: Option<usize>,
    /// The name that is wrong, by which the position is found.
    name: Option<String>,
    /// The connection ends with this error.
    fatal: bool,
}

/// What this crate's functions return.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with this SQLSTATE.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            position: None,
            name: None,
            fatal: false,
        }
    }

    /// One that ends the connection.
    pub fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, message).at_startup()
    }

    /// The same, but it ends the connection.
    #[must_use]
    pub(crate) fn at_startup(self) -> Self {
        Self {
            fatal: true,
            ..self
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same about this name, so that [`Self::located_in`] finds it.
    #[must_use]
    pub fn about(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same at this place of `sql`.
    #[must_use]
    pub(crate) fn at(mut self, sql: &str, location: Location) -> Self {
        self.position = offset(sql, location);
        self
    }

    /// What PostgreSQL can do and this server cannot.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new("0A000", what)
    }

    /// The runtime cannot be reached, or stopped in the middle of an answer.
    pub fn unreachable(runtime: &str, why: impl std::fmt::Display) -> Self {
        let message = format!("the Restate runtime at {runtime} does not answer: {why}");
        Self::new("08006", message)
            .hint("The gateway lives on: run the query again when the runtime is back.")
    }

    /// The parser's complaint about `sql`.
    pub fn syntax(error: &sqlparser::parser::ParserError, sql: &str) -> Self {
        use sqlparser::parser::ParserError;
        let text = match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
            ParserError::RecursionLimitExceeded => {
                return Self::new("54001", "the query is nested too deeply");
            }
        };
        let (message, location) = split_location(&text);
        let mut error = Self::new("42601", format!("syntax error: {message}"));
        error.position = match location {
            Some(location) => offset(sql, location),
            // The parser names no place where the text ends too early.
            None => Some(sql.chars().count() + 1),
        };
        error
    }

    /// What the runtime answered instead of rows.
    pub(crate) fn from_runtime(message: &str) -> Self {
        let text = message
            .strip_prefix("Datafusion error: ")
            .unwrap_or(message)
            .trim();
        let known = known().find_map(|(code, before, is_named)| {
            let (_, rest) = text.split_once(before)?;
            let name = rest.split(['\'', '\n']).next().filter(|_| is_named);
            let name = name.and_then(|name| name.split(". ").next());
            let name = name.map(|name| {
                let last = name.trim_end_matches('.').rsplit('.').next();
                last.unwrap_or(name).trim_matches('"')
            });
            Some((code, name.filter(|name| !name.is_empty())))
        });
        let Some((code, name)) = known else {
            return Self::new("XX000", readable(text));
        };
        let Some(name) = name else {
            return Self::new(code, readable(text));
        };
        let error = match code {
            "42703" => Self::new(code, format!("column \"{name}\" does not exist")),
            "42P01" => Self::new(code, format!("relation \"{name}\" does not exist")),
            _ => Self::new(code, readable(text)),
        };
        let error = error.about(name);
        match text.split_once(" Valid fields are ") {
            Some((_, valid)) => error.hint(format!("There are {}", valid.trim_end_matches('.'))),
            None => error,
        }
    }

    /// The refusal of anything that would change something.
    pub(crate) fn read_only(what: &str) -> Self {
        let message = format!("cannot execute {what} in a read-only transaction");
        Self::new("25006", message)
            .hint("This server only reads. State changes through the handlers of the services.")
    }

    /// The same with the position of the name that is wrong, if `sql` has it.
    #[must_use]
    pub fn located_in(mut self, sql: &str) -> Self {
        let (None, Some(name)) = (self.position, &self.name) else {
            return self;
        };
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location();
        let found = tokens.unwrap_or_default().into_iter().find(|token| {
            matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case(name))
        });
        self.position = found.and_then(|token| offset(sql, token.span.start));
        self
    }

    /// Whether what is known of the runtime's tables may be out of date.
    pub(crate) fn doubts_the_schema(&self) -> bool {
        matches!(self.code, "42P01" | "42703") || self.is_unreachable()
    }

    /// Whether it says nothing but that the runtime does not answer.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.code == "08006"
    }
}

/// SQLSTATE, the text by which the runtime's error is known, and whether the name in question follows.
fn known() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    include_str!("errors.tsv").lines().filter_map(|line| {
        let mut parts = line.split('\t');
        Some((parts.next()?, parts.next()?, parts.next().is_some()))
    })
}

/// The runtime's message, without the name of its engine's modules and without lists of everything else there is.
fn readable(text: &str) -> String {
    // What went wrong stands last; before it, where in the engine it did.
    let mut text = text.rsplit("\ncaused by\n").next().unwrap_or(text);
    for prefix in [
        "Error during planning: ",
        "Schema error: ",
        "Arrow error: ",
        "Cast error: ",
    ] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    text.split("\nDid you mean")
        .next()
        .unwrap_or(text)
        .to_owned()
}

/// `… at Line: 1, Column: 8` → the text before and the place.
fn split_location(text: &str) -> (&str, Option<Location>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else {
        return (text, None);
    };
    let location = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Location::new(
            line.trim().parse().ok()?,
            column.trim().parse().ok()?,
        ))
    });
    (message, location)
}

/// The place as PostgreSQL counts it: characters from the beginning, the first is 1.
fn offset(sql: &str, location: Location) -> Option<usize> {
    let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column).ok()?;
    let before: usize = sql
        .split('\n')
        .take(line)
        .map(|line| line.chars().count() + 1)
        .sum();
    (column > 0).then_some(before + column)
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Self::new("XX000", error.to_string())
    }
}

impl From<Error> for ErrorInfo {
    fn from(error: Error) -> Self {
        let severity = if error.fatal { "FATAL" } else { "ERROR" };
        let mut info = Self::new(severity.to_owned(), error.code.to_owned(), error.message);
        info.severity_nonlocalized = Some(severity.to_owned());
        info.hint = error.hint;
        info.position = error.position.map(|position| position.to_string());
        info
    }
}

impl From<Error> for PgWireError {
    fn from(error: Error) -> Self {
        Self::UserError(Box::new(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_runtime_get_the_code_and_the_place_that_postgres_would_give() {
        for (message, sql, code, position) in [
            (
                "Datafusion error: Schema error: No field named foo. Valid fields are state.key.",
                "select key,\n foo from state",
                "42703",
                Some(14),
            ),
            (
                "Datafusion error: Schema error: No field named s.\"Foo\". Valid fields are s.key.",
                "select s.\"Foo\" from state s",
                "42703",
                Some(10),
            ),
            (
                "Datafusion error: Error during planning: table 'restate.public.nope' not found",
                "select * from nope",
                "42P01",
                Some(15),
            ),
            (
                "Datafusion error: Error during planning: Invalid function 'foo'.\nDid you mean 'floor'?",
                "select foo(1)",
                "42883",
                Some(8),
            ),
            (
                "Datafusion error: Arrow error: Divide by zero error",
                "select 1/0",
                "22012",
                None,
            ),
            ("something else", "select 1", "XX000", None),
            (
                "Datafusion error: Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: Cast error: Cannot cast string 'a' to value of Int32 type",
                "select 'a'::int",
                "22P02",
                None,
            ),
        ] {
            let error = Error::from_runtime(message).located_in(sql);
            assert!(!error.message.contains("Optimizer"), "{error}");
            assert_eq!((error.code, error.position), (code, position), "{error:?}");
        }
    }

    #[test]
    fn a_syntax_error_says_where() {
        for (sql, position) in [
            ("selec 1", 1),
            ("select key\nfrom state where )", 29),
            ("select 'ä' frm state where", 16),
            ("select (1", 10),
        ] {
            let error = crate::parse::statements(sql).unwrap_err();
            assert_eq!(
                (error.code, error.position),
                ("42601", Some(position)),
                "{sql}: {error}"
            );
        }
    }
}
