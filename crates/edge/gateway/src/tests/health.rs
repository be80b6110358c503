//! Health, and what every route has in common.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use serde_json::json;

use super::{BrokerState, Gateway, TestRestate, good, request};

#[tokio::test]
async fn the_gateway_is_alive_even_if_nothing_else_is() {
    let gateway = Gateway::with(
        TestRestate::default(),
        "http://127.0.0.1:9",
        Duration::from_secs(1),
    )
    .await;
    gateway.broker_is(BrokerState::Down);
    let answer = gateway.get("/health").await;
    assert_eq!((answer.status, answer.body), (200, json!({"status": "UP"})));
}

#[tokio::test]
async fn the_gateway_is_ready_when_kafka_and_restate_are_available() {
    let gateway = Gateway::new().await;
    let answer = gateway.get("/ready").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "status": "UP",
            "kafka": {"status": "UP"},
            "restate": {"status": "UP"},
            "events": {"status": "UP"},
        })
    );
}

#[tokio::test]
async fn a_gateway_that_shuts_down_still_serves_but_is_not_ready() {
    let gateway = Gateway::new().await;
    let before = gateway.get("/health").await;
    assert!(!before.headers.contains_key("connection"));
    gateway.leaving.store(true, Ordering::Relaxed);
    let answer = gateway.get("/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.body,
        json!({
            "status": "DOWN",
            "detail": "it is shutting down",
            "kafka": {"status": "UP"},
            "restate": {"status": "UP"},
            "events": {"status": "UP"},
        })
    );
    let answer = gateway.order(good()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.headers["connection"], "close");
}

#[tokio::test]
async fn a_gateway_that_is_not_ready_says_what_is_missing() {
    let gateway = Gateway::new().await;
    gateway.broker_is(BrokerState::Down);
    let answer = gateway.get("/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.body,
        json!({
            "status": "DOWN",
            "kafka": {"status": "DOWN", "detail": "not reachable"},
            "restate": {"status": "UP"},
            "events": {"status": "UP"},
        })
    );

    let gateway = Gateway::with(
        TestRestate::default(),
        "http://127.0.0.1:9",
        Duration::from_secs(1),
    )
    .await;
    let answer = gateway.get("/ready").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body["kafka"], json!({"status": "UP"}));
    assert_eq!(answer.body["restate"]["status"], "DOWN");
    assert!(
        answer.body["restate"]["detail"]
            .as_str()
            .unwrap()
            .contains("refused")
    );
}

#[tokio::test]
async fn however_many_clients_ask_kafka_is_checked_once_a_second() {
    let gateway = Gateway::new().await;
    futures::future::join_all((0..20).map(|_| gateway.get("/ready"))).await;
    assert_eq!(*gateway.broker.checks.lock().unwrap(), 1);

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
    gateway.broker_is(BrokerState::Down);
    assert_eq!(gateway.get("/ready").await.status, 503);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let gateway = Gateway::new().await;
    for path in ["/", "/api", "/api/orders/a/b", "/api/restaurants/"] {
        let answer = gateway.get(path).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (404, "not-found"),
            "{path}"
        );
    }
    for (method, path, allow) in [
        ("DELETE", "/api/orders/order-1", "GET,HEAD"),
        ("GET", "/api/orders", "POST"),
        ("GET", "/api/orders/order-1/cancel", "POST"),
        ("POST", "/api/restaurants", "GET,HEAD"),
    ] {
        let answer = gateway
            .send(request(method, path).body(Body::empty()).unwrap())
            .await;
        assert_eq!(
            (answer.status, answer.problem()),
            (405, "method-not-allowed"),
            "{path}"
        );
        assert_eq!(answer.headers["allow"], allow);
    }
}
