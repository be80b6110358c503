//! Counters, gauges and histograms with bounded labels, and `GET /metrics`.
//!
//! A metric is a `static` next to the code that it measures. Label values are constants in the program or names of handlers, never
//! external input, so the number of series is bounded.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use axum::http::header;
use axum::response::IntoResponse;
use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

/// The media type of [`text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Histogram buckets for requests and other short operations, in seconds.
pub const FAST: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Histogram buckets for the stages of an order, in seconds.
pub const SLOW: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0,
];

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

pub(crate) fn register<M: Metric + Clone>(name: &str, help: &str, metric: &M) {
    REGISTRY.lock().register(name, help, metric.clone());
}

/// All metrics of this process as `OpenMetrics` text, which Prometheus reads.
#[must_use]
pub fn text() -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode(&mut text, &REGISTRY.lock());
    text
}

/// Handler of `GET /metrics`.
pub async fn get() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text())
}

type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// Metrics with one name and with labels. They are registered when the first of them is used.
#[derive(Debug)]
pub struct Labelled<M, const N: usize> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    make: fn() -> M,
    family: OnceLock<Family<Labels<N>, M>>,
}

/// Counters with labels. Their names get the suffix `_total` in the exposition.
pub type Counters<const N: usize> = Labelled<Counter, N>;
/// Gauges with labels.
pub type Gauges<const N: usize> = Labelled<Gauge, N>;
/// Histograms of durations, in seconds, with labels. Their names should end in `_seconds`.
pub type Times<const N: usize> = Labelled<Histogram, N>;

impl<M, const N: usize> Labelled<M, N> {
    /// Creates the metrics `name` with these label names. `make` creates each metric; for [`Times`] it is [`fast`] or [`slow`].
    #[must_use]
    pub const fn made_by(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        make: fn() -> M,
    ) -> Self {
        Self {
            name,
            help,
            labels,
            make,
            family: OnceLock::new(),
        }
    }
}

impl<M, const N: usize> Labelled<M, N>
where
    M: Clone,
    Family<Labels<N>, M>: Metric + Clone,
{
    /// Returns the metric with these label values.
    fn of<V: Into<Cow<'static, str>>>(&self, values: [V; N]) -> M {
        let family = self.family.get_or_init(|| {
            let family = Family::new_with_constructor(self.make);
            register(self.name, self.help, &family);
            family
        });
        let mut names = self.labels.into_iter();
        let labels = values.map(|value| (names.next().unwrap_or_default(), value.into()));
        family.get_or_create_owned(&labels)
    }
}

impl<const N: usize> Counters<N> {
    /// Creates the counters `name` (without `_total`) with these label names.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self::made_by(name, help, labels, Counter::default)
    }

    /// Adds one.
    pub fn inc(&self, values: [&'static str; N]) {
        self.of(values).inc();
    }

    /// Adds a number.
    pub fn add(&self, values: [String; N], number: u64) {
        self.of(values).inc_by(number);
    }
}

impl<const N: usize> Gauges<N> {
    /// Creates the gauges `name` with these label names.
    #[must_use]
    pub const fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self::made_by(name, help, labels, Gauge::default)
    }

    /// Sets the gauge.
    pub fn set(&self, values: [&'static str; N], now: usize) {
        self.of(values).set(i64::try_from(now).unwrap_or(i64::MAX));
    }

    /// Adds one until the returned guard is dropped.
    #[must_use]
    pub fn up(&self, values: [&'static str; N]) -> Up {
        let gauge = self.of(values);
        gauge.inc();
        Up(gauge)
    }
}

/// Subtracts one from its gauge on drop.
#[derive(Debug)]
pub struct Up(Gauge);

impl Drop for Up {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl<const N: usize> Times<N> {
    /// Records a duration.
    pub fn observe(&self, values: [&'static str; N], took: Duration) {
        self.of(values).observe(took.as_secs_f64());
    }
}

/// A histogram for operations that take milliseconds.
#[must_use]
pub fn fast() -> Histogram {
    Histogram::new(FAST.iter().copied())
}

/// A histogram for operations that take seconds or minutes.
#[must_use]
pub fn slow() -> Histogram {
    Histogram::new(SLOW.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_exposed_as_text() {
        let counters = Counters::new("test_things", "Things", ["kind"]);
        counters.inc(["small"]);
        counters.inc(["small"]);
        let gauges = Gauges::new("test_open", "Open ones", ["kind"]);
        gauges.set(["a"], 7);
        let one = gauges.up(["b"]);
        let two = gauges.up(["b"]);
        drop(one);
        let times = Times::made_by("test_took_seconds", "How long", ["kind"], fast);
        times.observe(["a"], Duration::from_millis(20));
        let text = text();
        drop(two);
        for line in [
            r#"test_things_total{kind="small"} 2"#,
            r#"test_open{kind="a"} 7"#,
            r#"test_open{kind="b"} 1"#,
            r#"test_took_seconds_bucket{le="0.01",kind="a"} 0"#,
            r#"test_took_seconds_bucket{le="0.025",kind="a"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
