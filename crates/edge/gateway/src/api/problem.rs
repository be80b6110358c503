//! Errors as problem documents (RFC 9457): their kinds, and their description in the API.

use std::time::Duration;

use domain::json::{Violation, in_one_line};
use domain::{OrderId, Status};
use utoipa::ToSchema;

pub(crate) use inbound::Problem;
pub(crate) use inbound::problem::MEDIA_TYPE;

use crate::model::{FieldError, schema};

/// When to try again if something is down.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The kinds of problems. Their names are part of the API.
pub(crate) mod kind {
    pub(crate) use inbound::problem::{BODY_TOO_LARGE, MALFORMED, NOT_FOUND};

    inbound::kinds! { pub(crate)
        INVALID_ORDER: UNPROCESSABLE_ENTITY, "invalid-order", "The order is not valid";
        INVALID_REQUEST: UNPROCESSABLE_ENTITY, "invalid-request", "The request is not valid";
        TOKEN_NEEDED: UNAUTHORIZED, "token-needed", "The operators' token is needed";
        OPERATORS_ONLY: FORBIDDEN, "operators-only", "This is for operators only";
        CALLBACK_FORGED: UNAUTHORIZED, "callback-forged", "The callback is not authentic";
        CALLBACK_EXPIRED: UNAUTHORIZED, "callback-expired", "The callback is too old";
        CALLBACK_UNKNOWN: NOT_FOUND, "callback-unknown", "No order waits for this callback";
        CROSS_SITE: FORBIDDEN, "cross-site-request", "Requests from other sites are refused";
        TOO_MANY_REQUESTS: TOO_MANY_REQUESTS, "too-many-requests", "Too many requests";
        ORDER_NOT_FOUND: NOT_FOUND, "order-not-found", "Order not found";
        RESTAURANT_NOT_FOUND: NOT_FOUND, "restaurant-not-found", "Restaurant not found";
        ORDER_ID_TAKEN: CONFLICT, "order-id-taken", "The order id belongs to another order";
        NOT_CANCELLABLE: CONFLICT, "not-cancellable", "The order cannot be cancelled";
        ORDER_NOT_CONFIRMED: SERVICE_UNAVAILABLE, "order-not-confirmed", "The order could not be confirmed";
        UNAVAILABLE: SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable";
        BAD_ANSWER: BAD_GATEWAY, "bad-answer", "The order system gave an unexpected answer";
        INTERNAL: INTERNAL_SERVER_ERROR, "internal-error", "Internal error";
    }
}

/// A problem document (RFC 9457).
#[derive(ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes what a [`Problem`] looks like")]
pub(crate) struct Document {
    /// The kind of problem, for programs.
    #[serde(rename = "type")]
    #[schema(format = "uri", example = "urn:food-ordering:problem:invalid-order")]
    kind: &'static str,
    /// The kind of problem, for people.
    title: &'static str,
    /// The status code of this response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong in this case, and what to do.
    detail: String,
    /// Everything that is wrong with the request, by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The order that this is about: repeat the request with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Id)]
    order_id: Option<OrderId>,
    /// The order's status, if that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Status)]
    order_status: Option<Status>,
}

/// A temporary problem, with a `Retry-After` header.
pub(crate) fn later(kind: inbound::Kind, detail: impl Into<String>) -> Problem {
    Problem::new(kind, detail).retry_after(RETRY_AFTER)
}

/// A problem with one field, named in the detail and in `errors`.
pub(crate) fn of_field(kind: inbound::Kind, field: &str, message: impl Into<String>) -> Problem {
    of_violations(kind, vec![Violation::new(field, message)])
}

/// A problem with several fields, named in the detail and in `errors`.
pub(crate) fn of_violations(kind: inbound::Kind, violations: Vec<Violation>) -> Problem {
    with_errors(Problem::new(kind, in_one_line(&violations)), violations)
}

/// Adds the fields at fault.
pub(crate) fn with_errors(problem: Problem, violations: Vec<Violation>) -> Problem {
    let errors: Vec<FieldError> = violations.into_iter().map(FieldError::from).collect();
    problem.with("errors", &errors)
}

/// The problem of an order that does not exist for this visitor.
pub(super) fn no_such_order(id: &OrderId) -> Problem {
    Problem::new(
        kind::ORDER_NOT_FOUND,
        format!(
            "there is no order {id}, or its key is missing or wrong; an order that was just placed may take a \
             moment to appear"
        ),
    )
    .with("orderId", id)
}
