//! All durable services of the part `order-services` in one endpoint.

use std::future::Future;
use std::time::Duration;

use delivery::{
    DeliveryManager, DispatchBacklog, DriverDeliveryMatcher, DriverDigitalTwin, DriverUpdateIntake,
};
use domain::geo::Speed;
use durable::{Server, Source, declared};
use kafka::Publisher;
use order_status::OrderStatusService;
use restate_sdk::prelude::*;
use restate_sdk::service::IntoServiceDefinition;
use secrets::callback::Callbacks;
use tokio::net::TcpListener;

use crate::clients::{self, ThirdParties};
use crate::intake::OrderIntake;
use crate::options::Options;
use crate::under_way::Limits;
use crate::workflow::OrderWorkflow;

/// The handlers that receive order events. An event without a trace context starts a trace in the intake.
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
    /// The file with properties for Kafka cannot be used.
    #[error(transparent)]
    KafkaProperties(#[from] kafka::properties::Error),
    /// The keys that verify Restate's requests cannot be used.
    #[error(transparent)]
    Identity(#[from] durable::identity::Error),
    /// The secret with which restaurants sign their callbacks cannot be used.
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    /// The clients of the third parties cannot be created.
    #[error(transparent)]
    ThirdParties(#[from] clients::Error),
    /// The drivers' speed is not positive.
    #[error("the drivers' speed must be greater than zero")]
    Speed,
}

/// Serves them on `listener` until `shutdown`; then running invocations get a little time to finish, and Restate continues the
/// others elsewhere or later.
pub async fn serve(
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let identity = options.durable.identity(options.listen.address)?;
    let callbacks = options.callback_secret.callbacks()?;
    Server::new(endpoint(&options, callbacks)?)
        .identity(identity)
        .sources(&SOURCES)
        .keyed_by_order(&["OrderWorkflow", "OrderStatusService", "DeliveryManager"])
        .serve(listener, shutdown)
        .await;
    Ok(())
}

/// The services, without their server.
pub fn endpoint(options: &Options, callbacks: Callbacks) -> Result<Endpoint, Error> {
    let publisher = Publisher::new(&options.kafka.connection()?, "order-services")?;
    let third_parties = ThirdParties::new(
        &options.third_parties.payment_url,
        &options.third_parties.restaurant_url,
        &options.callback_url,
        callbacks,
    )?;
    let times = &options.times;
    let speed = match times.driver_speed {
        Some(speed) => Speed::new(speed, Duration::from_secs(1)).ok_or(Error::Speed)?,
        None => Speed::DEFAULT,
    };
    let limits = Limits {
        payment: times.payment_limit,
        preparation: times.preparation_limit,
        driver: times.driver_limit,
        delivery: times.delivery_limit,
    };
    let workflow = OrderWorkflow::new(third_parties, limits)
        .into_service_definition()
        .options(
            ServiceOptions::new()
                .journal_retention(times.workflow_retention)
                .handler(
                    "run",
                    HandlerOptions::new().workflow_retention(times.workflow_retention),
                ),
        );
    let status = OrderStatusService::new(publisher.clone(), times.order_retention);
    let twin = DriverDigitalTwin::new(publisher.clone(), speed, times.silence.driver_silence);
    let version = &options.durable.version();
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
    use durable::testing::{assert_declared, wire_names};
    use restate_sdk::service::Discoverable;
    use secrets::Secrets;

    use super::*;

    #[tokio::test]
    async fn every_service_is_retried_for_ever_and_suspended_while_it_waits_whatever_restates_configuration_says()
     {
        let callbacks = Callbacks::new(&Secrets::default());
        let endpoint = endpoint(&settings::defaults(), callbacks);
        let mut services = assert_declared(&endpoint.unwrap()).await;
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
