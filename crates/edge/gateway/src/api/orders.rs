//! Orders: placing, reading and cancelling them.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::json::Value;
use domain::order::{Given, Invalid, Order};
use domain::{Status, topic};
use durable::clock::now_ms;
use order_status::{Claimant, IdClaim};
use order_workflow::CancelAnswer;
use telemetry::trace::{self, TRACEPARENT};

use super::extract::{JsonBytes, ORDER_KEY, OrderInPath, malformed};
use super::order_ids::new_id;
use super::problem::{Problem, kind, later, no_such_order, of_field, with_errors};
use super::responses::{CrossSite, JsonBody, NamedOrder, problems};
use super::{App, NO_STORE};
use crate::edge::refusals;
use crate::edge::visitor::Visitor;
use crate::ingress;
use crate::model::{Accepted, Cancellation, NewOrder, OrderDetails, OrderStatus, schema};

/// Place an order
///
/// Answers only when the order is safely stored. An order without `orderId` gets one. Sending an order again gets the same answer
/// and changes nothing, so a request that names the id can be repeated safely. Another order under an id that is in use is
/// refused: an id belongs to the first order that was sent under it, for ever. Orders are the same if everything but
/// `traceparent` is the same, so a repeated request must repeat `deliveryDelay` as well.
///
/// The answer contains the order's key if the gateway has made the id: now, or earlier for `POST /api/order-ids`; then the request
/// must bring that key. There is no key for an id that the client has chosen, and only operators can read the order.
#[utoipa::path(
    post,
    path = "/api/orders",
    operation_id = "placeOrder",
    tag = "orders",
    params(
        ("traceparent" = Option<String>, Header, description = "W3C trace context, passed on with the order.", nullable = false),
        ("order-key" = Option<String>, Header, description = "The key that came with the id.", nullable = false),
    ),
    request_body(content = NewOrder, description = "The order, at most 64 KiB."),
    responses(
        (status = 202, description = "The order is stored and will be processed.", body = Accepted,
            headers(("location" = String, description = "Where to read the order's status."))),
        JsonBody,
        CrossSite,
        NotPlaced,
    )
)]
pub(super) async fn place(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    JsonBytes(body): JsonBytes,
) -> Result<Response, Problem> {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let span = trace::current().map(|span| span.to_string());
    let traceparent = span.or_else(|| header(TRACEPARENT).map(str::to_owned));
    let claim = if visitor.is_operator() {
        Claim::Any
    } else {
        Claim::ByKey(header(ORDER_KEY))
    };
    take(&app, &body, None, claim, traceparent).await
}

/// The orders whose key the sender gets.
pub(super) enum Claim<'a> {
    /// All of them: the sender is an operator.
    Any,
    /// Those whose id the gateway makes, and the one whose key the request brings.
    ByKey(Option<&'a str>),
}

/// Checks an order event and publishes it. An event without an id gets `id`, or a new one.
pub(super) async fn take(
    app: &App,
    event: &[u8],
    id: Option<String>,
    claim: Claim<'_>,
    traceparent: Option<String>,
) -> Result<Response, Problem> {
    let made = new_id()?;
    let event = Value::parse(event).map_err(|error| malformed(&error))?;
    let given = Given {
        order_id: Some(id.unwrap_or_else(|| made.to_string())),
        traceparent,
        is_strict: true,
    };
    let order = Order::from_json(event, given).map_err(invalid_order)?;
    let is_trusted = matches!(claim, Claim::Any);
    let key = match (app.keys.as_ref(), claim) {
        (Some(keys), Claim::Any) => Some(keys.key_of(&order.order_id)),
        (Some(keys), Claim::ByKey(_)) if order.order_id == made => Some(keys.key_of(&made)),
        (Some(keys), Claim::ByKey(Some(given))) => {
            if !keys.is_key_of(&order.order_id, given) {
                refusals::count("order-key");
                return Err(wrong_key());
            }
            Some(given.to_owned())
        }
        _ => None,
    };
    let claimant = match &key {
        _ if is_trusted => Claimant::Trusted,
        Some(_) => Claimant::KeyHolder,
        None => Claimant::Anyone,
    };
    let violations = app.shop.check(&order);
    if !violations.is_empty() {
        return Err(invalid_order(Invalid {
            order_id: None,
            violations,
        }));
    }
    claim_id(app, &order, claimant).await?;
    publish(app, &order).await?;
    app.recent.remember(&order.order_id, Instant::now());

    let accepted = Accepted::new(order.order_id, key, app.keys.is_some());
    let location = [(header::LOCATION, accepted.links.this.clone())];
    Ok((StatusCode::ACCEPTED, location, NO_STORE, Json(accepted)).into_response())
}

