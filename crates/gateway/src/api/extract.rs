//! What handlers take from a request; whatever is wrong is answered with a [`Problem`].

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use domain::OrderId;

use super::MAX_BODY;
use super::problem::{Kind, Problem};

/// How long a body may take to arrive. No person waits that long to send a few hundred bytes.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A body that claims to be JSON, unread.
///
/// The claim is asked for: a browser sends other media types to any address on behalf of any page, JSON only with leave.
pub(super) struct JsonBytes(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                "send JSON, with the header content-type: application/json",
            )
            .header(header::ACCEPT, HeaderValue::from_static("application/json")));
        }
        let body = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, state));
        match body.await {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(
                Problem::new(Kind::BodyTooLarge, format!("send at most {MAX_BODY} bytes")),
            ),
            Ok(Err(rejection)) => Err(Problem::new(Kind::Malformed, rejection.body_text())),
            Err(_) => Err(Problem::new(
                Kind::RequestTimeout,
                format!("send the whole body within {} s", BODY_WITHIN.as_secs()),
            )),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|media_type| media_type.trim().to_ascii_lowercase())
        .is_some_and(|media_type| {
            media_type == "application/json"
                || (media_type.starts_with("application/") && media_type.ends_with("+json"))
        })
}

/// The order named in the path.
pub(super) struct OrderInPath(pub(super) OrderId);

impl<S: Send + Sync> FromRequestParts<S> for OrderInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::new(Kind::Malformed, rejection.body_text()))?;
        text.parse().map(Self).map_err(|error| {
            Problem::new(Kind::Malformed, format!("the order id in the path {error}"))
        })
    }
}
