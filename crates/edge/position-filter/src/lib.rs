//! Passes on only those positions of drivers that can change something: Kafka to Kafka, between the phones and the runtime.
//!
//! A phone that reports every 5 s sends 240 positions for a delivery of 20 minutes, and in the runtime each costs two invocations:
//! four fifths of its work, if all of them are passed on. Almost all of them say that the driver is where the twin expects. With the
//! filter, the phones' topic `driver-updates` is read by this part, and Restate reads topic `driver-positions`, which has the same
//! records, unchanged, without those that can be left out. The live map still reads every report.
//!
//! A report is passed on if
//!
//! - nothing is known about the driver yet,
//! - the last report that was passed on is older than an interval, as is always the case after a silence,
//! - the driver has left the straight line on which the driver was moving, by more than a tolerance,
//! - or the twin might refuse it (an impossible position, a doubtful clock), or it follows such a report.
//!
//! A record that is not a report at all becomes a dead letter instead (`relay.rs`).
//!
//! Any number of filters share the topic's partitions as one consumer group. What they know about the drivers is in memory only: a
//! filter that has just started passes on the first report of each driver. A record counts as read only when the broker has
//! confirmed its copy, so a crash repeats some records and loses none.
//!
//! | file | what it holds |
//! |---|---|
//! | `options.rs` | the settings of the part `position-filter` |
//! | `filter.rs`, `course.rs` | which reports are passed on: the rules, and the straight line |
//! | `relay.rs` | reading and publishing |

mod course;
mod filter;
mod options;
mod relay;

use std::io;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use options::{Listen, Options, Rules};
pub use relay::group;

use filter::Filter;
use relay::Relay;

/// Why the filter cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kafka client's settings are wrong.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The file with properties for Kafka cannot be used.
    #[error(transparent)]
    KafkaProperties(#[from] kafka::properties::Error),
    /// A driver would count as silent between two positions that are passed on.
    #[error(
        "--position-interval is {}, but must be shorter than half of --driver-silence, which is {}",
        humantime::format_duration(*interval),
        humantime::format_duration(*silence)
    )]
    Interval {
        /// How often a position is passed on.
        interval: Duration,
        /// How long a driver may be silent.
        silence: Duration,
    },
    /// The listener failed.
    #[error("cannot serve requests: {0}")]
    Serve(#[from] io::Error),
}

/// Passes positions on until `shutdown`. `listener` serves `GET /health`, `GET /ready` and `GET /metrics`.
pub async fn serve(
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let stop = CancellationToken::new();
    let filter = Filter::new(options.interval()?, options.rules.position_tolerance);
    let relay = Relay::new(options.kafka.connection()?, filter)?;
    let trouble = relay.trouble();
    let ready = async move || match &*trouble.borrow() {
        None => (StatusCode::OK, up()),
        Some(trouble) => {
            let down = json!({"status": "DOWN", "detail": trouble});
            (StatusCode::SERVICE_UNAVAILABLE, Json(down))
        }
    };
    let app = Router::new()
        .route("/health", get(async || up()))
        .route("/ready", get(ready))
        .route("/metrics", telemetry::http::metrics_route());
    tracing::info!(address = %listener.local_addr()?, "position filter started");
    let stopping = async {
        shutdown.await;
        stop.cancel();
        std::future::pending::<()>().await;
    };
    // The relay ends last: it waits until the broker has confirmed what was read.
    tokio::select! {
        relayed = relay.run(stop.clone()) => relayed?,
        served = axum::serve(listener, app) => served?,
        () = stopping => {}
    }
    Ok(())
}

fn up() -> Json<Value> {
    Json(json!({"status": "UP"}))
}