/// Get an order's status
#[utoipa::path(
    get,
    path = "/api/orders/{orderId}",
    operation_id = "getOrder",
    tag = "orders",
    params(
        ("orderId" = schema::Id, Path, description = "The order's id."),
        ("order-key" = Option<String>, Header, description = "The order's key, which everyone but operators needs.", nullable = false),
        ("key" = Option<String>, Query, description = "The same, for clients that cannot send headers.", nullable = false),
    ),
    responses(
        (status = 200, description = "The status.", body = OrderStatus),
        NamedOrder,
    )
)]
pub(super) async fn status(
    State(app): State<Arc<App>>,
    OrderInPath(id): OrderInPath,
) -> Result<Response, Problem> {
    let (status, mut order) = futures::join!(app.ingress.status(&id), app.ingress.order(&id));
    let status = match status {
        Ok(status) => status,
        // The handler answers for every id, so only another version of it could answer this.
        Err(ingress::Error::NotFound(_)) => return Err(no_such_order(&id)),
        Err(error) => return Err(no_answer(&error, "the order is not affected: try again")),
    };
    if status.version == 0 && !app.recent.contains(&id, Instant::now()) {
        return Err(no_such_order(&id));
    }
    if status.version > 0 && !status.status.is_terminal() && matches!(order, Ok(None)) {
        // Processing has started between the two answers.
        order = app.ingress.order(&id).await;
    }
    let order = order.unwrap_or_else(|error| {
        // The status matters more.
        tracing::warn!(order_id = %id, %error, "the answer lacks what was ordered");
        None
    });
    let mut answer = OrderStatus::new(status, now_ms());
    answer.order = order.map(OrderDetails::from);
    Ok((NO_STORE, Json(answer)).into_response())
}

/// Cancel an order
///
/// Possible until a driver has picked it up. The payment is refunded.
#[utoipa::path(
    post,
    path = "/api/orders/{orderId}/cancel",
    operation_id = "cancelOrder",
    tag = "orders",
    params(
        ("orderId" = schema::Id, Path, description = "The order's id."),
        ("order-key" = Option<String>, Header, description = "The order's key, which everyone but operators needs.", nullable = false),
        ("key" = Option<String>, Query, description = "The same, for clients that cannot send headers.", nullable = false),
    ),
    responses(
        (status = 200, description = "The order is cancelled.", body = Cancellation),
        (status = 202, description = "The order is being cancelled.", body = Cancellation),
        NamedOrder,
        CrossSite,
        NotCancelled,
    )
)]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    OrderInPath(id): OrderInPath,
) -> Result<Response, Problem> {
    match app.ingress.cancel(&id).await {
        Ok(answer) if answer.accepted => {
            let cancellation = Cancellation::from(answer);
            let code = if cancellation.status.is_terminal() {
                StatusCode::OK
            } else {
                StatusCode::ACCEPTED
            };
            Ok((code, NO_STORE, Json(cancellation)).into_response())
        }
        Ok(CancelAnswer { status, reason, .. }) => {
            let detail = reason.unwrap_or_else(|| format!("the order is {status} already"));
            Err(Problem::new(kind::NOT_CANCELLABLE, detail)
                .with("orderId", &id)
                .with("orderStatus", &status))
        }
        Err(ingress::Error::NotFound(_)) if app.recent.contains(&id, Instant::now()) => {
            let detail = "the order has been accepted, but its processing has not started: try again in a moment";
            Err(later(kind::NOT_CANCELLABLE, detail)
                .with("orderId", &id)
                .with("orderStatus", &Status::New))
        }
        Err(ingress::Error::NotFound(_)) => Err(no_such_order(&id)),
        Err(error) => Err(no_answer(
            &error,
            "the order may or may not have been cancelled: it is safe to try again",
        )),
    }
}

