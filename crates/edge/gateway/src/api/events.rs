//! Streams of server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::OrderId;
use futures::Stream;
use tokio::sync::broadcast::error::RecvError;

use super::App;
use super::extract::{Operator, OrderInPath};
use super::orders::no_answer;
use super::problem::{Problem, kind, later, no_such_order};
use super::responses::{NamedOrder, Operators, problems};
use crate::edge::refusals;
use crate::edge::visitor::Visitor;
use crate::events::hub::{Admission, Watching};
use crate::events::sse::{CAUGHT_UP, OrderStream};
use crate::model::schema;

/// The longest time without a message, so that clients soon notice a dead connection, and proxies do not take a quiet one for
/// dead. The web UI gives a stream up after 12 s of silence (`webui/src/lib/sse`).
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Make proxies pass on each event at once. `no-transform` keeps them from compressing events, for which they would buffer some
/// (RFC 9111, section 5.2.2.6); the other header is nginx's own.
const PASSED_ON_AT_ONCE: [(&str, &str); 2] = [
    ("cache-control", "no-store, no-transform"),
    ("x-accel-buffering", "no"),
];

/// Watch an order
///
/// Server-sent events. First `snapshot`: the answer of `GET /api/orders/{orderId}` without `order`. Then `status` for each change,
/// a record of topic `order-status` as JSON, and `driver` with `driverId`, `lon`, `lat`, `timestamp` whenever the order's driver
/// has moved. The id of an event is the order's version: a client that reconnects with it in `Last-Event-ID` gets the changes
/// that it has missed, or a new snapshot if there were too many. A comment follows, and another one after every 5 seconds in which
/// nothing else is sent: it means that the client has everything up to then. Some seconds after the order's end comes `end`.
/// Nothing follows it, so the client should not reconnect.
#[utoipa::path(
    get,
    path = "/api/orders/{orderId}/events",
    operation_id = "watchOrder",
    tag = "orders",
    params(
        ("orderId" = schema::Id, Path, description = "The order's id."),
        ("order-key" = Option<String>, Header, description = "The order's key, which everyone but operators needs.", nullable = false),
        ("key" = Option<String>, Query, description = "The same, for clients that cannot send headers, such as `EventSource`.", nullable = false),
        ("last-event-id" = Option<u64>, Header, description = "The id of the last event received.", nullable = false),
    ),
    responses(
        (status = 200, description = "The events, until the order has ended.", body = String, content_type = "text/event-stream"),
        NamedOrder,
        OrderNotWatched,
    )
)]
pub(super) async fn of_order(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    OrderInPath(id): OrderInPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let permit = admit(&app, Watching::Order, visitor)?;
    let told = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    if !is_known(&app, &id) {
        app.hub.wait_until_caught_up().await;
    }
    if !is_known(&app, &id) {
        match app.lookup.ask(&id).await {
            Ok(1..) => {}
            _ if app.recent.contains(&id, Instant::now()) => {
                let lookup = Arc::clone(&app.lookup);
                return Ok(sse(OrderStream::of_new_order(lookup, id, permit).events()));
            }
            Ok(0) => return Err(no_such_order(&id)),
            Err(error) => return Err(no_answer(&error, "the order is not affected: try again")),
        }
    }
    let stream = OrderStream::new(Arc::clone(&app.lookup), id, told, permit);
    Ok(sse(stream.events()))
}

fn is_known(app: &App, id: &OrderId) -> bool {
    app.hub.read(|view| view.order(id).is_some())
}

/// Watch the system
///
/// Server-sent events, for operators. First `snapshot`: `now`, `regions`, `drivers`, `orders` by status, `deliveries`, `stuck`
/// orders, the newest `deadLetters`, `stages` with their times over the last five minutes, `throughput` in orders delivered per
/// second over the last minute. Then `tick` every second, of the same shape: the `drivers` that have changed, and all of every
/// other field that has changed; `driversGone` names drivers who have been silent for half an hour. A comment follows the snapshot.
#[utoipa::path(
    get,
    path = "/api/operations/events",
    operation_id = "watchOperations",
    tag = "operations",
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
        Operators,
        OperationsNotWatched,
    )
)]
pub(super) async fn of_operations(
    _: Operator,
    visitor: Visitor,
    State(app): State<Arc<App>>,
) -> Result<Response, Problem> {
    let permit = admit(&app, Watching::Operations, visitor)?;
    let (snapshot, ticks) = app.board.join();
    let first = Event::default()
        .event("snapshot")
        .data(snapshot)
        .comment(CAUGHT_UP);
    let events = futures::stream::unfold((Some(first), ticks), move |(first, mut ticks)| {
        let app = Arc::clone(&app);
        // Released when the stream ends.
        let _held = &permit;
        async move {
            if let Some(first) = first {
                return Some((Ok(first), (None, ticks)));
            }
            let tick = tokio::select! {
                tick = ticks.recv() => tick,
                () = app.hub.closed() => return None,
            };
            let event = match tick {
                Ok(tick) => Event::default().event("tick").data(&*tick),
                Err(RecvError::Lagged(_)) => {
                    let (snapshot, from_now_on) = app.board.join();
                    ticks = from_now_on;
                    Event::default().event("snapshot").data(snapshot)
                }
                Err(RecvError::Closed) => return None,
            };
            Some((Ok(event), (None, ticks)))
        }
    });
    Ok(sse(events))
}

fn admit(app: &App, what: Watching, visitor: Visitor) -> Result<Admission, Problem> {
    let permit = if visitor.is_operator() {
        None
    } else {
        let permit = app.streams.take(visitor.client).ok_or_else(|| {
            refusals::count("streams-of-client");
            let detail = "too many streams are open from your address: close some, or poll the order instead";
            later(kind::TOO_MANY_REQUESTS, detail)
        })?;
        Some(permit)
    };
    app.hub.admit(what, permit).ok_or_else(|| {
        refusals::count("streams");
        let detail =
            "too many clients are watching this gateway: try again, or poll the order instead";
        later(kind::UNAVAILABLE, detail)
    })
}

fn sse(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("heartbeat");
    let mut response = Sse::new(events).keep_alive(heartbeat).into_response();
    // Replaces the caching header that `Sse` sets.
    for (name, value) in PASSED_ON_AT_ONCE {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

problems! {
    /// An order cannot be watched.
    OrderNotWatched {
        503: "Restate does not answer, or too many clients are watching.",
    }
    /// The system cannot be watched.
    OperationsNotWatched {
        503: "Too many clients are watching.",
    }
}
