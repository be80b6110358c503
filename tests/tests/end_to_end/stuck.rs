//! Invocations that are paused: an outage must not pause any, and operators can find and resume them.

use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually, order, run,
};
use nix::sys::signal::Signal;
use serde_json::json;

/// An outage of the order services that is longer than three attempts of Restate's default policy.
const OUTAGE: &str = "12s";

/// Waits until `number` accepts the number of invocations with this status.
async fn wait_for(system: &System, status: &str, number: impl Fn(usize) -> bool) {
    let query = format!("select target from sys_invocation where status = '{status}'");
    eventually(&format!("invocations to be {status}"), SOON, async || {
        let found = system
            .sql(&query)
            .await
            .map_err(|error| error.to_string())?;
        if number(found.len()) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
}

/// Runs `setup` on a running system. Returns its output.
fn set_up(system: &System, flags: &[&str]) -> anyhow::Result<String> {
    let address = |flag: &str, name: &str| {
        let address = system.address(name)?;
        anyhow::Ok(format!("--{flag}={address}"))
    };
    let addresses = [
        address("restate-admin", "restate-admin")?,
        address("restate-ingress", "restate-ingress")?,
        address("order-services-url", "order-services")?,
        address("driver-simulator-url", "driver-simulator")?,
        address("kafka-brokers", "kafka")?,
    ];
    let flags = flags.iter().copied();
    let arguments = ["setup", "--moved", "--drivers=0"]
        .into_iter()
        .chain(addresses.iter().map(String::as_str))
        .chain(flags);
    let ran = run(arguments, "")?;
    anyhow::ensure!(ran.success, "{}", ran.output);
    Ok(ran.output)
}

#[tokio::test]
async fn a_long_outage_pauses_no_invocation_and_a_paused_one_is_reported_and_resumed()
-> anyhow::Result<()> {
    let system = System::start(
        Options::default()
            .with("--restate-env=RESTATE_DEFAULT_RETRY_POLICY__MAX_ATTEMPTS=3")
            .with(&format!("--restart-delay={OUTAGE}"))
            .with("--preparation-time=1s"),
    )
    .await?;
    let ids = ["early", "waiting"].map(str::to_owned);
    system.publish_orders(&[order("early")]).await?;
    system.wait_for_status("early", "IN_PREPARATION").await;

    // Orders come, and the restaurant calls back, during the outage.
    system.signal("order-services", Signal::SIGKILL)?;
    system.publish_orders(&[order("waiting")]).await?;
    let most =
        "select max(retry_count) as attempts from sys_invocation where status = 'backing-off'";
    eventually("more attempts than three", SOON, async || {
        let rows = system.sql(most).await.map_err(|error| error.to_string())?;
        match rows.first().and_then(|row| row["attempts"].as_u64()) {
            Some(attempts) if attempts > 3 => Ok(()),
            _ => Err(format!("{rows:?}")),
        }
    })
    .await;
    wait_for(&system, "paused", |number| number == 0).await;
    for id in &ids {
        system.wait_for_status(id, "DELIVERED").await;
    }
    assert_books_balance(&system, &ids, 2350).await;

    // An invocation may still be paused: by hand, or if it runs on an old version without a retry policy of its own.
    system
        .set_faults("payment-provider", &json!({ "errorRate": 1 }))
        .await?;
    system.publish_orders(&[order("by-hand")]).await?;
    wait_for(&system, "backing-off", |number| number > 0).await;
    system.command_workflow("by-hand", "pause").await?;
    wait_for(&system, "paused", |number| number == 1).await;
    system
        .set_faults("payment-provider", &json!({ "errorRate": 0 }))
        .await?;

    let (is_fine, said) = system.doctor(&[]).await?;
    assert!(!is_fine, "{said}");
    let finding = said
        .lines()
        .find(|line| line.contains("OrderWorkflow/by-hand/run is paused, for "));
    assert!(finding.is_some_and(|line| line.contains("503")), "{said}");
    assert!(said.contains("food-ordering setup --moved"), "{said}");

    let said = set_up(&system, &["--keep-paused"])?;
    assert!(!said.contains("resumed"), "{said}");
    let said = set_up(&system, &[])?;
    assert!(
        said.contains("paused invocations: 1 resumed (1 of OrderWorkflow/run)"),
        "{said}"
    );
    system.wait_for_status("by-hand", "DELIVERED").await;
    assert_books_balance(&system, &["by-hand".to_owned()], 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}
