//! The `AsyncAPI` document and the schemas describe the topics correctly.

use domain::driver::LocationUpdate;
use domain::{Order, StatusEvent, topic};
use jsonschema::{Validator, validator_for};
use serde_json::{Value, json};

use super::Gateway;
use super::openapi::references;

#[tokio::test]
async fn every_topic_for_others_is_in_the_document() {
    let document = Gateway::new().await.get("/api/asyncapi.json").await.body;
    assert_eq!(document["asyncapi"], "3.0.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let channels = document["channels"].as_object().unwrap();
    // One topic is only between two of our parts.
    assert_eq!(channels.len(), topic::ALL.len() - 1);
    let others = topic::ALL.into_iter();
    for (topic, partitions) in others.filter(|(topic, _)| *topic != topic::DRIVER_POSITIONS) {
        let channel = &channels[topic];
        assert_eq!(channel["address"], topic);
        assert_eq!(channel["bindings"]["kafka"]["partitions"], partitions);
        assert_eq!(channel["messages"].as_object().unwrap().len(), 1);
        let operations = document["operations"].as_object().unwrap().values();
        let of_topic = operations.filter(|operation| {
            operation["channel"]["$ref"] == format!("#/channels/{topic}").as_str()
        });
        assert_eq!(of_topic.count(), 1, "{topic}");
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_example_fits_its_schemas_and_is_parsed() {
    let gateway = Gateway::new().await;
    let document = gateway.get("/api/asyncapi.json").await.body;
    for (topic, is_parsed) in [
        (
            topic::ORDERS,
            (|json| Order::parse(json).is_ok()) as fn(&[u8]) -> bool,
        ),
        (topic::DRIVER_UPDATES, |json| {
            LocationUpdate::parse(json).is_ok()
        }),
        (topic::ORDER_STATUS, |json| {
            serde_json::from_slice::<StatusEvent>(json).is_ok()
        }),
    ] {
        let messages = document["channels"][topic]["messages"].as_object().unwrap();
        let message = messages.values().next().unwrap();
        let mut in_document = message["payload"].clone();
        in_document["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        in_document["components"] = document["components"].clone();
        let in_document = validator_for(&in_document).unwrap();
        let alone = alone(&gateway, topic).await;
        let examples = message["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{topic}");
        for example in examples {
            let payload = &example["payload"];
            assert!(is_parsed(payload.to_string().as_bytes()), "{payload}");
            assert!(in_document.is_valid(payload), "{payload}");
            assert!(alone.is_valid(payload), "{payload}");
        }
        for nonsense in [json!([]), json!({}), json!("x")] {
            assert!(!in_document.is_valid(&nonsense), "{topic}: {nonsense}");
            assert!(!alone.is_valid(&nonsense), "{topic}: {nonsense}");
        }
    }
}

#[tokio::test]
async fn dead_letters_have_no_schema() {
    let gateway = Gateway::new().await;
    for topic in [topic::ORDERS_DLQ, "nowhere", "%ff"] {
        let answer = gateway.get(&format!("/api/schemas/{topic}")).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (404, "not-found"),
            "{topic}"
        );
    }
}

/// The schema of a topic's records on its own.
async fn alone(gateway: &Gateway, topic: &str) -> Validator {
    let answer = gateway.get(&format!("/api/schemas/{topic}")).await;
    assert_eq!(answer.headers["content-type"], "application/schema+json");
    validator_for(&answer.body).unwrap()
}

/// Asserts that the gateway publishes to `orders` what its schema allows.
pub(super) fn assert_published(topic: &str, value: &Value) {
    assert_eq!(topic, topic::ORDERS);
    let schema = schemars::schema_for!(Order).to_value();
    let schema = validator_for(&schema).unwrap();
    assert!(schema.is_valid(value), "{value}");
}
