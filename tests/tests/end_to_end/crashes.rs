//! Processes are killed and restarted.

use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually, order,
};

use crate::many_orders::wait_for_all_delivered;

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
