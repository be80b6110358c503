//! Registers the services' deployments with Restate.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::restate::admin::{Admin, Deployment, Service};

/// Something to do about one deployment.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    /// Nothing: it is registered, and unchanged.
    Keep,
    /// It is registered and unchanged, but a newer deployment has taken over. Make this one the newest again.
    Renew,
    /// Register it as a new deployment.
    Register,
    /// Register it again, because its services have changed.
    Refresh,
    /// Move these deployments to this address.
    Move(Vec<String>),
}

/// Registers the services at `uri` unless they are registered already. Returns a line about what was found and done.
///
/// With `moved`, deployments of the same services at other addresses count as this one at an earlier address, and their
/// invocations continue here. Without it, they count as earlier versions that still run there.
pub(super) async fn ensure(admin: &Admin, uri: &str, moved: bool) -> anyhow::Result<String> {
    let found = admin.discover(uri).await?;
    let existing = admin.deployments().await?;
    let at_uri = existing.iter().find(|known| same_address(&known.uri, uri));
    let unchanged = match at_uri {
        Some(known) => same_services(&admin.deployment(&known.id).await?.services, &found),
        None => false,
    };
    let names = found
        .iter()
        .map(|service| service.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let newest = admin.newest_of_services().await?;
    let known = Known {
        deployments: &existing,
        newest: &newest,
    };
    Ok(match plan(&known, &found, uri, unchanged, moved) {
        Action::Keep => format!("{names} at {uri}: registered already"),
        Action::Renew => {
            admin.register(uri, true).await?;
            format!("{names} at {uri}: registered already, and made the newest version again")
        }
        Action::Register => {
            admin.register(uri, false).await?;
            format!("{names} at {uri}: registered")
        }
        Action::Refresh => {
            admin.register(uri, true).await?;
            format!("{names} at {uri}: changed, registered again")
        }
        Action::Move(ids) => {
            for id in &ids {
                admin.move_deployment(id, uri).await?;
            }
            format!("{names}: moved to {uri}")
        }
    })
}

/// Checks that another program has registered the `wanted` services. Fails with the names of those that are missing.
pub(super) async fn registered(admin: &Admin, wanted: &BTreeSet<&str>) -> anyhow::Result<String> {
    let missing = missing(&admin.deployments().await?, wanted);
    anyhow::ensure!(
        missing.is_empty(),
        "{} not registered yet; with --no-register, another program has to register the services",
        missing.join(", ")
    );
    let names: Vec<&str> = wanted.iter().copied().collect();
    Ok(format!("{}: registered already", names.join(", ")))
}

/// The services of `wanted` that no deployment has.
fn missing<'a>(existing: &[Deployment], wanted: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let is_known = |name: &str| {
        let mut services = existing.iter().flat_map(|known| &known.services);
        services.any(|service| service.name == name)
    };
    (wanted.iter().copied())
        .filter(|name| !is_known(name))
        .collect()
}

/// What Restate knows.
struct Known<'a> {
    deployments: &'a [Deployment],
    /// The newest deployment of each service.
    newest: &'a BTreeMap<String, String>,
}

fn plan(known: &Known<'_>, found: &[Service], uri: &str, unchanged: bool, moved: bool) -> Action {
    let existing = known.deployments;
    if let Some(here) = existing.iter().find(|known| same_address(&known.uri, uri)) {
        let is_newest = |service: &Service| known.newest.get(&service.name) == Some(&here.id);
        return if !unchanged {
            Action::Refresh
        } else if found.iter().all(is_newest) {
            Action::Keep
        } else {
            Action::Renew
        };
    }
    let names = |services: &[Service]| -> BTreeSet<String> {
        services
            .iter()
            .map(|service| service.name.clone())
            .collect()
    };
    let found = names(found);
    let former: Vec<String> = existing
        .iter()
        .filter(|known| !names(&known.services).is_disjoint(&found))
        .map(|known| known.id.clone())
        .collect();
    if moved && !former.is_empty() {
        Action::Move(former)
    } else {
        Action::Register
    }
}

