//! The whole gateway over HTTP, with librdkafka's mock cluster as its broker.

use std::net::SocketAddr;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::mocking::MockCluster;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{good, with};
use crate::{Config, Error, serve};

const DEADLINE: Duration = Duration::from_secs(30);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), Error>>,
}

impl Running {
    async fn start(brokers: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let config = Config::new(brokers, "http://127.0.0.1:9");
        let server = tokio::spawn(serve(config, listener, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            stop,
            server,
        }
    }

    async fn order(&self, order: &Value) -> (u16, Value) {
        let response = reqwest::Client::new()
            .post(format!("http://{}/api/orders", self.address))
            .json(order)
            .send()
            .await
            .unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
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
async fn while_the_broker_is_down_nothing_is_accepted_and_what_was_tried_can_be_repeated() {
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

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_at_the_start() {
    for url in ["", "localhost:8080", "https://restate:8080", "mailto:x"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = serve(Config::new("127.0.0.1:9", url), listener, async {}).await;
        let message = refused.unwrap_err().to_string();
        assert!(
            message.contains("such as http://127.0.0.1:8080"),
            "{message}"
        );
    }
}
