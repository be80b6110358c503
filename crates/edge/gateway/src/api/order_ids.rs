//! Ids for future orders.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::OrderId;
use uuid::Uuid;

use super::problem::{Problem, kind};
use super::responses::CrossSite;
use super::{App, NO_STORE};
use crate::model::OrderTicket;

/// Make an order id
///
/// Returns an id for a future order, with its key, for clients that want to repeat `POST /api/orders` safely and to read the order
/// afterwards. Nothing is stored, so an id need not be used.
#[utoipa::path(
    post,
    path = "/api/order-ids",
    operation_id = "makeOrderId",
    tag = "orders",
    responses(
        (status = 200, description = "An id that no other order has, and its key.", body = OrderTicket),
        CrossSite,
    )
)]
pub(super) async fn make(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let order_id = new_id()?;
    let key = app.keys.as_ref().map(|keys| keys.key_of(&order_id));
    Ok((NO_STORE, Json(OrderTicket { order_id, key })).into_response())
}

/// A new id, which nobody can guess.
pub(super) fn new_id() -> Result<OrderId, Problem> {
    Uuid::now_v7()
        .to_string()
        .parse()
        .map_err(|_| Problem::new(kind::INTERNAL, "no order id could be made"))
}
