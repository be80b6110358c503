//! The HTTP door for browsers and ordering providers.
//!
//! It keeps nothing that matters: an order it says yes to is in Kafka, and how far an order is, it asks Restate. So it may be
//! killed, restarted and run several times over at any moment.
//!
//! | file | what it holds |
//! |---|---|
//! | `edge/` | what stands between the world and the routes: who is who, limits, the keys of orders |
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
mod edge;
mod events;
mod ingress;
pub mod model;
mod operations;
mod recent;
mod shop;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kafka::Connection;
use secrets::Secrets;
use secrets::callback::Callbacks;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use api::{App, router};
pub use broker::Broker;
pub use edge::settings::{ClientAddressHeader, Edge, Rate};
pub use events::consumer::Pace;
pub use ingress::Ingress;

use edge::server::Server;

/// Where the rest of the system is, and what the web UI looks like.
#[derive(Clone)]
pub struct Config {
    /// The Kafka brokers that orders are published to and events are read from, as `host:port,…`.
    pub kafka: Connection,
    /// The base URL of Restate's ingress, such as `http://127.0.0.1:8080`; those of its nodes, separated by commas, if it has
    /// several.
    pub restate_ingress: String,
    /// How long Restate has for an answer.
    pub restate_timeout: Duration,
    /// The base URL of the restaurants' point of sale, for its fault switches.
    pub restaurant_url: String,
    /// The base URL of the payment provider, for its fault switches.
    pub payment_url: String,
    /// How long to go on serving after being told to stop, while `GET /ready` says no.
    pub drain: Duration,
    /// The directory of the built web UI, such as `webui/dist`; it may be built later.
    pub web_ui: Option<PathBuf>,
    /// What the keys follow from by which visitors read their own orders: the first for those that are given out, the others for
    /// those that were. At least 16 bytes each, the same for all gateways. Without any there are no keys, and the gateway
    /// serves only where everyone is an operator.
    pub order_links_secrets: Vec<Vec<u8>>,
    /// Whom to trust, and how much of everything there may be.
    pub edge: Edge,
    /// Any one of these operators who are not at this machine have to know; without one only this machine's are let in.
    pub operator_tokens: Secrets,
    /// With what restaurants have to sign that an order is ready; without it none is heard.
    pub callbacks: Option<Callbacks>,
    /// Where operators' browsers find Restate's own UI, such as `http://127.0.0.1:9070`.
    pub restate_ui: Option<String>,
    /// How fast it notices that reading the topics does not go on.
    pub pace: Pace,
    /// The URL of a server of map tiles with `{z}`, `{x}`, `{y}` and perhaps `{s}`; the map needs none.
    pub tile_url: Option<String>,
    /// Whom the map names as the makers of those tiles.
    pub tile_attribution: Option<String>,
}

impl Config {
    /// The configuration with these addresses, five seconds for Restate to answer, the stubs at their usual ports of this
    /// machine, and nothing else.
    #[must_use]
    pub fn new(kafka: impl Into<Connection>, restate_ingress: impl Into<String>) -> Self {
        Self {
            kafka: kafka.into(),
            restate_ingress: restate_ingress.into(),
            restate_timeout: Duration::from_secs(5),
            restaurant_url: "http://127.0.0.1:5050".to_owned(),
            payment_url: "http://127.0.0.1:5060".to_owned(),
            drain: Duration::ZERO,
            web_ui: None,
            order_links_secrets: Vec::new(),
            edge: Edge::default(),
            operator_tokens: Secrets::default(),
            callbacks: None,
            restate_ui: None,
            pace: Pace::default(),
            tile_url: None,
            tile_attribution: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What matters most; secrets would not show themselves.
        f.debug_struct("Config")
            .field("kafka", &self.kafka)
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
    /// The addresses of Restate are none.
    #[error("Restate's ingress: {0}")]
    IngressUrl(#[from] upstream::NoAddress),
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
    /// Others can come in, and every order would be open to them or to nobody.
    #[error(
        "refusing to listen on {0}, where others than operators can come in, without a secret that the keys of orders follow from: name a file \
         by --order-links-secret-file (`food-ordering keys` makes one), or listen on 127.0.0.1 with --trust-loopback=true"
    )]
    NoOrderKeys(SocketAddr),
    /// A secret can be guessed.
    #[error("a secret of the order links must have at least 16 bytes")]
    OrderLinksSecret,
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

/// Serves the gateway on `listener` until `shutdown` is over. Then it says that it is not ready, goes on for
/// [`drain`](Config::drain) until nobody sends it anything new, ends the streams, whose clients come back to another gateway, and
/// finishes the requests in hand, for ten seconds at most.
///
/// Starts whether or not Kafka and Restate are there: `GET /ready` tells.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let broker = kafka::Publisher::new(&config.kafka, "gateway")?;
    let ingress = Ingress::new(&config.restate_ingress, config.restate_timeout)?;
    let consumer = events::consumer::consumer(&config.kafka)?;
    let address = listener.local_addr()?;
    let app = App::new(broker, ingress, &config, address.ip())?;
    let neighbours = config.edge.neighbours(address.ip());
    // On loopback those on this machine are all there are.
    let only_neighbours = is_loopback(address.ip()) && neighbours.include(address.ip());
    if !only_neighbours && config.order_links_secrets.is_empty() {
        return Err(Error::NoOrderKeys(address));
    }
    let hub = Arc::clone(app.hub());
    let leaving = app.leaving();
    hub.is_behind();
    // Dropped, and thereby ended, with this function.
    let mut reading = JoinSet::new();
    reading.spawn(events::consumer::run(
        config.kafka.clone(),
        consumer,
        Arc::clone(&hub),
        config.pace,
    ));
    let proxies = app.proxies().clone();
    let server = Server::new(router(app), &config.edge, proxies, neighbours);
    let shutdown = async move {
        shutdown.await;
        leaving.store(true, Ordering::Relaxed);
        tokio::time::sleep(config.drain).await;
        // Streams would go on for ever. Their clients come back to the next gateway.
        hub.close();
    };
    server.run(listener, shutdown).await;
    Ok(())
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
