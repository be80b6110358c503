//! One order, from the provider's event to the customer's door.

use std::time::Duration;

use end_to_end_tests::{
    Options, SOON, System, Topic, assert_books_balance, assert_nothing_left_behind, eventually,
    order, order_with,
};
use serde_json::{Value, json};

const LIFE: [&str; 7] = [
    "CREATED",
    "SCHEDULED",
    "IN_PREPARATION",
    "SCHEDULING_DELIVERY",
    "WAITING_FOR_DRIVER",
    "IN_DELIVERY",
    "DELIVERED",
];

fn statuses(order: &Value) -> Vec<&str> {
    let history = order["history"].as_array().expect("a history");
    history
        .iter()
        .filter_map(|entry| entry["status"].as_str())
        .collect()
}

#[tokio::test]
async fn an_order_from_kafka_is_delivered_with_a_complete_history_in_order() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let mut topic = Topic::of(system.address("kafka")?, domain::topic::ORDER_STATUS);

    system.publish_orders(&[order("pizza-1")]).await?;
    let delivered = system.wait_for_status("pizza-1", "DELIVERED").await;

    assert_eq!(statuses(&delivered), LIFE);
    let times: Vec<i64> = delivered["history"]
        .as_array()
        .expect("a history")
        .iter()
        .filter_map(|entry| entry["at"].as_i64())
        .collect();
    assert!(times.len() == LIFE.len() && times.is_sorted(), "{times:?}");
    assert!(
        delivered["eta"].is_i64() && delivered["driverId"].is_string(),
        "{delivered}"
    );

    // The providers receive the same changes, each once, in order.
    let mut events: Vec<domain::StatusEvent> = Vec::new();
    eventually("every change in topic order-status", SOON, async || {
        for record in topic.new_records().map_err(|error| error.to_string())? {
            assert_eq!(record.key.as_deref(), Some(&b"pizza-1"[..]));
            events.push(serde_json::from_slice(&record.value).map_err(|error| error.to_string())?);
        }
        match events.last() {
            Some(last) if last.status.is_terminal() => Ok(()),
            last => Err(format!("{last:?}")),
        }
    })
    .await;
    let versions: Vec<u64> = events.iter().map(|event| event.version).collect();
    assert_eq!(
        versions,
        (1..=delivered["version"].as_u64().expect("a version")).collect::<Vec<_>>()
    );
    let mut published: Vec<&str> = events.iter().map(|event| event.status.name()).collect();
    published.dedup();
    assert_eq!(published, LIFE);

    // A handler that users may call with curl.
    let (code, asked) = system.call("OrderWorkflow/pizza-1/getOrder", None).await?;
    assert!(
        code.is_success() && asked["totalCost"] == 23.5,
        "{code}: {asked}"
    );
    assert_books_balance(&system, &["pizza-1".to_owned()], 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn a_scheduled_order_is_paid_at_once_and_prepared_at_its_time() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let delay = Duration::from_secs(4);
    system
        .publish_orders(&[order_with("later-1", "deliveryDelay", json!(4000))])
        .await?;

    let scheduled = system.wait_for_status("later-1", "SCHEDULED").await;
    assert_eq!(statuses(&scheduled), ["CREATED", "SCHEDULED"]);
    assert_eq!(system.ledger().await?.len(), 1);

    let delivered = system.wait_for_status("later-1", "DELIVERED").await;
    let at = |status: &str| {
        let history = delivered["history"].as_array().expect("a history");
        let entry = history
            .iter()
            .find(|entry| entry["status"] == status)
            .expect("this status");
        entry["at"].as_u64().expect("a time")
    };
    // The workflow may start its timer a moment before the status is written.
    let waited = at("IN_PREPARATION") - at("SCHEDULED");
    assert!(u128::from(waited) + 500 >= delay.as_millis(), "{waited} ms");
    Ok(())
}

#[tokio::test]
async fn the_same_event_three_times_is_one_order_and_one_charge() -> anyhow::Result<()> {
    // The retention is so short that the workflow is forgotten before the third event arrives.
    let system = System::start(Options::default().with("--workflow-retention=0s")).await?;
    system
        .publish_orders(&[order("twice-1"), order("twice-1")])
        .await?;
    let delivered = system.wait_for_status("twice-1", "DELIVERED").await;

    system
        .publish_orders(&[order("twice-1"), order("after-1")])
        .await?;
    system.wait_for_status("after-1", "DELIVERED").await;

    assert_eq!(system.order_status("twice-1").await?, delivered);
    let charges: Vec<Value> = system
        .ledger()
        .await?
        .into_iter()
        .filter(|entry| entry["orderId"] == "twice-1")
        .collect();
    assert_eq!(charges.len(), 1, "{charges:?}");
    let prepared = system
        .sql("select id from sys_invocation where target_service_key = 'twice-1' and target_handler_name = 'start'")
        .await?;
    assert!(prepared.len() <= 1, "{prepared:?}");
    Ok(())
}

#[tokio::test]
async fn an_order_sent_directly_to_run_is_validated_and_internal_handlers_are_private()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;

    let (code, ended) = system
        .call("OrderWorkflow/direct-1/run", Some(&order("direct-1")))
        .await?;
    assert!(
        code.is_success() && ended["status"] == "DELIVERED",
        "{code}: {ended}"
    );

    let (code, error) = system
        .call(
            "OrderWorkflow/direct-2/run",
            Some(&order_with("direct-2", "totalCost", json!(-1))),
        )
        .await?;
    assert_eq!(code, 400, "{error}");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("totalCost must not be negative")),
        "{error}"
    );
    system.wait_for_status("direct-2", "REJECTED").await;

    let (code, error) = system
        .call("OrderWorkflow/direct-3/run", Some(&order("another")))
        .await?;
    assert_eq!(code, 400, "{error}");

    for closed in [
        "OrderIntake/receive",
        "DriverUpdateIntake/receive",
        "OrderStatusService/direct-1/setStatus",
        "OrderStatusService/direct-1/create",
        "DeliveryManager/direct-1/start",
        "DriverDeliveryMatcher/anywhere/setDriverAvailable",
        "DriverDigitalTwin/driver-1/notifyDeliveryDelivered",
        "DriverDigitalTwin/driver-1/handleDriverLocationUpdateEvent",
        "DriverMobileAppSimulator/driver-1/pollForWork",
    ] {
        let (code, answer) = system.call(closed, Some(&json!({}))).await?;
        assert!(code.is_client_error(), "{closed} answered {code}: {answer}");
    }
    let (code, held) = system
        .call("DriverDigitalTwin/driver-1/getAssignedDelivery", None)
        .await?;
    assert!(code.is_success() && held.is_null(), "{code}: {held}");
    let (code, started) = system
        .call("DriverMobileAppSimulator/driver-1/startDriver", None)
        .await?;
    assert!(
        code.is_success() && started["already"] == true,
        "{code}: {started}"
    );
    let unknown = system.order_status("nobody-ordered-this").await?;
    assert_eq!(unknown["status"], "NEW");
    Ok(())
}
