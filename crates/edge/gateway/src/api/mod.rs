//! The routes, and what they have in common.

mod asyncapi;
mod callbacks;
mod events;
mod extract;
mod guard;
mod health;
mod openapi;
mod operations;
mod order_ids;
mod orders;
mod problem;
mod responses;
mod restaurants;
mod web;

use std::any::Any;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use secrets::ExposeSecret;
use secrets::callback::Callbacks;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::broker::Broker;
use crate::edge::access::{Access, Token};
use crate::edge::keys::OrderKeys;
use crate::edge::permits::ClientPermits;
use crate::edge::proxies::Proxies;
use crate::edge::rates::Rates;
use crate::events::Hub;
use crate::events::lookup::Lookup;
use crate::ingress::Ingress;
use crate::model::UiConfig;
use crate::operations::board::Board;
use crate::operations::faults::Stubs;
use crate::operations::load::Load;
use crate::recent::RecentOrders;
use crate::shop::Shop;
use crate::{Error, Options};
use problem::{Problem, kind, later};

/// The longest body that is read, in bytes. An order of a hundred lines with short descriptions takes a fifth of that.
const MAX_BODY: usize = 64 * 1024;
/// How long a request may take. Everything that a request waits for has a shorter limit of its own; this one is a safety net.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Caches must not store the answer.
const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// What the routes share.
pub struct App {
    broker: Arc<dyn Broker>,
    ingress: Ingress,
    shop: Shop,
    recent: RecentOrders,
    readiness: health::Cache,
    /// Set during shutdown: then the gateway is not ready, and each connection closes after its present answer.
    pub(crate) leaving: Arc<AtomicBool>,
    /// The latest events, and the clients that watch them.
    pub(crate) hub: Arc<Hub>,
    lookup: Arc<Lookup>,
    board: Arc<Board>,
    access: Access,
    public_metrics: bool,
    /// The trusted proxies.
    pub(crate) proxies: Proxies,
    rates: Rates,
    /// Open streams of each client.
    streams: ClientPermits,
    /// Keys for visitors who are not operators. Without them, only operators can read orders.
    keys: Option<OrderKeys>,
    callbacks: Option<Callbacks>,
    stubs: Stubs,
    load: Load,
    files: web::Files,
    ui: UiConfig,
    tile_source: Option<String>,
}

impl App {
    /// An application that listens on `address`, publishes orders through `broker` and calls Restate through `ingress`.
    pub fn new(
        broker: impl Broker,
        ingress: Ingress,
        options: &Options,
        address: IpAddr,
    ) -> Result<Self, Error> {
        let broker: Arc<dyn Broker> = Arc::new(broker);
        let hub = Arc::new(Hub::default());
        let tokens = (options.operator_tokens.iter())
            .map(|token| Token::parse(token.expose_secret()).ok_or(Error::OperatorToken))
            .collect::<Result<_, _>>()?;
        let tile_source = match options.web_ui.tile_url.as_deref() {
            None | Some("") => None,
            Some(url) => Some(web::tile_source(url).ok_or_else(|| Error::TileUrl(url.to_owned()))?),
        };
        let secrets: Vec<&[u8]> = (options.order_links_secrets.iter())
            .map(|secret| secret.expose_secret().as_bytes())
            .collect();
        let keys = match &secrets[..] {
            [] => None,
            secrets => Some(OrderKeys::new(secrets).ok_or(Error::OrderLinksSecret)?),
        };
        let edge = &options.edge;
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Ok(Self {
            lookup: Arc::new(Lookup::new(Arc::clone(&hub), ingress.clone())),
            board: Arc::new(Board::new(Arc::clone(&hub))),
            hub,
            load: Load::new(Arc::clone(&broker)),
            broker,
            ingress,
            shop: Shop::open(),
            recent: RecentOrders::default(),
            readiness: health::Cache::default(),
            leaving: Arc::default(),
            access: Access::new(tokens, edge.neighbours(address)),
            public_metrics: edge.public_metrics,
            proxies: Proxies::new(edge.trusted_proxies.clone(), edge.client_address_header),
            rates: Rates::new(edge),
            streams: ClientPermits::new(edge.streams_per_client),
            keys,
            callbacks: options.callbacks.clone(),
            stubs: Stubs::new(&options.stubs)?,
            files: web::Files::new(options.web_ui.files.as_deref()),
            ui: UiConfig {
                restate_ui: some(&options.restate_ui),
                tile_url: some(&options.web_ui.tile_url),
                tile_attribution: some(&options.web_ui.tile_attribution),
            },
            tile_source,
        })
    }
}

/// All routes of the gateway.
///
/// Every error is a problem document, also for an unknown path, a wrong method or a panic.
pub fn router(app: App) -> Router {
    let security = Arc::new(web::security_headers(app.tile_source.as_deref()));
    let leaving = Arc::clone(&app.leaving);
    let app = Arc::new(app);
    let (routes, document) = OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(order_ids::make))
        .routes(routes!(orders::place))
        .routes(routes!(orders::status))
        .routes(routes!(orders::cancel))
        .routes(routes!(callbacks::order_is_ready))
        .routes(routes!(events::of_order))
        .routes(routes!(events::of_operations))
        .routes(routes!(operations::replay))
        .routes(routes!(operations::get_faults, operations::put_faults))
        .routes(routes!(operations::get_load, operations::put_load))
        .routes(routes!(operations::begin_session))
        .routes(routes!(restaurants::list))
        .routes(routes!(restaurants::one))
        .routes(routes!(web::config))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::document))
        .routes(routes!(asyncapi::topics))
        .routes(routes!(asyncapi::schema))
        .with_state(Arc::clone(&app))
        .split_for_parts();
    let document = openapi::with_common_answers(document);
    let guarded = Arc::clone(&app);
    let metrics = telemetry::http::metrics_route();
    let metrics = if app.public_metrics {
        metrics
    } else {
        metrics.layer(middleware::from_fn(guard::operators))
    };
    routes
        .route("/metrics", metrics)
        .layer(openapi::layer(&document))
        .fallback(move |request: Request| {
            let app = Arc::clone(&app);
            async move { app.files.answer(request).await }
        })
        .method_not_allowed_fallback(|request: Request| async move {
            Problem::method_not_allowed(request.method(), request.uri().path())
        })
        // A page of any site may send a request without a body without asking the gateway; it is recognised by its origin.
        .layer(CsrfLayer::new().with_rejection_response(|_| cross_site()))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(guarded, guard::visitors))
        .layer(middleware::from_fn(limit_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(telemetry::http::observe_and_begin))
        .layer(middleware::map_response(move |mut response: Response| {
            for (name, value) in security.iter() {
                response.headers_mut().insert(name, value.clone());
            }
            if leaving.load(Ordering::Relaxed) {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            std::future::ready(response)
        }))
}

fn cross_site() -> Response {
    Problem::new(
        kind::CROSS_SITE,
        "a page of another site sent this request: use this gateway's web UI, or a client that is not a browser. If this is the web UI \
         behind a proxy, the proxy must pass on the header host as the browser sent it",
    )
    .into_response()
}

async fn limit_time(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = tokio::time::timeout(REQUEST_LIMIT, next.run(request));
    answer.await.unwrap_or_else(|_| {
        tracing::warn!(path, limit = ?REQUEST_LIMIT, "a request took too long");
        let detail = "the request took too long and may or may not have been carried out: check the result, or try again";
        later(kind::UNAVAILABLE, detail).into_response()
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
    let detail = "this is a bug in the gateway; its log has the details";
    Problem::new(kind::INTERNAL, detail).into_response()
}
