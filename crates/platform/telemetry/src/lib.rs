//! Logs, traces and metrics of every part of the system.
//!
//! | file | contents |
//! |---|---|
//! | `logs.rs` | the format of log lines |
//! | [`trace`] | W3C trace contexts: reading, writing, the current one |
//! | [`span`] | one function for each kind of span, with the names of OpenTelemetry's semantic conventions |
//! | `export.rs` | exporting spans to a collector |
//! | [`metrics`] | counters, gauges and histograms with bounded labels, and `GET /metrics` |
//! | [`http`] | spans, metrics and `traceparent` headers for HTTP servers and clients |
//!
//! Traces are disabled, and no spans are created for them, unless an OTLP endpoint is given. Metrics are always enabled.

mod export;
pub mod http;
mod logs;
pub mod metrics;
pub mod span;
pub mod trace;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{EnvFilter, FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

pub use export::Error;

/// Settings for logs and traces.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// What to log, as a `tracing` filter: a level, or levels by module (`info,delivery=debug`).
    #[arg(
        long = "log",
        env = "FOOD_ORDERING_LOG",
        default_value = "info",
        global = true
    )]
    pub filter: String,
    /// Log one JSON object per line.
    #[arg(long, env = "FOOD_ORDERING_LOG_JSON", global = true)]
    pub log_json: bool,
    /// Send traces to this OpenTelemetry collector, by OTLP over HTTP (usually port 4318); without it, tracing is disabled.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL",
        global = true
    )]
    pub otlp_endpoint: Option<String>,
}

impl Options {
    /// The collector's URL without a trailing slash, if traces are enabled.
    #[must_use]
    pub fn collector(&self) -> Option<&str> {
        let endpoint = self.otlp_endpoint.as_deref()?.trim().trim_end_matches('/');
        (!endpoint.is_empty()).then_some(endpoint)
    }
}

/// Exports the remaining spans on drop.
#[derive(Debug)]
#[must_use = "traces end when this is dropped"]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // An unreachable collector must not keep the process from ending.
            let _ = provider.shutdown_with_timeout(export::FLUSH_WITHIN);
        }
    }
}

/// Starts logging to standard error and, if the options name a collector, tracing as `service`.
///
/// `quiet` can suppress further log lines: durable services log nothing during a replay.
///
/// Call this once, at the start of the process and outside an async runtime; a second call changes nothing.
///
/// # Errors
/// If the collector's URL is invalid.
pub fn init(
    service: &str,
    options: &Options,
    quiet: impl Filter<Registry> + Send + Sync + 'static,
) -> Result<Telemetry, Error> {
    let provider = match options.collector() {
        Some(collector) => Some(export::provider(service, collector)?),
        None => None,
    };
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(&options.filter);
    // One combined filter, so that events below the log level cost nothing: `quiet` has no maximum level, so with a filter of its own
    // every trace event of every library would be created and then dropped.
    let lines = logs::layer(options.log_json).with_filter(filter.and(quiet));
    let spans = provider.as_ref().map(|provider| {
        export::layer(provider).with_filter(filter_fn(|meta| {
            meta.is_span() && meta.target() == span::TARGET
        }))
    });
    // Two branches, since an absent layer would still process every event.
    let started = match spans {
        Some(spans) => tracing_subscriber::registry()
            .with(lines)
            .with(spans)
            .try_init(),
        None => tracing_subscriber::registry().with(lines).try_init(),
    };
    match started {
        Ok(()) if provider.is_some() => trace::enable(),
        Ok(()) => {}
        Err(error) => tracing::debug!("logging was started before: {error}"),
    }
    Ok(Telemetry(provider))
}
