//! Orders whose workflow was killed are found and settled.

use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually, order,
    order_with, run,
};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;

/// Runs `settle` on a running system. Returns its output.
fn settle(system: &System, flags: &[&str]) -> anyhow::Result<String> {
    let admin = format!("--restate-admin={}", system.address("restate-admin")?);
    let ingress = format!("--restate-ingress={}", system.address("restate-ingress")?);
    let flags = flags.iter().copied();
    let ran = run(["settle", &admin, &ingress].into_iter().chain(flags), "")?;
    anyhow::ensure!(ran.success, "{}", ran.output);
    Ok(ran.output)
}

/// Waits until a query has rows.
async fn wait_for_rows(system: &System, query: &str) {
    eventually(query, SOON, async || match system.sql(query).await {
        Ok(rows) if rows.is_empty() => Err("no rows".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    })
    .await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "many cases on one system")]
async fn settle_undoes_orders_without_a_workflow_and_completes_those_in_delivery()
-> anyhow::Result<()> {
    let system = System::start(
        Options::default()
            .drivers(1)
            .with("--preparation-time=1s")
            .with("--move-interval=200ms")
            .with("--step=0.005")
            .with("--driver-silence=1h"),
    )
    .await?;
    // The only driver takes a delivery and does not move.
    wait_for_rows(
        &system,
        r#"select 1 from state where key = 'driver-status' and value_utf8 = '"WAITING_FOR_WORK"'"#,
    )
    .await;
    system.signal("driver-simulator", Signal::SIGSTOP)?;
    let later = |id: &str| order_with(id, "deliveryDelay", json!(600_000));
    system
        .publish_orders(&[order("waiting"), later("scheduled"), later("undoing")])
        .await?;
    system
        .wait_for_status("waiting", "WAITING_FOR_DRIVER")
        .await;
    system.publish_orders(&[order("cooking")]).await?;
    system.wait_for_status("cooking", "IN_PREPARATION").await;
    system.wait_for_status("scheduled", "SCHEDULED").await;

    // `undoing` is killed while it is undone, `never` before it has begun; of `cooking`, even the workflow's state is deleted.
    system.wait_for_status("undoing", "SCHEDULED").await;
    system
        .set_faults("payment-provider", &json!({ "errorRate": 1 }))
        .await?;
    system.call("OrderWorkflow/undoing/cancel", None).await?;
    wait_for_rows(
        &system,
        "select 1 from sys_invocation where target = 'OrderWorkflow/undoing/run' and status = 'backing-off'",
    )
    .await;
    for id in ["waiting", "scheduled", "undoing", "cooking"] {
        system.command_workflow(id, "kill").await?;
    }
    system.command_workflow("cooking", "purge").await?;
    system
        .set_faults("payment-provider", &json!({ "errorRate": 0 }))
        .await?;
    system.signal("order-services", Signal::SIGSTOP)?;
    let never = order("never");
    system
        .call("OrderWorkflow/never/run/send", Some(&never))
        .await?;
    system.command_workflow("never", "kill").await?;
    system.signal("order-services", Signal::SIGCONT)?;

    let (is_fine, said) = system.doctor(&[]).await?;
    assert!(
        !is_fine && said.contains("5 orders have no workflow any more"),
        "{said}"
    );
    let said = settle(&system, &["--dry-run"])?;
    for line in [
        "waiting: WAITING_FOR_DRIVER",
        "scheduled: SCHEDULED",
        "undoing: CANCELLED",
        "cooking: ",
        "never: never begun",
        "5 orders are to be settled.",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    let said = settle(&system, &["scheduled", "unheard-of"])?;
    assert!(said.contains("unheard-of: nothing to settle"), "{said}");
    assert!(said.contains("1 undone"), "{said}");
    let said = settle(&system, &[])?;
    assert!(said.contains("3 undone"), "{said}");
    assert!(said.contains("1 never begun"), "{said}");
    let said = settle(&system, &[])?;
    assert!(said.contains("There is no order to settle."), "{said}");

    let ids = ["waiting", "scheduled", "undoing", "cooking"].map(str::to_owned);
    for id in &ids {
        let settled = system.order_status(id).await?;
        assert_eq!(settled["status"], "CANCELLED", "{settled}");
    }
    let never = system.order_status("never").await?;
    assert_eq!(never["status"], "REJECTED", "{never}");
    assert_books_balance(&system, &ids, 2350).await;
    // An order that is sent again keeps its status, which is checked below.
    system.publish_orders(&[order("cooking")]).await?;

    // The driver is free again. An order whose workflow is killed after the pickup is delivered, and paid.
    system.signal("driver-simulator", Signal::SIGCONT)?;
    system.publish_orders(&[order("eaten")]).await?;
    system.wait_for_status("eaten", "IN_DELIVERY").await;
    system.command_workflow("eaten", "kill").await?;
    settle(&system, &["eaten"])?;
    system.wait_for_status("eaten", "DELIVERED").await;
    let said = settle(&system, &[])?;
    assert!(said.contains("There is no order to settle."), "{said}");
    assert_books_balance(&system, &["eaten".to_owned()], 2350).await;

    // So is an order whose delivery was never reported to the workflow: the twin forgets the delivery, as it does on handover.
    let far = json!({ "lon": -121.75, "lat": 37.4 });
    system
        .publish_orders(&[order_with("handed-over", "customerLocation", far)])
        .await?;
    system.wait_for_status("handed-over", "IN_DELIVERY").await;
    system.signal("driver-simulator", Signal::SIGSTOP)?;
    system.command_workflow("handed-over", "kill").await?;
    let forgotten = json!({ "object_key": "driver-1", "new_state": {} });
    system
        .admin(
            Method::POST,
            "services/DriverDigitalTwin/state",
            Some(&forgotten),
        )
        .await?;
    eventually("the twin to forget", SOON, async || {
        let held = system
            .call("DriverDigitalTwin/driver-1/getAssignedDelivery", None)
            .await
            .map_err(|error| error.to_string())?;
        if held.1.is_null() {
            Ok(())
        } else {
            Err(format!("{held:?}"))
        }
    })
    .await;
    let said = settle(&system, &["handed-over"])?;
    assert!(said.contains("1 delivered"), "{said}");
    system.wait_for_status("handed-over", "DELIVERED").await;
    assert_books_balance(&system, &["handed-over".to_owned()], 2350).await;
    system.signal("driver-simulator", Signal::SIGCONT)?;

    let again = system.order_status("cooking").await?;
    assert_eq!(again["status"], "CANCELLED", "{again}");
    assert_books_balance(&system, &ids, 2350).await;
    assert_nothing_left_behind(&system).await;
    let (is_fine, said) = system.doctor(&[]).await?;
    assert!(is_fine, "{said}");
    Ok(())
}
