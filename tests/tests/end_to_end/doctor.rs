//! `doctor` reports what is broken, and nothing else.

use anyhow::Context;
use end_to_end_tests::{Options, SOON, System, doctor, eventually, order};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Waits until `doctor` reports exactly these findings: each line marked `WRONG` contains one of `wrong`. Returns its report.
async fn assert_findings(system: &System, wrong: &[&str]) -> String {
    eventually(&format!("doctor to find {wrong:?}"), SOON, async || {
        let (is_fine, said) = system
            .doctor(&[])
            .await
            .map_err(|error| error.to_string())?;
        let marked: Vec<&str> = said
            .lines()
            .filter(|line| line.starts_with("WRONG"))
            .collect();
        let named = |line: &&str| wrong.iter().any(|what| line.contains(what));
        let all = wrong
            .iter()
            .all(|what| marked.iter().any(|line| line.contains(what)));
        if is_fine == wrong.is_empty() && all && marked.iter().all(named) {
            Ok(said)
        } else {
            Err(said)
        }
    })
    .await
}

#[tokio::test]
async fn parts_that_do_not_answer_or_inject_faults_are_reported_and_a_healthy_system_is_fine()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    assert_findings(&system, &[]).await;

    system
        .set_faults(
            "restaurant-pos",
            &json!({ "latencyMs": 1, "rejectRate": 0.5 }),
        )
        .await?;
    assert_findings(&system, &["fails on purpose: latencyMs 1, rejectRate 0.5"]).await;
    system
        .set_faults(
            "restaurant-pos",
            &json!({ "latencyMs": 0, "rejectRate": 0 }),
        )
        .await?;

    for (part, wrong) in [
        ("payment-provider", &["payment-provider"][..]),
        ("kafka", &["does not answer"]),
        // Doctor cannot query Restate then, so it reports nothing else about it.
        ("restate-server", &["restate-admin", "restate-ingress"]),
        // Restate cannot reach it either.
        (
            "driver-simulator",
            &["driver-simulator  ", "does not reach driver-simulator"],
        ),
    ] {
        system.signal(part, Signal::SIGSTOP)?;
        assert_findings(&system, wrong).await;
        system.signal(part, Signal::SIGCONT)?;
        assert_findings(&system, &[]).await;
    }

    system
        .set_faults("payment-provider", &json!({ "errorRate": 1 }))
        .await?;
    system.publish_orders(&[order("unlucky")]).await?;
    assert_findings(
        &system,
        &["errorRate 1", "OrderWorkflow/unlucky/run is backing-off"],
    )
    .await;
    Ok(())
}

#[tokio::test]
async fn missing_and_stale_registrations_are_reported() -> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(0)).await?;
    assert_findings(&system, &["no driver is at work"]).await;
    let (code, started) = system
        .call("DriverMobileAppSimulator/driver-1/startDriver", None)
        .await?;
    assert!(code.is_success(), "{started}");
    assert_findings(&system, &[]).await;

    let subscriptions = system.admin(Method::GET, "subscriptions", None).await?;
    let orders = subscriptions["subscriptions"]
        .as_array()
        .and_then(|all| {
            all.iter()
                .find(|it| it["sink"] == "service://OrderIntake/receive")
        })
        .context("a subscription to the orders")?;
    let id = orders["id"].as_str().context("an id")?;
    // Otherwise `up` would repair it first.
    system.signal("launcher", Signal::SIGSTOP)?;
    system
        .admin(Method::DELETE, &format!("subscriptions/{id}"), None)
        .await?;
    assert_findings(&system, &["topic orders is not read into"]).await;

    let brokers = json!({ "bootstrap.servers": system.address("kafka")? });
    let cluster = json!({ "name": "kafka-former", "properties": brokers });
    system
        .admin(Method::POST, "kafka-clusters", Some(&cluster))
        .await?;
    let stale = json!({
        "source": "kafka://kafka-former/orders",
        "sink": "service://OrderIntake/receive",
        // From the first record on, or doctor would find that it makes no progress.
        "options": { "group.id": "stale", "auto.offset.reset": "earliest" },
    });
    system
        .admin(Method::POST, "subscriptions", Some(&stale))
        .await?;
    let said = assert_findings(
        &system,
        &[
            "topic orders is not read into",
            "stale: kafka://kafka-former/orders",
        ],
    )
    .await;

    // The command that it suggests fixes the problem.
    let remedy = said
        .split("food-ordering setup ")
        .nth(1)
        .context("a remedy")?;
    let flags: Vec<&str> = remedy
        .lines()
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    set_up(&flags).await?;
    system.signal("launcher", Signal::SIGCONT)?;
    assert_findings(&system, &[]).await;

    let deployments: Value = system.admin(Method::GET, "deployments", None).await?;
    let simulator = deployments["deployments"]
        .as_array()
        .and_then(|all| {
            all.iter().find(|it| {
                it["uri"].as_str().is_some_and(|uri| {
                    system
                        .address("driver-simulator")
                        .is_ok_and(|address| uri.starts_with(&address))
                })
            })
        })
        .context("the simulator's deployment")?;
    let id = simulator["id"].as_str().context("an id")?;
    system
        .admin(
            Method::DELETE,
            &format!("deployments/{id}?force=true"),
            None,
        )
        .await?;
    assert_findings(
        &system,
        &[
            "does not know the services of driver-simulator",
            // The loops of the drivers who were at work.
            "/pollForWork is backing-off",
        ],
    )
    .await;
    Ok(())
}

async fn set_up(flags: &[&str]) -> anyhow::Result<()> {
    let setup = end_to_end_tests::binary()?;
    let output = tokio::process::Command::new(setup)
        .arg("setup")
        .args(flags)
        // Drivers would add more findings than `doctor` lists one by one.
        .arg("--drivers=0")
        .output()
        .await?;
    anyhow::ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn the_process_that_occupies_a_port_is_reported() -> anyhow::Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", taken.local_addr()?);
    let nobody = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while let Ok((mut stream, _)) = taken.accept().await {
            // Not HTTP at all.
            let _ = stream.write_all(b"220 mail.example.org ESMTP\r\n").await;
        }
    });
    let directory = tempfile::tempdir()?;
    let elsewhere = [
        "restate-admin",
        "restate-ingress",
        "order-services-url",
        "driver-simulator-url",
        "restaurant-url",
        "payment-url",
    ]
    .map(|flag| format!("--{flag}=http://{nobody}"));
    let gateway = format!("--gateway-url={url}");
    let kafka = format!("--kafka-brokers={nobody}");
    let flags: Vec<&str> = (elsewhere.iter().map(String::as_str))
        .chain([gateway.as_str(), &kafka])
        .collect();
    let (is_fine, said) = doctor(directory.path(), &flags).await?;
    assert!(!is_fine, "{said}");
    let by_us = format!("{url}: the port is taken by something else: ");
    let line = said
        .lines()
        .find(|line| line.contains(&by_us))
        .context(said.clone())?;
    assert!(
        line.contains(&format!("(pid {})", std::process::id())),
        "{line}"
    );
    assert!(said.contains("unreachable"), "{said}");
    Ok(())
}
