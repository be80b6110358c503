//! One function for each kind of span, with the names of OpenTelemetry's semantic conventions
//! (<https://opentelemetry.io/docs/specs/semconv/>).
//!
//! Only [`server`] and an order event without a trace begin a trace. The others are no spans at all where the running code
//! belongs to none, so that what happens all the time, such as a driver's report of a place, is not traced.

use opentelemetry::KeyValue;
use opentelemetry::trace::Status;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::trace::{TraceParent, adopt, current, is_enabled};

/// The target of all spans made here: by it they are told from those of libraries.
pub(crate) const TARGET: &str = "telemetry::span";

/// The attribute of an attempt that did nothing new.
const IDLE: &str = "food_ordering.idle";

pub(crate) fn is_idle(attributes: &[KeyValue]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.key.as_str() == IDLE)
}

/// A request that an HTTP server answers. Begins a trace if it comes without one and `begins` is set.
///
/// Where traces are off, or not wanted, it still tells the lines of the log the caller's trace, if there is one.
#[must_use]
pub fn server(method: &str, route: &str, parent: Option<TraceParent>, begins: bool) -> Span {
    let is_traced = is_enabled() && (begins || parent.is_some());
    if !is_traced {
        return parent.map_or_else(
            Span::none,
            |parent| info_span!(target: "telemetry", "request", trace_id = %parent.trace_id()),
        );
    }
    let span = info_span!(
        target: TARGET,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        trace_id = tracing::field::Empty,
    );
    adopt(&span, parent, None);
    span.set_attribute("http.request.method", method.to_owned());
    span.set_attribute("http.route", route.to_owned());
    let begun = span.in_scope(current);
    if let Some(trace) = begun.or(parent) {
        span.record("trace_id", tracing::field::display(trace.trace_id()));
    }
    span
}

/// A request that is sent to another HTTP server; `template` is its path without what is in it of ids.
#[must_use]
pub fn client(method: &str, template: &str, url: &str) -> Span {
    let Some(_) = current() else {
        return Span::none();
    };
    let span = info_span!(
        target: TARGET,
        "call",
        otel.name = format!("{method} {template}"),
        otel.kind = "client",
    );
    span.set_attribute("http.request.method", method.to_owned());
    span.set_attribute("url.template", template.to_owned());
    span.set_attribute("url.full", url.to_owned());
    if let Some((host, port)) = authority(url) {
        span.set_attribute("server.address", host.to_owned());
        span.set_attribute("server.port", i64::from(port));
    }
    span
}

/// Host and port of `http://host:port/…`.
fn authority(url: &str) -> Option<(&str, u16)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let (host, port) = authority.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}

/// Says what an HTTP server answered; for `server` and `client` spans. Nothing (`None`) is an error too.
pub fn answered(span: &Span, status: Option<u16>) {
    if span.is_none() {
        return;
    }
    if let Some(status) = status {
        span.set_attribute("http.response.status_code", i64::from(status));
    }
    if status.is_none_or(|status| status >= 500) {
        failed(span, "no answer, or an error of the server");
    }
}

/// Marks a span as failed.
pub fn failed(span: &Span, why: &str) {
    span.set_status(Status::error(why.to_owned()));
}

/// A record on its way to Kafka.
#[must_use]
pub fn producer(topic: &str, key: Option<&[u8]>) -> Span {
    let Some(_) = current() else {
        return Span::none();
    };
    let span = info_span!(
        target: TARGET,
        "send",
        otel.name = format!("send {topic}"),
        otel.kind = "producer",
    );
    messaging(&span, "send", topic);
    if let Some(key) = key.and_then(|key| std::str::from_utf8(key).ok()) {
        span.set_attribute("messaging.kafka.message.key", key.to_owned());
    }
    span
}

/// A record of Kafka that is worked on, in the trace of who sent it.
#[must_use]
pub fn consumer(topic: &str, partition: i32, offset: i64, parent: TraceParent) -> Span {
    if !is_enabled() {
        return Span::none();
    }
    let span = info_span!(
        target: TARGET,
        "process",
        otel.name = format!("process {topic}"),
        otel.kind = "consumer",
    );
    adopt(&span, Some(parent), None);
    messaging(&span, "process", topic);
    span.set_attribute("messaging.destination.partition.id", partition.to_string());
    span.set_attribute("messaging.kafka.offset", offset);
    span
}

fn messaging(span: &Span, operation: &'static str, topic: &str) {
    span.set_attribute("messaging.system", "kafka");
    span.set_attribute("messaging.destination.name", topic.to_owned());
    span.set_attribute("messaging.operation.type", operation);
    span.set_attribute("messaging.operation.name", operation);
}

