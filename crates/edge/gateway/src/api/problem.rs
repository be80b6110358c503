//! Errors as problem documents (RFC 9457).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::json::Violation;
use domain::{OrderId, Status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::rates::in_seconds;
use crate::model::{FieldError, schema};

/// The media type of a problem document.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// The kinds of problems. Their names are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The request cannot be read.
    Malformed,
    /// The order can be read, but not taken as it is.
    InvalidOrder,
    /// The body is JSON, but not what is asked for.
    InvalidRequest,
    /// The operators' token is missing or another one.
    TokenNeeded,
    /// Operators only, and nobody is one from there.
    OperatorsOnly,
    /// A callback is not signed by whom it should be.
    CallbackForged,
    /// A callback is signed, but for another time.
    CallbackExpired,
    /// Nobody waits for such a callback.
    CallbackUnknown,
    /// A page of someone else sent the request.
    CrossSite,
    /// The body is not JSON by its own account.
    UnsupportedMediaType,
    /// The body is too long.
    BodyTooLarge,
    /// The body did not come in time.
    RequestTimeout,
    /// The client asks too often, or has too much open.
    TooManyRequests,
    /// There is no such order.
    OrderNotFound,
    /// There is no such restaurant.
    RestaurantNotFound,
    /// There is no such path.
    NotFound,
    /// The path is there, but not for this method.
    MethodNotAllowed,
    /// Another order has the id.
    OrderIdTaken,
    /// The order cannot be called off (any more).
    NotCancellable,
    /// The broker has not confirmed the order.
    OrderNotConfirmed,
    /// Restate does not answer.
    Unavailable,
    /// Restate's answer makes no sense.
    BadAnswer,
    /// The gateway itself is at fault.
    Internal,
}

