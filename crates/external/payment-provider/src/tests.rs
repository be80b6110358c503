//! Tests the HTTP API, and the law that no payment is refunded beyond its charge.

use std::collections::HashSet;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Value, json};
use stub_kit::extract::Page;
use stub_kit::faults::Rate;
use stub_kit::testing::{Answer, Client, crash_copy};

use super::*;
use crate::books::{Charge, Kind, Refund, Sum};

/// A provider whose books live as long as the test.
struct Shop {
    directory: tempfile::TempDir,
    provider: Provider,
    client: Client,
}

impl Shop {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (provider, client) = open(directory.path().join("payments.db")).await;
        Self {
            directory,
            provider,
            client,
        }
    }

    fn fail(&self, plan: FaultPlan) {
        self.provider.faults().set(plan);
    }

    async fn charge(&self, key: &str, order: &str, amount: f64) -> Answer {
        self.client
            .post_as(
                key,
                "/payments",
                json!({"orderId": order, "amount": amount}),
            )
            .await
    }

    /// Charges an order that is paid, and returns the id of the payment.
    async fn paid(&self, order: &str, amount: f64) -> String {
        let answer = self.charge(&format!("{order}-charge"), order, amount).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["paymentId"].as_str().unwrap().to_owned()
    }

    async fn refund(&self, key: &str, payment: &str, amount: f64) -> Answer {
        self.client
            .post_as(
                key,
                &format!("/payments/{payment}/refunds"),
                json!({ "amount": amount }),
            )
            .await
    }

    async fn summary(&self) -> Value {
        self.client.get("/ledger/summary").await.body
    }

    async fn charges(&self) -> Value {
        self.summary().await["charges"]["count"].clone()
    }
}

async fn open(database: PathBuf) -> (Provider, Client) {
    let provider = Provider::open(&database).await.unwrap();
    let client = Client::new(router(provider.clone()));
    (provider, client)
}

#[tokio::test]
async fn a_charge_is_answered_with_a_payment_and_is_in_the_ledger() {
    let shop = Shop::open().await;

    let answer = shop.charge("key-1", "order-1", 23.5).await;

    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["content-type"], "application/json");
    let payment = answer.body["paymentId"].as_str().unwrap();
    assert_eq!(
        answer.text,
        format!(
            r#"{{"paymentId":"{payment}","orderId":"order-1","amount":23.50,"currency":"USD","status":"CHARGED"}}"#
        )
    );
    let ledger = shop.client.get("/ledger").await;
    let at = &ledger.body["entries"][0]["at"];
    assert!(at.is_i64());
    assert_eq!(
        ledger.text,
        format!(
            r#"{{"entries":[{{"sequence":1,"kind":"CHARGE","paymentId":"{payment}","orderId":"order-1","amount":23.50,"idempotencyKey":"key-1","at":{at}}}],"next":null}}"#
        )
    );
}

#[tokio::test]
async fn a_repeated_charge_is_answered_as_before_and_booked_once() {
    let shop = Shop::open().await;
    let first = shop.charge("key-1", "order-1", 23.5).await;
    assert!(!first.headers.contains_key("idempotent-replayed"));

    let again = shop.charge("key-1", "order-1", 23.50).await;

    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(shop.charges().await, 1);
}

#[tokio::test]
async fn an_answer_stored_by_an_earlier_version_is_repeated_with_the_currency() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("books.sqlite");
    let (provider, client) = open(file.clone()).await;
    let charge = json!({"orderId": "order-1", "amount": 23.5, "currency": "USD"});
    let first = client.post_as("key-1", "/payments", charge.clone()).await;
    provider.close().await;
    let connection = rusqlite::Connection::open(&file).unwrap();
    let earlier = "UPDATE answers SET body = json_remove(body, '$.currency')";
    assert_eq!(connection.execute(earlier, []).unwrap(), 1);
    drop(connection);

    let (_provider, client) = open(file).await;
    let again = client.post_as("key-1", "/payments", charge).await;

    assert_eq!((again.status, again.body), (201, first.body));
}