/// Refuses an order whose id belongs to another order.
///
/// If Restate does not answer, the order is accepted anyway: Kafka keeps it. If the id belongs to another order, `OrderIntake`
/// notices that and publishes the order as a dead letter.
async fn claim_id(app: &App, order: &Order, claimant: Claimant) -> Result<(), Problem> {
    let id = &order.order_id;
    let claim = IdClaim {
        content: order.content(),
        claimant,
    };
    match app.ingress.claim(id, claim).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let detail = format!(
                "the order id {id} belongs to another order: send this order under another \"orderId\", or without one"
            );
            Err(Problem::new(kind::ORDER_ID_TAKEN, detail).with("orderId", &id))
        }
        Err(error) => {
            tracing::warn!(order_id = %id, %error, "cannot check whose this order id is; the order is accepted");
            Ok(())
        }
    }
}

async fn publish(app: &App, order: &Order) -> Result<(), Problem> {
    let id = &order.order_id;
    let value = serde_json::to_vec(order).map_err(|error| {
        tracing::error!(order_id = %id, %error, "an order cannot be written as JSON");
        Problem::new(kind::INTERNAL, "the order was not taken")
    })?;
    let key = id.as_str().as_bytes();
    let published = app.broker.publish(topic::ORDERS, key, &value).await;
    published.map_err(|error| {
        if error.is_retryable() {
            tracing::warn!(order_id = %id, %error, "an order was not confirmed");
            let detail = format!(
                "order {id} may or may not have been taken: repeat the request with \"orderId\": \"{id}\"; the order cannot be \
                 placed twice"
            );
            later(kind::ORDER_NOT_CONFIRMED, detail).with("orderId", &id)
        } else {
            tracing::error!(order_id = %id, %error, "an order was refused by the broker");
            let detail = "the order was not taken: the gateway's log says why";
            Problem::new(kind::INTERNAL, detail).with("orderId", &id)
        }
    })
}

fn wrong_key() -> Problem {
    let message = format!("must be the id that came with the key in the header {ORDER_KEY}");
    of_field(kind::INVALID_ORDER, "orderId", message)
}

fn invalid_order(invalid: Invalid) -> Problem {
    with_errors(
        Problem::new(kind::INVALID_ORDER, invalid.to_string()),
        invalid.violations,
    )
}

/// The problem of a call to Restate that failed; `consequence` says what that means for the caller.
pub(super) fn no_answer(error: &ingress::Error, consequence: &str) -> Problem {
    tracing::warn!(%error, "no answer from Restate");
    if let ingress::Error::Unavailable(_) = error {
        let detail = format!("the order system does not answer; {consequence}");
        later(kind::UNAVAILABLE, detail)
    } else {
        let detail = format!("the gateway's log has the details; {consequence}");
        Problem::new(kind::BAD_ANSWER, detail)
    }
}

problems! {
    /// An order is not placed.
    NotPlaced {
        409: "The id belongs to another order, or to one whose key the request must bring.",
        422: "The order cannot be taken as it is; `errors` names every field at fault.",
        503: "The order is not confirmed: it may or may not have been taken. Repeat it with the `orderId` in the problem.",
    }
    /// An order is not cancelled.
    NotCancelled {
        409: "The order cannot be cancelled in its present status, which is in `orderStatus`.",
        503: "Restate does not answer; the order may or may not have been cancelled.",
    }
}
