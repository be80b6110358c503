//! Callbacks of restaurants: only the restaurant that was asked to prepare an order can say that it is ready.

use std::time::Duration;

use axum::body::Body;
use durable::clock::now_ms;
use secrets::ExposeSecret;
use secrets::callback::{self, Callbacks};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::bodies::assert_plain;
use super::{Answer, Gateway, HERE, SILENCE, TestRestate, bare, from, request};
use crate::Options;

const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const RESOLVED: &str = "/restate/awakeables/sign_1/resolve";

fn callbacks(secrets: &[&str]) -> Callbacks {
    Callbacks::new(&secrets.iter().copied().collect())
}

/// A gateway that knows both secrets, with a Restate that accepts everything.
async fn gateway() -> Gateway {
    let restate = TestRestate::default();
    restate.answer(RESOLVED, 202, json!({}));
    let mut config = Options::new("127.0.0.1:9", restate.serve().await);
    config.restate_timeout = Duration::from_millis(300);
    config.callbacks = Some(callbacks(&[NEW, OLD]));
    Gateway::configured(restate, &config).await
}

/// A callback as an honest restaurant sends it, for tests to change.
struct Call {
    path: String,
    secret: String,
    body: String,
    timestamp: i64,
    /// Headers left out.
    without: Option<&'static str>,
    signature: Option<String>,
}

impl Call {
    /// For order-1 and the awakeable `sign_1`, with the address and secret from `callbacks`.
    fn by(callbacks: &Callbacks) -> Self {
        let secret = callbacks.secret("order-1", "sign_1");
        Self {
            path: callback::path("order-1", "sign_1"),
            secret: secret.expose_secret().to_owned(),
            body: ready("order-1").to_string(),
            timestamp: now_ms() / 1000,
            without: None,
            signature: None,
        }
    }

    fn honest() -> Self {
        Self::by(&callbacks(&[NEW]))
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut call = Self::honest();
        change(&mut call);
        call
    }

    async fn send(&self, gateway: &Gateway) -> Answer {
        let webhook = Webhook::new(&self.secret).unwrap();
        let signed = webhook.sign("m-1", self.timestamp, self.body.as_bytes());
        let signature = self.signature.clone().unwrap_or_else(|| signed.unwrap());
        let mut request = request("POST", &self.path);
        for (name, value) in [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", "m-1".to_owned()),
            ("webhook-timestamp", self.timestamp.to_string()),
            ("webhook-signature", signature),
        ] {
            if self.without != Some(name) {
                request = request.header(name, value);
            }
        }
        gateway
            .send(request.body(Body::from(self.body.clone())).unwrap())
            .await
    }
}

