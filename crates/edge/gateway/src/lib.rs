//! The HTTP entrance for browsers and ordering providers.
//!
//! It keeps no lasting state: an accepted order is in Kafka, and the status of an order comes from Restate. So any number of
//! gateways may run, and each may be killed and restarted at any time.
//!
//! | file | what it holds |
//! |---|---|
//! | `edge/` | everything between the outside world and the routes: who sends a request, limits, the keys of orders |
//! | `api/` | the routes, their problem documents, the `OpenAPI` document generated from them |
//! | `events/` | live events, read from Kafka and sent to those who watch |
//! | `options.rs` | the settings |
//! | `operations/` | what operators see and do |
//! | [`model`] | the JSON of the API |
//! | `shop.rs` | the demo's own restaurants, and the check that orders there pay what the menu says |
//! | `recent.rs` | the orders accepted most recently, which Restate may not know yet |
//! | `broker.rs` | access to Kafka |
//! | `ingress.rs` | calls to Restate, and what its errors mean |

mod api;
mod broker;
mod edge;
mod events;
mod ingress;
pub mod model;
mod operations;
mod options;
mod recent;
mod shop;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use api::{App, router};
pub use broker::Broker;
pub use edge::settings::{ClientAddressHeader, Edge, Rate, Rates};
pub use events::consumer::Pace;
pub use ingress::Ingress;
pub use options::{Listen, OPERATOR_TOKEN, Options, WebUi};

use edge::server::Server;

/// Why the gateway cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings for Kafka are wrong.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The file with properties for Kafka cannot be used.
    #[error(transparent)]
    KafkaProperties(#[from] kafka::properties::Error),
    /// A file with secrets cannot be used.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// The Restate addresses are invalid.
    #[error("Restate's ingress: {0}")]
    IngressUrl(#[from] upstream::InvalidAddress),
    /// The address of a stub is invalid.
    #[error(
        "the addresses of the restaurant and the payment provider must be base URLs such as http://127.0.0.1:5050, not {0:?}"
    )]
    StubUrl(String),
    /// The operators' token does not fit into a header.
    #[error(
        "the operator token may contain only ASCII letters, digits and any of - . _ ~ + /, and = at its end"
    )]
    OperatorToken,
    /// Others can connect, and without order keys every order would be open either to all of them or to none.
    #[error(
        "refusing to listen on {0}, where clients other than operators can connect, without a secret for order keys: name a \
         file with --order-links-secret-file (`food-ordering keys` makes one), or listen on 127.0.0.1 with --trust-loopback=true"
    )]
    NoOrderKeys(SocketAddr),
    /// A secret is short enough to be guessed.
    #[error("each secret in the order links secret file must have at least 16 bytes")]
    OrderLinksSecret,
    /// The URL of the map's tiles is invalid.
    #[error("the tile URL must be like https://tile.example.org/{{z}}/{{x}}/{{y}}.png, not {0:?}")]
    TileUrl(String),
    /// The HTTP client could not be created.
    #[error("HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// Connections can no longer be accepted.
    #[error("serving HTTP: {0}")]
    Serve(#[from] std::io::Error),
}

/// Serves the gateway on `listener` until `shutdown`. Then it reports that it is not ready, continues for
/// [`drain`](Options::drain) so that load balancers notice, ends the streams, whose clients reconnect to another gateway, and
/// finishes the requests that are being answered, for ten seconds at most.
///
/// Starts even if Kafka and Restate are unavailable: `GET /ready` reports that.
pub async fn serve(
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let kafka = options.kafka.connection()?;
    let broker = kafka::Publisher::new(&kafka, "gateway")?;
    let ingress = Ingress::new(&options.restate_ingress.urls, options.restate_timeout)?;
    let consumer = events::consumer::consumer(&kafka)?;
    let address = listener.local_addr()?;
    let app = App::new(broker, ingress, &options, address.ip())?;
    let neighbours = options.edge.neighbours(address.ip());
    // On loopback, every client is on this machine.
    let only_neighbours = is_loopback(address.ip()) && neighbours.include(address.ip());
    if !only_neighbours && options.order_links_secrets.iter().next().is_none() {
        return Err(Error::NoOrderKeys(address));
    }
    let hub = Arc::clone(&app.hub);
    let leaving = Arc::clone(&app.leaving);
    hub.is_behind();
    // Dropped, and so stopped, with this function.
    let mut reading = JoinSet::new();
    reading.spawn(events::consumer::run(
        kafka,
        consumer,
        Arc::clone(&hub),
        options.pace,
    ));
    let proxies = app.proxies.clone();
    let server = Server::new(router(app), &options.edge, proxies, neighbours);
    let shutdown = async move {
        shutdown.await;
        leaving.store(true, Ordering::Relaxed);
        tokio::time::sleep(options.drain).await;
        // Streams would never end. Their clients reconnect to another gateway.
        hub.close();
    };
    server.run(listener, shutdown).await;
    Ok(())
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
