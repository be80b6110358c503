//! Serving the part `driver-simulator`.

use std::future::Future;
use std::time::Duration;

use durable::{Identity, Server, declared};
use kafka::{Connection, Publisher};
use restate_sdk::prelude::*;
use tokio::net::TcpListener;

use crate::simulator::{DriverMobileAppSimulator, Pace};

/// Settings of the part `driver-simulator`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose requests are taken.
    pub identity: Identity,
    /// The Kafka brokers, `host:port,…`.
    pub kafka: Connection,
    /// How long a driver without work waits until asking again.
    pub poll_interval: Duration,
    /// How long a step takes.
    pub move_interval: Duration,
    /// How long a driver rests after a delivery.
    pub pause: Duration,
    /// How long a step is, in degrees along either axis.
    pub step: f64,
    /// Which version this is, for Restate to show.
    pub version: String,
}

/// Why the simulator cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kafka client's settings are wrong.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// A driver would never arrive, or never stop reporting.
    #[error("the step length must be from {MIN_STEP}° to 1°, but is {0}°")]
    Step(f64),
}

/// A shorter step would make a way of hundreds of thousands of places.
const MIN_STEP: f64 = 0.000_01;

/// Serves it on `listener` until `shutdown`.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    Server::new(endpoint(&config)?)
        .identity(config.identity)
        .serve(listener, shutdown)
        .await;
    Ok(())
}

/// The service, without its server.
pub fn endpoint(config: &Config) -> Result<Endpoint, Error> {
    if !(MIN_STEP..=1.0).contains(&config.step) {
        return Err(Error::Step(config.step));
    }
    let publisher = Publisher::new(&config.kafka, "driver-simulator")?;
    let pace = Pace {
        poll_interval: config.poll_interval,
        move_interval: config.move_interval,
        pause: config.pause,
        step: config.step,
    };
    Ok(Endpoint::builder()
        .bind(declared(
            DriverMobileAppSimulator::new(publisher, pace),
            &config.version,
        ))
        .build())
}

#[cfg(test)]
mod tests {
    use durable::testing::{assert_never_given_up, wire_names};
    use restate_sdk::service::Discoverable;

    use super::*;

    #[tokio::test]
    async fn a_drive_is_tried_again_for_ever_whatever_restates_configuration_says() {
        let endpoint = endpoint(&Config {
            identity: Identity::default(),
            kafka: Connection::plain("127.0.0.1:1"),
            poll_interval: Duration::ZERO,
            move_interval: Duration::ZERO,
            pause: Duration::ZERO,
            step: 1.0,
            version: "1".to_owned(),
        });
        let services = assert_never_given_up(&endpoint.unwrap()).await;
        assert_eq!(services, ["DriverMobileAppSimulator"]);
    }

    #[test]
    fn names_on_the_wire_are_pinned() {
        assert_eq!(
            wire_names(&DriverMobileAppSimulator::discover()),
            [
                "DriverMobileAppSimulator",
                "startDriver",
                "stopDriver",
                "goOffline (private)",
                "goOnline (private)",
                "pollForWork (private)",
            ]
        );
    }
}
