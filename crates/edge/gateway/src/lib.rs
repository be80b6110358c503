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
//! | `options.rs` | the settings |
//! | `operations/` | what operators see and do |
//! | [`model`] | the JSON of the API |
//! | `shop.rs` | the demo's own restaurants, and the check that orders there pay what the menu says |
//! | `recent.rs` | the orders just accepted, which Restate may not know of yet |
//! | `broker.rs` | the way out to Kafka |
//! | `ingress.rs` | the way out to Restate, and what its errors mean |

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
    /// The addresses of Restate are none.
    #[error("Restate's ingress: {0}")]
    IngressUrl(#[from] upstream::InvalidAddress),
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
/// [`drain`](Options::drain) until nobody sends it anything new, ends the streams, whose clients come back to another gateway, and
/// finishes the requests in hand, for ten seconds at most.
///
/// Starts whether or not Kafka and Restate are there: `GET /ready` tells.
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
    // On loopback those on this machine are all there are.
    let only_neighbours = is_loopback(address.ip()) && neighbours.include(address.ip());
    if !only_neighbours && options.order_links_secrets.iter().next().is_none() {
        return Err(Error::NoOrderKeys(address));
    }
    let hub = Arc::clone(&app.hub);
    let leaving = Arc::clone(&app.leaving);
    hub.is_behind();
    // Dropped, and thereby ended, with this function.
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
        // Streams would go on for ever. Their clients come back to the next gateway.
        hub.close();
    };
    server.run(listener, shutdown).await;
    Ok(())
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
