//! All durable services of the part `order-services` in one endpoint.

use std::future::Future;
use std::time::Duration;

use delivery::{
    DeliveryManager, DispatchBacklog, DriverDeliveryMatcher, DriverDigitalTwin, DriverUpdateIntake,
};
use domain::geo::Speed;
use durable::{Identity, Server, Source, declared};
use kafka::{Connection, Publisher};
use order_status::OrderStatusService;
use restate_sdk::prelude::*;
use restate_sdk::service::IntoServiceDefinition;
use secrets::callback::Callbacks;
use tokio::net::TcpListener;

use crate::clients::{self, ThirdParties};
use crate::intake::OrderIntake;
use crate::under_way::Limits;
use crate::workflow::OrderWorkflow;

/// Settings of the part `order-services`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose requests are taken.
    pub identity: Identity,
    /// The Kafka brokers, `host:port,…`.
    pub kafka: Connection,
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
    /// Which version this is, for Restate to show.
    pub version: String,
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
    /// No third party can be talked to.
    #[error(transparent)]
    ThirdParties(#[from] clients::Error),
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
    let identity = config.identity.clone();
    Server::new(endpoint(config)?)
        .identity(identity)
        .sources(&SOURCES)
        .keyed_by_order(&["OrderWorkflow", "OrderStatusService", "DeliveryManager"])
        .serve(listener, shutdown)
        .await;
    Ok(())
}

/// The services, without their server.
pub fn endpoint(config: Config) -> Result<Endpoint, Error> {
    let publisher = Publisher::new(&config.kafka, "order-services")?;
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
    let status = OrderStatusService::new(publisher.clone(), config.order_retention);
    let twin = DriverDigitalTwin::new(publisher.clone(), speed, config.driver_silence);
    let version = &config.version;
    Ok(Endpoint::builder()
        .bind(declared(OrderIntake::new(publisher.clone()), version))
        .bind(declared(workflow, version))
        .bind(declared(status, version))
        .bind(declared(DeliveryManager, version))
        .bind(declared(DriverDeliveryMatcher, version))
        .bind(declared(DispatchBacklog, version))
        .bind(declared(DriverUpdateIntake::new(publisher), version))
        .bind(declared(twin, version))
        .build())
}

#[cfg(test)]
mod tests {
    use durable::testing::{assert_never_given_up, wire_names};
    use restate_sdk::service::Discoverable;
    use secrets::Secrets;

    use super::*;

    #[tokio::test]
    async fn every_service_is_tried_again_for_ever_whatever_restates_configuration_says() {
        const NOBODY: &str = "http://127.0.0.1:1";
        let endpoint = endpoint(Config {
            identity: Identity::default(),
            kafka: Connection::plain("127.0.0.1:1"),
            payment_url: NOBODY.to_owned(),
            restaurant_url: NOBODY.to_owned(),
            callback_url: NOBODY.to_owned(),
            callbacks: Callbacks::new(&Secrets::default()),
            payment_limit: Duration::ZERO,
            preparation_limit: Duration::ZERO,
            driver_limit: Duration::ZERO,
            delivery_limit: Duration::ZERO,
            driver_silence: Duration::ZERO,
            order_retention: Duration::ZERO,
            workflow_retention: Duration::ZERO,
            driver_speed: 0.005,
            version: "1".to_owned(),
        });
        let mut services = assert_never_given_up(&endpoint.unwrap()).await;
        services.sort();
        assert_eq!(
            services,
            [
                "DeliveryManager",
                "DispatchBacklog",
                "DriverDeliveryMatcher",
                "DriverDigitalTwin",
                "DriverUpdateIntake",
                "OrderIntake",
                "OrderStatusService",
                "OrderWorkflow",
            ]
        );
    }

    #[test]
    fn names_on_the_wire_are_pinned() {
        assert_eq!(
            wire_names(&OrderIntake::discover()),
            ["OrderIntake", "receive (private)"]
        );
        assert_eq!(
            wire_names(&OrderWorkflow::discover()),
            ["OrderWorkflow", "run", "cancel", "settle", "getOrder"]
        );
    }
}