#[tokio::test]
async fn a_key_cannot_be_used_for_another_request() {
    let shop = Shop::open().await;
    let payment = shop.paid("order-1", 23.5).await;

    for other in [
        shop.charge("order-1-charge", "order-1", 23.51).await,
        shop.charge("order-1-charge", "order-2", 23.5).await,
        shop.refund("order-1-charge", &payment, 23.5).await,
    ] {
        assert_eq!(other.status, 422, "{other:?}");
        assert_eq!(other.body["reason"], "idempotency-key-reused");
        assert_eq!(other.body["field"], "Idempotency-Key");
    }
    assert_eq!(
        shop.summary().await,
        json!({
            "charges": {"count": 1, "amount": 23.5},
            "refunds": {"count": 0, "amount": 0.0},
            "net": 23.5
        })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_key_used_concurrently_charges_once() {
    let shop = Shop::open().await;
    let requests: Vec<_> = (0..64)
        .map(|_| {
            let client = shop.client.clone();
            tokio::spawn(async move {
                let body = json!({"orderId": "order-1", "amount": 23.5});
                client.post_as("key-1", "/payments", body).await
            })
        })
        .collect();

    let mut answers = HashSet::new();
    for request in requests {
        let answer = request.await.unwrap();
        assert_eq!(answer.status, 201);
        answers.insert(answer.text);
    }

    assert_eq!(answers.len(), 1);
    assert_eq!(shop.charges().await, 1);
}

#[tokio::test]
async fn a_decline_is_remembered_under_its_key() {
    let shop = Shop::open().await;
    shop.fail(FaultPlan {
        decline_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    let declined = shop.charge("key-1", "order-1", 23.5).await;
    assert_eq!(declined.status, 402);
    assert_eq!(declined.headers["content-type"], "application/problem+json");
    assert_eq!(declined.body["reason"], "declined");
    assert_eq!(declined.body["orderId"], "order-1");

    shop.fail(FaultPlan::default());
    let again = shop.charge("key-1", "order-1", 23.5).await;
    assert_eq!((again.status, &again.text), (402, &declined.text));
    assert_eq!(again.headers["content-type"], "application/problem+json");
    assert_eq!(shop.charges().await, 0);
    assert_eq!(shop.charge("key-2", "order-1", 23.5).await.status, 201);
}

#[tokio::test]
async fn repeating_a_charge_whose_answer_was_lost_does_not_charge_twice() {
    let shop = Shop::open().await;
    shop.fail(FaultPlan {
        error_after_charge_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });

    let lost = shop.charge("key-1", "order-1", 23.5).await;
    assert_eq!(
        (lost.status, &lost.body["reason"]),
        (503, &json!("unavailable"))
    );
    assert_eq!(shop.charges().await, 1);

    assert_eq!(shop.charge("key-1", "order-1", 23.5).await.status, 201);
    assert_eq!(shop.charges().await, 1);
}

#[tokio::test]
async fn an_error_before_the_charge_books_nothing() {
    let shop = Shop::open().await;
    let payment = shop.paid("order-1", 10.0).await;
    shop.fail(FaultPlan {
        error_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });

    assert_eq!(shop.charge("key-2", "order-2", 23.5).await.status, 503);
    assert_eq!(shop.refund("key-3", &payment, 10.0).await.status, 503);

    // The books can still be read.
    assert_eq!(shop.charges().await, 1);
    assert_eq!(shop.summary().await["refunds"]["count"], 0);
    assert_eq!(shop.client.get("/health").await.status, 200);
}

#[tokio::test]
async fn refunds_cannot_exceed_the_charge() {
    let shop = Shop::open().await;
    let payment = shop.paid("order-1", 23.5).await;

    let refund = shop.refund("refund-1", &payment, 20.0).await;
    assert_eq!(refund.status, 201);
    let id = refund.body["refundId"].as_str().unwrap();
    assert_eq!(
        refund.text,
        format!(
            r#"{{"refundId":"{id}","paymentId":"{payment}","amount":20.00,"currency":"USD","status":"REFUNDED"}}"#
        )
    );

    let over = shop.refund("refund-2", &payment, 3.51).await;
    assert_eq!(over.status, 409);
    assert_eq!(over.body["reason"], "refund-exceeds-charge");
    assert_eq!(over.body["field"], "amount");
    assert!(over.text.contains(r#""left":3.50"#), "{}", over.text);

    // The key of a refused refund can be used again.
    assert_eq!(shop.refund("refund-2", &payment, 3.5).await.status, 201);
    let again = shop.refund("refund-1", &payment, 20.0).await;
    assert_eq!((again.status, &again.text), (201, &refund.text));
    let other = shop.refund("refund-1", &payment, 19.0).await;
    assert_eq!(other.status, 422);
    let summary = shop.client.get("/ledger/summary").await;
    assert_eq!(
        summary.text,
        r#"{"charges":{"count":1,"amount":23.50},"refunds":{"count":2,"amount":23.50},"net":0.00}"#
    );
}

#[tokio::test]
async fn only_payments_can_be_refunded() {
    let shop = Shop::open().await;
    let answer = shop.refund("key-1", "pay_nowhere", 1.0).await;
    assert_eq!(
        (answer.status, &answer.body["field"]),
        (404, &json!("paymentId"))
    );
}

#[tokio::test]
async fn requests_without_a_usable_key_are_refused() {
    let shop = Shop::open().await;
    let body = r#"{"orderId":"order-1","amount":23.50}"#;
    let long = "x".repeat(256);
    let json = ("content-type", "application/json");
    for keys in [
        vec![],
        vec![""],
        vec!["two words"],
        vec![long.as_str()],
        vec!["ü"],
        vec!["one", "two"],
    ] {
        let headers: Vec<_> = keys
            .iter()
            .map(|key| ("idempotency-key", *key))
            .chain([json])
            .collect();
        let answer = shop.client.send("POST", "/payments", &headers, body).await;
        assert_eq!(answer.status, 400, "{keys:?}");
        assert_eq!(answer.body["field"], "Idempotency-Key", "{keys:?}");
    }
    assert_eq!(shop.charge(&long[1..], "order-1", 1.0).await.status, 201);
}

#[tokio::test]
async fn a_bad_charge_is_answered_with_the_field() {
    let shop = Shop::open().await;
    for (body, field) in [
        (json!({"amount": 1}), "orderId"),
        (json!({"orderId": "order-1"}), "amount"),
        (json!({"orderId": "a b", "amount": 1}), "orderId"),
        (json!({"orderId": "order-1", "amount": -1}), "amount"),
        (json!({"orderId": "order-1", "amount": 1.999}), "amount"),
        (json!({"orderId": "order-1", "amount": "lots"}), "amount"),
        (
            json!({"orderId": "order-1", "amount": 1, "currency": "JPY"}),
            "currency",
        ),
    ] {
        let answer = shop.client.post_as("key", "/payments", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.body["field"], field, "{answer:?}");
    }
}

#[tokio::test]
async fn the_ledger_can_be_read_in_pages_and_by_order() {
    let shop = Shop::open().await;
    for n in 0..5 {
        let payment = shop.paid(&format!("order-{n}"), 10.0).await;
        shop.refund(&format!("refund-{n}"), &payment, 1.0).await;
    }

    let page = shop.client.get("/ledger?limit=4").await.body;
    assert_eq!(page["entries"].as_array().unwrap().len(), 4);
    assert_eq!(page["next"], 4);
    let rest = shop.client.get("/ledger?limit=100&after=4").await.body;
    assert_eq!(rest["entries"].as_array().unwrap().len(), 6);
    assert_eq!(rest["next"], json!(null));

    let order = shop.client.get("/ledger?orderId=order-3").await.body;
    let kinds: Vec<_> = order["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (&entry["orderId"], &entry["kind"]))
        .collect();
    let order_id = json!("order-3");
    assert_eq!(
        kinds,
        [(&order_id, &json!("CHARGE")), (&order_id, &json!("REFUND"))]
    );
    let bad = shop.client.get("/ledger?orderId=a%20b").await;
    assert_eq!((bad.status, &bad.body["field"]), (400, &json!("orderId")));
}

#[tokio::test]
async fn faults_are_set_over_http() {
    let shop = Shop::open().await;
    let answer = shop
        .client
        .put("/faults", json!({"declineRate": 1, "latencyMs": 1}))
        .await;
    assert_eq!(
        answer.body,
        json!({
            "errorRate": 0.0,
            "nonsenseRate": 0.0,
            "errorAfterChargeRate": 0.0,
            "latencyMs": 1,
            "declineRate": 1.0,
            "wrongAmountRate": 0.0,
        })
    );
    assert_eq!(shop.charge("key-1", "order-1", 23.5).await.status, 402);
}

#[tokio::test]
async fn a_wrong_amount_is_answered_but_not_booked_and_each_one_is_counted() {
    let shop = Shop::open().await;
    shop.fail(FaultPlan {
        wrong_amount_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    let receipt = shop.charge("key-1", "order-1", 23.5).await;
    assert_eq!(
        (&receipt.body["amount"], &receipt.body["currency"]),
        (&json!(1.0), &json!("JPY"))
    );
    shop.fail(FaultPlan {
        decline_rate: Rate::ALWAYS,
        wrong_amount_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    // A refusal contains no amount to change.
    assert_eq!(shop.charge("key-2", "order-2", 1.0).await.status, 402);
    shop.fail(FaultPlan::default());
    let receipt = shop.charge("key-1", "order-1", 23.5).await;
    assert_eq!(receipt.body["amount"], json!(23.5));
    let struck = r#"faults_struck_total{fault="wrongAmountRate"} 1"#;
    let metrics = shop.client.get("/metrics").await.text;
    assert!(metrics.contains(struck), "{metrics}");
}

#[tokio::test]
async fn answers_survive_a_kill_of_the_process() {
    let shop = Shop::open().await;
    let payment = shop.paid("order-1", 23.5).await;
    let refund = shop.refund("refund-1", &payment, 3.5).await;
    shop.fail(FaultPlan {
        decline_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    let declined = shop.charge("key-2", "order-2", 1.0).await;
    let summary = shop.summary().await;

    let (provider, client) = open(crash_copy(&shop.directory.path().join("payments.db"))).await;
    let again = Shop {
        provider,
        client,
        ..shop
    };

    assert_eq!(again.summary().await, summary);
    assert_eq!(again.paid("order-1", 23.5).await, payment);
    let replayed = again.refund("refund-1", &payment, 3.5).await;
    assert_eq!(replayed.text, refund.text);
    let replayed = again.charge("key-2", "order-2", 1.0).await;
    assert_eq!((replayed.status, replayed.text), (402, declined.text));
    assert_eq!(again.summary().await, summary);
}

/// A random request. There are few keys and payments, so that they often collide.
#[derive(Debug, Clone)]
enum Operation {
    Charge {
        key: u8,
        order: u8,
        cents: u32,
        declined: bool,
    },
    Refund {
        key: u8,
        payment: prop::sample::Index,
        cents: u32,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let key = 0..25_u8;
    let cents = 0..500_u32;
    prop_oneof![
        1 => (key.clone(), 0..3_u8, cents.clone(), prop::bool::weighted(0.2)).prop_map(
            |(key, order, cents, declined)| Operation::Charge { key, order, cents, declined }
        ),
        2 => (key, any::<prop::sample::Index>(), cents).prop_map(
            |(key, payment, cents)| Operation::Refund { key, payment, cents }
        ),
    ]
}

/// Carries out `operations` and checks the books after each.
async fn check_law(operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let directory = tempfile::tempdir().unwrap();
    let books = Books::open(&directory.path().join("payments.db"))
        .await
        .unwrap();
    let mut payments = vec!["pay_unknown".to_owned()];
    for operation in operations {
        let money = |cents| domain::Money::from_cents(cents).unwrap();
        let answer = match operation {
            Operation::Charge {
                key,
                order,
                cents,
                declined,
            } => {
                let charge = Charge {
                    order_id: format!("order-{order}").parse().unwrap(),
                    amount: money(cents),
                };
                books.charge(format!("key-{key}"), charge, declined).await
            }
            Operation::Refund {
                key,
                payment,
                cents,
            } => {
                let refund = Refund {
                    payment_id: payment.get(&payments).clone(),
                    amount: money(cents),
                };
                books.refund(format!("key-{key}"), refund).await
            }
        };
        if let Ok(answer) = answer
            && answer.is_new_booking()
        {
            let receipt: Value = serde_json::from_str(&answer.body).unwrap();
            if receipt["status"] == "CHARGED" {
                payments.push(receipt["paymentId"].as_str().unwrap().to_owned());
            }
        }

        let page = Page {
            after: 0,
            limit: 1000,
        };
        let ledger = books.ledger(None, page).await.unwrap().entries;
        let signed = |entry: &books::Entry| match entry.kind {
            Kind::Charge => entry.amount.cents(),
            Kind::Refund => -entry.amount.cents(),
        };
        for payment in &payments {
            let net: i64 = ledger
                .iter()
                .filter(|entry| entry.payment_id == *payment)
                .map(signed)
                .sum();
            prop_assert!(net >= 0, "{payment} is at {net} cents");
        }
        let keys: HashSet<_> = ledger.iter().map(|entry| &entry.idempotency_key).collect();
        prop_assert_eq!(keys.len(), ledger.len());
        let summary = books.summary().await.unwrap();
        prop_assert_eq!(summary.net, Sum(ledger.iter().map(signed).sum()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_payment_is_ever_refunded_beyond_its_charge(operations in prop::collection::vec(operation(), 1..40)) {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(check_law(operations))?;
    }
}
