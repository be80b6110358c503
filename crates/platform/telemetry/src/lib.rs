//! Logs, traces and metrics of every part of the system.
//!
//! | file | what it holds |
//! |---|---|
//! | `logs.rs` | how lines look |
//! | [`trace`] | W3C trace contexts: reading, writing, the one the running code is in |
//! | [`span`] | one function for each kind of span, with the names of OpenTelemetry's semantic conventions |
//! | `export.rs` | the way of spans to a collector |
//! | [`metrics`] | counters, gauges and histograms with bounded labels, and `GET /metrics` |
//! | [`http`] | what every HTTP server and client of the system does: spans, metrics, `traceparent` |
//!
//! Traces are off unless an OTLP endpoint is given; then nothing here starts a span for them. Metrics are always on.

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

/// How a part logs, and where its traces go.
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
    /// Send traces to this OpenTelemetry collector, by OTLP over HTTP (port 4318 by custom); without it there are none.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL",
        global = true
    )]
    pub otlp_endpoint: Option<String>,
}

impl Options {
    /// The collector, if traces are wanted. Without a slash at its end.
    #[must_use]
    pub fn collector(&self) -> Option<&str> {
        let endpoint = self.otlp_endpoint.as_deref()?.trim().trim_end_matches('/');
        (!endpoint.is_empty()).then_some(endpoint)
    }
}

/// Sends what is still to be sent when it is dropped.
#[derive(Debug)]
#[must_use = "traces end when this is dropped"]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // A collector that is gone does not keep the process from ending.
            let _ = provider.shutdown_with_timeout(export::FLUSH_WITHIN);
        }
    }
}

/// Starts logging to standard error and, if the options name a collector, tracing as `service`.
///
/// `quiet` is asked last whether a line is to be written: durable services are silent while they replay.
///
/// Call once, first thing and outside of an async runtime; a second call changes nothing.
///
/// # Errors
/// If the collector's address is none.
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
    // One combined filter, so that what the first part refuses costs nothing: the other one says nothing about levels, and on
    // its own would have every trace event of every library made before it is thrown away.
    let lines = logs::layer(options.log_json).with_filter(filter.and(quiet));
    let spans = provider.as_ref().map(|provider| {
        export::layer(provider).with_filter(filter_fn(|meta| {
            meta.is_span() && meta.target() == span::TARGET
        }))
    });
    // Two ways to begin, as an absent layer would still be asked about every event.
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
