//! Records that are no orders.

use end_to_end_tests::{Options, Record, SOON, System, Topic, eventually, order, order_with};
use serde_json::json;

/// A record that is no order, and what its reason must say.
struct Bad {
    key: Option<&'static [u8]>,
    value: Vec<u8>,
    reason: &'static str,
}

fn bad_records() -> Vec<Bad> {
    let bad = |key: &'static str, value: Vec<u8>, reason| Bad {
        key: Some(key.as_bytes()),
        value,
        reason,
    };
    let bytes = |event: serde_json::Value| event.to_string().into_bytes();
    let garbage = (0..1024 * 1024)
        .map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    vec![
        bad(
            "bad-json",
            b"{nonsense".to_vec(),
            "the event is not valid JSON: there is a mistake at line 1, column 2, where it has 'n'",
        ),
        bad(
            "bad-fields",
            br#"{"orderId":"bad-fields"}"#.to_vec(),
            "products is required",
        ),
        bad(
            "bad-price",
            bytes(order_with("bad-price", "totalCost", json!(-5))),
            "totalCost must not be negative",
        ),
        bad("another", bytes(order("other-key")), "but is \"another\""),
        bad(
            "empty",
            Vec::new(),
            "the event is empty: it must be a JSON object",
        ),
        bad("garbage", garbage, "the event is "),
        Bad {
            key: Some(b"\xff\xfe"),
            value: bytes(order("bad-key")),
            reason: "is not UTF-8",
        },
        bad(
            "live",
            bytes(order_with("live", "totalCost", json!(-5))),
            "totalCost must not be negative",
        ),
        Bad {
            key: None,
            value: bytes(order("no-key")),
            reason: "there is none",
        },
    ]
}

#[tokio::test]
async fn what_is_no_order_goes_to_the_dead_letters_with_a_reason_and_harms_nobody()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let mut dead_letters = Topic::of(system.address("kafka")?, domain::topic::ORDERS_DLQ);
    let live = order_with("live", "deliveryDelay", json!(600_000));
    system.publish_orders(&[live]).await?;
    system.wait_for_status("live", "SCHEDULED").await;
    let bad = bad_records();
    for (n, record) in bad.iter().enumerate() {
        system.publish(record.key, &record.value).await?;
        // Good orders on all sides, so in every partition.
        system
            .publish_orders(&[order(&format!("good-{n}"))])
            .await?;
    }

    let mut found: Vec<Record> = Vec::new();
    eventually(
        "every bad record among the dead letters",
        SOON,
        async || {
            found.extend(
                dead_letters
                    .new_records()
                    .map_err(|error| error.to_string())?,
            );
            if found.len() >= bad.len() {
                Ok(())
            } else {
                Err(format!("{} found", found.len()))
            }
        },
    )
    .await;
    assert_eq!(found.len(), bad.len());
    for Bad { key, value, reason } in &bad {
        let record = found
            .iter()
            .find(|found| found.key.as_deref() == *key)
            .expect("a dead letter with this key");
        assert!(
            record.header("dlq-reason").contains(reason),
            "{:?}",
            record.headers
        );
        assert_eq!(record.header("dlq-topic"), "orders");
        assert!(
            record.header("dlq-partition").parse::<u32>().is_ok(),
            "{:?}",
            record.headers
        );
        assert!(
            record.header("dlq-offset").parse::<u64>().is_ok(),
            "{:?}",
            record.headers
        );
        match record.header("dlq-cut-from") {
            "" => assert_eq!(record.value, *value),
            length => {
                assert!(value.starts_with(&record.value) && length == value.len().to_string());
            }
        }
    }
    for n in 0..bad.len() {
        system
            .wait_for_status(&format!("good-{n}"), "DELIVERED")
            .await;
    }

    // The order it names is told, and may be corrected; one that is under way or delivered is not touched.
    assert_eq!(system.order_status("live").await?["status"], "SCHEDULED");
    let rejected = system.wait_for_status("bad-price", "REJECTED").await;
    assert!(
        rejected["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("totalCost")),
        "{rejected}"
    );
    system
        .publish_orders(&[
            order("bad-price"),
            order_with("good-0", "totalCost", json!(-5)),
        ])
        .await?;
    system.wait_for_status("bad-price", "DELIVERED").await;
    assert_eq!(system.order_status("good-0").await?["status"], "DELIVERED");
    Ok(())
}

#[tokio::test]
async fn a_drivers_place_that_is_none_is_put_aside_and_the_driver_drives_on() -> anyhow::Result<()>
{
    let system = System::start(Options::default().drivers(1)).await?;
    let brokers = system.address("kafka")?;
    let publisher = kafka::Publisher::new(&brokers, "end-to-end-tests")?;
    for place in [&b"nowhere"[..], br#"{"lon":999,"lat":0}"#, b""] {
        publisher
            .publish(domain::topic::DRIVER_UPDATES, Some(b"driver-1"), place, &[])
            .await?;
    }
    let mut dead_letters = Topic::of(brokers, domain::topic::DRIVER_UPDATES_DLQ);
    let mut found = Vec::new();
    eventually("three dead letters", SOON, async || {
        found.extend(
            dead_letters
                .new_records()
                .map_err(|error| error.to_string())?,
        );
        if found.len() == 3 {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
    assert!(
        found
            .iter()
            .all(|record| record.key.as_deref() == Some(b"driver-1")
                && !record.header("dlq-reason").is_empty())
    );
    system.publish_orders(&[order("drive-on")]).await?;
    system.wait_for_status("drive-on", "DELIVERED").await;
    Ok(())
}
