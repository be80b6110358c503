//! The `OpenAPI` document, generated from the handlers' own descriptions.

use axum::Extension;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

/// The document's head; the routes are added by [`router`](super::router).
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Food ordering",
        description = "Order food and see how far it is. Every error is a problem document (RFC 9457)."
    ),
    tags(
        (name = "orders", description = "Place an order, ask for it, call it off."),
        (name = "callbacks", description = "What restaurants say of orders that they were asked to prepare. Signed as Standard Webhooks has it."),
        (name = "restaurants", description = "What can be ordered in the demo's own shop."),
        (name = "operations", description = "See and steer the whole system. For operators: at the gateway's own machine, or with a token."),
        (name = "health", description = "For those who run the gateway."),
    )
)]
struct Base;

pub(super) fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

#[derive(Clone)]
pub(super) struct Document(Bytes);

/// Hands the finished document to the handler.
pub(super) fn layer(document: &utoipa::openapi::OpenApi) -> Extension<Document> {
    // It holds only texts, numbers and lists, which can always be written.
    Extension(Document(document.to_json().unwrap_or_default().into()))
}

/// This document
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "getOpenApi",
    tag = "health",
    responses((status = 200, description = "The OpenAPI document of this API.", body = Object))
)]
pub(super) async fn document(Extension(Document(json)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}
