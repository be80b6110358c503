//! Tests the handlers of `OrderStatusService` in a real Restate server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use domain::{Order, Status};
use order_status::{
    Change, Claimant, IdClaim, NewOrder, OrderStatusService, OrderStatusServiceIngressClient, cause,
};
use restate_sdk::prelude::*;
use restate_test::{Answer, Kafka, Restate, open};

const RETENTION: Duration = Duration::from_hours(1);

fn order(price: &str) -> Order {
    let event = format!(
        r#"{{"orderId":"o","restaurantId":"r","totalCost":{price},"deliveryDelay":0,
        "products":[{{"productId":"p","description":"Pizza","quantity":1}}]}}"#
    );
    Order::parse(event.as_bytes()).unwrap()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the input of `create` may be left out"
)]
fn create(order: &Order) -> Option<Json<NewOrder>> {
    let (content, price) = (order.content(), order.total_cost);
    Some(Json(NewOrder { content, price }))
}

#[tokio::test]
async fn an_order_changes_until_it_has_ended_and_its_history_is_returned() {
    let kafka = Kafka::default();
    let service = OrderStatusService::new(kafka.publisher(), RETENTION);
    let services = Endpoint::builder().bind(open(service)).build();
    let restate = Restate::with([services]).await;
    let order_status = OrderStatusServiceIngressClient::from_client(restate.ingress(), "order-1");
    assert_eq!(
        order_status.get().call().await.answer().0.status,
        Status::New
    );

    let order = order("9.5");
    let Json(created) = order_status.create(create(&order)).call().await.answer();
    assert!(created.applied && created.unsettled == Some(order.total_cost));
    let Json(again) = order_status.create(create(&order)).call().await.answer();
    assert!(!again.applied && !again.taken);

    let cancel = Json(Change::ended(Status::Cancelled, cause::BY_CUSTOMER));
    let Json(cancelled) = order_status.set_status(cancel).call().await.answer();
    assert!(cancelled.applied);
    let late = Json(Change::to(Status::InPreparation));
    let Json(late) = order_status.set_status(late).call().await.answer();
    assert_eq!((late.applied, late.status), (false, Status::Cancelled));

    let Json(told) = order_status.get().call().await.answer();
    let history: Vec<_> = told.history.iter().map(|entry| entry.status).collect();
    assert_eq!(history, [Status::Created, Status::Cancelled]);
    assert_eq!(told.reason.as_deref(), Some(cause::BY_CUSTOMER));
}

#[tokio::test]
async fn an_id_belongs_to_the_first_order_that_claims_it() {
    let kafka = Kafka::default();
    let service = OrderStatusService::new(kafka.publisher(), RETENTION);
    let services = Endpoint::builder().bind(open(service)).build();
    let restate = Restate::with([services]).await;
    let order_status = OrderStatusServiceIngressClient::from_client(restate.ingress(), "order-1");

    for (order, granted) in [("9.5", true), ("9.50", true), ("8", false)] {
        let claim = Json(IdClaim {
            content: crate::order(order).content(),
            claimant: Claimant::Trusted,
        });
        let Json(answer) = order_status.claim(claim).call().await.answer();
        assert_eq!(answer.granted, granted, "{order}");
    }
    let Json(other) = (order_status.create(create(&order("8"))).call().await).answer();
    assert!(other.taken);
}
