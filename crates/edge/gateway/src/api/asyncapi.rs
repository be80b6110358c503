//! The topics, for those who publish to them or read them: an `AsyncAPI` document, and a JSON Schema of each topic's records.
//!
//! Both are made from the types that the records are parsed into ([`domain`]).

use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header;
use axum::response::IntoResponse;
use domain::driver::LocationUpdate;
use domain::{DriverId, Order, OrderId, StatusEvent, topic};
use kafka::dead_letter;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, schema_for};
use serde_json::{Map, Value, json};

use super::problem::{Problem, kind};
use super::responses::problems;

/// The schemas of the records, by topic.
static SCHEMAS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    [
        (topic::ORDERS, schema_for!(Order)),
        (topic::DRIVER_UPDATES, schema_for!(LocationUpdate)),
        (topic::ORDER_STATUS, schema_for!(StatusEvent)),
    ]
    .map(|(topic, schema)| (topic.to_owned(), schema.to_value()))
    .into_iter()
    .collect()
});

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// The topics
///
/// An `AsyncAPI` 3 document: which records may be published and which can be read.
#[utoipa::path(
    get,
    path = "/api/asyncapi.json",
    operation_id = "getAsyncApi",
    tag = "topics",
    responses((status = 200, description = "The AsyncAPI document of the Kafka topics.", body = Object))
)]
pub(super) async fn topics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], &**DOCUMENT)
}

/// The JSON Schema of a topic's records
#[utoipa::path(
    get,
    path = "/api/schemas/{topic}",
    operation_id = "getSchema",
    tag = "topics",
    params(("topic" = String, Path, description = "`orders`, `driver-updates` or `order-status`.")),
    responses(
        (status = 200, description = "The schema, of draft 2020-12.", body = Object, content_type = "application/schema+json"),
        NoSchema,
    )
)]
pub(super) async fn schema(
    path: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse, Problem> {
    let schema = path.ok().and_then(|Path(topic)| SCHEMAS.get(&topic));
    let schema = schema.ok_or_else(|| {
        let detail = "/api/asyncapi.json lists the topics; dead letters have no schema";
        Problem::new(kind::NOT_FOUND, detail)
    })?;
    let content_type = [(header::CONTENT_TYPE, "application/schema+json")];
    Ok((content_type, schema.to_string()))
}

problems! {
    /// The records of a topic have no schema.
    NoSchema {
        404: "There is no such topic, or its records may be anything.",
    }
}

/// A topic as the document describes it.
struct Channel {
    topic: &'static str,
    /// What this system does: `receive` or `send`.
    action: &'static str,
    message: &'static str,
    description: &'static str,
    key: Value,
    payload: Value,
    examples: Value,
}

fn document() -> Value {
    // AsyncAPI's own schemas are a superset of draft 7.
    let mut schemas = SchemaSettings::draft07()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let channels = channels(&mut schemas);
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Food ordering",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The Kafka topics of the system. GET /api/openapi.json describes its HTTP API; GET /api/schemas/{topic} \
                            returns the JSON Schema of one topic's records.",
        },
        "defaultContentType": "application/json",
    });
    for channel in channels {
        add(&mut document, channel);
    }
    document["components"]["schemas"] = Value::Object(schemas.take_definitions(true));
    document
}

fn channels(schemas: &mut SchemaGenerator) -> Vec<Channel> {
    let order_id = of::<OrderId>(schemas);
    let driver_id = of::<DriverId>(schemas);
    let dead = |topic, of: &str| Channel {
        topic,
        action: "send",
        message: "deadLetter",
        description: if of == topic::ORDERS {
            "Records of topic orders that are not orders, or whose order id belongs to another order, with their original key and value."
        } else {
            "Records of topic driver-updates that are not location updates, with their original key and value."
        },
        key: json!({"description": "The original key of the record, if any."}),
        payload: json!({"description": "The original value of the record, which may be anything."}),
        examples: json!([]),
    };
    vec![
        Channel {
            topic: topic::ORDERS,
            action: "receive",
            message: "order",
            description: "Orders of ordering providers. The key is the order's id. Sending the same order again changes nothing.",
            key: order_id.clone(),
            payload: of::<Order>(schemas),
            examples: json!([{
                "orderId": "order-1",
                "restaurantId": "la-piazza",
                "products": [{"productId": "margherita", "description": "Pizza Margherita", "quantity": 2}],
                "totalCost": 25.00,
                "deliveryDelay": 0,
            }]),
        },
        Channel {
            topic: topic::DRIVER_UPDATES,
            action: "receive",
            message: "locationUpdate",
            description: "Where drivers are, as their phones report it. The key is the driver's id.",
            key: driver_id,
            payload: of::<LocationUpdate>(schemas),
            examples: json!([
                {"lon": -121.8946, "lat": 37.3366, "timestamp": 1_795_867_200_000_i64},
                {"lon": -121.8946, "lat": 37.3366, "timestamp": "2026-11-28T12:00:00Z"},
            ]),
        },
        Channel {
            topic: topic::ORDER_STATUS,
            action: "send",
            message: "status",
            description: "One record for each change of an order's status or expected arrival. The key is the order's id. A record may \
                          occur twice, with the same version.",
            key: order_id,
            payload: of::<StatusEvent>(schemas),
            examples: json!([{
                "orderId": "order-1",
                "status": "IN_DELIVERY",
                "eta": 1_795_867_800_000_i64,
                "version": 7,
                "at": 1_795_867_200_000_i64,
                "driverId": "driver-1",
            }]),
        },
        dead(topic::ORDERS_DLQ, topic::ORDERS),
        dead(topic::DRIVER_UPDATES_DLQ, topic::DRIVER_UPDATES),
    ]
}

fn of<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    let schema: Schema = schemas.subschema_for::<T>();
    schema.to_value()
}

/// Adds the channel, its one message and its one operation.
fn add(document: &mut Value, channel: Channel) {
    let Channel {
        topic,
        action,
        message,
        description,
        key,
        payload,
        examples,
    } = channel;
    let partitions =
        (topic::ALL.into_iter()).find_map(|(name, many)| (name == topic).then_some(many));
    let examples: Vec<Value> = (examples.as_array().into_iter().flatten())
        .map(|payload| json!({"payload": payload}))
        .collect();
    let mut content = json!({
        "name": message,
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    });
    if examples.is_empty() {
        content["headers"] = dead_letter_headers();
        content["contentType"] = json!("application/octet-stream");
    } else {
        content["examples"] = Value::Array(examples);
    }
    document["channels"][topic] = json!({
        "address": topic,
        "description": description,
        "messages": {message: content},
        "bindings": {"kafka": {"topic": topic, "partitions": partitions, "bindingVersion": "0.5.0"}},
    });
    document["operations"][format!("{action}.{topic}")] = json!({
        "action": action,
        "channel": {"$ref": format!("#/channels/{topic}")},
    });
}

fn dead_letter_headers() -> Value {
    let header = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "properties": {
            dead_letter::REASON: header("Why the record could not be used."),
            dead_letter::TOPIC: header("The topic it came from."),
            dead_letter::PARTITION: header("The partition it came from."),
            dead_letter::OFFSET: header("Its offset there."),
            dead_letter::CUT_FROM: header("How many bytes the value had, if only its beginning is kept."),
        },
        "required": [dead_letter::REASON, dead_letter::TOPIC, dead_letter::PARTITION, dead_letter::OFFSET],
    })
}
