//! Checks whether each part answers, and whether faults are switched on.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::Value;

use super::addresses::Addresses;
use super::finding::Finding;
use super::nodes;
use super::probe::{Expected, Found, TIMEOUT, describe, probe};
use crate::http;

/// The parts that answer, so that further checks can use them.
#[derive(Debug)]
pub(super) struct Up(BTreeSet<&'static str>);

impl Up {
    pub(super) fn has(&self, part: &str) -> bool {
        self.0.contains(part)
    }
}

/// Checks every part.
pub(super) async fn check(addresses: &Addresses) -> (Vec<Finding>, Up) {
    let check = |name, url, expected| one(addresses, name, url, expected);
    let (kafka, (nodes, apis), services, simulator, restaurant, payment, gateway) = futures::join!(
        kafka(addresses),
        restate(addresses),
        check("order-services", &addresses.order_services, Expected::Sdk),
        check(
            "driver-simulator",
            &addresses.driver_simulator,
            Expected::Sdk
        ),
        check("restaurant-pos", &addresses.restaurant_pos, Expected::Up),
        check(
            "payment-provider",
            &addresses.payment_provider,
            Expected::Up
        ),
        check("gateway", &addresses.gateway, Expected::Up),
    );
    let mut up = apis;
    let mut findings = nodes;
    for (name, found) in [
        ("kafka", kafka),
        ("order-services", services),
        ("driver-simulator", simulator),
        ("restaurant-pos", restaurant),
        ("payment-provider", payment),
        ("gateway", gateway),
    ] {
        if !found.is_wrong() {
            up.insert(name);
        }
        findings.push(found);
    }
    if let Some(url) = &addresses.position_filter {
        findings.push(check("position-filter", url, Expected::Up).await);
    }
    (findings, Up(up))
}

/// Checks Restate. Returns the findings, and which of its two APIs, admin and ingress, answer.
async fn restate(addresses: &Addresses) -> (Vec<Finding>, BTreeSet<&'static str>) {
    let apis = [
        ("restate-admin", &addresses.restate_admin, "/health"),
        (
            "restate-ingress",
            &addresses.restate_ingress,
            "/restate/health",
        ),
    ];
    if addresses.restate_admin.each().count() > 1 {
        let (findings, healthy) = nodes::check(addresses).await;
        // One node is enough for further checks.
        let open = if healthy > 0 { &apis[..] } else { &[] };
        return (findings, open.iter().map(|(name, ..)| *name).collect());
    }
    let checks = apis.map(|(name, url, path)| async move {
        let found = one(addresses, name, &url.to_string(), Expected::Path(path)).await;
        (name, found)
    });
    let checks = join_all(checks).await;
    let open = checks.iter().filter(|(_, found)| !found.is_wrong());
    let open = open.map(|(name, _)| *name).collect();
    (checks.into_iter().map(|(_, found)| found).collect(), open)
}

async fn kafka(addresses: &Addresses) -> Finding {
    let brokers = addresses.kafka.brokers();
    match kafka::Cluster::discover(&addresses.kafka).await {
        Ok(cluster) => Finding::fine("kafka", format!("{brokers}, cluster {}", cluster.id)),
        Err(error) => Finding::wrong(
            "kafka",
            format!("{error}"),
            format!("check --kafka-brokers; {}", addresses.restart("kafka")),
        ),
    }
}

async fn one(addresses: &Addresses, name: &str, url: &str, expected: Expected) -> Finding {
    let restart = addresses.restart(log_of(name));
    let found = probe(url, expected).await;
    let remedy = match found {
        Found::ExpectedPart => return Finding::fine(name, url),
        Found::Unhealthy(_) | Found::Unreachable(_) => restart,
        Found::OtherProgram => {
            "stop that program, or choose other ports with --port-offset N or --free-ports"
                .to_owned()
        }
        Found::NoAnswer => {
            format!("the process may be stopped, or the machine too busy; {restart}")
        }
    };
    Finding::wrong(name, describe(url, &found), remedy)
}

/// The name of a part's log. Restate is one process with two addresses.
fn log_of(name: &str) -> &str {
    if name.starts_with("restate-") {
        "restate-server"
    } else {
        name
    }
}

/// Checks whether faults are switched on at the stubs.
pub(super) async fn faults(addresses: &Addresses, up: &Up) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, url) in [
        ("restaurant-pos", &addresses.restaurant_pos),
        ("payment-provider", &addresses.payment_provider),
    ] {
        if up.has(name) {
            findings.extend(faults_of(name, url).await);
        }
    }
    findings
}

async fn faults_of(name: &str, url: &str) -> Option<Finding> {
    // If the stub does not answer, another finding says so already.
    let client = http::client(TIMEOUT).ok()?;
    let plan: Value = http::json(client.get(format!("{url}/faults"))).await.ok()?;
    let on = switched_on(&plan);
    Some(if on.is_empty() {
        Finding::fine(name, "no faults are switched on")
    } else {
        Finding::wrong(
            name,
            format!("fails on purpose: {}", on.join(", ")),
            format!("curl -X DELETE {url}/faults"),
        )
    })
}

/// The faults in a stub's plan that are not zero.
fn switched_on(plan: &Value) -> Vec<String> {
    let fields = plan.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| value.as_f64().is_some_and(|rate| rate > 0.0))
        .map(|(name, value)| format!("{name} {value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_faults_that_are_switched_on_are_reported() {
        let plan = json!({"errorRate": 0.0, "latencyMs": 20, "declineRate": 0.5});
        assert_eq!(switched_on(&plan), ["declineRate 0.5", "latencyMs 20"]);
    }
}
