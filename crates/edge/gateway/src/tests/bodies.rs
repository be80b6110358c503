//! Invalid bodies, and the answers to them.

use axum::body::{Body, Bytes};
use axum::http::Request;
use futures::StreamExt;
use serde_json::{Value, json};

use super::{Answer, Gateway, HERE, from, good, request, with};

/// What no outsider should read: words of our parser, names of our types.
const INTERNALS: [&str; 24] = [
    "serde",
    "expected",
    "EOF",
    "line 1 column",
    "invalid type",
    "invalid value",
    "invalid length",
    "invalid number",
    "missing field",
    "unknown field",
    "duplicate field",
    "struct",
    "enum",
    "trailing characters",
    "recursion",
    "key must be a string at",
    "u32",
    "i64",
    "f64",
    "`",
    "Event",
    "Error",
    "Failed",
    "? must",
];

/// Asserts that the answer is a problem document in plain words, without any of these.
pub(super) fn assert_plain(answer: &Answer, what: &str) {
    assert!(!answer.problem().is_empty());
    let text = answer.body.to_string();
    for internal in INTERNALS {
        assert!(!text.contains(internal), "{what}: {internal:?} in {text}");
    }
    assert!(text.len() < 16_000, "{what}: {text}");
    assert!(answer.detail().split(' ').count() >= 3, "{what}: {text}");
    let is_shown = |c: char| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}');
    assert!(answer.detail().chars().all(is_shown), "{what}: {text}");
}

fn send(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = request(method, path).header("content-type", "application/json");
    from(HERE, request.body(body.into()).unwrap())
}

