//! The HTTP API of the restaurants' point of sale.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::OrderId;
use serde::Serialize;
use stub_kit::extract::{Json, Paged, Query, Segment};
use stub_kit::faults;
use stub_kit::problem::{NOT_FOUND, Problem, kinds, of_field, problem};

use crate::Restaurant;
use crate::books::{Answer, Preparation, Status, Ticket};

kinds! { pub(crate)
    REFUSED: UNPROCESSABLE_ENTITY, "refused", "Order refused";
    OTHER_CALLBACK: CONFLICT, "other-callback", "Order known with another callback";
    HANDED_OVER: CONFLICT, "handed-over", "Order handed over";
}

/// The restaurant's HTTP API.
pub fn router(restaurant: Restaurant) -> Router {
    let faults = restaurant.faults.clone();
    let database = restaurant.books.database.clone();
    let routes = faults
        .guard(
            Router::new()
                .route("/prepare", post(prepare))
                .route("/preparations/{orderId}/cancel", post(cancel)),
        )
        // The books can always be read, whichever faults are injected.
        .route("/preparations", get(preparations))
        .route("/preparations/{orderId}", get(preparation))
        .with_state(restaurant);
    stub_kit::server::app(routes, &database, &faults)
}

/// The body of the answer to a request to prepare.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    order_id: OrderId,
    ready_at: i64,
}

/// Called by the order workflow when the preparation should start. The order is stored before the answer is sent.
async fn prepare(
    State(restaurant): State<Restaurant>,
    Json(ticket): Json<Ticket>,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let verdict = restaurant.faults.current().verdict(faults::draw());
    if let Some(fault) = verdict.fault() {
        faults::count(fault);
    }
    let preparation_ms = i64::try_from(restaurant.preparation_time.as_millis()).unwrap_or(i64::MAX);
    let order_id = ticket.order_id.clone();
    let kitchen = restaurant.kitchen;
    let asked_by = telemetry::trace::current();
    let schedule = move |pending| kitchen.schedule(pending, asked_by);
    let accepted = (restaurant.books).accept(ticket, verdict, preparation_ms, schedule);
    match accepted.await? {
        Answer::Cooking { ready_at } => {
            let accepted = Accepted { order_id, ready_at };
            Ok((StatusCode::ACCEPTED, axum::Json(accepted)))
        }
        Answer::Refused => {
            let detail = "the restaurant will not cook this order, now or later";
            Err(problem(REFUSED, detail).with("orderId", &order_id))
        }
        Answer::OtherCallback => {
            let detail = "this order was accepted before with another callback address: wait for the callback there";
            Err(of_field(OTHER_CALLBACK, "callback.url", detail))
        }
    }
}

/// The body of the answer to a request to cancel.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cancelled {
    order_id: OrderId,
    status: Status,
}

/// Called by the order workflow when it undoes an order that may be cooking. No callback is sent afterwards, except one that is
/// already under way.
async fn cancel(
    State(restaurant): State<Restaurant>,
    Segment(order_id): Segment<OrderId>,
) -> Result<axum::Json<Cancelled>, Problem> {
    match restaurant.books.cancel(order_id.clone()).await? {
        None => Err(unknown()),
        Some(Status::CalledBack) => {
            let detail = "the order is ready and was handed over: it is too late to cancel it";
            Err(problem(HANDED_OVER, detail))
        }
        Some(status) => Ok(axum::Json(Cancelled { order_id, status })),
    }
}

/// Called by people, and by programs that check the books. Returns one order.
async fn preparation(
    State(restaurant): State<Restaurant>,
    Segment(order_id): Segment<OrderId>,
) -> Result<axum::Json<Preparation>, Problem> {
    let preparation = restaurant.books.preparation(order_id).await?;
    preparation.map(axum::Json).ok_or_else(unknown)
}

/// Called by people, and by programs that check the books. Returns a page of the orders.
async fn preparations(
    State(restaurant): State<Restaurant>,
    query: Query,
) -> Result<axum::Json<Paged<Preparation>>, Problem> {
    let page = query.page()?;
    let status = query.get("status")?;
    let preparations = restaurant.books.preparations(status, page).await?;
    Ok(axum::Json(preparations))
}

fn unknown() -> Problem {
    let detail = "this restaurant was never asked to prepare this order";
    of_field(NOT_FOUND, "orderId", detail)
}
