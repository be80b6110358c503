//! What operators see and do, and who is an operator.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use domain::topic;
use durable::clock::now_ms;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::stream::Events;
use super::{
    Answer, BrokerState, ELSEWHERE, Gateway, HERE, TestRestate, bare, from, good, request, with,
};
use crate::Options;
use crate::events::record::News;

const LOAD: &str = "/api/operations/load";

fn config() -> Options {
    Options::new("127.0.0.1:9", "http://127.0.0.1:9")
}

async fn gateway() -> Gateway {
    Gateway::configured(TestRestate::default(), &config()).await
}

async fn with_token() -> Gateway {
    let mut config = config();
    config.operator_tokens = ["n3w-s3cret", "s3cret"].into_iter().collect();
    Gateway::configured(TestRestate::default(), &config).await
}

impl Gateway {
    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = request(method, path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        self.send(from(HERE, request.unwrap())).await
    }

    async fn load_from(&self, peer: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = request("GET", LOAD);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(from(peer, request.body(Body::empty()).unwrap()))
            .await
    }
}

#[tokio::test]
async fn on_the_gateways_own_machine_no_token_is_needed() {
    for gateway in [gateway().await, with_token().await] {
        let answer = gateway.load_from(HERE, &[("host", "localhost:3000")]).await;
        assert_eq!(
            (answer.status, answer.body),
            (200, json!({"ordersPerSecond": 0}))
        );
    }
}

