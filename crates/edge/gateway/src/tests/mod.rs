//! The routes, without a network where possible. Every answer in a test is checked against the `OpenAPI` document.

mod asyncapi;
mod bodies;
mod callbacks;
mod connections;
mod edge;
mod events;
mod health;
mod kafka;
mod openapi;
mod operations;
mod orders;
mod restaurants;
mod stream;
mod web;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::kafka::Error;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::events::Hub;
use crate::{App, Broker, Ingress, Options, router};

/// How the broker behaves.
#[derive(Debug, Clone, Copy, Default)]
enum BrokerState {
    /// Stores every record.
    #[default]
    Well,
    /// Confirms no record.
    Down,
    /// Refuses every record.
    Refusing,
    /// Makes the gateway panic.
    Fatal,
}

#[derive(Debug, Clone, PartialEq)]
struct Record {
    topic: String,
    key: String,
    value: Value,
}

/// A broker in memory.
#[derive(Debug, Clone, Default)]
struct TestBroker {
    state: Arc<Mutex<BrokerState>>,
    records: Arc<Mutex<Vec<Record>>>,
    checks: Arc<Mutex<usize>>,
}

impl Broker for TestBroker {
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        key: &'a [u8],
        value: &'a [u8],
    ) -> BoxFuture<'a, Result<(), Error>> {
        let error = |code| KafkaError::MessageProduction(code);
        let state = *self.state.lock().unwrap();
        Box::pin(async move {
            match state {
                BrokerState::Well => {
                    let value = serde_json::from_slice(value).unwrap();
                    asyncapi::assert_published(topic, &value);
                    self.records.lock().unwrap().push(Record {
                        topic: topic.to_owned(),
                        key: String::from_utf8(key.to_vec()).unwrap(),
                        value,
                    });
                    Ok(())
                }
                BrokerState::Down => Err(Error::NotConfirmed {
                    topic: topic.to_owned(),
                    source: error(RDKafkaErrorCode::MessageTimedOut),
                }),
                BrokerState::Refusing => Err(Error::Refused {
                    topic: topic.to_owned(),
                    source: error(RDKafkaErrorCode::PolicyViolation),
                }),
                BrokerState::Fatal => panic!("the broker is on fire"),
            }
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        *self.checks.lock().unwrap() += 1;
        let is_well = matches!(*self.state.lock().unwrap(), BrokerState::Well);
        Box::pin(async move {
            is_well
                .then_some(())
                .ok_or_else(|| "not reachable".to_owned())
        })
    }
}

/// Restate's ingress as the gateway sees it: the answers by path, and the paths that were requested.
#[derive(Debug, Clone, Default)]
struct TestRestate {
    answers: Arc<Mutex<HashMap<String, (u16, Value)>>>,
    calls: Arc<Mutex<Vec<String>>>,
    /// The bodies of the claims.
    claims: Arc<Mutex<Vec<Value>>>,
}

impl TestRestate {
    fn answer(&self, path: &str, status: u16, body: Value) {
        self.answers
            .lock()
            .unwrap()
            .insert(path.to_owned(), (status, body));
    }

    /// Sets the answer of `OrderStatusService/get` for the order.
    fn has_status(&self, id: &str, status: &str, version: u64) {
        let history = match version {
            0 => json!([]),
            _ => json!([{"status": status, "at": 1_700_000_000_000_u64, "version": version}]),
        };
        self.answer(
            &format!("/restate/call/OrderStatusService/{id}/get"),
            200,
            json!({"orderId": id, "status": status, "eta": null, "version": version, "history": history}),
        );
    }

    /// How often this path was requested.
    fn asked(&self, path: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| call.ends_with(path)).count()
    }

    /// Sets the answer of `OrderWorkflow/cancel` for the order.
    fn answers_cancel(&self, id: &str, status: u16, body: Value) {
        self.answer(
            &format!("/restate/call/OrderWorkflow/{id}/cancel"),
            status,
            body,
        );
    }

    /// Sets the answer of `OrderStatusService/claim` for the order.
    fn answers_claim(&self, id: &str, granted: bool) {
        self.answer(
            &format!("/restate/call/OrderStatusService/{id}/claim"),
            200,
            json!({"granted": granted}),
        );
    }

    /// Serves this on a free port, and returns its base URL.
    async fn serve(&self) -> String {
        let this = self.clone();
        let app = Router::new()
            .fallback(move |request: Request<Body>| async move { this.respond(request).await });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        base
    }

    async fn respond(&self, request: Request<Body>) -> Response {
        let path = request.uri().path().to_owned();
        self.calls
            .lock()
            .unwrap()
            .push(format!("{} {path}", request.method()));
        // Restate refuses a body for handlers without an input.
        let is_claim = path.ends_with("/claim");
        let is_call = path.starts_with("/restate/call/");
        assert!(!is_call || request.headers().contains_key("content-type") == is_claim);
        let body = request.into_body().collect().await.unwrap().to_bytes();
        if is_claim {
            let claim = serde_json::from_slice(&body).unwrap();
            self.claims.lock().unwrap().push(claim);
        }
        let answer = self.answers.lock().unwrap().get(&path).cloned();
        match answer {
            Some((SILENCE, _)) => std::future::pending().await,
            Some((status, body)) => {
                let invocation = [("x-restate-id", "inv_1")];
                let status = StatusCode::from_u16(status).unwrap();
                (status, invocation, axum::Json(body)).into_response()
            }
            None => {
                let body =
                    json!({"code": 404, "message": "service not found", "source": "ingress"});
                (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
            }
        }
    }
}

