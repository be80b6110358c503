//! W3C trace contexts: reading, writing, the current one.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the header, and of the order event's field, that contains a trace context.
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

/// A reference to a span in any process, as in W3C's `traceparent` (<https://www.w3.org/TR/trace-context/#traceparent-header>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

/// The error for a text that is not a `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a W3C traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)]
pub struct InvalidTraceParent;

impl FromStr for TraceParent {
    type Err = InvalidTraceParent;

    fn from_str(text: &str) -> Result<Self, InvalidTraceParent> {
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
        parse().ok_or(InvalidTraceParent)
    }
}

/// `text`, if it consists of `length` lower-case hexadecimal digits.
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
    /// The span of the durable invocation `id` in the trace of this span.
    ///
    /// It is derived from the trace and the id, because it is stored in the journal and a replay must produce the same span.
    #[must_use]
    pub fn of_invocation(self, id: &str) -> Self {
        Self {
            span_id: SpanId::from(hash(id, 0).max(1)),
            ..self
        }
    }

    /// A new trace that starts with the durable invocation `id`; its first span has no parent.
    #[must_use]
    pub fn begun_by_invocation(id: &str) -> Self {
        let trace_id = (u128::from(hash(id, 1)) << 64) | u128::from(hash(id, 2));
        Self {
            trace_id: TraceId::from(trace_id.max(1)),
            span_id: SpanId::from(hash(id, 0).max(1)),
            flags: TraceFlags::SAMPLED,
        }
    }

    /// The trace id, which log lines contain.
    #[must_use]
    pub fn trace_id(self) -> TraceId {
        self.trace_id
    }

    /// Whether the spans of this trace are exported.
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

/// The current span, if it belongs to a sampled trace.
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

/// Makes `span`, which must not have been entered yet, a child of `parent`. With `id`, the span gets that id.
pub(crate) fn adopt(span: &Span, parent: Option<TraceParent>, id: Option<TraceParent>) {
    let context = match (parent, id) {
        (Some(parent), _) => Context::new().with_remote_span_context(parent.span_context()),
        (None, _) => Context::new(),
    };
    // This fails only if spans are not exported.
    let _ = span.set_parent(context);
    if let Some(id) = id {
        NEXT_IDS.set(Some(id));
        // Requesting the context starts the span.
        let _ = span.context();
        NEXT_IDS.set(None);
    }
}

thread_local! {
    /// The ids for the next span.
    static NEXT_IDS: Cell<Option<TraceParent>> = const { Cell::new(None) };
}

/// Generates random ids, except for spans whose id is determined in advance.
#[derive(Debug, Default)]
pub(crate) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        NEXT_IDS
            .get()
            .map_or_else(|| self.0.new_trace_id(), |wanted| wanted.trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT_IDS
            .get()
            .map_or_else(|| self.0.new_span_id(), |wanted| wanted.span_id)
    }
}

/// FNV-1a. Journals contain its results, so it must never change.
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
    fn a_traceparent_survives_a_round_trip_and_invalid_ones_are_refused() {
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
            assert_eq!(bad.parse::<TraceParent>(), Err(InvalidTraceParent), "{bad}");
        }
    }

    /// Journals contain these values: a different value would fail replays.
    #[test]
    fn the_span_of_an_invocation_never_changes() {
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
