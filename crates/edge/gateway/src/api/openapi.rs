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
        description = "Order food and follow its delivery. Every error is a problem document (RFC 9457)."
    ),
    tags(
        (name = "orders", description = "Place, read and cancel orders."),
        (name = "callbacks", description = "Callbacks of restaurants about orders that they were asked to prepare, signed as in Standard Webhooks."),
        (name = "restaurants", description = "What can be ordered in the demo's own shop."),
        (name = "operations", description = "Observe and control the whole system. For operators: on the gateway's own machine, or with a token."),
        (name = "topics", description = "The records of Kafka's topics, for those who publish or read them."),
        (name = "health", description = "For those who run the gateway."),
    ),
    components(schemas(Problem))
)]
struct Base;

pub(super) fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// Adds to each operation the answers that any client may get that is not an operator.
pub(super) fn with_common_answers(
    mut document: utoipa::openapi::OpenApi,
) -> utoipa::openapi::OpenApi {
    let of_type = |kind, text: &str| {
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(kind).build()))
            .description(Some(text))
            .build()
    };
    let too_many = problem("The client has sent too many requests, or has too many streams open.")
        .header("retry-after", of_type(Type::Integer, "When to repeat, in seconds."))
        .header("ratelimit-policy", of_type(Type::String, "The limit: `\"orders\";q=60;w=60` is 60 within 60 s."))
        .header("ratelimit", of_type(Type::String, "How many requests are left, or when there will be more: `\"orders\";r=0;t=1`. Other answers have it too."))
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
    // It contains only strings, numbers and lists, so writing it as JSON cannot fail.
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
