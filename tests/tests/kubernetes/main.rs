//! The manifests of `deploy/kubernetes`, on a cluster: first start, network policies, upgrade, lost pods, a drained node, restarts,
//! scaling.
//!
//! `cargo xtask kubernetes-test` runs it. It is ignored otherwise, because it needs a cluster with Restate's operator and Strimzi (or
//! what they would create), and takes some minutes. It leaves the system on the cluster.
#![expect(
    clippy::disallowed_methods,
    reason = "tests and the systems they start trust each other"
)]

mod cluster;
mod shop;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use cluster::{Cluster, Pod, READY_WITHIN};
use end_to_end_tests::eventually;
use serde_json::json;
use shop::{Placed, Shop};

/// How long an order waits that has to be under way while something happens.
const DELAY: Duration = Duration::from_mins(1);
/// How often each pod of a drained node is asked to go, at most.
const ROUNDS: usize = 10;
/// How long a network may take to apply its rules to a new pod.
const RULES_WITHIN: Duration = Duration::from_mins(1);

#[tokio::test]
#[ignore = "needs a Kubernetes cluster: cargo xtask kubernetes-test"]
async fn the_system_survives_upgrades_lost_pods_and_drained_nodes() -> anyhow::Result<()> {
    let cluster = Cluster::new()?;
    let shop = Shop::new(&cluster);

    cluster.step("overlays/local");
    cluster.apply(1)?;
    becomes_ready(&cluster).await?;
    cluster.set_up("setup-now").await?;
    shop.delivers().await;
    shop.answers_sql().await?;

    cluster.step("network policies");
    strangers_reach_nothing(&cluster)?;

    cluster.step("a new version, under load");
    is_upgraded(&cluster, &shop).await?;

    cluster.step("each pod is deleted");
    for pod in cluster.pods()? {
        println!("   {}", pod.name);
        cluster.delete_pod(&pod.namespace, &pod.name, &[])?;
        cluster.settles().await?;
        shop.delivers().await;
    }

    cluster.step("Kafka and Restate restart together, with orders under way");
    let waiting = several(&shop).await;
    for pod in cluster.pods()? {
        if pod.namespace != "food-ordering" {
            cluster.delete_pod(&pod.namespace, &pod.name, &["--wait=false"])?;
        }
    }
    cluster.settles().await?;
    all_are_delivered(&shop, &waiting).await;
    shop.delivers().await;

    cluster.step("three gateways and three pods of the order services, under load");
    scale(&cluster, "load-scaling", 3).await?;

    cluster.step("a node is drained, under load");
    is_drained(&cluster).await?;
    shop.delivers().await;

    cluster.step("one gateway and one pod of the order services");
    scale(&cluster, "load-scaled", 1).await?;
    shop.delivers().await;

    cluster.step("setup's CronJob");
    let lost = shop.unsubscribe().await?;
    ensure!(
        lost > 0 && shop.subscriptions().await?.is_empty(),
        "no subscription was deleted"
    );
    runs_on_schedule(&cluster, &shop, lost).await?;
    shop.delivers().await;

    cluster.step("the versions that nothing needs have no pods");
    old_versions_end(&cluster).await?;

    cluster.step("the invariants");
    // It only reads, and fails if Kafka has no leader for a moment. What is violated stays violated.
    cluster.rig("audit", &["audit"], 2)?;
    print!("{}", cluster.job_ends("audit").await?);

    cluster.step("every pod is ready");
    cluster.settles().await?;
    cluster.pass();
    Ok(())
}

/// Waits as docs/kubernetes.md says.
async fn becomes_ready(cluster: &Cluster) -> anyhow::Result<()> {
    cluster.wait(
        "condition=Ready",
        &["kafka/food-ordering", "--namespace=kafka"],
    )?;
    cluster.wait("condition=Ready", &["restatecluster/restate"])?;
    let deployments = ["restatedeployment", "--all", "--namespace=food-ordering"];
    cluster.wait("condition=Ready", &deployments)?;
    for pod in cluster.settles().await? {
        println!("   {} {}", pod.namespace, pod.name);
    }
    Ok(())
}

/// A few orders that end after what comes next.
async fn several(shop: &Shop<'_>) -> Vec<Placed> {
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(shop.places(DELAY).await);
    }
    println!("   {} orders are under way", placed.len());
    placed
}

async fn all_are_delivered(shop: &Shop<'_>, orders: &[Placed]) {
    for order in orders {
        shop.is_delivered(order).await;
    }
    println!("   all of them were delivered");
}

/// Starts to publish orders, one every two seconds.
fn load(cluster: &Cluster, name: &str) -> anyhow::Result<()> {
    cluster.rig(name, &["load", "--orders=20", "--rate=0.5"], 0)
}

