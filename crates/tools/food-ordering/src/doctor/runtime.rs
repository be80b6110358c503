//! Checks what Restate knows: deployments, subscriptions, orders, drivers.

use serde::Deserialize;

use super::addresses::{Addresses, first};
use super::finding::Finding;
use super::invocations;
use super::or_failed;
use super::parts::Up;
use crate::deployments::{Surveyed, survey};
use crate::restate::admin::{Admin, Deployment};
use crate::settle;
use crate::setup::deployments;
use crate::setup::subscriptions::{self, Reads};
use crate::up::KEYS;

/// The parts with durable services, each with one of its services.
const PARTS: [(&str, &str); 2] = [
    ("order-services", "OrderIntake"),
    ("driver-simulator", "DriverMobileAppSimulator"),
];

/// Checks Restate, if its admin API answers.
pub(super) async fn check(addresses: &Addresses, up: &Up) -> Vec<Finding> {
    if !up.has("restate-admin") {
        return Vec::new();
    }
    let admin = match Admin::new(&addresses.restate_admin.to_string()) {
        Ok(admin) => admin,
        Err(error) => return or_failed("restate-admin", Err(error)),
    };
    let (deployments, subscriptions, invocations, orders, drivers) = futures::join!(
        deployments(&admin, addresses),
        subscriptions(&admin, addresses, up),
        invocations::check(&admin, addresses),
        orders(&admin, addresses),
        drivers(&admin, addresses),
    );
    [
        or_failed("deployments", deployments),
        or_failed("subscriptions", subscriptions),
        or_failed("invocations", invocations),
        or_failed("orders", orders),
        or_failed("drivers", drivers),
    ]
    .concat()
}

async fn deployments(admin: &Admin, addresses: &Addresses) -> anyhow::Result<Vec<Finding>> {
    let surveyed = survey(admin).await?;
    let mut findings = Vec::new();
    for (part, service) in PARTS {
        let of_part: Vec<&Surveyed> = (surveyed.iter())
            .filter(|known| {
                let mut services = known.deployment.services.iter();
                services.any(|it| it.name == service)
            })
            .collect();
        if of_part.is_empty() {
            findings.push(Finding::wrong(
                "deployments",
                format!("Restate does not know the services of {part}"),
                addresses.setup_command(),
            ));
        }
        for known in of_part {
            findings.extend(overridden_services(part, known, &surveyed).map(|what| {
                let remedy = format!(
                    "{}; then remove the other deployment: restate deployments remove",
                    addresses.setup_command()
                );
                Finding::wrong("deployments", what, remedy)
            }));
            findings.push(deployment(admin, addresses, part, known).await?);
        }
    }
    Ok(findings)
}

/// Describes the services of a current deployment whose new invocations go to another deployment, because something else was
/// registered under their names.
fn overridden_services<'a>(
    part: &'a str,
    known: &'a Surveyed,
    all: &'a [Surveyed],
) -> impl Iterator<Item = String> + 'a {
    let services = known.deployment.services.iter();
    let lost = services.filter(|it| !known.is_former() && !known.current.contains(&it.name));
    lost.filter_map(move |service| {
        let name = &service.name;
        let other = all.iter().find(|other| other.current.contains(name))?;
        let Deployment { id, uri, .. } = &other.deployment;
        Some(format!(
            "new invocations of {name} go to deployment {id} at {uri}, not to {part} at {}",
            known.deployment.uri
        ))
    })
}

/// Makes Restate itself discover a deployment, because Restate must be able to reach it.
async fn deployment(
    admin: &Admin,
    addresses: &Addresses,
    part: &str,
    known: &Surveyed,
) -> anyhow::Result<Finding> {
    let Deployment { id, uri, .. } = &known.deployment;
    let version = known.version();
    if known.is_former() && known.total() == 0 {
        let what = format!(
            "{part} at {uri}: former version {version}, drained; remove it: food-ordering deployments retire {id} \
             --restate-admin={}",
            addresses.restate_admin
        );
        return Ok(Finding::fine("deployments", what));
    }
    Ok(match admin.discover(uri).await {
        Err(error) if is_refused(&error) => Finding::wrong(
            "deployments",
            format!(
                "{part} refuses Restate's requests, because they are not signed with a key that it accepts"
            ),
            format!(
                "set Restate's request-identity-private-key-pem-file to the private key that belongs to a public key in the \
                 --restate-identity-file of {part}, and restart both; {}",
                match addresses.data_dir.as_deref() {
                    Some(directory) =>
                        format!("the keys are in {}", directory.join(KEYS).display()),
                    None => "`food-ordering keys --directory DIR` creates a key pair".to_owned(),
                }
            ),
        ),
        Err(error) => Finding::wrong(
            "deployments",
            format!("Restate does not reach {part} at {uri}: {error:#}"),
            format!(
                "if it has moved: {}; otherwise {}",
                addresses.setup_command(),
                addresses.restart(part)
            ),
        ),
        Ok(_) if known.is_former() => {
            let what = format!(
                "{part} at {uri}: former version {version}, needed until its {} invocations have ended",
                known.total()
            );
            Finding::fine("deployments", what)
        }
        Ok(found) if deployments::same_services(&known.deployment.services, &found) => {
            Finding::fine("deployments", format!("{part} at {uri}, version {version}"))
        }
        Ok(_) => Finding::wrong(
            "deployments",
            format!("{part} at {uri} is not registered in its present version"),
            addresses.setup_command(),
        ),
    })
}

