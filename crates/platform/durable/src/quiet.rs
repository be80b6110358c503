//! The log lines that are suppressed.

use std::fmt::Debug;

use restate_sdk::filter::ReplayAwareFilter;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

/// Drops the log lines of durable services during a replay, and the SDK's warnings about suspended invocations, since suspensions
/// are normal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl<S: Subscriber + for<'lookup> LookupSpan<'lookup>> Filter<S> for Quiet {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        if event
            .metadata()
            .target()
            .starts_with("restate_sdk::endpoint")
        {
            let mut seen = Suspension(false);
            event.record(&mut seen);
            if seen.0 {
                return false;
            }
        }
        ReplayAwareFilter.event_enabled(event, context)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        ReplayAwareFilter.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        ReplayAwareFilter.on_record(id, values, context);
    }
}

struct Suspension(bool);

impl Visit for Suspension {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0 |= format!("{value:?}").contains("Suspended invocation");
    }
}
