//! No secret leaks into logs, command lines, or Restate's journals and state.

use std::fs;
use std::path::Path;

use anyhow::Context;
use end_to_end_tests::{Options, System, order, order_with};
use secrets::callback::Callbacks;
use secrets::{ExposeSecret, Secrets, keys};
use serde_json::json;

/// An operator token from the environment.
const TOKEN: &str = "a-token-from-the-environment-0123456789";

#[tokio::test]
async fn a_whole_run_leaks_no_secret_into_logs_command_lines_or_journals() -> anyhow::Result<()> {
    let options = Options::default()
        // So that every library logs everything.
        .with("--log=trace")
        .env("FOOD_ORDERING_OPERATOR_TOKEN", TOKEN);
    let mut system = System::start(options).await?;
    system
        .publish_orders(&[
            order("eaten"),
            order_with("later", "deliveryDelay", json!(600_000)),
            order_with("bad", "totalCost", json!("free")),
        ])
        .await?;
    system.wait_for_status("eaten", "DELIVERED").await;
    system.wait_for_status("later", "SCHEDULED").await;
    system.post("/api/orders/later/cancel", &json!({})).await?;
    system.wait_for_status("later", "CANCELLED").await;
    system
        .post("/api/operations/session", &json!({ "token": TOKEN }))
        .await?;
    system.doctor(&[]).await?;

    let mut secrets = key_secrets(&system)?;
    secrets.push(("the token".to_owned(), TOKEN.to_owned()));
    secrets.push((
        "the callback of eaten".to_owned(),
        callback_secret(&system).await?,
    ));
    let leaked_in = |text: &str| {
        let leaked = secrets.iter().filter(|(_, secret)| text.contains(secret));
        leaked.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };

    for (part, pid) in system.processes()? {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline"))?;
        assert_eq!(leaked_in(&line), [""; 0], "the command line of {part}");
    }
    let journals = system.sql("select * from sys_journal").await?;
    assert!(!journals.is_empty());
    assert_eq!(
        leaked_in(&json!(journals).to_string()),
        [""; 0],
        "the journals"
    );
    let states = system.sql("select * from state").await?;
    assert_eq!(leaked_in(&json!(states).to_string()), [""; 0], "the states");
    let metrics = system.text("gateway", "/metrics").await?;
    assert_eq!(leaked_in(&metrics), [""; 0], "the gateway's metrics");

    system.stop().await?;
    let mut searched = 0;
    for file in files_to_show(system.directory())? {
        let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
        assert_eq!(leaked_in(&text), [""; 0], "{}", file.display());
        searched += text.len();
    }
    // Trace logs are large; a small total would mean that the log level had no effect.
    assert!(searched > 100_000, "only {searched} bytes");
    Ok(())
}

/// The contents of the key files, with the files' names.
fn key_secrets(system: &System) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for name in [keys::CALLBACK, keys::ORDER_LINKS, keys::OPERATOR] {
        for secret in Secrets::read(&system.key(name))?.iter() {
            found.push((name.to_owned(), secret.expose_secret().to_owned()));
        }
    }
    let pem = fs::read_to_string(system.key(keys::RESTATE_IDENTITY))?;
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    found.extend(lines.map(|line| (keys::RESTATE_IDENTITY.to_owned(), line.to_owned())));
    Ok(found)
}

/// The callback secret that the restaurant received for order `eaten`.
async fn callback_secret(system: &System) -> anyhow::Result<String> {
    let preparation = system.text("restaurant-pos", "/preparations/eaten").await?;
    let preparation: serde_json::Value = serde_json::from_str(&preparation)?;
    let url = preparation["callbackUrl"].as_str().context("an address")?;
    let callback = url.rsplit('/').next().context("an id")?;
    let secrets = Secrets::read(&system.key(keys::CALLBACK))?;
    let secret = Callbacks::new(&secrets).secret("eaten", callback);
    Ok(secret.expose_secret().to_owned())
}

/// The files that people may see: logs, configuration and lists, but not the keys, the stubs' databases and Restate's data.
fn files_to_show(directory: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for place in [directory.to_owned(), directory.join("logs")] {
        for entry in fs::read_dir(place)? {
            let path = entry?.path();
            let name = path.to_string_lossy();
            if path.is_file() && !name.contains(".sqlite") {
                found.push(path);
            }
        }
    }
    Ok(found)
}
