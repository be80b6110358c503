//! Whether the parts and Restate behave as the manifests of `deploy/kubernetes` expect. The manifests' flags and ports are
//! checked in `crates/tools/food-ordering/src/tests/kubernetes.rs`.

use std::process::Command;

use anyhow::{Context, ensure};
use end_to_end_tests::{Options, System, manifests, run};
use serde_json::Value;
use tempfile::NamedTempFile;

/// Every object in the documents, at any depth.
fn objects(documents: &[Value]) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut left: Vec<&Value> = documents.iter().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::Object(fields) => {
                found.push(value);
                left.extend(fields.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    found
}

/// The containers that run a part or a command of this system.
fn containers(documents: &[Value]) -> Vec<&Value> {
    let mut all = objects(documents);
    all.retain(|object| object["image"] == "food-ordering");
    all
}

#[tokio::test]
async fn parts_answer_the_probes_of_the_manifests_and_setup_can_run_again() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let documents = manifests()?;
    let mut probed = 0;
    for container in containers(&documents) {
        let part = container["name"].as_str().context("a name")?;
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            if let Some(path) = container[probe]["httpGet"]["path"].as_str() {
                let answer = system.text(part, path).await;
                answer.with_context(|| format!("{probe} of {part}"))?;
                probed += 1;
            }
        }
    }
    // Three probes for each of the six parts that speak HTTP.
    assert_eq!(probed, 18);

    let containers = containers(&documents);
    let setup = containers.iter().find(|it| it["name"] == "setup");
    let args = setup.and_then(|it| it["args"].as_array());
    let mut args: Vec<String> = (args.context("setup's arguments")?.iter())
        .filter_map(|arg| arg.as_str().map(str::to_owned))
        .collect();
    for (flag, part) in [
        ("restate-admin", "restate-admin"),
        ("restate-ingress", "restate-ingress"),
        ("kafka-brokers", "kafka"),
    ] {
        args.push(format!("--{flag}={}", system.address(part)?));
    }
    let ran = tokio::task::spawn_blocking(move || run(args, "")).await??;
    ensure!(ran.success, "{}", ran.output);
    for line in ["DriverMobileAppSimulator, ", "subscribed to already"] {
        assert!(ran.output.contains(line), "{line}: {}", ran.output);
    }
    Ok(())
}

/// The effective configuration of the Restate server, given a file and environment variables.
fn configuration(file: &str, variables: &[(String, String)]) -> anyhow::Result<toml::Table> {
    let server = run(["restate-server-path"], "")?;
    ensure!(server.success, "{}", server.output);
    let path = NamedTempFile::new()?;
    std::fs::write(&path, file)?;
    let server = server.output.lines().next().context("a path")?;
    let output = Command::new(server)
        .args(["--dump-config", "--config-file"])
        .arg(path.path())
        .envs(variables.iter().cloned())
        .output()?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{complaints}");
    Ok(String::from_utf8(output.stdout)?.parse()?)
}

/// Collects the settings in `written` that differ or are missing in `read`: the server silently drops unknown settings.
fn collect_lost(written: &toml::Table, read: &toml::Table, at: &str, lost: &mut Vec<String>) {
    for (key, value) in written {
        let path = format!("{at}{key}");
        match (value, read.get(key)) {
            (toml::Value::Table(written), Some(toml::Value::Table(read))) => {
                self::collect_lost(written, read, &format!("{path}."), lost);
            }
            // The server sorts the roles in its own order.
            (toml::Value::Array(written), Some(toml::Value::Array(read)))
                if written.len() == read.len() && written.iter().all(|it| read.contains(it)) => {}
            (value, Some(read)) if value == read => {}
            (value, read) => lost.push(format!("{path} = {value}, is {read:?}")),
        }
    }
}

#[test]
fn restate_reads_every_setting_of_its_configuration() -> anyhow::Result<()> {
    let documents = manifests()?;
    let clusters = documents.iter().filter(|it| it["kind"] == "RestateCluster");
    let files: Vec<&str> = clusters
        .filter_map(|it| it["spec"]["config"].as_str())
        .collect();
    assert_eq!(files.len(), 2);
    for file in &files {
        let written: toml::Table = file.parse()?;
        let mut problems = Vec::new();
        collect_lost(&written, &configuration(file, &[])?, "", &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
    }

    // Deployments have variables of other programs.
    let others = documents.iter().filter(|it| it["kind"] != "Deployment");
    let others: Vec<_> = others.cloned().collect();
    let variables: Vec<(String, String)> = (objects(&others).iter())
        .filter_map(|it| Some((it["name"].as_str()?, it["value"].as_str()?)))
        .filter(|(name, _)| name.starts_with("RESTATE_"))
        .map(|(name, value)| (name.to_owned(), value.replace("$(POD_ZONE)", "a")))
        .collect();
    assert!(variables.len() >= 5, "{variables:?}");
    let read = configuration(files[0], &variables)?;
    for (name, value) in &variables {
        let name = name.trim_start_matches("RESTATE_").to_lowercase();
        let mut found = &toml::Value::Table(read.clone());
        for key in name.split("__") {
            let key = key.replace('_', "-");
            found = found
                .get(&key)
                .with_context(|| format!("no setting {name}"))?;
        }
        let found = found
            .as_str()
            .map_or_else(|| found.to_string(), str::to_owned);
        assert_eq!(found, *value, "{name}");
    }
    Ok(())
}
