//! W3C trace contexts: reading, writing, the one the running code is in.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header, and field of an order event, in which a trace context travels.
pub const TRACEPARENT: &str = "traceparent";

static ENABLED: AtomicBool = AtomicBool::new(false);

pub(crate) fn enable() {
    ENABLED.store(true, Ordering::Relaxed);
}

/// Whether this process sends traces to a collector.
#[must_use]
pub fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// A span of any process, as W3C's `traceparent` names it (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

/// A text that is no `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a W3C traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)]
pub struct NoTraceParent;

impl FromStr for TraceParent {
    type Err = NoTraceParent;

    fn from_str(text: &str) -> Result<Self, NoTraceParent> {
        let parse = || {
            let [version, trace_id, span_id, flags]: [&str; 4] =
                text.split('-').collect::<Vec<_>>().try_into().ok()?;
            let found = Self {
                trace_id: TraceId::from_hex(hex(trace_id, 32)?).ok()?,
                span_id: SpanId::from_hex(hex(span_id, 16)?).ok()?,
                flags: TraceFlags::new(u8::from_str_radix(hex(flags, 2)?, 16).ok()?),
            };
            let is_valid = version == "00"
                && found.trace_id != TraceId::INVALID
                && found.span_id != SpanId::INVALID;
            is_valid.then_some(found)
        };
        parse().ok_or(NoTraceParent)
    }
}

/// `text`, if it is as long and all lower-case hexadecimal digits.
fn hex(text: &str, length: usize) -> Option<&str> {
    let is_hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == length && text.bytes().all(is_hex)).then_some(text)
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{}-{}-{:02x}",
            self.trace_id,
            self.span_id,
            self.flags.to_u8()
        )
    }
}

impl TraceParent {
    /// The span that stands for the durable invocation `id` in this one's trace.
    ///
    /// It follows from both, so that a replay names the same one: the journal holds it.
    #[must_use]
    pub fn of_invocation(self, id: &str) -> Self {
        Self {
            span_id: SpanId::from(hash(id, 0).max(1)),
            ..self
        }
    }

    /// A trace that begins with the durable invocation `id`; its first span has no parent.
    #[must_use]
    pub fn begun_by_invocation(id: &str) -> Self {
        let trace_id = (u128::from(hash(id, 1)) << 64) | u128::from(hash(id, 2));
        Self {
            trace_id: TraceId::from(trace_id.max(1)),
            span_id: SpanId::from(hash(id, 0).max(1)),
            flags: TraceFlags::SAMPLED,
        }
    }

    /// The trace's id, as logs name it.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        self.trace_id
    }

    /// Whether the spans of this trace are to be kept.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self.flags.is_sampled()
    }

    pub(crate) fn span_context(self) -> SpanContext {
        SpanContext::new(
            self.trace_id,
            self.span_id,
            self.flags,
            true,
            TraceState::default(),
        )
    }

    fn of(span: &SpanContext) -> Self {
        Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            flags: span.trace_flags(),
        }
    }
}

/// The span that the running code is in, if it belongs to a trace that is kept.
#[must_use]
pub fn current() -> Option<TraceParent> {
    if !is_enabled() {
        return None;
    }
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        (span.is_valid() && span.is_sampled()).then(|| TraceParent::of(span))
    })
}

/// Makes `span`, which nobody has entered yet, a child of `parent`. With `id`, it is that very span.
pub(crate) fn adopt(span: &Span, parent: Option<TraceParent>, id: Option<TraceParent>) {
    let context = match (parent, id) {
        (Some(parent), _) => Context::new().with_remote_span_context(parent.span_context()),
        (None, _) => Context::new(),
    };
    // An error means that spans are not exported.
    let _ = span.set_parent(context);
    if let Some(id) = id {
        WANTED.set(Some(id));
        // Asking for its context starts it.
        let _ = span.context();
        WANTED.set(None);
    }
}

thread_local! {
    /// Which ids the next span is to have.
    static WANTED: Cell<Option<TraceParent>> = const { Cell::new(None) };
}

/// Random ids, except for spans that are named before they begin.
#[derive(Debug, Default)]
pub(crate) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        WANTED
            .get()
            .map_or_else(|| self.0.new_trace_id(), |wanted| wanted.trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        WANTED
            .get()
            .map_or_else(|| self.0.new_span_id(), |wanted| wanted.span_id)
    }
}

/// FNV-1a. Its values are in journals, so it must never change.
fn hash(text: &str, seed: u8) -> u64 {
    std::iter::once(seed)
        .chain(text.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_survives_reading_and_writing_and_nothing_else_is_one() {
        assert_eq!(PARENT.parse::<TraceParent>().unwrap().to_string(), PARENT);
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NoTraceParent), "{bad}");
        }
    }

    /// Journals hold these: another value would be another command on replay.
    #[test]
    fn the_span_of_an_invocation_is_the_same_for_ever() {
        let parent: TraceParent = PARENT.parse().unwrap();
        assert_eq!(
            parent.of_invocation("inv_1abc").to_string(),
            "00-0af7651916cd43dd8448eb211c80319c-263d3ffad8de144a-01"
        );
        assert_eq!(
            TraceParent::begun_by_invocation("inv_1abc").to_string(),
            "00-062a1f8590e5ae6d16dbef60c46d7494-263d3ffad8de144a-01"
        );
        assert_ne!(
            parent.of_invocation("inv_1abc"),
            parent.of_invocation("inv_1abd")
        );
    }
}
