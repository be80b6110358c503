//! A system is backed up, and continues from the backup in another directory.

use std::path::Path;

use end_to_end_tests::{
    Options, System, assert_books_balance, assert_nothing_left_behind, order, order_with, run,
};
use serde_json::json;

#[tokio::test]
async fn orders_in_progress_at_the_backup_end_after_a_restore_and_are_charged_once()
-> anyhow::Result<()> {
    // Without drivers, nothing is delivered yet.
    let options = Options::default().drivers(0).with("--preparation-time=4s");
    let mut system = System::start(options).await?;
    system.publish_orders(&[order("at-the-counter")]).await?;
    system
        .wait_for_status("at-the-counter", "SCHEDULING_DELIVERY")
        .await;
    system
        .publish_orders(&[
            order_with("for-later", "deliveryDelay", json!(10_000)),
            order("in-the-oven"),
        ])
        .await?;
    system.wait_for_status("for-later", "SCHEDULED").await;
    system
        .wait_for_status("in-the-oven", "IN_PREPARATION")
        .await;
    let saved = tempfile::tempdir()?;
    let file = saved.path().join("saved.tar.gz");

    let (success, said) = command(&system, "backup", &file).await?;
    assert!(!success && said.contains("stop it"), "{said}");
    system.stop().await?;
    let (success, said) = command(&system, "backup", &file).await?;
    assert!(success, "{said}");
    let (success, said) = command(&system, "restore", &file).await?;
    assert!(!success && said.contains("not overwritten"), "{said}");

    // The first directory is removed, as if the disk were lost.
    system.move_to_empty_directory()?;
    let (success, said) = command(&system, "restore", &file).await?;
    assert!(success, "{said}");
    system.set_drivers(2);
    system.start_again().await?;

    let orders = ["at-the-counter", "for-later", "in-the-oven"].map(str::to_owned);
    for order in &orders {
        system.wait_for_status(order, "DELIVERED").await;
    }
    assert_books_balance(&system, &orders, 2350).await;
    assert_eq!(system.ledger().await?.len(), 3, "three charges, no more");
    assert_nothing_left_behind(&system).await;
    Ok(())
}

async fn command(
    system: &System,
    name: &'static str,
    file: &Path,
) -> anyhow::Result<(bool, String)> {
    let arguments = [
        name.to_owned(),
        file.display().to_string(),
        format!("--data-dir={}", system.directory().display()),
    ];
    let ran = tokio::task::spawn_blocking(move || run(arguments, "")).await??;
    Ok((ran.success, ran.output))
}
