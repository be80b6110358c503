//! The HTTP door for browsers and ordering providers.
//!
//! It keeps nothing that matters: an order it says yes to is in Kafka, and how far an order is, it asks Restate. So it may be
//! killed, restarted and run several times over at any moment.
//!
//! | file | what it holds |
//! |---|---|
//! | `api/` | the routes, their problem documents, the `OpenAPI` document made from them |
//! | `events/` | what happens, read from Kafka and told to those who watch |
//! | `operations/` | what operators see and do |
//! | [`model`] | the JSON of the API |
//! | `shop.rs` | the demo's own restaurants, and the check that orders there pay what the menu says |
//! | `recent.rs` | the orders just accepted, which Restate may not know of yet |
//! | `broker.rs` | the way out to Kafka |
//! | `ingress.rs` | the way out to Restate, and what its errors mean |

mod api;
mod broker;
mod clock;
mod events;
mod ingress;
pub mod model;
mod operations;
mod recent;
mod shop;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use secrets::Secrets;
use secrets::callback::Callbacks;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

pub use api::{App, router};
pub use broker::Broker;
pub use ingress::Ingress;

/// How long requests in hand may take once the gateway has been told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Where the rest of the system is, and what the web UI looks like.
#[derive(Clone)]
pub struct Config {
    /// The Kafka brokers that orders are published to and events are read from, as `host:port,…`.
    pub kafka_brokers: String,
    /// The base URL of Restate's ingress, such as `http://127.0.0.1:8080`.
    pub restate_ingress: String,
    /// How long Restate has for an answer.
    pub restate_timeout: Duration,
    /// The base URL of the restaurants' point of sale, for its fault switches.
    pub restaurant_url: String,
    /// The base URL of the payment provider, for its fault switches.
    pub payment_url: String,
    /// The directory of the built web UI, such as `webui/dist`; it may be built later.
    pub web_ui: Option<PathBuf>,
    /// Any one of these operators who are not at this machine have to know; without one only this machine's are let in.
    pub operator_tokens: Secrets,
    /// With what restaurants have to sign that an order is ready; without it none is heard.
    pub callbacks: Option<Callbacks>,
    /// Where operators' browsers find Restate's own UI, such as `http://127.0.0.1:9070`.
    pub restate_ui: Option<String>,
    /// The URL of a server of map tiles with `{z}`, `{x}`, `{y}` and perhaps `{s}`; the map needs none.
    pub tile_url: Option<String>,
    /// Whom the map names as the makers of those tiles.
    pub tile_attribution: Option<String>,
}

impl Config {
    /// The configuration with these addresses, five seconds for Restate to answer, the stubs at their usual ports of this
    /// machine, and nothing else.
    #[must_use]
    pub fn new(kafka_brokers: impl Into<String>, restate_ingress: impl Into<String>) -> Self {
        Self {
            kafka_brokers: kafka_brokers.into(),
            restate_ingress: restate_ingress.into(),
            restate_timeout: Duration::from_secs(5),
            restaurant_url: "http://127.0.0.1:5050".to_owned(),
            payment_url: "http://127.0.0.1:5060".to_owned(),
            web_ui: None,
            operator_tokens: Secrets::default(),
            callbacks: None,
            restate_ui: None,
            tile_url: None,
            tile_attribution: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What matters most; secrets would not show themselves.
        f.debug_struct("Config")
            .field("kafka_brokers", &self.kafka_brokers)
            .field("restate_ingress", &self.restate_ingress)
            .field("web_ui", &self.web_ui)
            .finish_non_exhaustive()
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
    /// The address of a stub is none.
    #[error(
        "the restaurant and the payment provider must be given as base URLs such as http://127.0.0.1:5050, not {0:?}"
    )]
    StubUrl(String),
    /// The operators' token does not fit into a header.
    #[error(
        "the operator token may hold only ASCII letters, digits and any of - . _ ~ + /, and = at its end"
    )]
    OperatorToken,
    /// The address of the map's tiles is none.
    #[error("the tile URL must be like https://tile.example.org/{{z}}/{{x}}/{{y}}.png, not {0:?}")]
    TileUrl(String),
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
    raise_file_limit();
    let broker = kafka::Publisher::new(&config.kafka_brokers, "gateway")?;
    let ingress = Ingress::new(&config.restate_ingress, config.restate_timeout)?;
    let consumer = events::consumer::consumer(&config.kafka_brokers)?;
    let app = App::new(broker, ingress, &config, listener.local_addr()?.ip())?;
    let hub = Arc::clone(app.hub());
    hub.is_behind();
    // Dropped, and thereby ended, with this function.
    let mut reading = JoinSet::new();
    reading.spawn(events::consumer::run(consumer, Arc::clone(&hub)));
    let router = router(app).into_make_service_with_connect_info::<SocketAddr>();

    let listener = listener.tap_io(|connection| {
        // Answers are small and complete: they should leave at once. If it cannot be set they leave a little later.
        let _ = connection.set_nodelay(true);
    });
    let (stopping, stop) = oneshot::channel();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        // Streams would go on for ever. Their clients come back to the next gateway.
        hub.close();
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

/// Lets the process have as many connections as the system allows: each stream is one, and the usual limit is a thousand.
fn raise_file_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
