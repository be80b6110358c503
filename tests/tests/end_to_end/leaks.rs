//! No secret gets where it does not belong: into logs, onto command lines, into what Restate remembers.

use std::fs;
use std::path::Path;

use anyhow::Context;
use end_to_end_tests::{Options, System, order, order_with};
use secrets::callback::Callbacks;
use secrets::{ExposeSecret, Secrets, keys};
use serde_json::json;

/// What an operator may set in the environment.
const TOKEN: &str = "a-token-from-the-environment-0123456789";

#[tokio::test]
async fn a_whole_run_tells_no_secret_to_logs_command_lines_or_journals() -> anyhow::Result<()> {
    let options = Options::default()
        // Everything that any library has to say.
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

    let mut secrets = of_keys(&system)?;
    secrets.push(("the token".to_owned(), TOKEN.to_owned()));
    secrets.push((
        "the callback of eaten".to_owned(),
        of_callback(&system).await?,
    ));
    let tell = |text: &str| {
        let told = secrets.iter().filter(|(_, secret)| text.contains(secret));
        told.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };

    for (part, pid) in system.processes()? {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline"))?;
        assert_eq!(tell(&line), [""; 0], "the command line of {part}");
    }
    let journals = system.sql("select * from sys_journal").await?;
    assert!(!journals.is_empty());
    assert_eq!(tell(&json!(journals).to_string()), [""; 0], "the journals");
    let states = system.sql("select * from state").await?;
    assert_eq!(tell(&json!(states).to_string()), [""; 0], "the states");
    let metrics = system.text("gateway", "/metrics").await?;
    assert_eq!(tell(&metrics), [""; 0], "the gateway's metrics");

    system.stop().await?;
    let mut looked_at = 0;
    for file in files_to_show(system.directory())? {
        let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
        assert_eq!(tell(&text), [""; 0], "{}", file.display());
        looked_at += text.len();
    }
    // So much is said at `trace` that a filter that does not work would show here.
    assert!(looked_at > 100_000, "only {looked_at} bytes");
    Ok(())
}

/// What is in the files of keys, by their names.
fn of_keys(system: &System) -> anyhow::Result<Vec<(String, String)>> {
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

/// The secret that the restaurant was handed for order `eaten`.
async fn of_callback(system: &System) -> anyhow::Result<String> {
    let preparation = system.text("restaurant-pos", "/preparations/eaten").await?;
    let preparation: serde_json::Value = serde_json::from_str(&preparation)?;
    let url = preparation["callbackUrl"].as_str().context("an address")?;
    let callback = url.rsplit('/').next().context("an id")?;
    let secrets = Secrets::read(&system.key(keys::CALLBACK))?;
    let secret = Callbacks::new(&secrets).secret("eaten", callback);
    Ok(secret.expose_secret().to_owned())
}

/// Logs, configuration, lists: all that people may be shown. Not the keys, the stubs' books and Restate's data.
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
