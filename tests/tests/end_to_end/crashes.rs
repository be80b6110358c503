//! Processes are killed, stopped and restarted.

use std::time::Duration;

use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually, order, run,
};
use nix::sys::signal::Signal;
use reqwest::StatusCode;

use crate::many_orders::wait_for_all_delivered;

/// A session of Restate's consumers lasts six seconds; see `setup/subscriptions.rs`.
const LONGER_THAN_A_SESSION: Duration = Duration::from_secs(9);

fn batch(name: &str, count: usize) -> (Vec<String>, Vec<serde_json::Value>) {
    let ids: Vec<String> = (0..count).map(|n| format!("{name}-{n}")).collect();
    let events = ids.iter().map(|id| order(id)).collect();
    (ids, events)
}

#[tokio::test]
async fn killing_services_and_third_parties_loses_no_order_and_charges_no_customer_twice()
-> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(10)).await?;
    let (ids, events) = batch("killed", 60);
    system.publish_orders(&events).await?;
    for part in [
        "order-services",
        "restaurant-pos",
        "driver-simulator",
        "payment-provider",
        "order-services",
    ] {
        system.kill_and_wait_for_return(part).await?;
    }
    wait_for_all_delivered(&system, ids.len()).await;
    assert_books_balance(&system, &ids, 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn orders_in_progress_continue_after_the_restate_server_was_killed() -> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(5)).await?;
    let (ids, events) = batch("restate", 30);
    system.publish_orders(&events).await?;
    system.kill_and_wait_for_return("restate-server").await?;
    wait_for_all_delivered(&system, ids.len()).await;
    assert_books_balance(&system, &ids, 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn orders_are_delivered_after_the_broker_was_replaced_by_one_with_another_cluster_id()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    system.publish_orders(&[order("before-1")]).await?;
    system.wait_for_status("before-1", "DELIVERED").await;
    let before = system.address("kafka")?;

    system.kill_and_wait_for_return("kafka").await?;

    eventually("another broker", SOON, async || {
        match system.address("kafka") {
            Ok(address) if address != before => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    system
        .publish_orders(&[order("after-1"), order("before-1")])
        .await?;
    system.wait_for_status("after-1", "DELIVERED").await;
    assert_books_balance(
        &system,
        &["before-1".to_owned(), "after-1".to_owned()],
        2350,
    )
    .await;
    Ok(())
}

#[tokio::test]
async fn orders_in_progress_continue_after_the_system_was_stopped_and_started_again()
-> anyhow::Result<()> {
    let mut system =
        System::start(Options::default().drivers(3).with("--preparation-time=2s")).await?;
    let (ids, events) = batch("again", 10);
    system.publish_orders(&events).await?;
    system.wait_for_status("again-0", "IN_PREPARATION").await;
    system.stop().await?;
    system.start_again().await?;
    wait_for_all_delivered(&system, ids.len()).await;
    assert_books_balance(&system, &ids, 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

/// Places orders through the gateway, and adds those that it accepts to `accepted`.
async fn place(
    system: &System,
    name: &str,
    count: usize,
    accepted: &mut Vec<String>,
) -> anyhow::Result<()> {
    let (ids, events) = batch(name, count);
    for (id, event) in ids.into_iter().zip(&events) {
        let (code, answer) = system.post("/api/orders", event).await?;
        match code {
            StatusCode::ACCEPTED => accepted.push(id),
            StatusCode::SERVICE_UNAVAILABLE => {}
            _ => anyhow::bail!("{code}: {answer}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn apache_kafka_keeps_every_accepted_order_when_it_is_killed_stopped_or_restored_from_a_backup()
-> anyhow::Result<()> {
    let mut system = System::start(Options::default().drivers(10).with("--kafka=apache")).await?;
    let mut accepted = Vec::new();
    // In the first moment, and again while Restate is away, so that only Kafka has the orders.
    place(&system, "first", 25, &mut accepted).await?;
    system.kill_and_wait_for_return("kafka").await?;
    eventually("the gateway to accept orders again", SOON, async || {
        let before = accepted.len();
        let placed = place(&system, "second", 1, &mut accepted).await;
        placed.map_err(|error| error.to_string())?;
        if accepted.len() > before {
            Ok(())
        } else {
            Err("503".to_owned())
        }
    })
    .await;
    system.signal("restate-server", Signal::SIGSTOP)?;
    place(&system, "third", 5, &mut accepted).await?;
    system.kill_and_wait_for_return("kafka").await?;
    system.signal("restate-server", Signal::SIGCONT)?;
    assert!(accepted.len() > 30, "{accepted:?}");
    wait_for_all_delivered(&system, accepted.len()).await;
    assert_books_balance(&system, &accepted, 2350).await;

    let count = |system: &System| {
        anyhow::Ok(
            kafka::records::read(&system.kafka()?, "orders")?
                .records
                .len(),
        )
    };
    let before = count(&system)?;
    system.stop().await?;
    let saved = tempfile::tempdir()?;
    let file = saved.path().join("saved.tar.gz").display().to_string();
    let at = |system: &System| format!("--data-dir={}", system.directory().display());
    let ran = run(["backup", &file, &at(&system)], "")?;
    assert!(ran.success, "{}", ran.output);
    system.move_to_empty_directory()?;
    let ran = run(["restore", &file, &at(&system)], "")?;
    assert!(ran.success, "{}", ran.output);
    system.start_again().await?;
    let probe = 1;
    assert_eq!(count(&system)?, before + probe);
    place(&system, "fourth", 1, &mut accepted).await?;
    wait_for_all_delivered(&system, accepted.len()).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

/// When Kafka has not answered for longer than a session lasts, Restate's consumer may leave its group for good, and read no more
/// records or never commit again. The launcher notices, and subscribes again.
#[tokio::test]
async fn restate_reads_on_after_kafka_was_stopped_for_longer_than_a_session() -> anyhow::Result<()>
{
    let system = System::start(Options::default().with("--kafka=apache")).await?;
    let mut accepted = Vec::new();
    for round in ["first", "second"] {
        system.signal("kafka", Signal::SIGSTOP)?;
        tokio::time::sleep(LONGER_THAN_A_SESSION).await;
        system.signal("kafka", Signal::SIGCONT)?;
        eventually("an order to be accepted", SOON, async || {
            let before = accepted.len();
            let placed = place(&system, round, 1, &mut accepted).await;
            placed.map_err(|error| error.to_string())?;
            (accepted.len() > before)
                .then_some(())
                .ok_or("503".to_owned())
        })
        .await;
    }
    wait_for_all_delivered(&system, accepted.len()).await;
    eventually(
        "Restate to commit what it has read",
        SOON,
        async || match system.doctor(&[]).await {
            Ok((true, _)) => Ok(()),
            Ok((false, said)) => Err(said),
            Err(error) => Err(error.to_string()),
        },
    )
    .await;
    Ok(())
}
