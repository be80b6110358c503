//! Drivers who fall silent, and drivers who go home.

use std::collections::BTreeMap;

use domain::StatusEvent;
use end_to_end_tests::{
    Options, SOON, System, Topic, assert_books_balance, assert_nothing_left_behind, eventually,
    order,
};
use nix::sys::signal::Signal;
use serde_json::Value;

const SILENT: &str = "--driver-silence=1s";

/// Slow enough to be caught on the way.
fn slowly() -> Options {
    Options::default().with("--move-interval=300ms")
}

async fn wait_until_delayed(system: &System, order: &str) -> Value {
    eventually(&format!("{order} to be delayed"), SOON, async || {
        let seen = system
            .order_status(order)
            .await
            .map_err(|error| error.to_string())?;
        if seen["delayed"] == true {
            Ok(seen)
        } else {
            Err(seen.to_string())
        }
    })
    .await
}

async fn driver_statuses(system: &System) -> anyhow::Result<Vec<String>> {
    let rows = system
        .sql("select value_utf8 from state where service_name = 'DriverDigitalTwin' and key = 'driver-status'")
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| Some(row["value_utf8"].as_str()?.trim_matches('"').to_owned()))
        .collect())
}

fn history(status: &Value) -> Vec<&str> {
    status["history"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["status"].as_str())
        .collect()
}

/// The events of an order, each version once, as a provider sees them who ignores what it has seen.
fn events(topic: &mut Topic, order: &str) -> anyhow::Result<Vec<StatusEvent>> {
    let mut events = BTreeMap::new();
    for record in topic.new_records()? {
        let event: StatusEvent = serde_json::from_slice(&record.value)?;
        if event.order_id.as_str() == order {
            events.entry(event.version).or_insert(event);
        }
    }
    let versions: Vec<u64> = events.keys().copied().collect();
    let expected: Vec<u64> = (1..=events.len() as u64).collect();
    assert_eq!(versions, expected, "a version is missing");
    Ok(events.into_values().collect())
}

#[tokio::test]
async fn a_driver_who_is_silent_before_the_pickup_is_replaced_and_offline_until_the_next_report()
-> anyhow::Result<()> {
    let system = System::start(slowly().with(SILENT)).await?;
    let mut topic = Topic::of(system.address("kafka")?, domain::topic::ORDER_STATUS);
    system.publish_orders(&[order("silent-1")]).await?;
    system
        .wait_for_status("silent-1", "WAITING_FOR_DRIVER")
        .await;

    // All phones are dead, so it is offered to one driver after the other, and nobody is left.
    system.signal("driver-simulator", Signal::SIGSTOP)?;
    let delayed = wait_until_delayed(&system, "silent-1").await;
    assert_eq!(delayed["status"], "WAITING_FOR_DRIVER", "{delayed}");
    eventually("all drivers to be offline", SOON, async || {
        let statuses = driver_statuses(&system)
            .await
            .map_err(|error| error.to_string())?;
        if statuses == ["OFFLINE", "OFFLINE"] {
            Ok(())
        } else {
            Err(format!("{statuses:?}"))
        }
    })
    .await;

    system.signal("driver-simulator", Signal::SIGCONT)?;
    let delivered = system.wait_for_status("silent-1", "DELIVERED").await;
    assert_eq!(delivered["delayed"], Value::Null, "{delivered}");
    assert_eq!(
        history(&delivered),
        [
            "CREATED",
            "SCHEDULED",
            "IN_PREPARATION",
            "SCHEDULING_DELIVERY",
            "WAITING_FOR_DRIVER",
            "IN_DELIVERY",
            "DELIVERED"
        ]
    );
    let events = events(&mut topic, "silent-1")?;
    assert!(events.iter().any(|event| event.delayed), "{events:?}");
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].status <= pair[1].status),
        "{events:?}"
    );
    assert_books_balance(&system, &["silent-1".to_owned()], 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn a_driver_who_is_silent_with_the_food_is_waited_for_and_the_customer_is_told()
-> anyhow::Result<()> {
    let system = System::start(slowly().with(SILENT)).await?;
    system.publish_orders(&[order("silent-2")]).await?;
    let under_way = system.wait_for_status("silent-2", "IN_DELIVERY").await;
    system.signal("driver-simulator", Signal::SIGSTOP)?;
    let delayed = wait_until_delayed(&system, "silent-2").await;
    assert_eq!(delayed["status"], "IN_DELIVERY", "{delayed}");
    assert_eq!(delayed["driverId"], under_way["driverId"], "{delayed}");

    system.signal("driver-simulator", Signal::SIGCONT)?;
    let delivered = system.wait_for_status("silent-2", "DELIVERED").await;
    assert_eq!(delivered["driverId"], under_way["driverId"], "{delivered}");
    assert_eq!(delivered["delayed"], Value::Null, "{delivered}");
    assert_books_balance(&system, &["silent-2".to_owned()], 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn a_driver_who_went_home_gets_nothing_until_back_at_work() -> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(1)).await?;
    let free = "select key from state where service_name = 'DriverDeliveryMatcher' and key like 'available-drivers/%'";
    eventually("the driver to be free", SOON, async || {
        match system.sql(free).await {
            Ok(rows) if rows.len() == 1 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let (code, answer) = system
        .call("DriverMobileAppSimulator/driver-1/stopDriver", None)
        .await?;
    assert!(code.is_success(), "{code}: {answer}");
    eventually("the driver to be forgotten", SOON, async || {
        match system.sql(free).await {
            Ok(rows) if rows.is_empty() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    system.publish_orders(&[order("patient-1")]).await?;
    eventually("the delivery to wait", SOON, async || {
        match system
            .sql("select value_utf8 from state where key = 'pending-deliveries'")
            .await
        {
            Ok(rows) if rows.len() == 1 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let (code, answer) = system
        .call("DriverMobileAppSimulator/driver-1/startDriver", None)
        .await?;
    assert!(code.is_success(), "{code}: {answer}");
    system.wait_for_status("patient-1", "DELIVERED").await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}
