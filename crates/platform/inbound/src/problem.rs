//! Errors as problem documents (RFC 9457).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The status of the response.
    pub status: StatusCode,
    /// The name in kebab-case, which ends the document's `type` and so is part of the API.
    pub name: &'static str,
    /// The title for people.
    pub title: &'static str,
}

/// Declares kinds of problems, each by its status, name and title.
#[macro_export]
macro_rules! kinds {
    ($vis:vis $($kind:ident: $status:ident, $name:literal, $title:literal;)+) => {$(
        #[doc = concat!($title, ": `", $name, "`.")]
        $vis const $kind: $crate::Kind = $crate::Kind {
            status: ::axum::http::StatusCode::$status,
            name: $name,
            title: $title,
        };
    )+};
}

kinds! { pub
    MALFORMED: BAD_REQUEST, "malformed-request", "The request cannot be read";
    UNSUPPORTED_MEDIA_TYPE: UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type";
    BODY_TOO_LARGE: PAYLOAD_TOO_LARGE, "body-too-large", "Body too large";
    REQUEST_TIMEOUT: REQUEST_TIMEOUT, "request-timeout", "The request took too long to arrive";
    NOT_FOUND: NOT_FOUND, "not-found", "Not found";
    METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed";
}

/// A problem with a request, as the response to it.
///
/// ```json
/// {"type":"urn:food-ordering:problem:declined","title":"Payment declined","status":402,
///  "detail":"the bank declined the card: ask the customer for another one"}
/// ```
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    detail: String,
    members: Vec<(&'static str, Box<RawValue>)>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem; `detail` explains this occurrence and what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            members: Vec::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// The problem that the path exists, but not for this method.
    #[must_use]
    pub fn method_not_allowed(method: &axum::http::Method, path: &str) -> Self {
        Self::new(
            METHOD_NOT_ALLOWED,
            format!(
                "{path} does not support {method}: the header allow of this response lists the supported methods"
            ),
        )
    }

    /// Adds a member to the document, unless it cannot be written as JSON.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &(impl Serialize + ?Sized)) -> Self {
        let value = to_raw_value(value).ok();
        (self.0.members).extend(value.map(|value| (name, value)));
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Tells the client when to try again, in whole seconds, rounded up.
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The problem's kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Inner {
            kind,
            detail,
            members,
            ..
        } = &*self.0;
        let mut map = serializer.serialize_map(None)?;
        let name = format_args!("urn:food-ordering:problem:{}", kind.name);
        map.serialize_entry("type", &name)?;
        map.serialize_entry("title", kind.title)?;
        map.serialize_entry("status", &kind.status.as_u16())?;
        map.serialize_entry("detail", detail)?;
        for (name, value) in members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let mut headers = std::mem::take(&mut self.0.headers);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // A problem is only valid now, so it must not be cached.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // It contains only strings, numbers and JSON, so serializing cannot fail.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (self.0.kind.status, headers, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_has_the_members_of_the_rfc_and_its_own() {
        let problem = Problem::new(NOT_FOUND, "no such dish")
            .with("left", &12)
            .retry_after(Duration::from_millis(1001));
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            r#"{"type":"urn:food-ordering:problem:not-found","title":"Not found","status":404,"detail":"no such dish","left":12}"#
        );
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}