/// Instead of a status: no answer at all.
const SILENCE: u16 = 0;

/// A gateway with test doubles around it.
struct Gateway {
    router: Router,
    broker: TestBroker,
    restate: TestRestate,
    hub: Arc<Hub>,
    leaving: Arc<AtomicBool>,
    document: Value,
}

/// An answer of the gateway.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// The name of the problem, without the prefix that all names have.
    fn problem(&self) -> &str {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], self.status);
        let kind = self.body["type"].as_str().unwrap();
        kind.strip_prefix("urn:food-ordering:problem:").unwrap()
    }

    fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap()
    }

    /// The fields at fault.
    fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect()
    }
}

impl Gateway {
    async fn new() -> Self {
        let restate = TestRestate::default();
        restate.answer("/restate/health", 200, json!({"services": []}));
        let base = restate.serve().await;
        Self::with(restate, &base, Duration::from_secs(30)).await
    }

    /// With Restate at `base`, which must answer within `limit`.
    async fn with(restate: TestRestate, base: &str, limit: Duration) -> Self {
        let mut config = Options::new("127.0.0.1:9", base);
        config.restate_timeout = limit;
        Self::configured(restate, &config).await
    }

    /// With this configuration, except for the brokers.
    async fn configured(restate: TestRestate, config: &Options) -> Self {
        let broker = TestBroker::default();
        let ingress = Ingress::new(&config.restate_ingress.urls, config.restate_timeout).unwrap();
        let address = Ipv4Addr::LOCALHOST.into();
        let app = App::new(broker.clone(), ingress, config, address).unwrap();
        let mut gateway = Self {
            hub: Arc::clone(&app.hub),
            leaving: Arc::clone(&app.leaving),
            router: router(app),
            broker,
            restate,
            document: Value::Null,
        };
        gateway.document = gateway
            .send(
                request("GET", "/api/openapi.json")
                    .body(Body::empty())
                    .unwrap(),
            )
            .await
            .body;
        gateway
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(from(HERE, bare("GET", path))).await
    }

    async fn post(&self, path: &str) -> Answer {
        self.send(from(HERE, bare("POST", path))).await
    }

    /// Places an order.
    async fn order(&self, body: impl ToString) -> Answer {
        let request = request("POST", "/api/orders").header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string())).unwrap();
        self.send(from(HERE, request)).await
    }

    /// The answer, with its body unread.
    async fn open(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        };
        if !self.document.is_null() {
            openapi::assert_documented(&self.document, method.as_str(), &path, &answer);
        }
        answer
    }

    fn records(&self) -> Vec<Record> {
        self.broker.records.lock().unwrap().clone()
    }

    fn broker_is(&self, state: BrokerState) {
        *self.broker.state.lock().unwrap() = state;
    }
}

/// The gateway's own machine, and another one.
const HERE: &str = "127.0.0.1:40000";
const ELSEWHERE: &str = "10.0.0.7:40000";

/// The request as if it came from `peer`.
fn from(peer: &str, mut request: Request<Body>) -> Request<Body> {
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

fn bare(method: &str, path: &str) -> Request<Body> {
    request(method, path).body(Body::empty()).unwrap()
}

fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path)
}

/// A valid order.
fn good() -> Value {
    json!({
        "orderId": "order-1",
        "restaurantId": "la-piazza",
        "products": [{"productId": "margherita", "description": "Pizza Margherita", "quantity": 2}],
        "totalCost": 25.00,
        "deliveryDelay": 0,
    })
}

/// The valid order with another value at `pointer`; null removes the field.
fn with(pointer: &str, value: Value) -> Value {
    let mut order = good();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let fields = order.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(key);
    } else {
        fields.insert(key.to_owned(), value);
    }
    order
}
