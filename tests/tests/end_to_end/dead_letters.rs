//! `food-ordering dlq`: listing, showing and replaying dead letters.

use end_to_end_tests::{
    CommandOutput, Options, SOON, System, assert_books_balance, eventually, order, order_with, run,
};
use serde_json::json;

async fn dlq(system: &System, arguments: &[&str], input: &str) -> anyhow::Result<CommandOutput> {
    let brokers = format!("--kafka-brokers={}", system.address("kafka")?);
    let arguments: Vec<String> = ["dlq", &brokers]
        .iter()
        .chain(arguments)
        .map(|&argument| argument.to_owned())
        .collect();
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || run(arguments, &input)).await?
}

/// Waits until there is exactly one dead letter, and returns its position.
async fn only_letter(system: &System) -> String {
    eventually("one dead letter", SOON, async || {
        let listed = dlq(system, &["list"], "").await;
        let listed = listed.map_err(|error| error.to_string())?.output;
        match listed.lines().collect::<Vec<_>>()[..] {
            [line] if line.starts_with("orders-dlq/") => {
                Ok(line.split(' ').next().unwrap_or_default().to_owned())
            }
            _ => Err(listed),
        }
    })
    .await
}

#[tokio::test]
async fn a_corrected_dead_letter_that_is_replayed_twice_makes_one_order() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let bad = order_with("mended-1", "totalCost", json!(-5));
    system.publish_orders(&[bad]).await?;
    system.wait_for_status("mended-1", "REJECTED").await;
    let letter = only_letter(&system).await;

    let shown = dlq(&system, &["show", &letter], "").await?;
    for part in [
        "from    orders/",
        "totalCost must not be negative",
        "\"mended-1\"",
        "-5",
    ] {
        assert!(shown.output.contains(part), "{part}: {}", shown.output);
    }

    let good = order("mended-1").to_string();
    for _ in 0..2 {
        let replayed = dlq(&system, &["replay", &letter, "--value", "-"], &good).await?;
        assert!(replayed.success, "{}", replayed.output);
    }
    // When this one is delivered, all earlier records have been read.
    system.publish_orders(&[order("mended-2")]).await?;
    for id in ["mended-1", "mended-2"] {
        system.wait_for_status(id, "DELIVERED").await;
    }
    assert_books_balance(&system, &["mended-1".to_owned()], 2350).await;
    Ok(())
}

#[tokio::test]
async fn a_dead_letter_with_a_wrong_key_is_replayed_unchanged_under_the_right_key()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let event = order("lost-1").to_string();
    system.publish(Some(b"\xff\xfe"), event.as_bytes()).await?;
    let letter = only_letter(&system).await;
    let replayed = dlq(&system, &["replay", &letter, "--key", "lost-1"], "").await?;
    assert!(replayed.success, "{}", replayed.output);
    system.wait_for_status("lost-1", "DELIVERED").await;

    let unknown = dlq(&system, &["replay", "orders-dlq/0/99"], "").await?;
    assert!(
        !unknown.success && unknown.output.contains("no dead letter"),
        "{}",
        unknown.output
    );
    Ok(())
}
