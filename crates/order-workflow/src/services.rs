//! All durable services of the part `order-services` in one endpoint.

use std::future::Future;
use std::time::Duration;

use delivery::{DeliveryManager, DispatchBacklog, DriverDeliveryMatcher, DriverDigitalTwin};
use domain::geo::Speed;
use durable::{Identity, Server, Source};
use kafka::Publisher;
use order_status::OrderStatusService;
use restate_sdk::prelude::*;
use secrets::callback::Callbacks;
use tokio::net::TcpListener;

use crate::clients::ThirdParties;
use crate::intake::OrderIntake;
use crate::workflow::{Limits, OrderWorkflow};

/// Settings of the part `order-services`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose requests are taken.
    pub identity: Identity,
    /// The Kafka brokers, `host:port,…`.
    pub kafka_brokers: String,
    /// Base URL of the payment provider.
    pub payment_url: String,
    /// Base URL of the restaurants' point-of-sale system.
    pub restaurant_url: String,
    /// Base URL of the gateway, as restaurants reach it to call back.
    pub callback_url: String,
    /// With what they have to sign that.
    pub callbacks: Callbacks,
    /// How long the payment provider may take to say yes or no.
    pub payment_limit: Duration,
    /// How long a restaurant may take to have the food ready.
    pub preparation_limit: Duration,
    /// How long it may take to find a driver.
    pub driver_limit: Duration,
    /// How long a driver may take to pick the food up.
    pub delivery_limit: Duration,
    /// How long a driver with a delivery may be silent.
    pub driver_silence: Duration,
    /// How long the history of an ended order can be asked for.
    pub order_retention: Duration,
    /// How long an ended workflow can be looked at.
    pub workflow_retention: Duration,
    /// How fast drivers are expected to be, in degrees a second.
    pub driver_speed: f64,
}

/// The handlers that are given order events. What a provider sends without a trace begins one in the intake.
const SOURCES: [Source; 2] = [
    Source {
        service: "OrderIntake",
        handler: "receive",
        begins: true,
    },
    Source {
        service: "OrderWorkflow",
        handler: "run",
        begins: false,
    },
];

/// Why the services cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The Kafka client's settings are wrong.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The HTTP client cannot be made.
    #[error("HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    /// No speed.
    #[error("the drivers' speed must be more than zero")]
    Speed,
}

/// Serves them on `listener` until `shutdown`; then invocations in hand get a little time to finish, and Restate goes on with
/// the others elsewhere or later.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let publisher = Publisher::new(&config.kafka_brokers, "order-services")?;
    let third_parties = ThirdParties::new(
        &config.payment_url,
        &config.restaurant_url,
        &config.callback_url,
        config.callbacks,
    )?;
    let speed = Speed::new(config.driver_speed, Duration::from_secs(1)).ok_or(Error::Speed)?;
    let limits = Limits {
        payment: config.payment_limit,
        preparation: config.preparation_limit,
        driver: config.driver_limit,
        delivery: config.delivery_limit,
    };
    let workflow = OrderWorkflow::new(third_parties, limits)
        .into_service_definition()
        .options(
            ServiceOptions::new()
                .journal_retention(config.workflow_retention)
                .handler(
                    "run",
                    HandlerOptions::new().workflow_retention(config.workflow_retention),
                ),
        );
    let endpoint = Endpoint::builder()
        .bind(OrderIntake::new(publisher.clone()))
        .bind(workflow)
        .bind(OrderStatusService::new(
            publisher.clone(),
            config.order_retention,
        ))
        .bind(DeliveryManager)
        .bind(DriverDeliveryMatcher)
        .bind(DispatchBacklog)
        .bind(DriverDigitalTwin::new(
            publisher,
            speed,
            config.driver_silence,
        ))
        .build();
    Server::new(endpoint)
        .identity(config.identity)
        .sources(&SOURCES)
        .keyed_by_order(&["OrderWorkflow", "OrderStatusService", "DeliveryManager"])
        .serve(listener, shutdown)
        .await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use order_status::testing::wire_names;
    use restate_sdk::service::Discoverable;

    use super::*;

    #[test]
    fn names_on_the_wire_are_pinned() {
        assert_eq!(
            wire_names(&OrderIntake::discover()),
            ["OrderIntake", "receive (private)"]
        );
        assert_eq!(
            wire_names(&OrderWorkflow::discover()),
            ["OrderWorkflow", "run", "cancel", "getOrder"]
        );
    }
}
