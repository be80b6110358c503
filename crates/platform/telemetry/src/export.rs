//! Exports spans to a collector.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData};
use reqwest::blocking::Client;
use reqwest::redirect;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use crate::{span, trace};

/// The timeout for exporting a batch of spans; OpenTelemetry's default.
const EXPORT_WITHIN: Duration = Duration::from_secs(10);
/// The timeout for exporting the remaining spans on shutdown.
pub(crate) const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// Why traces cannot be exported.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot send traces to {collector}: {source}; --otlp-endpoint must be a URL such as http://127.0.0.1:4318"
)]
pub struct Error {
    collector: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Exports the spans of `service` to `collector` in batches, on a separate thread.
///
/// `OTEL_TRACES_SAMPLER` configures sampling; by default, a span is sampled unless its parent is not.
pub(crate) fn provider(service: &str, collector: &str) -> Result<SdkTracerProvider, Error> {
    let failed = |source| Error {
        collector: collector.to_owned(),
        source,
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client().map_err(|error| failed(error.into()))?)
        .with_endpoint(format!("{collector}/v1/traces"))
        .build()
        .map_err(|error| failed(error.into()))?;
    let resource = Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new("service.namespace", "food-ordering"))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_id_generator(trace::Ids::default())
        .with_resource(resource)
        .with_batch_exporter(WithoutIdle(exporter))
        .build())
}

/// A client that connects to the collector directly and follows no redirects. The exporter itself limits responses to 4 MiB.
fn client() -> reqwest::Result<Client> {
    let make = || {
        #[expect(
            clippy::disallowed_methods,
            reason = "the exporter runs on a separate thread, where it may block"
        )]
        Client::builder()
            .timeout(EXPORT_WITHIN)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(upstream::http::tls())
            .build()
    };
    // A blocking client cannot be created on a thread that runs async code.
    std::thread::scope(|scope| match scope.spawn(make).join() {
        Ok(client) => client,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// The layer that converts the spans of [`span`] into OpenTelemetry spans.
pub(crate) fn layer<S>(provider: &SdkTracerProvider) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: tracing::Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    tracing_opentelemetry::layer()
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_tracer(provider.tracer("food-ordering"))
}

/// Drops the spans of attempts that did nothing new: they only repeat earlier attempts.
#[derive(Debug)]
struct WithoutIdle(SpanExporter);

impl opentelemetry_sdk::trace::SpanExporter for WithoutIdle {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        batch.retain(|span| !span::is_idle(&span.attributes));
        if batch.is_empty() {
            return Ok(());
        }
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
