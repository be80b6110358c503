//! Many orders at once.

use end_to_end_tests::{
    Options, System, assert_books_balance, assert_nothing_left_behind, eventually, order,
};
use std::time::Duration;

#[tokio::test]
async fn two_hundred_orders_at_once_with_twenty_drivers_are_all_delivered_and_the_books_balance()
-> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(20)).await?;
    let ids: Vec<String> = (0..200).map(|n| format!("many-{n}")).collect();
    let events: Vec<_> = ids.iter().map(|id| order(id)).collect();
    system.publish_orders(&events).await?;
    wait_for_all_delivered(&system, ids.len()).await;
    assert_books_balance(&system, &ids, 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn orders_do_not_wait_for_each_other_where_restate_runs_few_invocations_at_a_time()
-> anyhow::Result<()> {
    // Four in each of the two partitions. A burst of thousands of orders does the same to the usual thousand.
    let few = "RESTATE_WORKER__INVOKER__CONCURRENT_INVOCATIONS_LIMIT=4";
    let flags = Options::default().with("--partitions=2");
    let system = System::start(flags.with(&format!("--restate-env={few}"))).await?;
    let ids: Vec<String> = (0..24).map(|n| format!("few-{n}")).collect();
    let events: Vec<_> = ids.iter().map(|id| order(id)).collect();
    system.publish_orders(&events).await?;
    // With Restate's default for waiting invocations, eight orders would take a minute, and so would the next eight.
    wait_for_orders(&system, ids.len(), "DELIVERED", Duration::from_mins(2)).await;
    Ok(())
}

/// Waits until `count` orders are delivered.
pub(crate) async fn wait_for_all_delivered(system: &System, count: usize) {
    wait_for_orders(system, count, "DELIVERED", Duration::from_mins(4)).await;
}

/// Waits until `count` orders have this status at the same time.
pub(crate) async fn wait_for_orders(system: &System, count: usize, status: &str, within: Duration) {
    let query = format!(
        "select count(*) as n from state where service_name = 'OrderStatusService' and key = 'order-status' \
         and value_utf8 like '%\"{status}\"%'"
    );
    eventually(
        &format!("{count} orders to be {status}"),
        within,
        async || {
            let rows = system
                .sql(&query)
                .await
                .map_err(|error| error.to_string())?;
            let found = rows.first().and_then(|row| row["n"].as_u64()).unwrap_or(0);
            if found >= count as u64 {
                Ok(())
            } else {
                Err(format!("{found} {status}"))
            }
        },
    )
    .await;
}
