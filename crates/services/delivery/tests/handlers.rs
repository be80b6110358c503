//! Tests the delivery handlers in a real Restate server.

use std::time::Duration;

use delivery::{
    Availability, DeliveryManager, DeliveryManagerIngressClient, DeliveryRequest, DispatchBacklog,
    DriverDeliveryMatcher, DriverDigitalTwin, DriverDigitalTwinIngressClient, Progress,
};
use domain::Region;
use domain::geo::Speed;
use order_status::OrderStatusService;
use restate_sdk::prelude::*;
use restate_test::{Answer, Kafka, Restate, open, until};

const LONG: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_waiting_delivery_gets_the_next_free_driver_and_a_cancelled_one_frees_its_driver() {
    let kafka = Kafka::default();
    let speed = Speed::new(0.005, Duration::from_secs(1)).unwrap();
    let twin = DriverDigitalTwin::new(kafka.publisher(), speed, LONG);
    let status = OrderStatusService::new(kafka.publisher(), LONG);
    let services = Endpoint::builder()
        .bind(open(DeliveryManager))
        .bind(open(twin))
        .bind(DriverDeliveryMatcher)
        .bind(DispatchBacklog)
        .bind(status);
    let restate = Restate::with([services.build()]).await;
    let delivery = DeliveryManagerIngressClient::from_client(restate.ingress(), "order-1");
    let driver = DriverDigitalTwinIngressClient::from_client(restate.ingress(), "driver-1");

    let region = Region::SanJose;
    let request = DeliveryRequest {
        region,
        restaurant_id: "trattoria".parse().unwrap(),
        restaurant_location: region.at(0.2, 0.2),
        customer_location: region.at(0.8, 0.8),
        delivered: "sign_nobody_waits".to_owned(),
    };
    delivery.start(Json(request)).call().await.answer();
    let Json(progress) = delivery.check_progress().call().await.answer();
    assert_eq!(progress, Progress::Searching);

    let location = region.at(0.1, 0.1);
    let available = Json(Availability { region, location });
    driver.set_driver_available(available).call().await.answer();
    let held = until("the driver has the delivery", async || {
        driver.get_assigned_delivery().call().await.answer().0
    })
    .await;
    assert_eq!(held.delivery_id.as_str(), "order-1");

    until("the manager knows", async || {
        let Json(progress) = delivery.check_progress().call().await.answer();
        matches!(progress, Progress::Assigned { driver_id } if driver_id.as_str() == "driver-1")
            .then_some(())
    })
    .await;
    delivery.cancel().call().await.answer();
    until("the driver is free", async || {
        let Json(held) = driver.get_assigned_delivery().call().await.answer();
        held.is_none().then_some(())
    })
    .await;
}
