//! The `OpenAPI` document, generated from the handlers' own descriptions.

use axum::Extension;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;
use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::Type;

use super::problem::Document as Problem;
use super::responses::problem;

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
        (name = "topics", description = "What Kafka's topics hold, for those who publish there or read."),
        (name = "health", description = "For those who run the gateway."),
    ),
    components(schemas(Problem))
)]
struct Base;

pub(super) fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// Adds to each operation what any of them may answer to those who are no operators.
pub(super) fn with_what_all_answer(
    mut document: utoipa::openapi::OpenApi,
) -> utoipa::openapi::OpenApi {
    let of_type = |kind, text: &str| {
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
            .description(Some(text))
            .build()
    };
    let too_many = problem("The client has asked too often, or has too much open.")
        .header("retry-after", of_type(Type::Integer, "When to repeat, in seconds."))
        .header("ratelimit-policy", of_type(Type::String, "How much there may be: `\"orders\";q=60;w=60` is 60 within 60 s."))
        .header("ratelimit", of_type(Type::String, "How much is left, and when there is more: `\"orders\";r=0;t=1`. Other answers have it too."))
        .build();
    for (path, item) in &mut document.paths.paths {
        if !path.starts_with("/api/") {
            continue;
        }
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.insert("429".to_owned(), too_many.clone().into());
        }
    }
    document
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
