//! Errors as problem documents (RFC 9457), with the additional member `reason` for programs: the last part of `type`.

pub use inbound::problem::{MEDIA_TYPE, NOT_FOUND};
pub use inbound::{Kind, Problem, kinds};

use crate::database;

kinds! { pub
    INVALID: BAD_REQUEST, "invalid-request", "Invalid request";
    UNAVAILABLE: SERVICE_UNAVAILABLE, "unavailable", "Service unavailable";
    BOOKS_FAILED: INTERNAL_SERVER_ERROR, "books-failed", "The books cannot be read or written";
}

/// A problem of this kind. `detail` says what is wrong in this case, and what to do.
pub fn problem(kind: Kind, detail: impl Into<String>) -> Problem {
    with_reason(Problem::new(kind, detail))
}

/// A problem with one field, header or parameter.
pub fn of_field(kind: Kind, field: &str, detail: impl Into<String>) -> Problem {
    let problem = problem(kind, detail);
    if field.is_empty() {
        problem
    } else {
        problem.with("field", field)
    }
}

/// Adds the member `reason`.
pub(crate) fn with_reason(problem: Problem) -> Problem {
    let reason = problem.kind().name;
    problem.with("reason", reason)
}

impl From<database::Error> for Problem {
    fn from(error: database::Error) -> Self {
        tracing::error!(%error, "the books cannot be read or written");
        problem(
            BOOKS_FAILED,
            "repeat the request later; the log of this service has the cause",
        )
    }
}
