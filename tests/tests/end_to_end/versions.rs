//! A new version of the order services runs next to the old one.

use std::collections::BTreeMap;
use std::time::Duration;

use end_to_end_tests::{
    Options, SOON, SecondProcess, System, assert_books_balance, assert_nothing_left_behind,
    eventually, order, order_with, run,
};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::many_orders::wait_for_all_delivered;

/// The deployment on which each order's workflow began, by order id.
async fn workflows(system: &System) -> anyhow::Result<BTreeMap<String, String>> {
    let rows = system
        .sql(
            "select target_service_key as order_id, pinned_deployment_id as deployment from sys_invocation \
             where target_service_name = 'OrderWorkflow' and target_handler_name = 'run' and pinned_deployment_id is not null",
        )
        .await?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    Ok(rows
        .iter()
        .map(|row| (text(&row["order_id"]), text(&row["deployment"])))
        .collect())
}

/// The id of the deployment at this address.
async fn deployment_at(system: &System, url: &str) -> anyhow::Result<Option<String>> {
    let answer = system
        .admin(reqwest::Method::GET, "deployments", None)
        .await?;
    let all = answer["deployments"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let found = all.iter().find(|known| {
        let uri = known["uri"].as_str().unwrap_or_default();
        uri.trim_end_matches('/') == url
    });
    Ok(found.and_then(|known| known["id"].as_str().map(str::to_owned)))
}

/// Registers the order services at `url` as the newest version.
async fn set_up(system: &System, url: &str) -> anyhow::Result<()> {
    let arguments = vec![
        "setup".to_owned(),
        format!("--restate-admin={}", system.address("restate-admin")?),
        format!("--restate-ingress={}", system.address("restate-ingress")?),
        format!("--order-services-url={url}"),
        format!(
            "--driver-simulator-url={}",
            system.address("driver-simulator")?
        ),
        format!("--kafka-brokers={}", system.address("kafka")?),
        "--drivers=0".to_owned(),
    ];
    let ran = tokio::task::spawn_blocking(move || run(arguments, "")).await??;
    anyhow::ensure!(ran.success, "{}", ran.output);
    Ok(())
}

async fn deployments(system: &System, arguments: &[&str]) -> anyhow::Result<(bool, String)> {
    let mut all = vec![
        "deployments".to_owned(),
        format!("--restate-admin={}", system.address("restate-admin")?),
    ];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let ran = tokio::task::spawn_blocking(move || run(all, "")).await??;
    Ok((ran.success, ran.output))
}

/// Publishes orders at intervals of 50 ms. Returns their ids.
async fn publish_in_turn(system: &System, name: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let ids: Vec<String> = (0..count).map(|n| format!("{name}-{n}")).collect();
    let mut each = tokio::time::interval(Duration::from_millis(50));
    for id in &ids {
        each.tick().await;
        system.publish_orders(&[order(id)]).await?;
    }
    Ok(ids)
}

async fn wait_until_begun(system: &System, ids: &[String]) -> BTreeMap<String, String> {
    eventually("all workflows to have begun", SOON, async || {
        let begun = workflows(system).await.map_err(|error| error.to_string())?;
        match ids.iter().find(|id| !begun.contains_key(*id)) {
            None => Ok(begun),
            Some(id) => Err(format!("{id} has not")),
        }
    })
    .await
}

#[tokio::test]
async fn orders_end_on_the_version_they_began_on_and_a_drained_version_can_be_retired()
-> anyhow::Result<()> {
    let system = System::start(
        Options::default()
            .drivers(10)
            .with("--preparation-time=3s")
            .env("FOOD_ORDERING_BUILD", "old"),
    )
    .await?;
    let old_url = system.address("order-services")?;
    let new = SecondProcess::order_services(&system, "new")?;

    // This order keeps the old version in use for an hour.
    let later = order_with("later", "deliveryDelay", json!(3_600_000));
    system.publish_orders(&[later]).await?;
    system.wait_for_status("later", "SCHEDULED").await;
    let before = publish_in_turn(&system, "before", 10).await?;
    let begun_on_old = wait_until_begun(&system, &before).await;
    let old = deployment_at(&system, &old_url).await?.expect("an id");

    // Orders keep coming while the new version is registered.
    let (during, ()) = tokio::try_join!(
        publish_in_turn(&system, "during", 40),
        set_up(&system, new.url())
    )?;
    let newest = deployment_at(&system, new.url()).await?.expect("an id");
    let after = publish_in_turn(&system, "after", 10).await?;

    let (retired, said) = deployments(&system, &["retire", &old]).await?;
    assert!(!retired && said.contains("are under way there"), "{said}");
    let (_, said) = deployments(&system, &[]).await?;
    assert!(said.contains("+old") && said.contains("+new"), "{said}");
    let (_, said) = system.doctor(&[]).await?;
    assert!(
        said.contains("former version") && said.contains("+old"),
        "{said}"
    );

    let orders = [before.clone(), during.clone(), after.clone()].concat();
    let on = wait_until_begun(&system, &orders).await;
    wait_for_all_delivered(&system, orders.len()).await;
    let ended_on = workflows(&system).await?;
    for id in &before {
        assert_eq!(begun_on_old[id], old);
    }
    for id in &after {
        assert_eq!(on[id], newest, "{id}");
    }
    for id in &orders {
        assert_eq!(ended_on[id], on[id], "{id} has moved");
    }
    let switched = during.iter().any(|id| on[id] == newest);
    assert!(
        switched,
        "the new version was not used while orders arrived"
    );

    // Back to the old version, and forth again: both are registered already.
    set_up(&system, &old_url).await?;
    let back = publish_in_turn(&system, "back", 5).await?;
    let on = wait_until_begun(&system, &back).await;
    assert!(back.iter().all(|id| on[id] == old), "{on:?}");
    set_up(&system, new.url()).await?;
    let forth = publish_in_turn(&system, "forth", 5).await?;
    let on = wait_until_begun(&system, &forth).await;
    assert!(forth.iter().all(|id| on[id] == newest), "{on:?}");

    let (retired, said) = deployments(&system, &["retire", new.url()]).await?;
    assert!(!retired && said.contains("newest version of"), "{said}");
    let orders = [orders, back, forth].concat();
    wait_for_all_delivered(&system, orders.len()).await;
    eventually(
        "only the order for later to be left",
        SOON,
        async || match deployments(&system, &["retire", &old]).await {
            Ok((false, said)) if said.contains("1 invocations (1 suspended)") => Ok(()),
            other => Err(format!("{other:?}")),
        },
    )
    .await;
    system.resume_workflow_on_newest("later").await?;
    eventually("it to continue on the newest version", SOON, async || {
        let on = workflows(&system)
            .await
            .map_err(|error| error.to_string())?;
        match on.get("later") {
            Some(deployment) if *deployment == newest => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    eventually(
        "the old version to drain",
        SOON,
        async || match deployments(&system, &["retire", &old]).await {
            Ok((true, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        },
    )
    .await;
    assert_eq!(deployment_at(&system, &old_url).await?, None);

    // The old version's process is no longer needed.
    system.signal("order-services", Signal::SIGSTOP)?;
    let last = publish_in_turn(&system, "last", 5).await?;
    let orders = [orders, last].concat();
    wait_for_all_delivered(&system, orders.len()).await;
    let (code, answer) = system.post("/api/orders/later/cancel", &json!({})).await?;
    assert!(code.is_success(), "{code}: {answer}");
    let orders = [orders, vec!["later".to_owned()]].concat();
    assert_books_balance(&system, &orders, 2350).await;
    assert_nothing_left_behind(&system).await;
    Ok(())
}
