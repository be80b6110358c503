//! The handlers of `OrderWorkflow` in a real Restate server, with third parties that are a few lines each.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json as Body, Router};
use domain::Status;
use order_status::{OrderStatusServiceIngressClient, cause};
use order_workflow::{Options, OrderWorkflowIngressClient, ThirdPartyUrls, endpoint};
use restate_sdk::prelude::*;
use restate_test::{Answer, Kafka, Restate, until};
use secrets::Secrets;
use secrets::callback::Callbacks;
use serde_json::{Value, json};
use tokio::net::TcpListener;

fn order(delay_ms: u32) -> Vec<u8> {
    let order = json!({
        "orderId": "order-1", "restaurantId": "trattoria", "totalCost": 9.5, "deliveryDelay": delay_ms,
        "products": [{"productId": "p", "description": "Pizza", "quantity": 1}],
    });
    order.to_string().into_bytes()
}

/// What the third parties were asked.
type Asked = Arc<Mutex<Vec<String>>>;

async fn charge(State(asked): State<Asked>, Body(request): Body<Value>) -> Body<Value> {
    asked.lock().unwrap().push("charge".to_owned());
    let (amount, currency) = (&request["amount"], &request["currency"]);
    Body(json!({"paymentId": "payment-1", "amount": amount, "currency": currency}))
}

async fn refund(State(asked): State<Asked>, Path(payment): Path<String>) -> Body<Value> {
    asked.lock().unwrap().push(format!("refund {payment}"));
    Body(json!({}))
}

async fn prepare(State(asked): State<Asked>) -> (StatusCode, Body<Value>) {
    asked.lock().unwrap().push("prepare".to_owned());
    let closed = Body(json!({"detail": "closed"}));
    (StatusCode::UNPROCESSABLE_ENTITY, closed)
}

/// A payment provider that charges everyone, and a restaurant that is closed. Answers their address.
async fn third_parties(asked: &Asked) -> String {
    let app = Router::new()
        .route("/payments", post(charge))
        .route("/payments/{payment}/refunds", post(refund))
        .route("/prepare", post(prepare));
    start(app, asked).await
}

/// Serves third parties. Answers their address.
async fn start(app: Router<Asked>, asked: &Asked) -> String {
    let app = app.with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn serve(kafka: &Kafka, third_parties: String) -> Restate {
    let mut options: Options = settings::defaults();
    options.kafka.brokers = kafka.connection().brokers().into();
    options.third_parties = ThirdPartyUrls {
        payment_url: third_parties.clone(),
        restaurant_url: third_parties,
    };
    let services = endpoint(&options, Callbacks::new(&Secrets::default()));
    Restate::with([services.unwrap()]).await
}

#[tokio::test]
async fn an_order_that_the_restaurant_refuses_is_paid_back() {
    let (kafka, asked) = (Kafka::default(), Asked::default());
    let restate = serve(&kafka, third_parties(&asked).await).await;
    let workflow = OrderWorkflowIngressClient::from_client(restate.ingress(), "order-1");

    let Json(ended) = workflow.run(order(0).into()).call().await.answer();
    assert_eq!(ended.status, Status::Rejected);
    let reason = ended.reason.unwrap();
    assert_eq!(reason, format!("{}: closed", cause::REFUSED));
    let asked = asked.lock().unwrap();
    assert_eq!(*asked, ["charge", "prepare", "refund payment-1"]);
}

#[tokio::test]
async fn an_order_that_waits_can_be_cancelled_and_is_paid_back() {
    let (kafka, asked) = (Kafka::default(), Asked::default());
    let restate = serve(&kafka, third_parties(&asked).await).await;
    let workflow = OrderWorkflowIngressClient::from_client(restate.ingress(), "order-1");
    let order_status = OrderStatusServiceIngressClient::from_client(restate.ingress(), "order-1");

    let run = workflow.run(order(3_600_000).into()).send().await.unwrap();
    until("the order is charged and waits", async || {
        let Json(order) = order_status.get().call().await.answer();
        (order.status == Status::Scheduled).then_some(())
    })
    .await;
    assert!(workflow.cancel().call().await.answer().0.accepted);
    let Json(ended) = run.invocation_handle().attach().await.unwrap().into_body();
    assert_eq!(ended.status, Status::Cancelled);
    let asked = asked.lock().unwrap();
    assert_eq!(*asked, ["charge", "refund payment-1"]);
}

/// Says once that it has charged something else, and then that the customer cannot pay.
async fn contradict(State(asked): State<Asked>) -> (StatusCode, Body<Value>) {
    let mut asked = asked.lock().unwrap();
    asked.push("charge".to_owned());
    if asked.len() > 1 {
        return (StatusCode::PAYMENT_REQUIRED, Body(json!({})));
    }
    let yen = json!({"paymentId": "payment-1", "amount": 1.00, "currency": "JPY"});
    (StatusCode::CREATED, Body(yen))
}

#[tokio::test]
async fn what_a_provider_says_to_have_charged_is_given_back_though_it_denies_it_later() {
    let (kafka, asked) = (Kafka::default(), Asked::default());
    let provider = Router::new()
        .route("/payments", post(contradict))
        .route("/payments/{payment}/refunds", post(refund));
    let restate = serve(&kafka, start(provider, &asked).await).await;
    let workflow = OrderWorkflowIngressClient::from_client(restate.ingress(), "order-1");

    let Json(ended) = workflow.run(order(0).into()).call().await.answer();
    assert_eq!(ended.reason.as_deref(), Some(cause::OTHER_AMOUNT));
    let asked = asked.lock().unwrap();
    assert_eq!(*asked, ["charge", "charge", "refund payment-1"]);
}

#[tokio::test]
async fn a_cancellation_while_the_order_is_created_leaves_out_no_version() {
    let (kafka, asked) = (Kafka::default(), Asked::default());
    let restate = serve(&kafka, third_parties(&asked).await).await;
    let workflow = OrderWorkflowIngressClient::from_client(restate.ingress(), "order-1");
    let order_status = OrderStatusServiceIngressClient::from_client(restate.ingress(), "order-1");

    kafka.stop();
    let run = workflow.run(order(0).into()).send().await.unwrap();
    until("the order is being created", async || {
        let query = "select id from sys_invocation where target = 'OrderStatusService/order-1/create' and status = 'running'";
        (!restate.sql(query).await.is_empty()).then_some(())
    })
    .await;
    restate
        .cancel(run.invocation_handle().invocation_id())
        .await;
    assert!(run.invocation_handle().attach().await.is_err());
    kafka.resume();

    let order = until("the order has ended", async || {
        let Json(order) = order_status.get().call().await.answer();
        order.status.is_terminal().then_some(order)
    })
    .await;
    let history = order
        .history
        .iter()
        .map(|entry| (entry.status, entry.version));
    assert_eq!(
        history.collect::<Vec<_>>(),
        [(Status::Created, 1), (Status::Cancelled, 2)]
    );
    assert!(asked.lock().unwrap().is_empty());
}
