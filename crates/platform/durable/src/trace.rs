//! The trace an invocation belongs to, and handing it on.

use std::cell::Cell;

use restate_sdk::context::{
    Context, ObjectContext, Request, SharedObjectContext, SharedWorkflowContext, WorkflowContext,
};
use restate_sdk::prelude::HeaderMap;
use serde::{Deserialize, Serialize};
use telemetry::span;
use telemetry::trace::{TRACEPARENT, TraceParent, is_enabled};
use tracing::Span;

/// The trace that what a handler does belongs to, if it belongs to one: the span of its invocation.
///
/// It follows from the invocation's id and what it was called with, never from the clock or the attempt, so it may be sent,
/// stored and replayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<String>", into = "Option<String>")]
pub struct Trace(Option<TraceParent>);

impl Trace {
    /// The trace of who called or sent this invocation.
    pub fn of(context: &impl Invocation) -> Self {
        let caller = context.headers().get(TRACEPARENT);
        Self(
            caller
                .and_then(|text| text.parse::<TraceParent>().ok())
                .map(|caller| caller.of_invocation(context.invocation_id())),
        )
    }

    /// The trace of who called or sent this invocation, else that of the order event it works on.
    pub fn of_order(context: &impl Invocation, traceparent: Option<&str>) -> Self {
        let of_event = || {
            let event = traceparent.and_then(|text| text.parse::<TraceParent>().ok());
            event.map(|event| event.of_invocation(context.invocation_id()))
        };
        Self(Self::of(context).0.or_else(of_event))
    }

    /// The same, or a trace that begins here where there is none and traces are wanted.
    ///
    /// Whether they are wanted is a setting of the process, so this is for a handler that is done in one go: a replay under
    /// another setting would do something else than the journal says.
    #[must_use]
    pub fn or_begun_by(self, context: &impl Invocation) -> Self {
        let begun =
            || is_enabled().then(|| TraceParent::begun_by_invocation(context.invocation_id()));
        Self(self.0.or_else(begun))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The invocation's span in this trace, which it has found only while it ran, and what it is to hand on.
    ///
    /// For work on what belongs to this trace that somebody outside of it has set off.
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
    /// A context that cannot be read is none: it is a help, never a reason to fail.
    fn from(text: Option<String>) -> Self {
        Self(text.and_then(|text| text.parse().ok()))
    }
}

impl From<Trace> for Option<String> {
    fn from(trace: Trace) -> Self {
        trace.0.map(|trace| trace.to_string())
    }
}

/// The trace context that an order event brings, also one that is otherwise no order.
#[must_use]
pub fn traceparent_in(event: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Event {
        traceparent: Option<String>,
    }
    serde_json::from_slice::<Event>(event).ok()?.traceparent
}

thread_local! {
    /// Whether the attempt that runs on this thread goes on with what another one has begun.
    static RESUMED: Cell<bool> = const { Cell::new(false) };
}

/// Says so while `poll` runs.
pub(crate) fn resumed<T>(is_resumed: bool, poll: impl FnOnce() -> T) -> T {
    let before = RESUMED.replace(is_resumed);
    let polled = poll();
    RESUMED.set(before);
    polled
}

/// What is known of an invocation by its context.
pub trait Invocation {
    /// Its id.
    fn invocation_id(&self) -> &str;
    /// What it was called with besides its input.
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

/// A call or send that tells which trace it belongs to.
pub trait Traced {
    /// Hands `trace` on, if there is one.
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
