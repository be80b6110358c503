//! Spans, metrics and `traceparent` headers for every HTTP server and client of the system.

use std::sync::LazyLock;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use tracing::Instrument;

use crate::trace::{TRACEPARENT, TraceParent, current};
use crate::{metrics, span};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: String,
    status: u16,
}

type Requests = Family<Labels, Histogram, fn() -> Histogram>;

static REQUESTS: LazyLock<Requests> = LazyLock::new(|| {
    let family = Family::new_with_constructor(metrics::fast as fn() -> Histogram);
    metrics::register(
        "http_server_request_duration_seconds",
        "Time until the response to an HTTP request, by route and status",
        &family,
    );
    family
});

/// The label `route` of requests that match no route.
const NO_ROUTE: &str = "none";

/// The route `GET /metrics`.
pub fn metrics_route<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    get(metrics::get)
}

/// Middleware for a server whose requests may start a trace, which is the gateway.
pub async fn observe_and_begin(request: Request, next: Next) -> Response {
    answer(request, next, true).await
}

/// Middleware for a server that only continues traces of its callers.
pub async fn observe(request: Request, next: Next) -> Response {
    answer(request, next, false).await
}

async fn answer(request: Request, next: Next, begins: bool) -> Response {
    let start = Instant::now();
    let method = method(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE, MatchedPath::as_str)
        .to_owned();
    // Frequent requests for health and metrics should not start traces.
    let begins = begins && route.starts_with("/api/");
    let span = span::server(method, &route, parent_of(request.headers()), begins);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span::answered(&span, Some(status));
    let labels = Labels {
        method,
        route,
        status,
    };
    REQUESTS
        .get_or_create(&labels)
        .observe(start.elapsed().as_secs_f64());
    response
}

/// The label for a method; `_OTHER` for non-standard methods.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// The caller's span, from the request's headers.
#[must_use]
pub fn parent_of(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get(TRACEPARENT)?.to_str().ok()?.parse().ok()
}

/// The headers that propagate the current span to a server; empty outside a trace.
#[must_use]
pub fn propagation() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = current().and_then(|span| HeaderValue::try_from(span.to_string()).ok());
    if let Some(value) = value {
        headers.insert(TRACEPARENT, value);
    }
    headers
}
