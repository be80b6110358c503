//! The routes, and what all of them have in common.

mod extract;
mod health;
mod openapi;
mod orders;
mod problem;
mod restaurants;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::{DefaultOnFailure, TraceLayer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::recent::RecentOrders;
use crate::shop::Shop;
use crate::{Broker, Ingress};
use problem::{Kind, Problem};

/// The longest body that is read, in bytes. An order of a hundred lines with short descriptions has a fifth of that.
const MAX_BODY: usize = 64 * 1024;
/// How long a request may take. What it waits for has tighter limits of its own; this one is for what nobody thought of.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// When to try again where something is down.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What the routes share.
pub struct App {
    broker: Box<dyn Broker>,
    ingress: Ingress,
    shop: Shop,
    recent: RecentOrders,
    readiness: health::Cache,
}

impl App {
    /// An application that hands orders to `broker` and asks Restate through `ingress`.
    #[must_use]
    pub fn new(broker: impl Broker, ingress: Ingress) -> Self {
        Self {
            broker: Box::new(broker),
            ingress,
            shop: Shop::open(),
            recent: RecentOrders::default(),
            readiness: health::Cache::default(),
        }
    }
}

/// All routes of the gateway.
///
/// Every error of theirs is a problem document: also that of an unknown path, a wrong method, a panic.
pub fn router(app: App) -> Router {
    let (routes, document) = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(orders::place))
        .routes(routes!(orders::status))
        .routes(routes!(orders::cancel))
        .routes(routes!(restaurants::list))
        .routes(routes!(restaurants::one))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::document))
        .with_state(Arc::new(app))
        .split_for_parts();
    routes
        .layer(openapi::layer(&document))
        .fallback(|request: Request| async move {
            Problem::new(
                Kind::NotFound,
                format!(
                    "there is no {}: /api/openapi.json tells what there is",
                    request.uri().path()
                ),
            )
        })
        .method_not_allowed_fallback(|request: Request| async move {
            Problem::new(
                Kind::MethodNotAllowed,
                format!(
                    "{} cannot be used with {}: the header allow of this answer says what can",
                    request.method(),
                    request.uri().path()
                ),
            )
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(limit_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(
            TraceLayer::new_for_http()
                // Whatever fails is logged where the cause is known.
                .on_failure(DefaultOnFailure::new().level(tracing::Level::DEBUG)),
        )
}

async fn limit_time(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = tokio::time::timeout(REQUEST_LIMIT, next.run(request));
    answer.await.unwrap_or_else(|_| {
        tracing::warn!(path, limit = ?REQUEST_LIMIT, "gave up on a request");
        Problem::new(
            Kind::Unavailable,
            "this took too long; it may or may not have been done: ask for the outcome, or try again",
        )
        .retry_after(RETRY_AFTER)
        .into_response()
    })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(message, "a handler panicked");
    Problem::new(
        Kind::Internal,
        "this is a fault of the gateway; its log says more",
    )
    .into_response()
}
