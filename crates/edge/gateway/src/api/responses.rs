//! The problem documents in the `OpenAPI` document: sets of answers that several operations have in common.
//!
//! An operation names the sets that apply to it, then one of its own for the rest. If two contain a status, the later one counts.

use utoipa::PartialSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::problem::MEDIA_TYPE;

/// A set of answers: status and description of each.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident { $($status:literal: $description:literal,)+ })+) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                [$(($status, $description)),+].map($crate::api::responses::answer).into()
            }
        }
    )+};
}
pub(super) use problems;

problems! {
    /// For requests that change something.
    CrossSite {
        403: "A page of another site sent the request.",
    }
    /// For requests with a JSON body.
    JsonBody {
        400: "The body is not JSON.",
        408: "The body did not come in time.",
        413: "The body is longer than 64 KiB.",
        415: "The content type is not JSON, or the body has a content coding.",
    }
    /// For requests about one order, which Restate answers.
    NamedOrder {
        400: "The order id is invalid.",
        404: "There is no such order, or its key is missing or wrong.",
        502: "Restate gave an unexpected answer.",
        503: "Restate does not answer.",
    }
    /// For what operators see.
    Operators {
        401: "The token is missing or wrong.",
        403: "No token is set, and the request does not come from the gateway's own machine.",
    }
    /// For what operators change.
    OperatorsChange {
        401: "The token is missing or wrong.",
        403: "No token is set, and the request does not come from the gateway's own machine; or a page of another site sent it.",
    }
}

/// Describes an answer with a problem document. With 503 it says when to repeat the request.
pub(super) fn answer((status, description): (u16, &str)) -> (String, RefOr<Response>) {
    let response = problem(description);
    let response = if status == 503 {
        let retry_after = HeaderBuilder::new()
            .schema(Some(u64::schema()))
            .description(Some("When to repeat, in seconds."));
        response.header("retry-after", retry_after.build())
    } else {
        response
    };
    (status.to_string(), response.build().into())
}

/// An answer whose body is a problem document.
pub(super) fn problem(description: &str) -> ResponseBuilder {
    let document = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(document)).build();
    ResponseBuilder::new()
        .description(description)
        .content(MEDIA_TYPE, content)
}
