//! The HTTP door for browsers and ordering providers.
//!
//! It keeps nothing that matters: an order it says yes to is in Kafka, and how far an order is, it asks Restate. So it may be
//! killed, restarted and run several times over at any moment.
//!
//! | file | what it holds |
//! |---|---|
//! | `api/` | the routes, their problem documents, the `OpenAPI` document made from them |
//! | [`model`] | the JSON of the API |
//! | `shop.rs` | the demo's own restaurants, and the check that orders there pay what the menu says |
//! | `recent.rs` | the orders just accepted, which Restate may not know of yet |
//! | `broker.rs` | the way out to Kafka |
//! | `ingress.rs` | the way out to Restate, and what its errors mean |

mod api;
mod broker;
mod ingress;
pub mod model;
mod recent;
mod shop;
#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use api::{App, router};
pub use broker::Broker;
pub use ingress::Ingress;

/// How long requests in hand may take once the gateway has been told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Where the rest of the system is.
#[derive(Debug, Clone)]
pub struct Config {
    /// The Kafka brokers that orders are published to, as `host:port,…`.
    pub kafka_brokers: String,
    /// The base URL of Restate's ingress, such as `http://127.0.0.1:8080`.
    pub restate_ingress: String,
    /// How long Restate has for an answer.
    pub restate_timeout: Duration,
}

impl Config {
    /// The configuration with these addresses, and five seconds for Restate to answer.
    #[must_use]
    pub fn new(kafka_brokers: impl Into<String>, restate_ingress: impl Into<String>) -> Self {
        Self {
            kafka_brokers: kafka_brokers.into(),
            restate_ingress: restate_ingress.into(),
            restate_timeout: Duration::from_secs(5),
        }
    }
}

/// Why the gateway cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings for Kafka are wrong.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The address of Restate is none.
    #[error(
        "Restate's ingress must be given as a base URL such as http://127.0.0.1:8080, not {url:?}: {reason}"
    )]
    IngressUrl {
        /// The address as it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client could not be made.
    #[error("HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// Connections can no longer be accepted.
    #[error("serving HTTP: {0}")]
    Serve(#[from] std::io::Error),
}

/// Serves the gateway on `listener` until `shutdown` is over, then finishes the requests in hand.
///
/// Starts whether or not Kafka and Restate are there: `GET /ready` tells.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let broker = kafka::Publisher::new(&config.kafka_brokers, "gateway")?;
    let ingress = Ingress::new(&config.restate_ingress, config.restate_timeout)?;
    let router = router(App::new(broker, ingress));

    let listener = listener.tap_io(|connection| {
        // Answers are small and complete: they should leave at once. If it cannot be set they leave a little later.
        let _ = connection.set_nodelay(true);
    });
    let (stopping, stop) = oneshot::channel();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        let _ = stopping.send(());
    });
    tokio::select! {
        ended = server => ended.map_err(Error::Serve),
        () = async {
            let _ = stop.await;
            tokio::time::sleep(GRACE).await;
        } => {
            tracing::warn!(grace = ?GRACE, "stopped without finishing all requests");
            Ok(())
        }
    }
}