impl Kind {
    /// The name that ends the problem's type, its title, and the status of the response.
    #[expect(clippy::too_many_lines, reason = "a table with an entry for each kind")]
    const fn parts(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Malformed => (
                "urn:food-ordering:problem:malformed-request",
                "The request cannot be read",
                StatusCode::BAD_REQUEST,
            ),
            Self::InvalidOrder => (
                "urn:food-ordering:problem:invalid-order",
                "The order is not valid",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            Self::InvalidRequest => (
                "urn:food-ordering:problem:invalid-request",
                "The request cannot be taken as it is",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            Self::TokenNeeded => (
                "urn:food-ordering:problem:token-needed",
                "The operators' token is needed",
                StatusCode::UNAUTHORIZED,
            ),
            Self::OperatorsOnly => (
                "urn:food-ordering:problem:operators-only",
                "This is for operators only",
                StatusCode::FORBIDDEN,
            ),
            Self::CallbackForged => (
                "urn:food-ordering:problem:callback-forged",
                "The callback is not authentic",
                StatusCode::UNAUTHORIZED,
            ),
            Self::CallbackExpired => (
                "urn:food-ordering:problem:callback-expired",
                "The callback is too old",
                StatusCode::UNAUTHORIZED,
            ),
            Self::CallbackUnknown => (
                "urn:food-ordering:problem:callback-unknown",
                "Nobody waits for this callback",
                StatusCode::NOT_FOUND,
            ),
            Self::CrossSite => (
                "urn:food-ordering:problem:cross-site-request",
                "Requests of other sites are refused",
                StatusCode::FORBIDDEN,
            ),
            Self::UnsupportedMediaType => (
                "urn:food-ordering:problem:unsupported-media-type",
                "Unsupported media type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::BodyTooLarge => (
                "urn:food-ordering:problem:body-too-large",
                "Body too large",
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            Self::RequestTimeout => (
                "urn:food-ordering:problem:request-timeout",
                "The request took too long to arrive",
                StatusCode::REQUEST_TIMEOUT,
            ),
            Self::TooManyRequests => (
                "urn:food-ordering:problem:too-many-requests",
                "Too many requests",
                StatusCode::TOO_MANY_REQUESTS,
            ),
            Self::OrderNotFound => (
                "urn:food-ordering:problem:order-not-found",
                "Order not found",
                StatusCode::NOT_FOUND,
            ),
            Self::RestaurantNotFound => (
                "urn:food-ordering:problem:restaurant-not-found",
                "Restaurant not found",
                StatusCode::NOT_FOUND,
            ),
            Self::NotFound => (
                "urn:food-ordering:problem:not-found",
                "Not found",
                StatusCode::NOT_FOUND,
            ),
            Self::MethodNotAllowed => (
                "urn:food-ordering:problem:method-not-allowed",
                "Method not allowed",
                StatusCode::METHOD_NOT_ALLOWED,
            ),
            Self::OrderIdTaken => (
                "urn:food-ordering:problem:order-id-taken",
                "The order id belongs to another order",
                StatusCode::CONFLICT,
            ),
            Self::NotCancellable => (
                "urn:food-ordering:problem:not-cancellable",
                "The order cannot be cancelled",
                StatusCode::CONFLICT,
            ),
            Self::OrderNotConfirmed => (
                "urn:food-ordering:problem:order-not-confirmed",
                "The order could not be confirmed",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Unavailable => (
                "urn:food-ordering:problem:unavailable",
                "Temporarily unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::BadAnswer => (
                "urn:food-ordering:problem:bad-answer",
                "The order system gave an unexpected answer",
                StatusCode::BAD_GATEWAY,
            ),
            Self::Internal => (
                "urn:food-ordering:problem:internal-error",
                "Internal error",
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
        }
    }
}

/// What went wrong with a request, as an answer to it.
#[derive(Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    headers: HeaderMap,
    document: Document,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
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
    /// What is wrong this time, and what to do.
    detail: String,
    /// Everything that is wrong with the request, by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The order that this is about: the one to repeat the request with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Id)]
    order_id: Option<OrderId>,
    /// The order's status, where that is what is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Status)]
    order_status: Option<Status>,
}

impl Problem {
    /// A problem; `detail` says what is wrong this time and what to do.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (kind, title, status) = kind.parts();
        Self(Box::new(Inner {
            status,
            headers: HeaderMap::new(),
            document: Document {
                kind,
                title,
                status: status.as_u16(),
                detail: detail.into(),
                errors: Vec::new(),
                order_id: None,
                order_status: None,
            },
        }))
    }

    /// A problem with fields, which the detail and `errors` name.
    pub(crate) fn of_violations(kind: Kind, violations: Vec<Violation>) -> Self {
        let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
        Self::new(kind, texts.join("; ")).errors(violations)
    }

    /// Names the fields that are at fault.
    pub(crate) fn errors(mut self, violations: Vec<Violation>) -> Self {
        self.0.document.errors = violations.into_iter().map(FieldError::from).collect();
        self
    }

    /// Names the order that this is about.
    pub(crate) fn order(mut self, id: OrderId) -> Self {
        self.0.document.order_id = Some(id);
        self
    }

    /// Names the status of the order.
    pub(crate) fn order_status(mut self, status: Status) -> Self {
        self.0.document.order_status = Some(status);
        self
    }

    /// Says when to try again.
    pub(crate) fn retry_after(self, delay: Duration) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(in_seconds(delay)))
    }

    /// Adds a header to the response.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }
}

/// The problem of an order that is not there for whoever asks.
pub(super) fn no_such_order(id: OrderId) -> Problem {
    Problem::new(
        Kind::OrderNotFound,
        format!(
            "there is no order {id}, or its key is missing or another one; an order that was placed a moment ago may take a moment \
             to appear"
        ),
    )
    .order(id)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner {
            status,
            mut headers,
            document,
        } = *self.0;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // It says how things are now, which nobody may keep.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // It holds only texts and numbers, which can always be written.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        (status, headers, body).into_response()
    }
}
