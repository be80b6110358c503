//! Does each part answer, and does it fail on purpose?

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::Value;

use super::addresses::Addresses;
use super::finding::Finding;
use super::nodes;
use super::probe::{Found, PATIENCE, Sign, describe, probe};
use crate::http;

/// Which parts answer, so that they can be asked further.
#[derive(Debug)]
pub(super) struct Up(BTreeSet<&'static str>);

impl Up {
    pub(super) fn has(&self, part: &str) -> bool {
        self.0.contains(part)
    }
}

/// Looks at every part.
pub(super) async fn look(addresses: &Addresses) -> (Vec<Finding>, Up) {
    let look = |name, url, sign| one(addresses, name, url, sign);
    let (kafka, (nodes, doors), services, simulator, restaurant, payment, gateway) = futures::join!(
        kafka(addresses),
        restate(addresses),
        look("order-services", &addresses.order_services, Sign::Sdk),
        look("driver-simulator", &addresses.driver_simulator, Sign::Sdk),
        look("restaurant-pos", &addresses.restaurant_pos, Sign::Up),
        look("payment-provider", &addresses.payment_provider, Sign::Up),
        look("gateway", &addresses.gateway, Sign::Up),
    );
    let mut up = doors;
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
    (findings, Up(up))
}

/// Looks at Restate; answers what is to be said of it, and which of its doors are open.
async fn restate(addresses: &Addresses) -> (Vec<Finding>, BTreeSet<&'static str>) {
    let doors = [
        ("restate-admin", &addresses.restate_admin, "/health"),
        (
            "restate-ingress",
            &addresses.restate_ingress,
            "/restate/health",
        ),
    ];
    if addresses.restate_admin.each().count() > 1 {
        let (findings, well) = nodes::look(addresses).await;
        // One node is enough to ask.
        let open = if well > 0 { &doors[..] } else { &[] };
        return (findings, open.iter().map(|(name, ..)| *name).collect());
    }
    let looks = doors.map(|(name, url, path)| async move {
        let found = one(addresses, name, &url.to_string(), Sign::Path(path)).await;
        (name, found)
    });
    let looks = join_all(looks).await;
    let open = looks.iter().filter(|(_, found)| !found.is_wrong());
    let open = open.map(|(name, _)| *name).collect();
    (looks.into_iter().map(|(_, found)| found).collect(), open)
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

async fn one(addresses: &Addresses, name: &str, url: &str, sign: Sign) -> Finding {
    let restart = addresses.restart(log_of(name));
    let found = probe(url, sign).await;
    let remedy = match found {
        Found::It => return Finding::fine(name, url),
        Found::Ill(_) | Found::Nobody(_) => restart,
        Found::Another => {
            "stop that, or choose other ports with --port-offset N or --free-ports".to_owned()
        }
        Found::Silence => format!("is it stopped, or the machine too busy? {restart}"),
    };
    Finding::wrong(name, describe(url, &found), remedy)
}

/// Restate is one process with two addresses.
fn log_of(name: &str) -> &str {
    if name.starts_with("restate-") {
        "restate-server"
    } else {
        name
    }
}

/// Looks for faults that were switched on at the stubs.
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
    // Without an answer, the stub itself is what is wrong, and that was said.
    let client = http::client(PATIENCE).ok()?;
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

/// The faults of a plan that are not zero.
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
    fn only_faults_that_are_on_are_told() {
        let plan = json!({"errorRate": 0.0, "latencyMs": 20, "declineRate": 0.5});
        assert_eq!(switched_on(&plan), ["declineRate 0.5", "latencyMs 20"]);
    }
}
