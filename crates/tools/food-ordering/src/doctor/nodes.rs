//! Checks the nodes of a Restate cluster: which of them answer, and what that means for the cluster.

use std::cmp::Ordering;

use futures::future::join_all;

use super::addresses::Addresses;
use super::finding::Finding;
use super::probe::{Expected, Found, describe, probe};

/// How to check a node's admin API and its ingress.
const API_CHECKS: [Expected; 2] = [Expected::Path("/health"), Expected::Path("/restate/health")];

/// Checks every node. Returns a finding for each, and how many of them are healthy.
pub(super) async fn check(addresses: &Addresses) -> (Vec<Finding>, usize) {
    let apis = addresses.restate_admin.each();
    let apis: Vec<[&str; 2]> = (apis.zip(addresses.restate_ingress.each()))
        .map(|(admin, ingress)| [admin, ingress])
        .collect();
    let checks = join_all(apis.iter().map(|[admin, ingress]| async move {
        let found = futures::join!(probe(admin, API_CHECKS[0]), probe(ingress, API_CHECKS[1]));
        // If both are wrong, the node is down, which is one finding.
        match found {
            (Found::ExpectedPart, Found::ExpectedPart) => None,
            (Found::ExpectedPart, wrong) => Some(describe(ingress, &wrong)),
            (wrong, _) => Some(describe(admin, &wrong)),
        }
    }))
    .await;
    let all = checks.len();
    let healthy = checks.iter().filter(|wrong| wrong.is_none()).count();
    let findings = (apis.iter().zip(checks).zip(1..)).map(|(([admin, ingress], wrong), number)| {
        let process = process(number);
        match wrong {
            None => Finding::fine(&process, format!("{admin}, ingress {ingress}")),
            Some(wrong) => Finding::wrong(
                &process,
                format!("{wrong}; {}", consequence(healthy, all)),
                addresses.restart(&process),
            ),
        }
    });
    (findings.collect(), healthy)
}

/// The name that `up` gives to the process of a node.
fn process(number: usize) -> String {
    match number {
        1 => "restate-server".to_owned(),
        _ => format!("restate-server-{number}"),
    }
}

fn consequence(healthy: usize, all: usize) -> String {
    let needed = all / 2 + 1;
    match healthy.cmp(&needed) {
        Ordering::Less => {
            format!("the cluster is down: {needed} of {all} nodes are needed, and {healthy} answer")
        }
        Ordering::Equal => "the others continue, but none of them may be lost too".to_owned(),
        Ordering::Greater => "the others continue".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three_nodes_one_may_be_lost() {
        assert!(consequence(2, 3).starts_with("the others continue, but none"));
        assert!(consequence(1, 3).starts_with("the cluster is down: 2 of 3"));
        assert_eq!(consequence(4, 5), "the others continue");
    }
}