/// Whether the services refused Restate's request as unauthorised.
fn is_refused(error: &anyhow::Error) -> bool {
    names_401(&format!("{error:#}"))
}

/// Whether a message contains 401 as a number of its own, and not as a part of a port, such as 24010.
fn names_401(message: &str) -> bool {
    message
        .split(|letter: char| !letter.is_alphanumeric())
        .any(|word| word == "401")
}

async fn subscriptions(
    admin: &Admin,
    addresses: &Addresses,
    up: &Up,
) -> anyhow::Result<Vec<Finding>> {
    if !up.has("kafka") {
        // The expected subscriptions depend on the cluster's id, which only Kafka can give.
        return Ok(Vec::new());
    }
    let reads = addresses.no_subscribe.then_some(Reads::Nothing);
    let problems = subscriptions::problems(admin, &addresses.kafka, reads).await?;
    if problems.is_empty() {
        let brokers = addresses.kafka.brokers();
        let what = match reads {
            Some(_) => format!("none, because another program reads {brokers}"),
            None => format!("both topics at {brokers}"),
        };
        return Ok(vec![Finding::fine("subscriptions", what)]);
    }
    Ok(problems
        .into_iter()
        .map(|what| Finding::wrong("subscriptions", what, addresses.setup_command()))
        .collect())
}

/// Checks for orders whose workflow was killed.
async fn orders(admin: &Admin, addresses: &Addresses) -> anyhow::Result<Vec<Finding>> {
    let abandoned = settle::abandoned(admin).await?;
    let Some(one) = abandoned.first() else {
        return Ok(vec![Finding::fine(
            "orders",
            "every open order has a workflow",
        )]);
    };
    let what = match abandoned.len() {
        1 => format!(
            "order {} ({}) has no workflow any more: it was killed",
            one.id,
            one.described()
        ),
        number => format!(
            "{number} orders have no workflow any more, because it was killed: {} ({}) and others",
            one.id,
            one.described()
        ),
    };
    let remedy = format!(
        "food-ordering settle --restate-admin={} --restate-ingress={}",
        addresses.restate_admin, addresses.restate_ingress
    );
    Ok(vec![Finding::wrong("orders", what, remedy)])
}

async fn drivers(admin: &Admin, addresses: &Addresses) -> anyhow::Result<Vec<Finding>> {
    #[derive(Deserialize)]
    struct Driver {
        value_utf8: Option<String>,
    }
    let drivers: Vec<Driver> = admin
        .query(
            "select value_utf8 from state where service_name = 'DriverDigitalTwin' and key = 'driver-status'",
        )
        .await?;
    let in_status = |status: &str| {
        let is = |driver: &&Driver| {
            let text = driver.value_utf8.as_deref();
            text.is_some_and(|text| text.trim_matches('"') == status)
        };
        drivers.iter().filter(is).count()
    };
    let (free, busy) = (in_status("WAITING_FOR_WORK"), in_status("DELIVERING"));
    Ok(vec![if free + busy == 0 {
        Finding::wrong(
            "drivers",
            format!("no driver is at work ({} are known)", drivers.len()),
            format!(
                "curl -X POST {}/DriverMobileAppSimulator/driver-1/startDriver",
                first(&addresses.restate_ingress)
            ),
        )
    } else {
        Finding::fine("drivers", format!("{free} free, {busy} with a delivery"))
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_contains_401_is_no_refusal() {
        assert!(names_401("bad status code: 401 Unauthorized"));
        assert!(names_401("http://127.0.0.1:9070/deployments: status 401"));
        assert!(!names_401("http://127.0.0.1:24010/deployments: timed out"));
    }
}
