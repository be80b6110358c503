//! What handlers take from a request; whatever is wrong is answered with a [`Problem`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ConnectInfo;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use domain::OrderId;
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};
use super::{App, MAX_BODY};
use crate::operations::access::Denied;

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

/// A body that is JSON of this shape.
pub(super) struct JsonOf<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonOf<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(body) = JsonBytes::from_request(request, state).await?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let kind = if error.is_data() {
                Kind::InvalidRequest
            } else {
                Kind::Malformed
            };
            Problem::new(kind, format!("the body cannot be used: {error}"))
        })
    }
}

/// The address that the request comes from, if it comes over the network.
pub(super) fn peer(parts: &Parts) -> Option<SocketAddr> {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    info.map(|ConnectInfo(peer)| *peer)
}

/// Whoever sends the request is an operator.
pub(super) struct Operator;

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match app.access.check(peer(parts), &parts.headers) {
            Ok(()) => Ok(Self),
            Err(denied) => Err(no_operator(denied)),
        }
    }
}

/// The problem of someone who is no operator.
pub(super) fn no_operator(denied: Denied) -> Problem {
    let needed = |detail| {
        Problem::new(Kind::TokenNeeded, detail).header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"operations\""),
        )
    };
    match denied {
        Denied::NotFromThere => Problem::new(
            Kind::OperatorsOnly,
            "without a token this is open only on the gateway's own machine, at http://127.0.0.1 or http://localhost, while \
             it listens there alone; to use it from elsewhere start the gateway with --operator-token-file or \
             FOOD_ORDERING_OPERATOR_TOKEN",
        ),
        Denied::NoToken => needed("send the header authorization: Bearer and the operators' token"),
        Denied::WrongToken => needed("this is not the operators' token"),
    }
}
