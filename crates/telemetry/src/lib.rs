//! Logs of every part of the system.

use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// How a part logs.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// What is logged, as a `tracing` filter: a level, or levels by module (`info,delivery=debug`).
    #[arg(
        long = "log",
        env = "FOOD_ORDERING_LOG",
        default_value = "info",
        global = true
    )]
    pub filter: String,
    /// Log one JSON object a line.
    #[arg(long, env = "FOOD_ORDERING_LOG_JSON", global = true)]
    pub log_json: bool,
}

/// Starts logging to standard error. Durable handlers are silent while they replay what was done before.
///
/// Call once, first thing; a second call changes nothing.
pub fn init(options: &Options) {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(&options.filter);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = if options.log_json {
        lines.json().boxed()
    } else {
        lines.with_ansi(false).boxed()
    };
    // One combined filter, so that what the first part refuses costs nothing: the other two say nothing about levels, and on
    // their own would have every trace event of every library made before it is thrown away.
    let filter = filter
        .and(NoSuspensions)
        .and(restate_sdk::filter::ReplayAwareFilter);
    let started = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
    if let Err(error) = started {
        tracing::debug!("logging was started before: {error}");
    }
}

/// Drops what the SDK warns of when an invocation is suspended: to the SDK the end of an attempt, here everyday life.
struct NoSuspensions;

impl<S: Subscriber> Filter<S> for NoSuspensions {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if !event
            .metadata()
            .target()
            .starts_with("restate_sdk::endpoint")
        {
            return true;
        }
        let mut seen = Suspension(false);
        event.record(&mut seen);
        !seen.0
    }
}

struct Suspension(bool);

impl Visit for Suspension {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0 |= format!("{value:?}").contains("Suspended invocation");
    }
}
