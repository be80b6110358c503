//! What handlers take from a request. Anything invalid is answered with a [`Problem`].

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use domain::OrderId;
use domain::json::{self, FromJson, Malformed, Unusable};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::{Problem, kind, no_such_order, of_violations};
use super::{App, MAX_BODY};
use crate::edge::access::Denied;
use crate::edge::refusals;
use crate::edge::visitor::Visitor;

/// A body whose content type is JSON, as bytes.
pub(super) struct JsonBytes(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        inbound::json::bytes(request, MAX_BODY).await.map(Self)
    }
}

/// The problem of a body that is not JSON.
pub(super) fn malformed(error: &Malformed) -> Problem {
    Problem::new(kind::MALFORMED, format!("the body {error}"))
}

/// The variable segments of the path.
pub(super) struct Segments<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        // The router has counted the segments, and any string is accepted.
        path.map(|Path(segments)| Self(segments)).map_err(|_| {
            let detail = "the path must be UTF-8, but its percent-encoded part is not";
            Problem::new(kind::MALFORMED, detail)
        })
    }
}

/// The order in the path, which the visitor may read and cancel.
///
/// Operators may read and cancel every order, others only those whose key they have. For anyone else the order does not exist:
/// the answer does not reveal whether it does.
pub(super) struct OrderInPath(pub(super) OrderId);

impl FromRequestParts<Arc<App>> for OrderInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Segments(text) = Segments::<String>::from_request_parts(parts, app).await?;
        let id: OrderId = text.parse().map_err(|error| {
            Problem::new(kind::MALFORMED, format!("the order id in the path {error}"))
        })?;
        let is_open = visitor(parts).is_some_and(|visitor| visitor.is_operator())
            || (app.keys.as_ref().zip(order_key(parts)))
                .is_some_and(|(keys, key)| keys.is_key_of(&id, &key));
        if is_open {
            Ok(Self(id))
        } else {
            refusals::count("order-key");
            Err(no_such_order(&id))
        }
    }
}

/// The header that holds the key of an order.
pub(super) const ORDER_KEY: &str = "order-key";

/// The key in the request: in a header, or in the query for clients that cannot send headers.
fn order_key(parts: &Parts) -> Option<String> {
    #[derive(Deserialize)]
    struct InQuery {
        key: String,
    }
    match parts.headers.get(ORDER_KEY) {
        Some(key) => key.to_str().ok().map(str::to_owned),
        None => Query::<InQuery>::try_from_uri(&parts.uri)
            .ok()
            .map(|Query(InQuery { key })| key),
    }
}

/// A JSON body of this shape.
pub(super) struct JsonOf<T>(pub(super) T);

impl<T: FromJson, S: Send + Sync> FromRequest<S> for JsonOf<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(body) = JsonBytes::from_request(request, state).await?;
        json_of(&body).map(Self)
    }
}

/// Reads a JSON body of this shape.
pub(super) fn json_of<T: FromJson>(body: &[u8]) -> Result<T, Problem> {
    json::read(body, "the body").map_err(|error| match error {
        Unusable::Malformed(error) => malformed(&error),
        Unusable::Invalid(violations) => of_violations(kind::INVALID_REQUEST, violations),
    })
}

fn visitor(parts: &Parts) -> Option<Visitor> {
    parts.extensions.get::<Visitor>().copied()
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // The guard adds the visitor to every request.
        visitor(parts).ok_or_else(|| no_operator(Denied::NotFromThere))
    }
}

/// Accepts only operators.
pub(super) struct Operator;

impl<S: Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        visitor.operator.map(|()| Self).map_err(no_operator)
    }
}

/// The problem of a client that is not an operator.
pub(super) fn no_operator(denied: Denied) -> Problem {
    let needed = |detail| {
        Problem::new(kind::TOKEN_NEEDED, detail).header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"operations\""),
        )
    };
    match denied {
        Denied::NotFromThere => Problem::new(
            kind::OPERATORS_ONLY,
            "without a token this is available only on the gateway's own machine, at http://127.0.0.1 or http://localhost, and \
             only if the gateway listens on loopback and trusts it; for access from elsewhere, start the gateway with \
             --operator-token-file or FOOD_ORDERING_OPERATOR_TOKEN",
        ),
        Denied::NoToken => {
            needed("send the header authorization: Bearer with the operators' token")
        }
        Denied::WrongToken => needed("this is not the operators' token"),
    }
}
