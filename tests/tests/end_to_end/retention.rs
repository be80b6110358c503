//! Data with a retention period expires.

use end_to_end_tests::{Options, SOON, System, eventually, order};
use serde_json::Value;

#[tokio::test]
async fn the_data_of_an_ended_order_expires_except_for_its_last_status() -> anyhow::Result<()> {
    let system = System::start(
        Options::default()
            .with("--order-retention=8s")
            .with("--workflow-retention=8s"),
    )
    .await?;
    system.publish_orders(&[order("old")]).await?;
    system.wait_for_status("old", "DELIVERED").await;
    let state = "select service_name, key from state where service_key = 'old'";
    let workflow = "select status from sys_invocation where target_service_key = 'old'";
    let kept = |rows: &[Value]| -> Vec<String> {
        let mut keys: Vec<String> = rows
            .iter()
            .map(|row| row["key"].as_str().unwrap_or_default().to_owned())
            .collect();
        keys.sort_unstable();
        keys
    };
    // At first everything is there.
    let found = kept(&system.sql(state).await?);
    for key in ["order", "order-history", "order-status"] {
        assert!(found.iter().any(|found| found == key), "{found:?}");
    }
    eventually(
        "all but the last status and the content to go",
        SOON,
        async || {
            let state = system.sql(state).await.map_err(|error| error.to_string())?;
            let under_way = system.sql(workflow).await;
            match (&kept(&state)[..], under_way) {
                ([content, status], Ok(rows))
                    if content == "order-content"
                        && status == "order-status"
                        && rows.is_empty() =>
                {
                    Ok(())
                }
                other => Err(format!("{other:?}")),
            }
        },
    )
    .await;

    // These still identify the same order when it is sent again.
    system.publish_orders(&[order("old"), order("new")]).await?;
    system.wait_for_status("new", "DELIVERED").await;
    assert_eq!(system.order_status("old").await?["status"], "DELIVERED");
    assert_eq!(system.ledger().await?.len(), 2);
    Ok(())
}
