//! The whole gateway over HTTP, with librdkafka's mock cluster as its broker.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use domain::{Status, StatusEvent, topic};
use durable::clock::now_ms;
use kafka::{Publisher, dead_letter};
use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use upstream::http;

use super::stream::Events;
use super::{good, with};
use crate::{Error, Options, Pace, serve};

fn client() -> reqwest::Client {
    http::streaming_client().build().unwrap()
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = http::body(response, http::SHORT).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

const DEADLINE: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), Error>>,
}

impl Running {
    async fn start(brokers: &str) -> Self {
        Self::with(Options::new(brokers, "http://127.0.0.1:9")).await
    }

    async fn with(config: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(config, listener, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            stop,
            server,
        }
    }

    /// What `/ready` says about reading the topics, as soon as that is `status`.
    async fn events_are(&self, status: &str) -> Value {
        let asking = async {
            loop {
                let ready = client().get(format!("http://{}/ready", self.address));
                let (_, ready) = answer(ready).await;
                if ready["events"]["status"] == status {
                    return ready;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(DEADLINE, asking).await.unwrap()
    }

    async fn order(&self, order: &Value) -> (u16, Value) {
        let request = client().post(format!("http://{}/api/orders", self.address));
        answer(request.json(order)).await
    }

    async fn watch(&self, path: &str, last_event_id: Option<u64>) -> Events {
        let mut request = client().get(format!("http://{}{path}", self.address));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Events::new(Body::new(reqwest::Body::from(response)))
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        let stopped = tokio::time::timeout(DEADLINE, self.server).await;
        stopped.unwrap().unwrap().unwrap();
    }
}

fn consumer(brokers: &str) -> StreamConsumer {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "test")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&[domain::topic::ORDERS]).unwrap();
    consumer
}

/// The next record of topic `orders`: key and value.
async fn next(consumer: &StreamConsumer) -> (String, Value) {
    let record = tokio::time::timeout(DEADLINE, consumer.recv()).await;
    let record = record.unwrap().unwrap();
    (
        String::from_utf8(record.key().unwrap().to_vec()).unwrap(),
        serde_json::from_slice(record.payload().unwrap()).unwrap(),
    )
}

#[tokio::test]
async fn an_accepted_order_is_in_the_topic() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(domain::topic::ORDERS, 4, 1).unwrap();
    let gateway = Running::start(&cluster.bootstrap_servers()).await;

    let (status, accepted) = gateway.order(&with("/orderId", Value::Null)).await;
    assert_eq!(status, 202);
    let id = accepted["orderId"].as_str().unwrap();

    let (key, value) = next(&consumer(&cluster.bootstrap_servers())).await;
    assert_eq!(key, id);
    let mut expected = with("/orderId", json!(id));
    expected["region"] = json!("San Jose (CA)");
    assert_eq!(value, expected);
    gateway.stop().await;
}

#[tokio::test]
async fn while_the_broker_is_down_no_order_is_accepted_and_the_request_can_be_repeated() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(domain::topic::ORDERS, 4, 1).unwrap();
    let gateway = Running::start(&cluster.bootstrap_servers()).await;
    let (status, _) = gateway.order(&good()).await;
    assert_eq!(status, 202);

    cluster.broker_down(1).unwrap();
    let (status, problem) = gateway.order(&with("/orderId", Value::Null)).await;
    assert_eq!(status, 503);
    assert_eq!(
        problem["type"],
        "urn:food-ordering:problem:order-not-confirmed"
    );
    let id = problem["orderId"].as_str().unwrap();

    cluster.broker_up(1).unwrap();
    let (status, _) = gateway.order(&with("/orderId", json!(id))).await;
    assert_eq!(status, 202);

    let consumer = consumer(&cluster.bootstrap_servers());
    let mut keys = Vec::new();
    while !keys.iter().any(|key| key == id) {
        keys.push(next(&consumer).await.0);
    }
    gateway.stop().await;
}

/// A cluster with all topics.
fn whole_cluster() -> MockCluster<'static, rdkafka::producer::DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    for (topic, partitions) in topic::ALL {
        cluster.create_topic(topic, partitions, 1).unwrap();
    }
    cluster
}

