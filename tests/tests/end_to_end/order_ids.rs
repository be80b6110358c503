//! An order id belongs to the first order that is sent under it.

use std::collections::BTreeSet;

use anyhow::ensure;
use end_to_end_tests::{Options, SOON, System, Topic, eventually, order, order_with};
use reqwest::StatusCode;
use serde_json::{Value, json};

/// An order that differs from [`order`] with the same id only in its price.
fn dearer_order(id: &str) -> Value {
    order_with(id, "totalCost", json!(99.99))
}

/// Waits until the order has begun, and returns its total cost.
async fn total_of(system: &System, id: &str) -> Value {
    let path = format!("/api/orders/{id}");
    eventually(&format!("order {id} to have begun"), SOON, async || {
        let seen = system.get(&path).await.map_err(|error| error.to_string())?;
        match &seen.1["order"]["totalCost"] {
            Value::Null => Err(format!("{seen:?}")),
            total => Ok(total.clone()),
        }
    })
    .await
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "many cases on one system")]
async fn an_id_belongs_to_the_first_order_and_other_orders_with_it_are_refused_or_dead_letters()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;

    // By HTTP: the same order again is accepted, however it is written; a different one is refused.
    let (code, answer) = system.post("/api/orders", &order("http-1")).await?;
    ensure!(code == StatusCode::ACCEPTED, "{answer}");
    system.wait_for_status("http-1", "DELIVERED").await;
    let delivered = system.order_status("http-1").await?;
    for same in [
        order("http-1"),
        order_with("http-1", "totalCost", json!("23.50")),
        order_with("http-1", "region", json!("San Jose (CA)")),
    ] {
        let (code, answer) = system.post("/api/orders", &same).await?;
        ensure!(code == StatusCode::ACCEPTED, "{answer}");
    }
    let products = json!([{"productId": "calzone", "description": "Calzone", "quantity": 1}]);
    for other in [
        dearer_order("http-1"),
        order_with("http-1", "products", products),
        order_with("http-1", "deliveryDelay", json!(1)),
        order_with(
            "http-1",
            "customerLocation",
            json!({"lon": -121.9, "lat": 37.3}),
        ),
    ] {
        let (code, problem) = system.post("/api/orders", &other).await?;
        assert_eq!(code, StatusCode::CONFLICT, "{problem}");
        assert_eq!(
            problem["type"], "urn:food-ordering:problem:order-id-taken",
            "{problem}"
        );
    }

    // Two orders race for a new id by HTTP: one is accepted, the other is refused. Where Restate decides too late, both are accepted at
    // first, and the loser becomes a dead letter.
    let mut undecided = BTreeSet::new();
    for n in 0..20 {
        let id = format!("race-{n}");
        let (cheap, dear) = (order(&id), dearer_order(&id));
        let answers = tokio::try_join!(
            system.post("/api/orders", &cheap),
            system.post("/api/orders", &dear),
        )?;
        let won = match (answers.0.0, answers.1.0) {
            (StatusCode::ACCEPTED, StatusCode::CONFLICT) => cheap,
            (StatusCode::CONFLICT, StatusCode::ACCEPTED) => dear,
            (StatusCode::ACCEPTED, StatusCode::ACCEPTED) => {
                undecided.insert(id);
                continue;
            }
            other => panic!("{id}: {other:?}: {answers:?}"),
        };
        assert_eq!(total_of(&system, &id).await, won["totalCost"], "{id}");
    }
    assert!(undecided.len() < 20, "no id was ever claimed in time");

    // By Kafka: the same order again is accepted, even with a byte order mark and different formatting. Where two orders race for an
    // id or a different order comes later, the loser becomes a dead letter.
    let marked = format!("\u{feff}{:#}", order("kafka-1"));
    system.publish(Some(b"kafka-1"), marked.as_bytes()).await?;
    system.wait_for_status("kafka-1", "DELIVERED").await;
    let mut events = vec![
        order("kafka-1"),
        dearer_order("kafka-1"),
        dearer_order("http-1"),
    ];
    for n in 0..10 {
        let id = format!("kafka-race-{n}");
        events.extend([order(&id), dearer_order(&id), order(&id)]);
    }
    system.publish_orders(&events).await?;
    let mut dead_letters = Topic::of(system.address("kafka")?, domain::topic::ORDERS_DLQ);
    let mut found = Vec::new();
    let expected = 12 + undecided.len();
    eventually("the dead letters", SOON, async || {
        found.extend(
            dead_letters
                .new_records()
                .map_err(|error| error.to_string())?,
        );
        // Where the dearer order won the race, the cheaper one has two dead letters, because it was sent twice.
        let ids: BTreeSet<_> = found.iter().map(|letter| &letter.key).collect();
        if ids.len() == expected {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
    for letter in &found {
        let reason = letter.header("dlq-reason");
        assert!(reason.contains("belongs to another order"), "{reason}");
    }
    for n in 0..10 {
        let id = format!("kafka-race-{n}");
        let total = total_of(&system, &id).await;
        let lost: Vec<Value> = found
            .iter()
            .filter(|letter| letter.key.as_deref() == Some(id.as_bytes()))
            .map(|letter| serde_json::from_slice::<Value>(&letter.value))
            .collect::<Result<_, _>>()?;
        assert!(lost.iter().all(|lost| lost["totalCost"] != total), "{id}");
    }

    // Directly to the workflow: an order whose id belongs to another one is refused.
    let claim = json!({"content": "1another-order", "claimant": "TRUSTED"});
    let (code, answer) = system
        .call("OrderStatusService/direct-1/claim", Some(&claim))
        .await?;
    ensure!(code.is_success() && answer["granted"] == true, "{answer}");
    let (code, answer) = system
        .call("OrderWorkflow/direct-1/run", Some(&order("direct-1")))
        .await?;
    assert_eq!(code, StatusCode::CONFLICT, "{answer}");
    assert!(
        answer.to_string().contains("belongs to another order"),
        "{answer}"
    );
    assert_eq!(system.order_status("direct-1").await?["status"], "NEW");

    // The first order is unchanged.
    assert_eq!(system.order_status("http-1").await?, delivered);
    let charged: Vec<Value> = system.ledger().await?;
    let of_first = charged.iter().filter(|entry| entry["orderId"] == "http-1");
    assert_eq!(of_first.count(), 1, "{charged:?}");
    Ok(())
}
