//! Orders that end rejected or cancelled.

use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually, order,
    order_with,
};
use serde_json::json;

#[tokio::test]
async fn a_declined_payment_rejects_the_order_before_it_is_prepared() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    system
        .set_faults("payment-provider", &json!({ "declineRate": 1.0 }))
        .await?;
    system.publish_orders(&[order("poor-1")]).await?;
    let rejected = system.wait_for_status("poor-1", "REJECTED").await;
    assert!(
        rejected["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("declined")),
        "{rejected}"
    );
    assert_eq!(system.ledger().await?, Vec::<serde_json::Value>::new());
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn an_order_that_the_restaurant_refuses_is_rejected_and_refunded() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    system
        .set_faults("restaurant-pos", &json!({ "rejectRate": 1.0 }))
        .await?;
    system.publish_orders(&[order("refused-1")]).await?;
    let rejected = system.wait_for_status("refused-1", "REJECTED").await;
    assert!(
        rejected["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("restaurant")),
        "{rejected}"
    );
    assert_books_balance(&system, &["refused-1".to_owned()], 2350).await;
    assert_eq!(system.ledger().await?.len(), 2);
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_cancelled_at_any_stage_is_refunded_and_a_delivered_one_stays_delivered()
-> anyhow::Result<()> {
    // Slow enough to cancel an order at each stage.
    let system = System::start(
        Options::default()
            .drivers(1)
            .with("--preparation-time=3s")
            .with("--move-interval=200ms")
            .with("--step=0.005"),
    )
    .await?;
    system
        .publish_orders(&[
            order_with("scheduled", "deliveryDelay", json!(600_000)),
            order("cooking"),
            order("waiting"),
        ])
        .await?;

    for (id, stage) in [
        ("scheduled", "SCHEDULED"),
        ("cooking", "IN_PREPARATION"),
        ("waiting", "WAITING_FOR_DRIVER"),
    ] {
        system.wait_for_status(id, stage).await;
        let (code, answer) = system
            .post(&format!("/api/orders/{id}/cancel"), &json!({}))
            .await?;
        assert!(
            code.is_success() && answer["accepted"] == true,
            "{id} {code}: {answer}"
        );
        system.wait_for_status(id, "CANCELLED").await;
    }
    let ids = ["scheduled", "cooking", "waiting"].map(str::to_owned);
    assert_books_balance(&system, &ids, 2350).await;
    assert_nothing_left_behind(&system).await;

    // The driver of the cancelled order delivers the next one, which can no longer be cancelled.
    system.publish_orders(&[order("eaten")]).await?;
    system.wait_for_status("eaten", "DELIVERED").await;
    let (code, problem) = system.post("/api/orders/eaten/cancel", &json!({})).await?;
    assert_eq!(code, 409, "{problem}");
    let (code, problem) = system
        .post("/api/orders/never-ordered/cancel", &json!({}))
        .await?;
    assert_eq!(code, 404, "{problem}");
    Ok(())
}

#[tokio::test]
async fn a_payment_provider_that_fails_after_charging_charges_once() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    system
        .set_faults("payment-provider", &json!({ "errorAfterChargeRate": 1.0 }))
        .await?;
    system.publish_orders(&[order("unsure-1")]).await?;
    eventually("the charge", SOON, async || {
        let ledger = system.ledger().await.map_err(|error| error.to_string())?;
        if ledger.len() == 1 {
            Ok(())
        } else {
            Err(format!("{ledger:?}"))
        }
    })
    .await;
    system.wait_for_status("unsure-1", "DELIVERED").await;
    assert_books_balance(&system, &["unsure-1".to_owned()], 2350).await;
    Ok(())
}

#[tokio::test]
async fn an_order_that_nobody_can_deliver_in_time_is_cancelled_and_refunded() -> anyhow::Result<()>
{
    let system = System::start(Options::default().drivers(0).with("--driver-limit=1s")).await?;
    system.publish_orders(&[order("lonely-1")]).await?;
    let cancelled = system.wait_for_status("lonely-1", "CANCELLED").await;
    assert!(
        cancelled["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("no driver")),
        "{cancelled}"
    );
    assert_books_balance(&system, &["lonely-1".to_owned()], 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}

#[tokio::test]
async fn an_operators_cancellation_has_the_same_effect_as_the_customers() -> anyhow::Result<()> {
    let system = System::start(
        Options::default()
            .drivers(1)
            .with("--preparation-time=2s")
            .with("--move-interval=200ms")
            .with("--step=0.005"),
    )
    .await?;
    system
        .publish_orders(&[order("cooking"), order("eaten")])
        .await?;
    system.wait_for_status("cooking", "IN_PREPARATION").await;
    system.cancel_workflow("cooking").await?;
    let cancelled = system.wait_for_status("cooking", "CANCELLED").await;
    assert_ne!(cancelled["reason"], serde_json::Value::Null, "{cancelled}");

    // An order that is already in delivery is delivered despite the cancellation.
    system.wait_for_status("eaten", "IN_DELIVERY").await;
    system.cancel_workflow("eaten").await?;
    system.wait_for_status("eaten", "DELIVERED").await;

    assert_books_balance(&system, &["cooking".to_owned(), "eaten".to_owned()], 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}
