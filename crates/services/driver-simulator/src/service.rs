//! Serves the part `driver-simulator`.

use std::future::Future;
use std::time::Duration;

use durable::{Server, declared};
use kafka::Publisher;
use restate_sdk::endpoint::ServiceOptions;
use restate_sdk::prelude::*;
use tokio::net::TcpListener;

use crate::options::Options;
use crate::simulator::DriverMobileAppSimulator;

/// Why the simulator cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kafka client's settings are wrong.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The file with properties for Kafka cannot be used.
    #[error(transparent)]
    KafkaProperties(#[from] kafka::properties::Error),
    /// The keys that verify Restate's requests cannot be used.
    #[error(transparent)]
    Identity(#[from] durable::identity::Error),
    /// The step length is out of range: with a very short one, a driver would report hundreds of thousands of positions.
    #[error("the step length must be from {MIN_STEP}° to 1°, but is {0}°")]
    Step(f64),
}

/// The shortest allowed step, in degrees. With a shorter one, a route would have hundreds of thousands of positions.
const MIN_STEP: f64 = 0.000_01;

/// After how long without progress a drive is suspended. Longer than a pause between two moves, because each suspension costs an
/// attempt.
const SUSPENDED_AFTER: Duration = Duration::from_secs(10);

/// Serves the simulator on `listener` until `shutdown`.
pub async fn serve(
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let identity = options.durable.identity(options.listen.address)?;
    Server::new(endpoint(&options)?)
        .identity(identity)
        .serve(listener, shutdown)
        .await;
    Ok(())
}

/// The service, without its server.
pub fn endpoint(options: &Options) -> Result<Endpoint, Error> {
    let step = options.pace.step;
    if !(MIN_STEP..=1.0).contains(&step) {
        return Err(Error::Step(step));
    }
    let publisher = Publisher::new(&options.kafka.connection()?, "driver-simulator")?;
    let simulator = DriverMobileAppSimulator::new(publisher, options.pace);
    let rarely_suspended = ServiceOptions::new().inactivity_timeout(SUSPENDED_AFTER);
    Ok(Endpoint::builder()
        .bind(declared(simulator, &options.durable.version()).options(rarely_suspended))
        .build())
}

#[cfg(test)]
mod tests {
    use durable::testing::{assert_declared, wire_names};
    use restate_sdk::service::Discoverable;

    use super::*;

    #[tokio::test]
    async fn every_handler_is_retried_for_ever_and_suspended_while_it_waits_whatever_restates_configuration_says()
     {
        let endpoint = endpoint(&settings::defaults());
        let services = assert_declared(&endpoint.unwrap()).await;
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