#[tokio::test]
async fn a_signed_but_invalid_callback_is_explained_in_plain_words() {
    let gateway = gateway().await;
    for (body, status, field) in [
        ("", 400, None),
        ("{", 400, None),
        ("[]", 422, Some("")),
        ("{}", 422, Some("orderId")),
        (r#"{"orderId":7,"readyAt":1}"#, 422, Some("orderId")),
        (r#"{"orderId":"order-2","readyAt":1}"#, 422, Some("orderId")),
        (
            r#"{"orderId":"order-1","readyAt":"now"}"#,
            422,
            Some("readyAt"),
        ),
        (
            r#"{"orderId":"order-1","readyAt":1e400}"#,
            422,
            Some("readyAt"),
        ),
    ] {
        let answer = Call::with(|call| call.body = body.to_owned())
            .send(&gateway)
            .await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert_plain(&answer, body);
        let named = answer.body["errors"][0]["field"].as_str();
        assert_eq!(named, field, "{body}");
    }
    assert_eq!(gateway.restate.asked(RESOLVED), 0);
}

fn ready(order: &str) -> Value {
    json!({"orderId": order, "readyAt": 1_700_000_000_000_u64})
}

#[tokio::test]
async fn a_signed_callback_resolves_the_awakeable_that_waits_and_may_be_repeated() {
    let gateway = gateway().await;
    for _ in 0..2 {
        assert_eq!(Call::honest().send(&gateway).await.status, 204);
    }
    assert_eq!(gateway.restate.asked(RESOLVED), 2);
    // Issued before the secret was replaced.
    let former = Call::by(&callbacks(&[OLD]));
    assert_eq!(former.send(&gateway).await.status, 204);
}

#[tokio::test]
async fn forged_foreign_and_old_callbacks_never_reach_restate() {
    let gateway = gateway().await;
    let handed_out = |order: &str, id: &str| {
        let secret = callbacks(&[NEW]).secret(order, id);
        secret.expose_secret().to_owned()
    };
    let hour = 3600;
    for (what, call, problem) in [
        (
            "of a stranger",
            Call::by(&callbacks(&["cccccccccccccccccccccccccccccccc"])),
            "callback-forged",
        ),
        (
            "with the secret of another order",
            Call::with(|c| c.secret = handed_out("order-2", "sign_1")),
            "callback-forged",
        ),
        (
            "with the secret of another awakeable",
            Call::with(|c| c.secret = handed_out("order-1", "sign_2")),
            "callback-forged",
        ),
        (
            "for another order's awakeable",
            Call::with(|c| c.path = callback::path("order-1", "sign_2")),
            "callback-forged",
        ),
        (
            "for another order",
            Call::with(|c| c.path = callback::path("order-2", "sign_1")),
            "callback-forged",
        ),
        (
            "unsigned",
            Call::with(|c| c.without = Some("webhook-signature")),
            "callback-forged",
        ),
        (
            "without a time",
            Call::with(|c| c.without = Some("webhook-timestamp")),
            "callback-forged",
        ),
        (
            "without an id",
            Call::with(|c| c.without = Some("webhook-id")),
            "callback-forged",
        ),
        (
            "with an empty signature",
            Call::with(|c| c.signature = Some("v1,".to_owned())),
            "callback-forged",
        ),
        (
            "with another version's signature",
            Call::with(|c| c.signature = Some("v1a,AAAA".to_owned())),
            "callback-forged",
        ),
        (
            "of an hour ago",
            Call::with(|c| c.timestamp -= hour),
            "callback-expired",
        ),
        (
            "of the next hour",
            Call::with(|c| c.timestamp += hour),
            "callback-expired",
        ),
    ] {
        let answer = call.send(&gateway).await;
        assert_eq!((answer.status, answer.problem()), (401, problem), "{what}");
        assert!(answer.headers.contains_key("www-authenticate"), "{what}");
    }
    assert_eq!(gateway.restate.asked("/resolve"), 0);

    let metrics = gateway.open(from(HERE, bare("GET", "/metrics"))).await;
    let metrics = axum::body::to_bytes(metrics.into_body(), 1 << 20)
        .await
        .unwrap();
    let metrics = str::from_utf8(&metrics).unwrap();
    for outcome in ["forged", "expired"] {
        let counted = format!(r#"restaurant_callbacks_total{{outcome="{outcome}"}}"#);
        assert!(metrics.contains(&counted), "{metrics}");
    }
}

#[tokio::test]
async fn unreadable_callbacks_are_refused_with_the_reason() {
    let gateway = gateway().await;
    let long = format!(
        "{{\"orderId\":\"order-1\",\"readyAt\":1,\"x\":\"{}\"}}",
        "x".repeat(5000)
    );
    let longer = "x".repeat(70_000);
    for (what, call, expected) in [
        (
            "5 kB",
            Call::with(|c| c.body = long),
            (413, "body-too-large"),
        ),
        (
            "70 kB",
            Call::with(|c| c.body = longer),
            (413, "body-too-large"),
        ),
        (
            "no JSON by its own account",
            Call::with(|c| c.without = Some("content-type")),
            (415, "unsupported-media-type"),
        ),
        (
            "an order id that is none",
            Call::with(|c| c.path = callback::path("a%20b", "sign_1")),
            (400, "malformed-request"),
        ),
        (
            "a path trick",
            Call::with(|c| c.path = callback::path("order-1", "..%2F..%2Fadmin")),
            (400, "malformed-request"),
        ),
        (
            "signed, but no JSON",
            Call::with(|c| c.body = "ready!".to_owned()),
            (400, "malformed-request"),
        ),
        (
            "signed, but about another order",
            Call::with(|c| c.body = ready("order-2").to_string()),
            (422, "invalid-request"),
        ),
    ] {
        let answer = call.send(&gateway).await;
        assert_eq!((answer.status, answer.problem()), expected, "{what}");
    }
    assert_eq!(gateway.restate.asked("/resolve"), 0);
}

#[tokio::test]
async fn while_restate_is_down_the_restaurant_is_asked_to_try_again() {
    let gateway = gateway().await;
    for (status, expected) in [
        (503, (503, "unavailable")),
        (SILENCE, (503, "unavailable")),
        (404, (404, "callback-unknown")),
        (500, (502, "bad-answer")),
    ] {
        gateway
            .restate
            .answer(RESOLVED, status, json!({"message": "why"}));
        let answer = Call::honest().send(&gateway).await;
        assert_eq!((answer.status, answer.problem()), expected);
        assert_eq!(
            answer.headers.contains_key("retry-after"),
            answer.status == 503
        );
    }
}

#[tokio::test]
async fn a_gateway_without_a_secret_accepts_no_callbacks() {
    let gateway = Gateway::new().await;
    let answer = Call::honest().send(&gateway).await;
    assert_eq!((answer.status, answer.problem()), (503, "unavailable"));
    assert!(answer.detail().contains("--callback-secret-file"));
    assert_eq!(gateway.restate.asked("/resolve"), 0);
}
