//! Errors as problem documents (RFC 9457).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::database;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong with a request, for people (`title`, `detail`) and for programs (`reason`, `field`).
///
/// ```json
/// {"type":"urn:food-ordering:problem:declined","title":"Payment declined","status":402,
///  "detail":"the bank said no: ask the customer for another card","reason":"declined"}
/// ```
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    reason: &'static str,
    title: &'static str,
    detail: String,
    field: Option<String>,
    more: Vec<(&'static str, Box<RawValue>)>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    /// A problem of the kind `reason` (a few words in kebab-case, part of the API) whose `title` is the same every time,
    /// while `detail` says what is wrong this time and what to do.
    pub fn new(
        status: StatusCode,
        reason: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            reason,
            title,
            detail: detail.into(),
            field: None,
            more: Vec::new(),
            header: None,
        }
    }

    /// 400: the request makes no sense; it would make none next time.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            "Invalid request",
            detail,
        )
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// 503: it may work if the request is repeated.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Service unavailable",
            detail,
        )
    }

    /// Names the field, header or parameter that is at fault.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = Some(name.into());
        self
    }

    /// The same where `name` is not empty.
    pub(crate) fn field_if_any(self, name: &str) -> Self {
        if name.is_empty() {
            self
        } else {
            self.field(name)
        }
    }

    /// Adds a header to the response.
    pub(crate) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some(Box::new((name, HeaderValue::from_static(value))));
        self
    }

    /// Adds a member to the document; one that cannot be written as JSON is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &impl Serialize) -> Self {
        self.more
            .extend(to_raw_value(value).ok().map(|value| (name, value)));
        self
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(
            "type",
            &format_args!("urn:food-ordering:problem:{}", self.reason),
        )?;
        map.serialize_entry("title", self.title)?;
        map.serialize_entry("status", &self.status.as_u16())?;
        map.serialize_entry("detail", &self.detail)?;
        map.serialize_entry("reason", self.reason)?;
        if let Some(field) = &self.field {
            map.serialize_entry("field", field)?;
        }
        for (name, value) in &self.more {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // It holds only texts, numbers and JSON, which can always be written.
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if let Some(header) = self.header {
            let (name, value) = *header;
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<database::Error> for Problem {
    fn from(error: database::Error) -> Self {
        tracing::error!(%error, "the books cannot be read or written");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "books-failed",
            "The books cannot be read or written",
            "repeat the request later; the log of this service says what is wrong with its database",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_has_the_members_of_the_rfc_and_its_own() {
        let problem = Problem::invalid("must be a number")
            .field("amount")
            .with("left", &12);
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            r#"{"type":"urn:food-ordering:problem:invalid-request","title":"Invalid request","status":400,"detail":"must be a number","reason":"invalid-request","field":"amount","left":12}"#
        );
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
    }
}