/// Everything that can be wrong with a body that should be an object.
fn bad_bodies() -> Vec<Vec<u8>> {
    let utf_16 = |mark: &str| -> Vec<u8> {
        let units = mark.encode_utf16().chain("{\"a\":1}".encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let texts = [
        "",
        " ",
        "\u{feff}",
        "null",
        "true",
        "0",
        "-0",
        "1e400",
        "\"text\"",
        "[]",
        "[{}]",
        "{",
        "[",
        "}",
        "{}}",
        "{} {}",
        "{\"",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":0x1}",
        "{\"a\":tru}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"\\ud800\":1}",
        "{\"a\":1}/**/",
        "// {}",
        "<html></html>",
        "a=b",
        "{\"weird \u{202e}\u{1b}key\":1}",
        "{\"a\":\"\\ud800\"}",
    ];
    let mut bodies: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).into();
    bodies.extend([
        "{".repeat(30_000).into_bytes(),
        "[".repeat(30_000).into_bytes(),
        format!("{}{}", "[".repeat(30_000), "]".repeat(30_000)).into_bytes(),
        format!("{{\"{}\":1}}", "x".repeat(30_000)).into_bytes(),
        b"{\"a\":\"\xff\"}".to_vec(),
        b"\x1f\x8b\x08\x00\x00".to_vec(),
        utf_16(""),
        utf_16("\u{feff}"),
    ]);
    bodies
}

/// Values that are wrong in any field that should have another kind of value.
fn bad_values() -> Vec<String> {
    let texts = [
        "true",
        "[]",
        "[[]]",
        "{}",
        "{\"a\":{}}",
        "\"\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "-1",
        "1.005",
        "1e400",
        "-1e400",
        "1e-400",
        "9007199254740993",
        "99999999999999999999",
        "\"\u{202e}\u{1b}[2J\"",
        "null",
    ];
    let mut values = texts.map(str::to_owned).to_vec();
    values.push(format!("\"{}\"", "寿".repeat(3000)));
    values.push("9".repeat(3000));
    values
}

const ENDPOINTS: [(&str, &str); 5] = [
    ("POST", "/api/orders"),
    ("POST", "/api/operations/dead-letters/replay"),
    ("PUT", "/api/operations/load"),
    ("POST", "/api/operations/session"),
    ("PUT", "/api/operations/faults/restaurant"),
];

#[tokio::test]
async fn an_invalid_body_is_explained_in_plain_words_at_every_endpoint() {
    let gateway = Gateway::new().await;
    for (method, path) in ENDPOINTS {
        for body in bad_bodies() {
            let what = format!(
                "{path} {}",
                String::from_utf8_lossy(&body[..body.len().min(60)])
            );
            let answer = gateway.send(send(method, path, body)).await;
            // A stub checks its own faults, and no stub is running here.
            let is_of_stub = path.contains("faults") && answer.status == 503;
            assert!(
                (400..=422).contains(&answer.status) || is_of_stub,
                "{what}: {answer:?}"
            );
            if !is_of_stub {
                assert_plain(&answer, &what);
            }
        }
    }
    assert_eq!(gateway.records(), []);
}

#[tokio::test]
async fn an_invalid_field_is_explained_in_plain_words_with_its_path() {
    let gateway = Gateway::new().await;
    let order = json!({
        "orderId": "a", "restaurantId": "b", "totalCost": 1, "deliveryDelay": 0, "region": "San Jose (CA)",
        "customerLocation": {"lon": -121.9, "lat": 37.3},
        "products": [{"productId": "p", "description": "d", "quantity": 1}],
    });
    for (method, path, body, pointers) in [
        (
            "POST",
            "/api/orders",
            order,
            &[
                "/orderId",
                "/restaurantId",
                "/totalCost",
                "/deliveryDelay",
                "/region",
                "/customerLocation",
                "/customerLocation/lon",
                "/customerLocation/lat",
                "/products",
                "/products/0",
                "/products/0/productId",
                "/products/0/description",
                "/products/0/quantity",
            ][..],
        ),
        (
            "POST",
            "/api/operations/dead-letters/replay",
            json!({"value": good().to_string(), "key": "order-1"}),
            &["/value", "/key"],
        ),
        (
            "PUT",
            "/api/operations/load",
            json!({"ordersPerSecond": 0}),
            &["/ordersPerSecond"],
        ),
        (
            "POST",
            "/api/operations/session",
            json!({"token": "s3cret"}),
            &["/token"],
        ),
    ] {
        for pointer in pointers {
            for value in bad_values() {
                let mut body = body.clone();
                *body.pointer_mut(pointer).unwrap() = json!("@");
                let body = body.to_string().replacen("\"@\"", &value, 1);
                let what = format!("{path} {pointer} {value}");
                let answer = gateway.send(send(method, path, body)).await;
                if answer.status < 300 {
                    continue;
                }
                assert!((400..=422).contains(&answer.status), "{what}: {answer:?}");
                assert_plain(&answer, &what);
                if answer.body["errors"].is_array() {
                    let named = answer.body["errors"][0]["pointer"].as_str().unwrap();
                    // The field, or what it belongs to if only the whole can be judged.
                    assert!(
                        named.len() > 1 && format!("#{pointer}").starts_with(named)
                            || named.starts_with(&format!("#{pointer}")),
                        "{what}: {answer:?}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_body_with_a_content_coding_is_refused_with_the_supported_codings() {
    let gateway = Gateway::new().await;
    let order = |coding: &str| {
        let mut request = send("POST", "/api/orders", good().to_string());
        let coding = coding.parse().unwrap();
        request.headers_mut().insert("content-encoding", coding);
        request
    };
    for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "x"] {
        let answer = gateway.send(order(coding)).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (415, "unsupported-media-type")
        );
        assert_eq!(answer.headers["accept-encoding"], "identity");
        assert!(answer.detail().contains("content-encoding"), "{answer:?}");
    }
    assert_eq!(gateway.records(), []);
    assert_eq!(gateway.send(order("Identity")).await.status, 202);
}

#[tokio::test]
async fn a_body_may_begin_with_a_byte_order_mark_and_come_in_pieces() {
    let gateway = Gateway::new().await;
    let answer = gateway.order(format!("\u{feff}{}", good())).await;
    assert_eq!(answer.status, 202);
    let pieces: Vec<_> = good()
        .to_string()
        .bytes()
        .map(|byte| Ok::<_, std::io::Error>(Bytes::from(vec![byte])))
        .collect();
    let body = Body::from_stream(futures::stream::iter(pieces));
    assert_eq!(
        gateway.send(send("POST", "/api/orders", body)).await.status,
        202
    );
    // An incomplete body is no order, even if its beginning would be one.
    let broken = futures::stream::iter([
        Ok(Bytes::from(good().to_string())),
        Err(std::io::Error::other("reset")),
    ]);
    let body = Body::from_stream(broken.boxed());
    let answer = gateway.send(send("POST", "/api/orders", body)).await;
    assert_eq!(
        (answer.status, answer.problem()),
        (400, "malformed-request")
    );
    assert_plain(&answer, "a body that breaks off");
    assert_eq!(gateway.records().len(), 2);
    assert_eq!(gateway.records()[0], gateway.records()[1]);
}

#[tokio::test]
async fn lengths_are_those_of_the_document() {
    let gateway = Gateway::new().await;
    let schemas = &gateway.document["components"]["schemas"];
    let longest = |pointer: &str| {
        let longest = schemas.pointer(pointer).unwrap()["maxLength"].as_u64();
        usize::try_from(longest.unwrap()).unwrap()
    };
    let text = longest("/Line/properties/description");
    assert_eq!(text, longest("/Line/properties/productId"));
    let id = longest("/Id");
    for (pointer, letter, length, status) in [
        ("/products/0/description", "寿", text, 202),
        ("/products/0/description", "🍮", text, 202),
        ("/products/0/description", "🍮", text + 1, 422),
        ("/restaurantId", "x", id, 202),
        ("/restaurantId", "x", id + 1, 422),
    ] {
        let order = with(pointer, json!(letter.repeat(length)));
        let answer = gateway.order(order).await;
        assert_eq!(answer.status, status, "{letter} {length}: {answer:?}");
        if status == 422 {
            let limit = (length - 1).to_string();
            assert!(answer.detail().contains(&limit), "{answer:?}");
        }
    }
    // Refused for its content and not for its length in bytes.
    let answer = gateway
        .order(with("/restaurantId", json!("寿".repeat(30))))
        .await;
    assert!(answer.detail().contains("ASCII"), "{answer:?}");
    assert_eq!(gateway.order(Value::Null).await.status, 422);
}
