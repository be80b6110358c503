//! The format of log lines.

use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, fmt};

/// Writes to standard error, as text or as one JSON object per line.
pub(crate) fn layer<S>(json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let lines = fmt::layer().with_writer(std::io::stderr);
    if json {
        return lines.json().boxed();
    }
    // Omits fields that are only for the tracing library, which would make each line half as long again.
    let fields = debug_fn(|writer: &mut Writer<'_>, field, value| match field.name() {
        "message" => write!(writer, "{value:?}"),
        name if name.starts_with("otel.") => Ok(()),
        name => write!(writer, "{name}={value:?}"),
    });
    lines
        .with_ansi(false)
        .fmt_fields(fields.delimited(" "))
        .boxed()
}
