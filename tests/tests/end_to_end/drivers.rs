//! Drivers who stop reporting their positions, and drivers who stop working.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::StatusEvent;
use durable::clock::now_ms;
use end_to_end_tests::{
    Options, SOON, System, Topic, assert_books_balance, assert_nothing_left_behind, eventually,
    order,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const SILENT: &str = "--driver-silence=1s";

/// Drivers move slowly enough to be stopped between pickup and delivery.
fn slow_drivers() -> Options {
    Options::default()
        .with("--move-interval=300ms")
        .with("--step=0.005")
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

/// The events of an order, each version once, as a provider that ignores duplicates sees them.
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
    let system = System::start(slow_drivers().with(SILENT)).await?;
    let mut topic = Topic::of(system.address("kafka")?, domain::topic::ORDER_STATUS);
    system.publish_orders(&[order("silent-1")]).await?;
    system
        .wait_for_status("silent-1", "WAITING_FOR_DRIVER")
        .await;

    // No phone reports, so the order is offered to one driver after the other until none is left.
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
async fn an_order_whose_driver_is_silent_after_the_pickup_is_shown_as_delayed_and_delivered_later()
-> anyhow::Result<()> {
    let system = System::start(slow_drivers().with(SILENT)).await?;
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

/// A driver's phone whose clock is a day behind.
struct Phone<'a> {
    system: &'a System,
    publisher: kafka::Publisher,
    driver: String,
}

impl Phone<'_> {
    async fn report(&self, lon: f64, lat: f64) -> anyhow::Result<()> {
        let day_ago = now_ms() - 24 * 60 * 60 * 1000;
        let update = json!({"lon": lon, "lat": lat, "timestamp": day_ago}).to_string();
        self.publisher
            .publish(
                domain::topic::DRIVER_UPDATES,
                Some(self.driver.as_bytes()),
                update.as_bytes(),
                &[],
            )
            .await?;
        Ok(())
    }

    /// The position that the driver's twin has stored.
    async fn stored(&self) -> anyhow::Result<Value> {
        let rows = self
            .system
            .sql(&format!(
                "select value_utf8 from state where service_name = 'DriverDigitalTwin' and service_key = '{}' and key = 'driver-location'",
                self.driver
            ))
            .await?;
        let text = rows.first().and_then(|row| row["value_utf8"].as_str());
        Ok(serde_json::from_str(text.unwrap_or("null"))?)
    }

    /// Reports every 200 ms until `is_done` accepts the position that the twin has stored.
    async fn report_until(
        &self,
        lon: f64,
        is_done: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let begin = Instant::now();
        let mut each = tokio::time::interval(Duration::from_millis(200));
        loop {
            each.tick().await;
            self.report(lon, 37.3).await?;
            let stored = self.stored().await?;
            if is_done(&stored) {
                return Ok(stored);
            }
            anyhow::ensure!(begin.elapsed() < SOON, "{stored}");
        }
    }
}

#[tokio::test]
async fn reports_with_a_wrong_clock_count_and_impossible_positions_become_one_dead_letter()
-> anyhow::Result<()> {
    const LIMIT_MS: i64 = 3_000;
    let system = System::start(slow_drivers().drivers(1).with("--driver-silence=3s")).await?;
    let kafka = system.kafka()?;
    system.publish_orders(&[order("wrong-clock")]).await?;
    let held = system
        .wait_for_status("wrong-clock", "WAITING_FOR_DRIVER")
        .await;
    system.signal("driver-simulator", Signal::SIGSTOP)?;
    let phone = Phone {
        publisher: kafka::Publisher::new(&kafka, "end-to-end-tests")?,
        driver: held["driverId"].as_str().unwrap_or_default().to_owned(),
        system: &system,
    };

    // After more than twice the limit, the twin still counts the driver as heard from.
    let begin = now_ms();
    let stored = phone
        .report_until(-121.9, |stored| {
            stored["way"]["heardAt"]
                .as_i64()
                .is_some_and(|heard| heard - begin > 2 * LIMIT_MS)
                || stored["way"].is_null()
        })
        .await?;
    assert!(stored["way"].is_object(), "{stored}");
    assert_eq!(driver_statuses(&system).await?, ["DELIVERING"]);
    let status = system.order_status("wrong-clock").await?;
    assert_eq!(status["delayed"], Value::Null, "{status}");
    // Its movement counts, too: the clock advances, so it is wrong but usable.
    let stored = phone
        .report_until(-121.89, |stored| stored["lon"] == -121.89)
        .await?;
    assert!(
        stored["timestamp"]
            .as_i64()
            .is_some_and(|time| time > begin),
        "{stored}"
    );

    let mut dead_letters = Topic::of(kafka, domain::topic::DRIVER_UPDATES_DLQ);
    for _ in 0..5 {
        phone.report(0.0, 0.0).await?;
    }
    let mut letters = Vec::new();
    eventually("a dead letter", SOON, async || {
        let new = dead_letters.new_records();
        letters.extend(new.map_err(|error| error.to_string())?);
        if letters.is_empty() {
            Err("none yet".to_owned())
        } else {
            Ok(())
        }
    })
    .await;
    phone.report(-122.4376, 37.7577).await?;
    eventually("the jump to be noted", SOON, async || {
        let stored = phone.stored().await.map_err(|error| error.to_string())?;
        if stored["jumpedTo"].is_object() {
            Ok(())
        } else {
            Err(stored.to_string())
        }
    })
    .await;
    let last = now_ms();
    let stored = phone
        .report_until(-121.89, |stored| stored["timestamp"].as_i64() > Some(last))
        .await?;
    assert_eq!(stored["lon"], -121.89, "{stored}");
    letters.extend(dead_letters.new_records()?);
    let reasons: Vec<&str> = (letters.iter())
        .map(|letter| letter.header("dlq-reason"))
        .collect();
    assert!(
        matches!(reasons[..], [reason] if reason.contains("does not know where it is")),
        "{reasons:?}"
    );
    let metrics = system.text("order-services", "/metrics").await?;
    assert!(
        metrics.contains(r#"driver_reports_total{verdict="zero"} 5"#)
            && metrics.contains(r#"driver_reports_total{verdict="jump"} 1"#),
        "{metrics}"
    );

    // The phone reports nothing more: now the driver is silent.
    wait_until_delayed(&system, "wrong-clock").await;
    system.signal("driver-simulator", Signal::SIGCONT)?;
    system.wait_for_status("wrong-clock", "DELIVERED").await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn a_driver_who_has_stopped_gets_no_delivery_until_back_at_work() -> anyhow::Result<()> {
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