#[tokio::test]
async fn from_elsewhere_every_operator_route_is_closed_and_says_how_to_open_it() {
    let gateway = gateway().await;
    for (method, path) in [
        ("GET", "/api/operations/events"),
        ("POST", "/api/operations/dead-letters/replay"),
        ("GET", "/api/operations/faults/restaurant"),
        ("PUT", "/api/operations/faults/payment"),
        ("GET", LOAD),
        ("PUT", LOAD),
    ] {
        let request = request(method, path)
            .header("content-type", "application/json")
            .body(Body::from("{}"));
        let answer = gateway.send(from(ELSEWHERE, request.unwrap())).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (403, "operators-only"),
            "{path}"
        );
        assert!(answer.detail().contains("--operator-token-file"));
    }
    let answer = gateway
        .load_from(HERE, &[("x-forwarded-for", "10.0.0.7")])
        .await;
    assert_eq!(answer.status, 403);
    // The origin of this request is unknown.
    let answer = gateway.send(bare("GET", LOAD)).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn from_elsewhere_the_token_gives_access() {
    let gateway = with_token().await;
    for headers in [&[][..], &[("authorization", "Bearer wrong")]] {
        let answer = gateway.load_from(ELSEWHERE, headers).await;
        assert_eq!((answer.status, answer.problem()), (401, "token-needed"));
        assert_eq!(
            answer.headers["www-authenticate"],
            "Bearer realm=\"operations\""
        );
    }
    let answer = gateway
        .load_from(ELSEWHERE, &[("authorization", "Bearer s3cret")])
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_session_is_a_cookie_that_scripts_and_other_sites_cannot_use() {
    let gateway = with_token().await;
    let begin = |token: &str| {
        request("POST", "/api/operations/session")
            .header("content-type", "application/json")
            .header("x-forwarded-proto", "https")
            .body(Body::from(json!({"token": token}).to_string()))
            .unwrap()
    };
    let answer = gateway.send(from(ELSEWHERE, begin("wrong"))).await;
    assert_eq!((answer.status, answer.problem()), (401, "token-needed"));
    assert!(!answer.headers.contains_key("set-cookie"));

    let answer = gateway.send(from(ELSEWHERE, begin("s3cret"))).await;
    assert_eq!(answer.status, 204);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    let mut parts = cookie.split("; ");
    let pair = parts.next().unwrap().to_owned();
    let attributes: Vec<_> = parts.collect();
    assert_eq!(
        attributes,
        [
            "Path=/",
            "Max-Age=43200",
            "HttpOnly",
            "SameSite=Strict",
            "Secure"
        ]
    );
    let answer = gateway.load_from(ELSEWHERE, &[("cookie", &pair)]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn without_a_token_a_session_is_unnecessary_here_and_impossible_elsewhere() {
    let gateway = gateway().await;
    let path = "/api/operations/session";
    let answer = gateway.ask("POST", path, json!({"token": "x"})).await;
    assert_eq!(answer.status, 204);
    assert!(!answer.headers.contains_key("set-cookie"));
    let begin = request("POST", path)
        .header("content-type", "application/json")
        .body(Body::from(json!({"token": "x"}).to_string()));
    let answer = gateway.send(from(ELSEWHERE, begin.unwrap())).await;
    assert_eq!((answer.status, answer.problem()), (403, "operators-only"));
}

#[tokio::test]
async fn operators_see_the_system_and_every_second_what_has_changed() {
    let gateway = gateway().await;
    let watch = request("GET", "/api/operations/events").body(Body::empty());
    let mut events = Events::of(gateway.open(from(HERE, watch.unwrap())).await);
    let snapshot = events.next().await.unwrap();
    assert_eq!(snapshot.event, "snapshot");
    let mut names: Vec<_> = snapshot.data.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "deadLetters",
            "deliveries",
            "drivers",
            "now",
            "orders",
            "regions",
            "stages",
            "stuck",
            "throughput"
        ]
    );
    let report = News::report("driver-A", -121.9, now_ms());
    gateway.hub.apply(report);
    let tick = events.next().await.unwrap();
    assert_eq!(tick.event, "tick");
    assert_eq!(tick.data["drivers"][0]["driverId"], "driver-A");
    gateway.hub.close();
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn a_corrected_event_is_published_under_the_orders_id() {
    let gateway = gateway().await;
    let path = "/api/operations/dead-letters/replay";
    let replay = |value: Value, key: Value| {
        let mut body = json!({"value": value.to_string()});
        if !key.is_null() {
            body["key"] = key;
        }
        gateway.ask("POST", path, body)
    };
    let answer = replay(good(), json!("another")).await;
    assert_eq!(
        (answer.status, &answer.body["orderId"]),
        (202, &json!("order-1"))
    );
    let answer = replay(with("/orderId", Value::Null), json!("order-2")).await;
    assert_eq!(
        (answer.status, &answer.body["orderId"]),
        (202, &json!("order-2"))
    );
    let keys: Vec<_> = (gateway.records().into_iter())
        .map(|record| {
            assert_eq!(record.topic, topic::ORDERS);
            assert_eq!(record.value["orderId"], record.key);
            record.key
        })
        .collect();
    assert_eq!(keys, ["order-1", "order-2"]);

    let answer = replay(with("/totalCost", json!(1)), Value::Null).await;
    assert_eq!((answer.status, answer.problem()), (422, "invalid-order"));
    assert_eq!(answer.fields(), ["totalCost"]);
    let answer = gateway
        .ask("POST", path, json!({"value": "not json"}))
        .await;
    assert_eq!((answer.status, answer.problem()), (422, "invalid-order"));
    assert_eq!(answer.fields(), ["value"]);
    let answer = gateway.ask("POST", path, json!({"text": "x"})).await;
    assert_eq!((answer.status, answer.problem()), (422, "invalid-request"));
    gateway.broker_is(BrokerState::Down);
    let answer = replay(good(), Value::Null).await;
    assert_eq!(
        (answer.status, answer.problem()),
        (503, "order-not-confirmed")
    );
}

#[tokio::test(start_paused = true)]
async fn the_load_lasts_for_ten_minutes_at_most() {
    let gateway = gateway().await;
    let answer = gateway
        .ask("PUT", LOAD, json!({"ordersPerSecond": 10}))
        .await;
    assert_eq!(
        (answer.status, answer.body),
        (200, json!({"ordersPerSecond": 10}))
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    let placed = gateway.records().len();
    assert!((95..=105).contains(&placed), "{placed}");

    gateway
        .ask("PUT", LOAD, json!({"ordersPerSecond": 0}))
        .await;
    let placed = gateway.records().len();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(gateway.records().len(), placed);

    gateway
        .ask("PUT", LOAD, json!({"ordersPerSecond": 1}))
        .await;
    tokio::time::sleep(Duration::from_mins(11)).await;
    let answer = gateway.load_from(HERE, &[]).await;
    assert_eq!(answer.body, json!({"ordersPerSecond": 0}));
    let placed = gateway.records().len() - placed;
    assert!((595..=602).contains(&placed), "{placed}");
}

#[tokio::test]
async fn too_high_a_load_is_refused() {
    let gateway = gateway().await;
    let answer = gateway
        .ask("PUT", LOAD, json!({"ordersPerSecond": 51}))
        .await;
    assert_eq!((answer.status, answer.problem()), (422, "invalid-request"));
    assert_eq!(answer.fields(), ["ordersPerSecond"]);
    for bad in [json!({"ordersPerSecond": -1}), json!({}), json!({"x": 1})] {
        assert_eq!(gateway.ask("PUT", LOAD, bad).await.status, 422);
    }
}

#[tokio::test]
async fn the_stubs_faults_are_passed_on() {
    let wishes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&wishes);
    let put = move |axum::Json(wish): axum::Json<Value>| {
        let seen = Arc::clone(&seen);
        async move {
            if wish["errorRate"] == 7 {
                let problem = json!({"detail": "errorRate must be a rate"});
                return Err((axum::http::StatusCode::BAD_REQUEST, axum::Json(problem)));
            }
            seen.lock().unwrap().push(wish);
            Ok(axum::Json(json!({"errorRate": 1.0})))
        }
    };
    let stub = Router::new().route(
        "/faults",
        get(|| async { axum::Json(json!({"errorRate": 0.5})) }).put(put),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config();
    config.stubs.restaurant_url = format!("http://{}", listener.local_addr().unwrap());
    config.stubs.payment_url = "http://127.0.0.1:9/".to_owned();
    tokio::spawn(async { axum::serve(listener, stub).await.unwrap() });
    let gateway = Gateway::configured(TestRestate::default(), &config).await;

    let path = "/api/operations/faults/restaurant";
    let answer = gateway.ask("GET", path, Value::Null).await;
    assert_eq!(
        (answer.status, answer.body),
        (200, json!({"errorRate": 0.5}))
    );
    let answer = gateway.ask("PUT", path, json!({"errorRate": 1})).await;
    assert_eq!(
        (answer.status, answer.body),
        (200, json!({"errorRate": 1.0}))
    );
    assert_eq!(*wishes.lock().unwrap(), [json!({"errorRate": 1})]);
    let answer = gateway.ask("PUT", path, json!({"errorRate": 7})).await;
    assert_eq!((answer.status, answer.problem()), (422, "invalid-request"));
    assert_eq!(answer.detail(), "errorRate must be a rate");
    let answer = gateway
        .ask("GET", "/api/operations/faults/payment", Value::Null)
        .await;
    assert_eq!((answer.status, answer.problem()), (503, "unavailable"));
    let answer = gateway
        .ask("GET", "/api/operations/faults/weather", Value::Null)
        .await;
    assert_eq!((answer.status, answer.problem()), (404, "not-found"));
}

#[tokio::test]
async fn invalid_settings_are_refused() {
    let refused = |change: fn(&mut Options)| {
        let mut config = config();
        change(&mut config);
        let ingress =
            crate::Ingress::new(&config.restate_ingress.urls, Duration::from_secs(1)).unwrap();
        let address = [127, 0, 0, 1].into();
        crate::App::new(super::TestBroker::default(), ingress, &config, address)
            .err()
            .unwrap()
            .to_string()
    };
    let message = refused(|config| config.operator_tokens = ["two words"].into_iter().collect());
    assert!(message.contains("operator token"), "{message}");
    assert!(!message.contains("two words"));
    let message = refused(|config| config.web_ui.tile_url = Some("tiles".to_owned()));
    assert!(message.contains("{z}"), "{message}");
    let message = refused(|config| config.stubs.payment_url = "payment".to_owned());
    assert!(message.contains("base URLs"), "{message}");
}