/// Waits until the orders of a load have ended. The rig fails if one does not.
async fn load_ends(cluster: &Cluster, name: &str) -> anyhow::Result<()> {
    let printed = cluster.job_ends(name).await?;
    let ended = printed.lines().find(|line| line.contains("DELIVERED"));
    println!(
        "   load: {}",
        ended.with_context(|| printed.clone())?.trim()
    );
    Ok(())
}

/// Checks from pods with and without labels which ports can be reached.
fn strangers_reach_nothing(cluster: &Cluster) -> anyhow::Result<()> {
    let pods = cluster.pods()?;
    let of = |part: &str, port: u16| {
        let pod = pods.iter().find(|pod| pod.part == part);
        let pod = pod.with_context(|| format!("no pod of {part}"));
        pod.map(|pod| (format!("{part}:{port}"), format!("{} {port}", pod.ip)))
    };
    let named = |host: &str, port: u16| (format!("{host}:{port}"), format!("{host} {port}"));
    let targets = [
        of("gateway", 3000)?,
        of("order-services", 9080)?,
        of("driver-simulator", 9081)?,
        of("payment-provider", 5060)?,
        of("restaurant-pos", 5050)?,
        of("psql-gateway", 9071)?,
        named("food-ordering-kafka-bootstrap.kafka.svc", 9092),
        named("restate.restate.svc", 8080),
        named("restate.restate.svc", 9070),
        of("restate", 5122)?,
    ];
    let script = targets.iter().map(|(name, target)| {
        let (host, port) = target.split_once(' ').unwrap_or_default();
        format!("(timeout 3 bash -c '</dev/tcp/{host}/{port}' 2>/dev/null && echo {name}) & ")
    });
    let script = format!("{}wait", script.collect::<String>());
    let kafka = "food-ordering-kafka-bootstrap.kafka.svc:9092";
    let [ingress, admin] = ["restate.restate.svc:8080", "restate.restate.svc:9070"];
    let labels = json!({
        "food-ordering/uses-kafka": "true",
        "food-ordering/uses-restate-ingress": "true",
        "food-ordering/uses-restate-admin": "true",
    });
    let psql = json!({ "food-ordering/uses-psql": "true" });
    let cases = [
        ("food-ordering", json!({}), &[][..]),
        ("food-ordering", labels.clone(), &[kafka, ingress, admin]),
        ("default", json!({}), &["gateway:3000"]),
        ("default", labels, &["gateway:3000"]),
        ("default", psql, &["gateway:3000", "psql-gateway:9071"]),
    ];
    for (namespace, labels, expected) in cases {
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        cluster.stranger(namespace, &labels)?;
        let first = cluster.script(namespace, &script)?;
        let mut printed = first.clone();
        // A network may apply its rules after a pod has started, so it gets some time. Then they must hold each time.
        let begin = Instant::now();
        let mut kept = 0;
        while kept < 3 && begin.elapsed() < RULES_WITHIN {
            printed = cluster.script(namespace, &script)?;
            kept = if is_open(&printed) == expected {
                kept + 1
            } else {
                0
            };
        }
        let open = is_open(&printed);
        if open.len() == targets.len() {
            println!("   not checked: this network enforces no NetworkPolicies");
            return cluster.remove_stranger(namespace);
        }
        println!("   from namespace {namespace}, labels {labels}: {open:?}");
        ensure!(kept == 3, "expected {expected:?}");
        let first = is_open(&first);
        if first != expected {
            println!("     but when the pod had just started: {first:?}");
        }
        cluster.remove_stranger(namespace)?;
    }
    Ok(())
}

/// The targets that a script could reach.
fn is_open(printed: &str) -> BTreeSet<&str> {
    printed.lines().collect()
}

/// Replaces the templates of all pods under load. Orders under way must end on the version on which they began.
async fn is_upgraded(cluster: &Cluster, shop: &Shop<'_>) -> anyhow::Result<()> {
    let before = shop.deployment().await?;
    let waiting = several(shop).await;
    load(cluster, "load-upgrade")?;
    cluster.apply(2)?;
    let after = eventually(
        "the new version to be registered",
        READY_WITHIN,
        async || match shop.deployment().await {
            Ok(deployment) if deployment != before => Ok(deployment),
            other => Err(format!("{other:?}")),
        },
    )
    .await;
    println!("   new orders go to {after} instead of {before}");
    let mut under_way = 0;
    for order in &waiting {
        under_way += usize::from(shop.status(order).await? != "DELIVERED");
    }
    ensure!(
        under_way > 0,
        "no order was under way when the new version was registered"
    );
    let new = shop.delivers().await;
    all_are_delivered(shop, &waiting).await;
    let pinned = shop.pinned().await?;
    for order in &waiting {
        ensure!(
            pinned.get(&order.id) == Some(&before),
            "{}: {pinned:?}",
            order.id
        );
    }
    ensure!(
        pinned.get(&new.id) == Some(&after),
        "{}: {pinned:?}",
        new.id
    );
    println!("   {under_way} orders were under way; they ended on the old version");
    load_ends(cluster, "load-upgrade").await?;
    cluster.settles().await?;
    Ok(())
}

