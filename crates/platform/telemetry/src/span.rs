//! One function for each kind of span, with the names of OpenTelemetry's semantic conventions
//! (<https://opentelemetry.io/docs/specs/semconv/>).
//!
//! Only [`server`], and an attempt for an order event without a trace context, start a trace. Outside a trace, the other functions
//! return a disabled span, so that frequent events, such as a driver's position reports, are not traced.

use opentelemetry::KeyValue;
use opentelemetry::trace::Status;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::trace::{TraceParent, adopt, current, is_enabled};

/// The target of all spans in this module, which distinguishes them from those of libraries.
pub(crate) const TARGET: &str = "telemetry::span";

/// The attribute of an attempt that did nothing new.
const IDLE: &str = "food_ordering.idle";

pub(crate) fn is_idle(attributes: &[KeyValue]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.key.as_str() == IDLE)
}

/// The span of a request to an HTTP server. Starts a trace if the request has no trace context and `begins` is set.
///
/// If the request is not traced, the span still adds the caller's trace id to log lines, if there is one.
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

/// The span of a request to another HTTP server; `template` is the path with placeholders for ids.
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

/// The host and port of `http://host:port/…`.
fn authority(url: &str) -> Option<(&str, u16)> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let (host, port) = authority.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}

/// Records the status of the response in a `server` or `client` span. No response (`None`) is an error.
pub fn answered(span: &Span, status: Option<u16>) {
    if span.is_none() {
        return;
    }
    if let Some(status) = status {
        span.set_attribute("http.response.status_code", i64::from(status));
    }
    if status.is_none_or(|status| status >= 500) {
        failed(span, "no response, or a server error");
    }
}

/// Marks a span as failed.
pub fn failed(span: &Span, why: &str) {
    span.set_status(Status::error(why.to_owned()));
}

/// The span of publishing a Kafka record.
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

/// The span of processing a Kafka record, in the trace of its producer.
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

/// The span of an internal operation, in the trace of `parent`.
#[must_use]
pub fn internal(name: &str, parent: TraceParent) -> Span {
    if !is_enabled() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, "work", otel.name = name, otel.kind = "internal");
    adopt(&span, Some(parent), None);
    span
}

/// The span `own` of an invocation that finds out only while it runs that it belongs to the trace of `parent`; in a later attempt, a
/// child of that span.
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

/// An attempt of a durable invocation.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The service.
    pub service: &'a str,
    /// The handler.
    pub handler: &'a str,
    /// The object's key; empty for services without keys.
    pub key: &'a str,
    /// Whether the key is an order id.
    pub key_is_order: bool,
    /// The invocation's id.
    pub invocation: &'a str,
    /// Whether an earlier attempt has added to the journal.
    pub is_resumed: bool,
    /// The number of retries since the last journal entry.
    pub retries: u64,
    /// Whether a Kafka record triggered the invocation.
    pub from_kafka: bool,
    /// The caller's span.
    pub parent: Option<TraceParent>,
    /// The invocation's span; `None` if it is not traced.
    pub own: Option<TraceParent>,
    /// Restate's own span of this attempt.
    pub runtime: Option<TraceParent>,
}

/// The span of an attempt. If it is not traced, the span still adds the order or key and the invocation to log lines.
///
/// The first attempt has the span id that other spans use for the invocation. Later attempts are children of it.
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
    /// The invocation ended.
    Ended,
    /// The invocation waits, and another attempt will continue it.
    Suspended,
    /// The attempt failed and will be retried.
    Failed,
    /// The connection to Restate was lost.
    CutOff,
}

/// Records how an attempt ended, and whether it did anything new.
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
