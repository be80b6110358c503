//! The `OpenAPI` document describes what the gateway does.

use std::collections::HashSet;

use serde_json::Value;

use super::{Answer, Gateway};

#[tokio::test]
async fn every_route_is_in_the_document() {
    let document = Gateway::new().await.document;
    let mut routes: Vec<String> = operations(&document)
        .map(|(path, method, _)| format!("{method} {path}"))
        .collect();
    routes.sort();
    assert_eq!(
        routes,
        [
            "get /api/asyncapi.json",
            "get /api/config",
            "get /api/openapi.json",
            "get /api/operations/events",
            "get /api/operations/faults/{stub}",
            "get /api/operations/load",
            "get /api/orders/{orderId}",
            "get /api/orders/{orderId}/events",
            "get /api/restaurants",
            "get /api/restaurants/{restaurantId}",
            "get /api/schemas/{topic}",
            "get /health",
            "get /ready",
            "post /api/callbacks/restaurant/{orderId}/{callbackId}",
            "post /api/operations/dead-letters/replay",
            "post /api/operations/session",
            "post /api/order-ids",
            "post /api/orders",
            "post /api/orders/{orderId}/cancel",
            "put /api/operations/faults/{stub}",
            "put /api/operations/load",
        ]
    );
}

#[tokio::test]
async fn the_document_is_complete() {
    let document = Gateway::new().await.document;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Food ordering");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));

    let mut ids = HashSet::new();
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        assert!(operation["summary"].is_string(), "{method} {path}");
        for response in operation["responses"].as_object().unwrap().values() {
            assert!(response["description"].is_string(), "{method} {path}");
        }
        let in_path = path.split('/').filter_map(|segment| {
            segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
        });
        for name in in_path {
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(
                parameters
                    .iter()
                    .any(|p| p["name"] == name && p["in"] == "path" && p["required"] == true),
                "{method} {path}"
            );
        }
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn money_places_and_problems_are_described_as_they_are() {
    let document = Gateway::new().await.document;
    let schema = |pointer: &str| document["components"]["schemas"].pointer(pointer).unwrap();
    assert_eq!(schema("/Money/type"), "number");
    for money in ["/NewOrder/properties/totalCost", "/Dish/properties/price"] {
        assert_eq!(schema(money)["$ref"], "#/components/schemas/Money");
        // The purpose of the field, besides what all amounts have in common.
        assert!(schema(money)["description"].is_string());
    }
    assert_eq!(schema("/Place/properties/lon/type"), "number");
    assert_eq!(schema("/NewOrder/properties/products/maxItems"), 100);
    assert_eq!(schema("/Line/properties/quantity/maximum"), 999);
    let required = |name: &str| {
        let mut names: Vec<String> =
            serde_json::from_value(schema(&format!("/{name}/required")).clone()).unwrap();
        names.sort();
        names
    };
    assert_eq!(
        required("NewOrder"),
        ["deliveryDelay", "products", "restaurantId", "totalCost"]
    );
    assert_eq!(required("Problem"), ["detail", "status", "title", "type"]);
    assert_eq!(
        required("OrderStatus"),
        ["eta", "history", "now", "orderId", "status", "version"]
    );
    // The limits in the document are those that the domain checks.
    assert_eq!(domain::order::MAX_PRODUCTS, 100);
    assert_eq!(domain::order::MAX_QUANTITY, 999);
    assert_eq!(domain::order::MAX_TEXT, 500);
    assert_eq!(
        schema("/NewOrder/properties/deliveryDelay/maximum").as_u64(),
        u64::try_from(domain::order::MAX_DELAY.as_millis()).ok()
    );
}

#[tokio::test]
async fn the_example_of_an_order_is_accepted() {
    let gateway = Gateway::new().await;
    let example = &gateway.document["components"]["schemas"]["NewOrder"]["example"];
    assert_eq!(gateway.order(example).await.status, 202);
}

/// All operations: path, method, description.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// Every reference in the document.
pub(super) fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if name == "$ref" => vec![text.clone()],
                value => references(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Asserts that the document describes this answer to this request: status, media type and every member.
pub(super) fn assert_documented(document: &Value, method: &str, path: &str, answer: &Answer) {
    let method = method.to_lowercase();
    let operation =
        operations(document).find(|(template, of, _)| matches(template, path) && *of == method);
    let Some((_, _, operation)) = operation else {
        // Paths and methods that do not exist are not described.
        assert!([404, 405].contains(&answer.status), "{method} {path}");
        return;
    };
    if answer.status == 500 {
        // Any operation may answer with this, and none intends to.
        return;
    }
    let response = &operation["responses"][answer.status.to_string()];
    assert!(!response.is_null(), "{method} {path}: {}", answer.status);
    let Some(content) = response["content"].as_object() else {
        assert!(answer.body.is_null());
        return;
    };
    let media_type = answer.headers["content-type"].to_str().unwrap();
    let schema = &content[media_type]["schema"];
    assert!(!schema.is_null(), "{method} {path}: {media_type}");
    let is_description = matches!(path, "/api/openapi.json" | "/api/asyncapi.json");
    if !is_description && !path.starts_with("/api/schemas/") {
        assert_conforms(document, schema, &answer.body, path);
    }
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(step, segment)| {
            step == segment || (step.starts_with('{') && !segment.is_empty())
        })
}

/// Asserts that `value` conforms to `schema` and has no member that it does not describe.
fn assert_conforms(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.strip_prefix('#').unwrap());
        return assert_conforms(document, target.unwrap(), value, at);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        other => panic!("{at}: this test does not understand type {other} in {schema}"),
    };
    let of_type = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{at}: no such type: {other}"),
    };
    assert!(
        types.iter().any(|name| of_type(name)),
        "{at}: {value} is not {types:?}"
    );
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(allowed.contains(value), "{at}: {value} not in {allowed:?}");
    }
    let number = |bound: &str| schema[bound].as_f64();
    if let Some(value) = value.as_f64() {
        assert!(number("minimum").is_none_or(|least| value >= least), "{at}");
        assert!(number("maximum").is_none_or(|most| value <= most), "{at}");
    }
    for value in value.as_array().into_iter().flatten() {
        assert_conforms(document, &schema["items"], value, &format!("{at}[]"));
    }
    if let Some(fields) = value
        .as_object()
        .filter(|_| schema["properties"].is_object())
    {
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap();
            assert!(fields.contains_key(name), "{at}: {name} is missing");
        }
        for (name, value) in fields {
            let schema = &schema["properties"][name];
            assert!(!schema.is_null(), "{at}: {name} is not described");
            assert_conforms(document, schema, value, &format!("{at}.{name}"));
        }
    }
}