async fn scale(cluster: &Cluster, load_name: &str, replicas: u32) -> anyhow::Result<()> {
    load(cluster, load_name)?;
    let replicas = format!("--replicas={replicas}");
    for what in ["deployment/gateway", "restatedeployment/order-services"] {
        cluster.kubectl(&["scale", what, &replicas, "--namespace=food-ordering"])?;
    }
    cluster.settles().await?;
    load_ends(cluster, load_name).await
}

/// Evicts all pods of the node with the most gateways, as `kubectl drain` does. Those that are refused are tried again. On a cluster of
/// one node, it accepts pods again before that.
async fn is_drained(cluster: &Cluster) -> anyhow::Result<()> {
    load(cluster, "load-drain")?;
    let pods = cluster.pods()?;
    let gateways_of = |node: &str| {
        let gateways = pods.iter().filter(|pod| pod.part == "gateway");
        gateways.filter(|pod| pod.node == node).count()
    };
    let nodes = cluster.nodes()?;
    let is_only = nodes.len() == 1;
    let node = nodes.into_iter().max_by_key(|node| gateways_of(node));
    let node = node.context("a node")?;
    let gateways = gateways_of(&node);
    let mut left: Vec<Pod> = pods
        .iter()
        .filter(|pod| pod.node == node)
        .cloned()
        .collect();
    let mut refusals = 0;
    for _ in 0..ROUNDS {
        cluster.kubectl(&["cordon", &node])?;
        let all = std::mem::take(&mut left);
        let asked = all.len();
        for pod in all {
            if !cluster.evict(&pod)? {
                left.push(pod);
            }
        }
        refusals += left.len();
        let names: Vec<&str> = left.iter().map(|pod| &*pod.name).collect();
        println!(
            "   {} of {asked} pods of {node} were evicted; refused: {names:?}",
            asked - left.len()
        );
        if is_only || left.is_empty() {
            cluster.kubectl(&["uncordon", &node])?;
        }
        cluster.settles().await?;
        if left.is_empty() {
            break;
        }
    }
    ensure!(left.is_empty(), "not evicted: {left:?}");
    ensure!(
        gateways < 2 || refusals > 0,
        "the budget has not refused to evict {gateways} gateways at once"
    );
    load_ends(cluster, "load-drain").await
}

/// Waits until a scheduled run of setup has created `count` subscriptions again.
async fn runs_on_schedule(cluster: &Cluster, shop: &Shop<'_>, count: usize) -> anyhow::Result<()> {
    let what = "setup to create the subscriptions again";
    eventually(what, READY_WITHIN, async || {
        match shop.subscriptions().await {
            Ok(found) if found.len() == count => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let get = [
        "get",
        "cronjob/setup",
        "--namespace=food-ordering",
        "--output=json",
    ];
    let last = eventually("a scheduled run to succeed", READY_WITHIN, async || {
        let status = &cluster.json(&get).map_err(|error| format!("{error:#}"))?["status"];
        let last = status["lastSuccessfulTime"].as_str();
        last.map(str::to_owned).ok_or_else(|| status.to_string())
    })
    .await;
    println!(
        "   {count} subscriptions were deleted and created again; the last scheduled run succeeded at {last}"
    );
    Ok(())
}

/// Waits until the operator has removed the pods of each version but the last. It waits for five minutes after the last order.
async fn old_versions_end(cluster: &Cluster) -> anyhow::Result<()> {
    for part in ["order-services", "driver-simulator"] {
        let selector = format!("--selector=app.kubernetes.io/name={part}");
        let get = [
            "get",
            "replicasets",
            &selector,
            "--namespace=food-ordering",
            "--output=json",
        ];
        let versions = eventually("old versions to have no pods", READY_WITHIN, async || {
            let found = cluster.json(&get).map_err(|error| format!("{error:#}"))?;
            let items = found["items"].as_array();
            let replicas: Vec<u64> = items
                .into_iter()
                .flatten()
                .filter_map(|it| it["spec"]["replicas"].as_u64())
                .collect();
            let with_pods = replicas.iter().filter(|replicas| **replicas > 0).count();
            if with_pods == 1 {
                Ok(replicas.len())
            } else {
                Err(format!("{replicas:?}"))
            }
        })
        .await;
        println!("   {part}: {versions} versions, one of them with pods");
    }
    Ok(())
}