/// Whether two addresses are equal. Restate appends a slash to addresses.
fn same_address(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

/// Whether two discoveries found the same services, ignoring the fields that Restate adds on registration.
pub(crate) fn same_services(a: &[Service], b: &[Service]) -> bool {
    let comparable = |services: &[Service]| -> BTreeSet<String> {
        services
            .iter()
            .map(|service| {
                let mut details = service.details.clone();
                details.remove("deployment_id");
                details.remove("revision");
                // The handlers may be in any sequence.
                if let Some(Value::Array(handlers)) = details.get_mut("handlers") {
                    handlers.sort_by_key(Value::to_string);
                }
                format!("{} {}", service.name, Value::from_iter(details))
            })
            .collect()
    };
    comparable(a) == comparable(b)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(name: &str, details: &Value) -> Service {
        let mut service = details.clone();
        service["name"] = json!(name);
        serde_json::from_value(service).unwrap()
    }

    fn deployment(id: &str, uri: &str, services: &[&str]) -> Deployment {
        Deployment {
            id: id.to_owned(),
            uri: uri.to_owned(),
            created_at: String::new(),
            services: services
                .iter()
                .map(|name| service(name, &json!({})))
                .collect(),
        }
    }

    #[test]
    fn the_action_depends_on_what_is_registered() {
        let found = [service("A", &json!({})), service("B", &json!({}))];
        let uri = "http://localhost:1";
        let here = deployment("here", "http://localhost:1/", &["A", "B"]);
        let there = deployment("there", "http://localhost:2/", &["B"]);
        let newer = deployment("newer", "http://localhost:4/", &["A"]);
        let foreign = deployment("foreign", "http://localhost:3/", &["C"]);
        let table = [
            (vec![], false, true, Action::Register),
            (vec![&foreign], false, true, Action::Register),
            (vec![&here, &foreign], true, true, Action::Keep),
            (vec![&here, &newer], true, false, Action::Renew),
            (vec![&here], false, false, Action::Refresh),
            (
                vec![&there, &foreign],
                false,
                true,
                Action::Move(vec!["there".to_owned()]),
            ),
            (vec![&there], false, false, Action::Register),
        ];
        for (existing, unchanged, moved, action) in table {
            let existing: Vec<Deployment> = existing.into_iter().cloned().collect();
            // A later deployment in the list is newer.
            let newest = existing.iter().flat_map(|known| {
                let services = known.services.iter();
                services.map(|service| (service.name.clone(), known.id.clone()))
            });
            let known = Known {
                deployments: &existing,
                newest: &newest.collect(),
            };
            let planned = plan(&known, &found, uri, unchanged, moved);
            assert_eq!(planned, action, "{existing:?} {unchanged} {moved}");
        }
    }

    #[test]
    fn without_registering_setup_waits_for_every_service_that_it_uses() {
        let wanted = BTreeSet::from(["A", "B"]);
        let one = deployment("one", "http://localhost:1/", &["A", "C"]);
        let other = deployment("other", "http://localhost:2/", &["B"]);
        assert_eq!(missing(&[], &wanted), ["A", "B"]);
        assert_eq!(missing(std::slice::from_ref(&one), &wanted), ["B"]);
        assert!(missing(&[one, other], &wanted).is_empty());
    }

    #[test]
    fn a_new_revision_is_the_same_service_but_a_new_handler_is_a_change() {
        let (run, stop) = (json!({"name": "run"}), json!({"name": "stop"}));
        let registered = service(
            "A",
            &json!({"revision": 3, "deployment_id": "dp_1", "handlers": [run, stop]}),
        );
        let same_address = service(
            "A",
            &json!({"revision": 4, "deployment_id": "", "handlers": [stop, run]}),
        );
        let other = service("A", &json!({"revision": 4, "handlers": [run]}));
        assert!(same_services(
            std::slice::from_ref(&registered),
            &[same_address]
        ));
        assert!(!same_services(&[registered], &[other]));
    }
}
