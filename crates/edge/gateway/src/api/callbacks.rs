//! Callbacks of restaurants about orders that they were asked to prepare.
//!
//! A restaurant knows the address of this one callback, and the secret to sign it with. `OrderWorkflow` sends it both with the
//! order. The gateway derives the same secret, so it stores nothing ([`secrets::callback`]).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use domain::OrderId;
use durable::clock::now_ms;
use secrets::callback::Callbacks;
use secrets::webhook::{self, Refusal, Signed};
use telemetry::metrics::Counters;

use super::App;
use super::extract::{JsonBytes, Segments, json_of};
use super::problem::{Problem, kind, later, of_field};
use super::responses::{CrossSite, JsonBody, problems};
use crate::ingress;
use crate::model::{Ready, schema};

/// The longest callback that is read, in bytes. A usual one has a hundred.
const MAX_BODY: usize = 4 * 1024;

static CALLBACKS: Counters<1> = Counters::new(
    "restaurant_callbacks",
    "Callbacks of restaurants: accepted, or why not",
    ["outcome"],
);

/// Why a callback was refused: the label of the metric, and the answer.
struct Refused(&'static str, Problem);

/// An order is ready
///
/// Sent by the restaurant that was asked to prepare the order, to the address that came with the request. The headers are those of
/// Standard Webhooks: the signature is `v1,` and the Base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, with the
/// secret that came with the address. May be repeated.
#[utoipa::path(
    post,
    path = "/api/callbacks/restaurant/{orderId}/{callbackId}",
    operation_id = "orderIsReady",
    tag = "callbacks",
    params(
        ("orderId" = schema::Id, Path, description = "The order's id."),
        ("callbackId" = inline(schema::CallbackId), Path, description = "The id of the callback."),
        ("webhook-id" = String, Header, description = "The id of the message; the same when it is repeated."),
        ("webhook-timestamp" = i64, Header, description = "When it was sent, in s since the epoch; at most five minutes off."),
        ("webhook-signature" = String, Header, description = "Signatures, separated by spaces; at least one must be valid."),
    ),
    request_body(content = Ready, description = "The message, at most 4 KiB."),
    responses(
        (status = 204, description = "The message is recorded."),
        JsonBody,
        CrossSite,
        NotTaken,
    )
)]
pub(super) async fn order_is_ready(
    State(app): State<Arc<App>>,
    path: Result<Segments<(String, String)>, Problem>,
    headers: HeaderMap,
    body: Result<JsonBytes, Problem>,
) -> Result<StatusCode, Problem> {
    match take(&app, path, &headers, body).await {
        Ok(()) => {
            CALLBACKS.inc(["accepted"]);
            Ok(StatusCode::NO_CONTENT)
        }
        Err(Refused(outcome, problem)) => {
            CALLBACKS.inc([outcome]);
            Err(problem)
        }
    }
}

async fn take(
    app: &App,
    path: Result<Segments<(String, String)>, Problem>,
    headers: &HeaderMap,
    body: Result<JsonBytes, Problem>,
) -> Result<(), Refused> {
    let Segments((order_id, callback_id)) =
        path.map_err(|problem| Refused("unreadable", problem))?;
    let order_id: OrderId = (order_id.parse())
        .map_err(|error| unreadable(format!("the order id in the path {error}")))?;
    if !is_callback_id(&callback_id) {
        return Err(unreadable(
            "the callback id in the path must consist of ASCII letters, digits, - and _",
        ));
    }
    let JsonBytes(body) = body.map_err(|problem| Refused("unreadable", problem))?;
    if body.len() > MAX_BODY {
        let detail = format!("send at most {MAX_BODY} bytes");
        let problem = Problem::new(kind::BODY_TOO_LARGE, detail);
        return Err(Refused("unreadable", problem));
    }
    let callbacks = app.callbacks.as_ref().ok_or_else(|| {
        let detail =
            "this gateway accepts no callbacks: it was started without --callback-secret-file";
        Refused("unavailable", Problem::new(kind::UNAVAILABLE, detail))
    })?;
    authenticate(callbacks, &order_id, &callback_id, headers, &body)?;
    check(&order_id, &body)?;
    let resolved = app.ingress.resolve(&callback_id, body).await;
    resolved.map_err(|error| no_answer(&error, &order_id))
}

