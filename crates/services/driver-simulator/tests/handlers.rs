//! Tests the handlers of `DriverMobileAppSimulator` in a real Restate server. The driver's twin, the only service that it calls, is
//! replaced by a stub: a service of the same name with the handlers that are called.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use delivery::{AssignedDelivery, Availability, DeliveryRef};
use domain::Region;
use driver_simulator::{DriverMobileAppSimulatorIngressClient, Options, Pace, endpoint};
use restate_sdk::prelude::*;
use restate_test::{Answer, Kafka, Restate, until};

/// A stub of the twin: has one delivery, and records the phone's calls.
struct Twin;

#[restate_sdk::object(name = "DriverDigitalTwin")]
impl Twin {
    #[handler(name = "setDriverAvailable")]
    async fn set_driver_available(
        &self,
        ctx: ObjectContext<'_>,
        _: Json<Availability>,
    ) -> Result<(), TerminalError> {
        note(&ctx, "available").await
    }

    #[handler(name = "notifyDeliveryPickup")]
    async fn notify_delivery_pickup(
        &self,
        ctx: ObjectContext<'_>,
        _: Json<DeliveryRef>,
    ) -> Result<(), TerminalError> {
        note(&ctx, "picked up").await
    }

    #[handler(name = "notifyDeliveryDelivered")]
    async fn notify_delivery_delivered(
        &self,
        ctx: ObjectContext<'_>,
        _: Json<DeliveryRef>,
    ) -> Result<(), TerminalError> {
        note(&ctx, "delivered").await
    }

    #[handler(name = "getAssignedDelivery")]
    async fn get_assigned_delivery(
        &self,
        ctx: SharedObjectContext<'_>,
    ) -> Result<Json<Option<AssignedDelivery>>, TerminalError> {
        let said = ctx.get::<Json<Vec<String>>>("said").await?;
        let is_waiting = said.is_some_and(|Json(said)| said == ["available"]);
        let region = Region::SanJose;
        Ok(Json(is_waiting.then(|| AssignedDelivery {
            delivery_id: "order-1".parse().unwrap(),
            region,
            restaurant_id: "trattoria".parse().unwrap(),
            restaurant_location: region.at(0.2, 0.2),
            customer_location: region.at(0.8, 0.8),
            picked_up: false,
            trace: durable::Trace::default(),
        })))
    }

    #[handler]
    async fn said(&self, ctx: SharedObjectContext<'_>) -> Result<Json<Vec<String>>, TerminalError> {
        Ok(ctx.get("said").await?.unwrap_or(Json(Vec::new())))
    }
}

async fn note(ctx: &ObjectContext<'_>, word: &str) -> Result<(), TerminalError> {
    let said = ctx.get::<Json<Vec<String>>>("said").await?;
    let mut said = said.map(Json::into_inner).unwrap_or_default();
    said.push(word.to_owned());
    ctx.set("said", Json(said));
    Ok(())
}

#[tokio::test]
async fn a_started_driver_delivers_what_the_twin_assigns_and_asks_for_more_work() {
    let kafka = Kafka::default();
    let mut options: Options = settings::defaults();
    options.kafka.brokers = kafka.connection().brokers().into();
    options.pace = Pace {
        poll_interval: Duration::from_millis(10),
        move_interval: Duration::ZERO,
        pause: Duration::ZERO,
        step: 0.05,
    };
    let simulator = endpoint(&options);
    let twin = Endpoint::builder().bind(Twin).build();
    let restate = Restate::with([simulator.unwrap(), twin]).await;
    let phone = DriverMobileAppSimulatorIngressClient::from_client(restate.ingress(), "driver-1");
    let twin = TwinIngressClient::from_client(restate.ingress(), "driver-1");

    assert!(!phone.start_driver(None).call().await.answer().0.already);
    until("the driver has delivered", async || {
        let Json(said) = twin.said().call().await.answer();
        (said == ["available", "picked up", "delivered", "available"]).then_some(())
    })
    .await;
    assert!(phone.start_driver(None).call().await.answer().0.already);
}