/// Something inside a part that is worth a span of its own, in the trace of `parent`.
#[must_use]
pub fn internal(name: &str, parent: TraceParent) -> Span {
    if !is_enabled() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, "work", otel.name = name, otel.kind = "internal");
    adopt(&span, Some(parent), None);
    span
}

/// The span `own` of an invocation that found out while it ran that it belongs to the trace of `parent`; in a later attempt a
/// child of it.
#[must_use]
pub fn joined(name: &str, parent: TraceParent, own: TraceParent, is_resumed: bool) -> Span {
    if !is_enabled() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, "join", otel.name = name, otel.kind = "server");
    if is_resumed {
        adopt(&span, Some(own), None);
    } else {
        adopt(&span, Some(parent), Some(own));
    }
    span.set_attribute("restate.attempt.is_resumed", is_resumed);
    span
}

/// An attempt to work on a durable invocation.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The service.
    pub service: &'a str,
    /// The handler.
    pub handler: &'a str,
    /// The object's key, empty for services without.
    pub key: &'a str,
    /// Whether the key is an order's id.
    pub key_is_order: bool,
    /// The invocation's id.
    pub invocation: &'a str,
    /// Whether something of it was done before.
    pub is_resumed: bool,
    /// How often it was tried since something was done last.
    pub retries: u64,
    /// Whether a record of Kafka asks for it.
    pub from_kafka: bool,
    /// Who asks for it.
    pub parent: Option<TraceParent>,
    /// The span that stands for the invocation; `None` where it is not traced.
    pub own: Option<TraceParent>,
    /// The runtime's own span of this attempt.
    pub runtime: Option<TraceParent>,
}

/// The span of an attempt. Where it is not traced, it still tells the lines of the log what they are about.
///
/// The first attempt is the span that others name as the invocation's. A later one is a child of it.
#[must_use]
pub fn attempt(attempt: &Attempt<'_>) -> Span {
    let is_traced = is_enabled() && attempt.own.is_some_and(TraceParent::is_sampled);
    let trace_id = attempt
        .own
        .map(|own| tracing::field::display(own.trace_id()));
    let order_id = Some(attempt.key).filter(|key| attempt.key_is_order && !key.is_empty());
    let key = Some(attempt.key).filter(|key| !attempt.key_is_order && !key.is_empty());
    if !is_traced {
        return info_span!(
            target: "telemetry",
            "attempt",
            order_id,
            key,
            invocation_id = attempt.invocation,
            trace_id,
        );
    }
    let is_first = !attempt.is_resumed && attempt.retries == 0;
    let span = info_span!(
        target: TARGET,
        "attempt",
        otel.name = format!("{}/{}", attempt.service, attempt.handler),
        otel.kind = if attempt.from_kafka { "consumer" } else { "server" },
        order_id,
        key,
        invocation_id = attempt.invocation,
        trace_id,
    );
    if let Some(runtime) = attempt.runtime {
        span.add_link(runtime.span_context());
    }
    if is_first {
        adopt(&span, attempt.parent, attempt.own);
    } else {
        adopt(&span, attempt.own, None);
    }
    span.set_attribute("rpc.system", "restate");
    span.set_attribute("rpc.service", attempt.service.to_owned());
    span.set_attribute("rpc.method", attempt.handler.to_owned());
    span.set_attribute("restate.invocation.id", attempt.invocation.to_owned());
    span.set_attribute("restate.attempt.is_resumed", attempt.is_resumed);
    span.set_attribute(
        "restate.attempt.retries",
        i64::try_from(attempt.retries).unwrap_or(i64::MAX),
    );
    span
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The invocation has ended.
    Ended,
    /// It waits for something, and another attempt goes on then.
    Suspended,
    /// It failed and is tried again.
    Failed,
    /// The connection to the runtime was lost.
    CutOff,
}

/// Says how an attempt ended, and whether it did anything that no attempt before had done.
pub fn ended(span: &Span, outcome: Outcome, did_something: bool) {
    let name = match outcome {
        Outcome::Ended => "ended",
        Outcome::Suspended => "suspended",
        Outcome::Failed => "failed",
        Outcome::CutOff => "cut off",
    };
    span.set_attribute("restate.attempt.outcome", name);
    if matches!(outcome, Outcome::Failed | Outcome::CutOff) {
        failed(span, name);
    } else if !did_something {
        span.set_attribute(IDLE, true);
    }
}
