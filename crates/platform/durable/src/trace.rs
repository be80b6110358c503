//! The trace that an invocation belongs to, and propagating it.

use std::cell::Cell;

use restate_sdk::context::{
    Context, ObjectContext, Request, SharedObjectContext, SharedWorkflowContext, WorkflowContext,
};
use restate_sdk::prelude::HeaderMap;
use serde::{Deserialize, Serialize};
use telemetry::span;
use telemetry::trace::{TRACEPARENT, TraceParent, is_enabled};
use tracing::Span;

/// The trace context of an invocation, if it has one: the parent for whatever the handler does.
///
/// It depends only on the invocation's id and headers, never on the clock or the attempt, so it may be sent, stored and replayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub struct Trace(Option<TraceParent>);

impl Trace {
    /// The trace of the caller of this invocation.
    pub fn of(context: &impl Invocation) -> Self {
        let caller = context.headers().get(TRACEPARENT);
        Self(
            caller
                .and_then(|text| text.parse::<TraceParent>().ok())
                .map(|caller| caller.of_invocation(context.invocation_id())),
        )
    }

    /// The trace of the caller of this invocation, or else that of the order event that it handles.
    pub fn of_order(context: &impl Invocation, traceparent: Option<&str>) -> Self {
        let of_event = || {
            let event = traceparent.and_then(|text| text.parse::<TraceParent>().ok());
            event.map(|event| event.of_invocation(context.invocation_id()))
        };
        Self(Self::of(context).0.or_else(of_event))
    }

    /// This trace. Without one, a new trace if traces are enabled.
    ///
    /// Whether they are enabled is a setting of the process, so only a handler that is never replayed may call this: a replay with
    /// another setting would contradict the journal.
    #[must_use]
    pub fn or_begun_by(self, context: &impl Invocation) -> Self {
        let begun =
            || is_enabled().then(|| TraceParent::begun_by_invocation(context.invocation_id()));
        Self(self.0.or_else(begun))
    }

    /// Whether there is no trace.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Opens the invocation's span in this trace, and returns it with the context to propagate.
    ///
    /// For an invocation that was triggered outside this trace and learns only while it runs that it belongs to the trace.
    pub fn join(self, context: &impl Invocation, name: &str) -> (Self, Span) {
        let Some(parent) = self.0 else {
            return (self, Span::none());
        };
        let own = parent.of_invocation(context.invocation_id());
        (
            Self(Some(own)),
            span::joined(name, parent, own, RESUMED.get()),
        )
    }
}

impl From<Option<String>> for Trace {
    /// An invalid context counts as none: a trace is never a reason to fail.
    fn from(text: Option<String>) -> Self {
        Self(text.and_then(|text| text.parse().ok()))
    }
}

impl From<Trace> for Option<String> {
    fn from(trace: Trace) -> Self {
        trace.0.map(|trace| trace.to_string())
    }
}

/// The trace context in an order event, even if the event is otherwise invalid.
#[must_use]
pub fn traceparent_in(event: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Event {
        traceparent: Option<String>,
    }
    serde_json::from_slice::<Event>(event).ok()?.traceparent
}

thread_local! {
    /// Whether the attempt that runs on this thread continues an earlier one.
    static RESUMED: Cell<bool> = const { Cell::new(false) };
}

/// Sets [`RESUMED`] while `poll` runs.
pub(crate) fn resumed<T>(is_resumed: bool, poll: impl FnOnce() -> T) -> T {
    let before = RESUMED.replace(is_resumed);
    let polled = poll();
    RESUMED.set(before);
    polled
}

/// A context that gives access to its invocation's id and headers.
pub trait Invocation {
    /// The invocation's id.
    fn invocation_id(&self) -> &str;
    /// The headers of the call.
    fn headers(&self) -> &HeaderMap;
}

macro_rules! invocation {
    ($($context:ident),*) => {$(
        impl Invocation for $context<'_> {
            fn invocation_id(&self) -> &str {
                $context::invocation_id(self)
            }

            fn headers(&self) -> &HeaderMap {
                $context::headers(self)
            }
        }
    )*};
}

invocation!(
    Context,
    ObjectContext,
    SharedObjectContext,
    WorkflowContext,
    SharedWorkflowContext
);

/// A call or send that can carry a trace context.
pub trait Traced {
    /// Adds `trace` as a header, if there is one.
    #[must_use]
    fn traced(self, trace: Trace) -> Self;
}

impl<Req, Res> Traced for Request<'_, Req, Res> {
    fn traced(self, trace: Trace) -> Self {
        match trace.0 {
            Some(trace) => self.header(TRACEPARENT.to_owned(), trace.to_string()),
            None => self,
        }
    }
}
