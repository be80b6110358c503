//! The metrics that dashboards and alerts query exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, eventually, order, order_with,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Every part that exposes metrics, by its name in `endpoints.json`.
const PARTS: [&str; 6] = [
    "gateway",
    "order-services",
    "driver-simulator",
    "restaurant-pos",
    "payment-provider",
    "restate-node",
];

#[tokio::test]
async fn every_metric_of_the_dashboards_and_alerts_is_exposed() -> anyhow::Result<()> {
    // One driver for several orders, so that some wait.
    let system = System::start(Options::default().drivers(1)).await?;
    let ids: Vec<String> = (0..3).map(|n| format!("measured-{n}")).collect();
    let mut events: Vec<Value> = ids.iter().map(|id| order(id)).collect();
    events.push(order_with("bad", "totalCost", json!(-1)));
    system.publish_orders(&events).await?;
    for id in &ids {
        system.wait_for_status(id, "DELIVERED").await;
    }
    system.wait_for_status("bad", "REJECTED").await;
    assert_books_balance(&system, &ids, 2350).await;
    system
        .text("gateway", "/api/orders/measured-0/events")
        .await?;
    // A broker that does not answer.
    system.signal("kafka", Signal::SIGSTOP)?;
    let (code, problem) = system.post("/api/orders", &order("unheard")).await?;
    system.signal("kafka", Signal::SIGCONT)?;
    assert_eq!(code, 503, "{problem}");

    // A request without Restate's signature.
    let services = system.address("order-services")?;
    let refused = end_to_end_tests::http()
        .get(format!("{services}/discover"))
        .send()
        .await?;
    assert_eq!(refused.status(), 401);

    let exposed = Exposed::of(&system).await?;
    let queried = queried()?;
    assert!(queried.len() > 10, "{queried:?}");
    let missing: Vec<_> = queried
        .iter()
        .filter(|name| !exposed.names.contains(*name))
        .collect();
    assert!(missing.is_empty(), "not exposed: {missing:?}");

    // Each event counts once, however often handlers were replayed.
    for (sample, value) in [
        (r#"orders_total{status="DELIVERED",reason="none"}"#, 3.0),
        (r#"orders_total{status="CREATED",reason="none"}"#, 3.0),
        (r#"orders_total{status="REJECTED",reason="invalid"}"#, 1.0),
        (r#"payments_total{operation="charge",outcome="done"}"#, 3.0),
        (
            r#"dead_letters_total{topic="orders-dlq",reason="total_cost"}"#,
            1.0,
        ),
        (
            r#"order_stage_duration_seconds_count{stage="IN_DELIVERY"}"#,
            3.0,
        ),
        (r#"dispatch_queue_length{region="San Jose (CA)"}"#, 0.0),
        (
            r#"kafka_producer_errors_total{topic="orders",reason="not_confirmed"}"#,
            1.0,
        ),
        (r#"sse_streams{kind="order"}"#, 0.0),
    ] {
        let found = exposed.samples.get(sample).copied();
        assert_eq!(found, Some(value), "{sample}");
    }
    Ok(())
}

#[tokio::test]
async fn the_number_of_free_drivers_is_exposed() -> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(3)).await?;
    eventually("three free drivers", SOON, async || {
        let text = system.text("order-services", "/metrics").await;
        let text = text.map_err(|error| error.to_string())?;
        let free = r#"drivers_free{region="San Jose (CA)"} 3"#;
        if text.lines().any(|line| line == free) {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    Ok(())
}

/// The metrics that the parts expose.
#[derive(Default)]
struct Exposed {
    names: BTreeSet<String>,
    samples: BTreeMap<String, f64>,
}

impl Exposed {
    async fn of(system: &System) -> anyhow::Result<Self> {
        // Prometheus itself adds `up`.
        let mut found = Self {
            names: BTreeSet::from(["up".to_owned()]),
            ..Self::default()
        };
        for part in PARTS {
            for line in system.text(part, "/metrics").await?.lines() {
                if line.starts_with('#') || line.is_empty() {
                    continue;
                }
                let (sample, value) = line.rsplit_once(' ').context("a value")?;
                let name = sample.split('{').next().unwrap_or_default();
                found.names.insert(name.to_owned());
                if let Ok(value) = value.parse() {
                    found.samples.insert(sample.to_owned(), value);
                }
            }
        }
        Ok(found)
    }
}

/// The metrics that dashboards and alerts query.
fn queried() -> anyhow::Result<BTreeSet<String>> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/observability");
    let mut expressions = Vec::new();
    let rules = std::fs::read_to_string(deploy.join("prometheus/alerts.yml"))?;
    let lines = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    expressions.extend(lines.map(str::to_owned));
    for dashboard in std::fs::read_dir(deploy.join("grafana"))? {
        let dashboard = dashboard?.path();
        if dashboard.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let dashboard: Value = serde_json::from_slice(&std::fs::read(dashboard)?)?;
        let panels = dashboard["panels"].as_array().context("panels")?;
        let targets = panels
            .iter()
            .filter_map(|panel| panel["targets"].as_array())
            .flatten();
        expressions.extend(
            targets
                .filter_map(|target| target["expr"].as_str())
                .map(str::to_owned),
        );
    }
    Ok(expressions
        .iter()
        .flat_map(|expression| metrics_in(expression))
        .collect())
}

/// The metrics in a `PromQL` expression: names that are not functions, keywords, labels or durations.
fn metrics_in(expression: &str) -> Vec<String> {
    const KEYWORDS: [&str; 5] = ["by", "unless", "and", "or", "offset"];
    let mut names = Vec::new();
    let mut rest = expression;
    let begins = |c: char| c.is_ascii_alphanumeric() || c == '{' || c == '[';
    while let Some(at) = rest.find(begins) {
        rest = &rest[at..];
        let skip_to = match rest.as_bytes().first() {
            Some(b'{') => Some('}'),
            Some(b'[') => Some(']'),
            _ => None,
        };
        if let Some(end) = skip_to {
            rest = rest.split_once(end).map_or("", |(_, rest)| rest);
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after;
        if name == "by" {
            rest = rest.split_once(')').map_or("", |(_, rest)| rest);
        } else if !KEYWORDS.contains(&name)
            && !rest.starts_with('(')
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            names.push(name.to_owned());
        }
    }
    // In `sum by (…) (…)`, no bracket follows `sum` directly.
    names.retain(|name| !["sum", "min", "max", "avg", "count"].contains(&name.as_str()));
    names
}

#[test]
fn metrics_are_found_in_expressions() {
    let expression =
        r#"sum by (le) (rate(a_bucket{b="c"}[5m])) / sum(d_total offset 10m) > 0 unless up == 0"#;
    assert_eq!(metrics_in(expression), ["a_bucket", "d_total", "up"]);
}
