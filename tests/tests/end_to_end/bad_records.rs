//! Records that are not valid orders or location updates.

use end_to_end_tests::{Options, Record, SOON, System, Topic, eventually, order, order_with};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::json;

/// A record that is not a valid order, and a text that its reason must contain.
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
            reason: "but is missing",
        },
    ]
}

#[tokio::test]
async fn invalid_orders_become_dead_letters_with_a_reason_and_do_not_affect_other_orders()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let mut dead_letters = Topic::of(system.address("kafka")?, domain::topic::ORDERS_DLQ);
    let live = order_with("live", "deliveryDelay", json!(600_000));
    system.publish_orders(&[live]).await?;
    system.wait_for_status("live", "SCHEDULED").await;
    let bad = bad_records();
    for (n, record) in bad.iter().enumerate() {
        system.publish(record.key, &record.value).await?;
        // Valid orders in between, so that every partition has some.
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

    // The order that an invalid event names is rejected, and may be corrected. An order under way or delivered is not affected.
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

/// A record of topic `driver-updates` that is not a valid update, and a text that its reason must contain.
struct BadUpdate {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    reason: &'static str,
}

fn bad_updates() -> Vec<BadUpdate> {
    const GOOD: &[u8] = br#"{"lon":-121.9,"lat":37.3}"#;
    let of = |key: Option<&[u8]>, value: Option<&[u8]>, reason| BadUpdate {
        key: key.map(Into::into),
        value: value.map(Into::into),
        reason,
    };
    let bad_key = |key: &[u8], reason| of(Some(key), Some(GOOD), reason);
    let bad_value = |value: &[u8], reason| of(Some(b"driver-1"), Some(value), reason);
    // Enough records for every partition.
    let mut all: Vec<_> = (0..32)
        .map(|n| bad_key(&[0xff, 0xfe, n], "is not UTF-8"))
        .collect();
    all.extend([
        of(None, Some(GOOD), "is missing"),
        bad_key(b"", "must not be empty"),
        bad_key(&[b'x'; 65], "must have at most 64 characters"),
        bad_key(&vec![b'x'; 100_000], "must have at most 64 characters"),
        bad_key(b"driver 1", "ASCII letters, digits"),
        of(Some(b"driver-1"), None, "is empty"),
        bad_value(b"", "is empty"),
        bad_value(b"nowhere", "is not valid JSON"),
        bad_value(b"[-121.9,37.3]", "is an array"),
        bad_value(&vec![b'x'; 900_000], "at most 16384 are read"),
    ]);
    // For each of these, another driver, because only the first of a series becomes a dead letter.
    for (value, reason) in [
        (&br#"{"lon":999,"lat":0}"#[..], "must be a place in degrees"),
        (
            br#"{"lon":"-121.9","lat":37.3}"#,
            "lon must be a number, but is the string",
        ),
        (
            br#"{"lon":-121.9,"lat":37.3,"timestamp":86400000}"#,
            "timestamp must be a time",
        ),
    ] {
        let driver = format!("lost-{}", all.len());
        all.push(of(Some(driver.as_bytes()), Some(value), reason));
    }
    all
}

#[tokio::test]
async fn invalid_location_updates_become_dead_letters_and_do_not_halt_their_partition()
-> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(1)).await?;
    let kafka = system.kafka()?;
    let bad = bad_updates();
    let producer: FutureProducer = kafka.config().create()?;
    for BadUpdate { key, value, .. } in &bad {
        let mut record = FutureRecord::<[u8], [u8]>::to(domain::topic::DRIVER_UPDATES);
        record.key = key.as_deref();
        record.payload = value.as_deref();
        let sent = producer.send(record, SOON).await;
        sent.map_err(|(error, _)| error)?;
    }
    let mut dead_letters = Topic::of(kafka, domain::topic::DRIVER_UPDATES_DLQ);
    let mut found: Vec<Record> = Vec::new();
    eventually("all of them among the dead letters", SOON, async || {
        found.extend(
            dead_letters
                .new_records()
                .map_err(|error| error.to_string())?,
        );
        if found.len() >= bad.len() {
            Ok(())
        } else {
            Err(format!("{} of {}", found.len(), bad.len()))
        }
    })
    .await;
    assert_eq!(found.len(), bad.len());
    for BadUpdate { key, value, reason } in &bad {
        let letter = found
            .iter()
            .find(|found| found.key == *key && found.header("dlq-reason").contains(reason));
        let letter = letter.unwrap_or_else(|| panic!("no dead letter of {key:?}: {reason}"));
        assert_eq!(letter.value, value.as_deref().unwrap_or_default());
        // The twin refuses a report with an invalid place or time, and reads what the filter passes on; the filter refuses the rest.
        let is_report = key.as_deref().is_some_and(|key| key.starts_with(b"lost-"));
        let source = if is_report {
            "driver-positions"
        } else {
            "driver-updates"
        };
        assert_eq!(letter.header("dlq-topic"), source);
        assert!(letter.header("dlq-offset").parse::<u64>().is_ok());
    }
    // Valid reports still arrive, in every partition.
    for n in 0..32 {
        let update = br#"{"lon":-121.9,"lat":37.3}"#;
        let key = format!("passer-by-{n}");
        let record = FutureRecord::<[u8], [u8]>::to(domain::topic::DRIVER_UPDATES)
            .key(key.as_bytes())
            .payload(update);
        let sent = producer.send(record, SOON).await;
        sent.map_err(|(error, _)| error)?;
    }
    eventually("all drivers to be known", SOON, async || {
        let known = system
            .sql("select service_key from state where service_name = 'DriverDigitalTwin' and service_key like 'passer-by-%' and key = 'driver-location'")
            .await
            .map_err(|error| error.to_string())?;
        if known.len() == 32 { Ok(()) } else { Err(format!("{} of 32", known.len())) }
    })
    .await;
    system.publish_orders(&[order("drive-on")]).await?;
    system.wait_for_status("drive-on", "DELIVERED").await;
    Ok(())
}
