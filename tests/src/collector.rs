//! An OpenTelemetry collector that stores the spans it receives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A collector for OTLP over HTTP. It ends when this is dropped.
#[derive(Debug)]
pub struct Collector {
    url: String,
    spans: Spans,
    server: JoinHandle<()>,
}

type Spans = Arc<Mutex<Vec<Span>>>;

/// A received span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The part it comes from.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Its kind, such as `SPAN_KIND_SERVER`.
    pub kind: String,
    /// The id of its trace, in hexadecimal digits like the other ids.
    pub trace_id: String,
    /// Its own id.
    pub id: String,
    /// The id of its parent, or an empty string.
    pub parent: String,
    /// The trace ids of the spans that it is linked to.
    pub links: Vec<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    /// Starts one on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let spans = Spans::default();
        let app = Router::new()
            .route("/v1/traces", post(take))
            .with_state(spans.clone());
        let server = tokio::spawn(async move {
            // Ends only when the task is aborted.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, spans, server })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All spans received so far.
    ///
    /// # Panics
    /// If receiving spans has panicked.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().expect("the spans").clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(spans): State<Spans>, body: Bytes) -> StatusCode {
    match read(&body) {
        Ok(new) => {
            spans.lock().expect("the spans").extend(new);
            StatusCode::OK
        }
        Err(error) => {
            eprintln!("the collector received an invalid request: {error:#}");
            StatusCode::BAD_REQUEST
        }
    }
}

fn read(body: &[u8]) -> anyhow::Result<Vec<Span>> {
    let request = ExportTraceServiceRequest::decode(body).context("no OTLP")?;
    let mut found = Vec::new();
    for resource_spans in request.resource_spans {
        let resource = resource_spans.resource.context("no resource")?;
        let service = attributes(resource.attributes)
            .remove("service.name")
            .unwrap_or_default();
        let spans = (resource_spans.scope_spans.into_iter()).flat_map(|scope| scope.spans);
        found.extend(spans.map(|span| {
            Span {
                service: service.clone(),
                kind: SpanKind::try_from(span.kind)
                    .map_or("?", |kind| kind.as_str_name())
                    .to_owned(),
                trace_id: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
                attributes: attributes(span.attributes),
                name: span.name,
            }
        }));
    }
    Ok(found)
}

fn attributes(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes
        .into_iter()
        .map(|attribute| (attribute.key, text(attribute.value)))
        .collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is_so)) => is_so.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