/// Checks that the callback comes from the restaurant that was asked to prepare the order.
fn authenticate(
    callbacks: &Callbacks,
    order_id: &OrderId,
    callback_id: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(), Refused> {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| forged(format!("the header {name} is missing")))
    };
    let message = Signed {
        id: header(webhook::ID)?,
        timestamp: header(webhook::TIMESTAMP)?,
        signatures: header(webhook::SIGNATURE)?,
        body,
    };
    let verified = callbacks.verify(order_id.as_str(), callback_id, &message, now_ms() / 1000);
    verified.map_err(|refusal| match refusal {
        Refusal::Forged => forged("it is not signed with the secret that came with this address"),
        Refusal::Expired => {
            let detail = format!(
                "the header {} is more than {} s off: sign the message again with the current time",
                webhook::TIMESTAMP,
                webhook::TOLERANCE
            );
            let problem = Problem::new(kind::CALLBACK_EXPIRED, detail);
            Refused("expired", challenge(problem))
        }
    })
}

/// Checks that the body is about the order in the address.
fn check(order_id: &OrderId, body: &[u8]) -> Result<(), Refused> {
    let says_otherwise =
        |problem: Problem| Refused("unreadable", problem.with("orderId", &order_id));
    let ready: Ready = json_of(body).map_err(says_otherwise)?;
    if ready.order_id == *order_id {
        return Ok(());
    }
    let message = format!("must be {order_id}, as in the address");
    let problem = of_field(kind::INVALID_REQUEST, "orderId", message);
    Err(says_otherwise(problem))
}

fn is_callback_id(text: &str) -> bool {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=schema::LONGEST_CALLBACK_ID).contains(&text.len()) && text.bytes().all(is_safe)
}

fn unreadable(detail: impl Into<String>) -> Refused {
    Refused("unreadable", Problem::new(kind::MALFORMED, detail))
}

fn forged(detail: impl Into<String>) -> Refused {
    let problem = Problem::new(kind::CALLBACK_FORGED, detail);
    Refused("forged", challenge(problem))
}

/// Adds the header that an answer 401 must have.
fn challenge(problem: Problem) -> Problem {
    let scheme = HeaderValue::from_static("StandardWebhooks");
    problem.header(header::WWW_AUTHENTICATE, scheme)
}

fn no_answer(error: &ingress::Error, order_id: &OrderId) -> Refused {
    tracing::warn!(%order_id, %error, "a restaurant's callback was not passed on");
    let (outcome, problem) = match error {
        ingress::Error::NotFound(_) => {
            let detail = "the order ended long ago";
            ("unknown", Problem::new(kind::CALLBACK_UNKNOWN, detail))
        }
        ingress::Error::Unavailable(_) => {
            let detail = "the order system does not answer: send the callback again";
            ("unavailable", later(kind::UNAVAILABLE, detail))
        }
        ingress::Error::Unexpected(_) => {
            let detail = "the gateway's log has the details: send the callback again later";
            ("unavailable", Problem::new(kind::BAD_ANSWER, detail))
        }
    };
    Refused(outcome, problem.with("orderId", &order_id))
}

problems! {
    /// A callback is refused.
    NotTaken {
        400: "The request cannot be read.",
        401: "Its signature is missing, wrong or too old.",
        404: "No order waits for it.",
        413: "The body is too long.",
        422: "It is signed, but its content is invalid.",
        502: "Restate gave an unexpected answer.",
        503: "Restate does not answer: send it again.",
    }
}
