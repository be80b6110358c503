//! Checks how Docker Compose and Kubernetes configure Restate's Kafka integration, which cannot be run here, against its documentation:
//! <https://github.com/restatedev/ingress-integration-kafka/blob/main/CONFIGURATION.md>, commit 7510fab.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::setup::subscriptions::Reads;

const IMAGE: &str = "ghcr.io/restatedev/ingress-integration-kafka:";

/// The variables without which it does not start: its own, and those of the default record mapper.
const REQUIRED: [&str; 6] = [
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_GROUP_ID",
    "KAFKA_TOPICS",
    "RESTATE_INGRESS_URL",
    "RESTATE_RECORD_MAPPER_SERVICE",
    "RESTATE_RECORD_MAPPER_HANDLER",
];
/// Others that we set. It passes every other `KAFKA_…` variable on to Kafka's consumer, so `KAFKA_AUTO_OFFSET_RESET` is
/// `auto.offset.reset`. The proxies' variables are for Docker.
const OPTIONAL: [&str; 4] = [
    "KAFKA_AUTO_OFFSET_RESET",
    "RESTATE_KAFKA_CONSUMER_INSTANCES",
    "NO_PROXY",
    "no_proxy",
];

type Variables = BTreeMap<String, String>;

fn documents(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .join(file);
    serde_saphyr::from_multiple(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The variables of each container of the integration in `docker-compose.yaml`.
fn of_compose() -> Vec<Variables> {
    let compose = documents("docker-compose.yaml").remove(0);
    let services = compose["services"].as_object().unwrap().values();
    (services.filter(|service| text(&service["image"]).starts_with(IMAGE)))
        .map(|service| {
            assert_eq!(service["profiles"][0], "kafka-integration");
            let environment = service["environment"].as_object().unwrap().iter();
            (environment.map(|(name, value)| (name.clone(), text(value)))).collect()
        })
        .collect()
}

/// The same for Kubernetes.
fn of_kubernetes() -> Vec<Variables> {
    let file = "deploy/kubernetes/components/kafka-integration/kafka-integration.yaml";
    (documents(file).iter())
        .map(|deployment| {
            let container = &deployment["spec"]["template"]["spec"]["containers"][0];
            assert!(text(&container["image"]).starts_with(IMAGE));
            let variables = container["env"].as_array().unwrap().iter();
            (variables.map(|it| (text(&it["name"]), text(&it["value"])))).collect()
        })
        .collect()
}

#[test]
fn every_topic_that_restate_would_read_is_passed_to_the_same_handler() {
    let mut expected: Vec<_> = Reads::FilteredPositions.sinks();
    expected.sort_unstable();
    for containers in [of_compose(), of_kubernetes()] {
        let mut found: Vec<_> = (containers.iter())
            .map(|it| {
                let (service, handler) = (
                    &it["RESTATE_RECORD_MAPPER_SERVICE"],
                    &it["RESTATE_RECORD_MAPPER_HANDLER"],
                );
                (
                    it["KAFKA_TOPICS"].as_str(),
                    format!("service://{service}/{handler}"),
                )
            })
            .collect();
        found.sort_unstable();
        let expected = expected
            .iter()
            .map(|(topic, sink)| (*topic, (*sink).to_owned()));
        assert!(found.iter().cloned().eq(expected), "{found:?}");
        assert_ne!(
            containers[0]["KAFKA_GROUP_ID"],
            containers[1]["KAFKA_GROUP_ID"]
        );
    }
}

#[test]
fn every_variable_is_documented_and_every_required_one_is_set() {
    for variables in of_compose().into_iter().chain(of_kubernetes()) {
        for name in REQUIRED {
            assert!(
                variables.contains_key(name),
                "{name} is not in {variables:?}"
            );
        }
        for name in variables.keys() {
            let is_known = REQUIRED.iter().chain(&OPTIONAL).any(|known| known == name);
            assert!(is_known, "{name}");
        }
        assert_eq!(variables["KAFKA_AUTO_OFFSET_RESET"], "earliest");
    }
}