async fn changes(publisher: &Publisher, version: u64, status: Status) {
    let event = StatusEvent {
        order_id: "order-1".parse().unwrap(),
        status,
        eta: None,
        version,
        at: now_ms(),
        reason: None,
        driver_id: (status >= Status::WaitingForDriver).then(|| "driver-A".parse().unwrap()),
        delayed: false,
    };
    let value = serde_json::to_vec(&event).unwrap();
    publisher
        .publish(topic::ORDER_STATUS, Some(b"order-1"), &value, &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn published_changes_and_positions_reach_an_open_stream() {
    let cluster = whole_cluster();
    let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
    changes(&publisher, 1, Status::Created).await;
    // Published before the gateway started. Restate, which is not running, need not be asked.
    let gateway = Running::start(&cluster.bootstrap_servers()).await;
    let mut events = gateway.watch("/api/orders/order-1/events", None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    changes(&publisher, 2, Status::Scheduled).await;
    changes(&publisher, 2, Status::Scheduled).await;
    changes(&publisher, 3, Status::WaitingForDriver).await;
    assert_eq!(events.short(2).await, ["status 2", "status 3"]);
    let at = now_ms();
    let place = json!({"lon": -121.9, "lat": 37.3, "timestamp": at}).to_string();
    publisher
        .publish(
            topic::DRIVER_UPDATES,
            Some(b"driver-A"),
            place.as_bytes(),
            &[],
        )
        .await
        .unwrap();
    let seen = events.next().await.unwrap();
    assert_eq!(seen.event, "driver");
    assert_eq!(seen.data["timestamp"], at);

    // A gateway that is restarted while a client watches.
    gateway.stop().await;
    assert!(events.next().await.is_none());
    changes(&publisher, 4, Status::InDelivery).await;
    let gateway = Running::start(&cluster.bootstrap_servers()).await;
    let mut events = gateway.watch("/api/orders/order-1/events", Some(2)).await;
    assert_eq!(events.short(2).await, ["status 3", "status 4"]);
    gateway.stop().await;
}

#[tokio::test]
async fn a_stream_continues_after_the_broker_was_down() {
    let cluster = whole_cluster();
    let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
    changes(&publisher, 1, Status::Created).await;
    let gateway = Running::start(&cluster.bootstrap_servers()).await;
    let mut events = gateway.watch("/api/orders/order-1/events", None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    cluster.broker_down(1).unwrap();
    cluster.broker_up(1).unwrap();
    changes(&publisher, 2, Status::Scheduled).await;
    assert_eq!(events.short(1).await, ["status 2"]);
    gateway.stop().await;
}

#[tokio::test]
async fn topics_created_later_are_read_too() {
    let cluster = MockCluster::new(1).unwrap();
    let gateway = Running::start(&cluster.bootstrap_servers()).await;
    let mut events = gateway.watch("/api/operations/events", None).await;
    let snapshot = events.next().await.unwrap();
    assert_eq!(snapshot.data["deadLetters"], json!([]));
    for (topic, partitions) in topic::ALL {
        cluster.create_topic(topic, partitions, 1).unwrap();
    }
    let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
    let headers = [
        (dead_letter::REASON, "not JSON"),
        (dead_letter::TOPIC, "orders"),
    ];
    publisher
        .publish(topic::ORDERS_DLQ, Some(b"order-1"), b"pizza", &headers)
        .await
        .unwrap();
    let letters = loop {
        let mut tick = events.next().await.unwrap();
        if !tick.data["deadLetters"].is_null() {
            break tick.data["deadLetters"].take();
        }
    };
    assert_eq!(letters[0]["reason"], "not JSON");
    assert_eq!(letters[0]["topic"], "orders");
    assert_eq!(letters[0]["value"], "pizza");
    gateway.stop().await;
}

/// A gateway that notices a stalled partition at once.
async fn impatient(
    cluster: &MockCluster<'_, rdkafka::producer::DefaultProducerContext>,
) -> Running {
    let brokers = cluster.bootstrap_servers();
    Running::with(Options {
        pace: Pace {
            look_every: Duration::from_millis(100),
            stalled_after: Duration::from_millis(500),
        },
        ..Options::new(brokers, "http://127.0.0.1:9")
    })
    .await
}

#[tokio::test]
async fn a_missing_topic_is_reported_until_it_exists() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(topic::ORDERS, 4, 1).unwrap();
    let gateway = impatient(&cluster).await;
    let ready = gateway.events_are("DOWN").await;
    assert_eq!(
        ready["events"]["detail"],
        "topic order-status is missing; `food-ordering setup` creates it"
    );
    for (topic, partitions) in topic::ALL {
        if topic != topic::ORDERS {
            cluster.create_topic(topic, partitions, 1).unwrap();
        }
    }
    gateway.events_are("UP").await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_reader_that_gets_only_errors_is_reported_and_recovers_when_they_end() {
    let cluster = whole_cluster();
    let publisher = Publisher::new(&cluster.bootstrap_servers().into(), "test").unwrap();
    let gateway = impatient(&cluster).await;
    gateway.events_are("UP").await;

    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN;
    cluster.request_errors(RDKafkaApiKey::Fetch, &vec![error; 10_000]);
    changes(&publisher, 1, Status::Created).await;
    let ready = gateway.events_are("DOWN").await;
    assert_eq!(ready["status"], "DOWN");
    assert_eq!(ready["kafka"]["status"], "UP");
    let detail = ready["events"]["detail"].as_str().unwrap();
    assert!(
        detail.contains("of topic order-status has brought nothing"),
        "{detail}"
    );
    assert!(detail.contains("1 records are unread"), "{detail}");
    let metrics = telemetry::metrics::text();
    let lag = r#"kafka_reader_lag_records{topic="order-status"} "#;
    assert!(metrics.contains(lag), "{metrics}");

    cluster.clear_request_errors(RDKafkaApiKey::Fetch);
    gateway.events_are("UP").await;
    let mut events = gateway.watch("/api/orders/order-1/events", None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    gateway.stop().await;
}

#[tokio::test]
async fn invalid_settings_are_refused_at_the_start() {
    for url in ["", "localhost:8080", "ftp://restate:8080", "mailto:x"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = serve(Options::new("127.0.0.1:9", url), listener, async {}).await;
        let message = refused.unwrap_err().to_string();
        assert!(
            message.contains("such as http://127.0.0.1:8080"),
            "{message}"
        );
    }
}
