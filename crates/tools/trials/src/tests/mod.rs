//! Checks that files outside of this crate match its command line.

mod docs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{CommandFactory, Parser};
use food_ordering::variables::{self, Known};
use serde::Deserialize;

use crate::Cli;

#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
struct Service {
    image: String,
    #[serde(default)]
    entrypoint: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, serde_json::Value>,
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .join(file);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn services() -> BTreeMap<String, Service> {
    let compose: Compose = serde_saphyr::from_str(&read("docker-compose.yaml")).unwrap();
    compose.services
}

/// The environment variables of all flags.
fn variables() -> BTreeSet<String> {
    let cli = Cli::command();
    let commands = cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let flags = commands.flat_map(clap::Command::get_arguments);
    let flags = flags.filter(|flag| !flag.is_positional());
    flags
        .filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()))
        .map(|flag| {
            let variable = flag.get_env().and_then(|name| name.to_str());
            variable
                .unwrap_or_else(|| panic!("{flag} has none"))
                .to_owned()
        })
        .collect()
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn the_launcher_knows_the_variables_that_are_for_the_trials() {
    let launcher = food_ordering::Cli::command();
    let of_launcher: BTreeSet<String> = (std::iter::once(&launcher)
        .chain(launcher.get_subcommands()))
    .flat_map(clap::Command::get_arguments)
    .filter_map(|flag| Some(flag.get_env()?.to_str()?.to_owned()))
    .collect();
    let ours: Vec<String> = variables().difference(&of_launcher).cloned().collect();
    assert_eq!(ours, variables::OF_TRIALS);
}

#[test]
fn the_load_service_of_compose_has_a_valid_command_line() {
    let services = services();
    let load = &services["load"];
    assert_eq!(load.entrypoint, ["trials", "load"]);
    if let Err(error) = Cli::try_parse_from(&load.entrypoint) {
        panic!("{error}");
    }
    let known = Known::of(&food_ordering::Cli::command());
    for variable in load
        .environment
        .keys()
        .filter(|name| name.starts_with("FOOD_ORDERING_"))
    {
        assert!(known.contains(variable), "no command reads {variable}");
    }
    assert!(load.environment.contains_key("FOOD_ORDERING_ORDERS"));
}

#[test]
fn the_image_of_the_system_does_not_contain_the_trials() {
    let dockerfile = read("Dockerfile");
    let stages: Vec<&str> = dockerfile.split("\nFROM ").collect();
    let with = |program: &str| {
        let path = format!(" /build/target/release/{program} ");
        let stages = stages.iter().filter(move |stage| stage.contains(&path));
        stages.copied().collect::<Vec<_>>()
    };
    let trials = with("trials");
    assert!(
        trials.len() == 1 && trials[0].starts_with("scratch AS trials\n"),
        "{trials:?}"
    );
    // Docker builds the last stage if no target is given.
    assert_eq!(with("food-ordering"), [stages[stages.len() - 1]]);
    let services = services();
    let images = services
        .iter()
        .filter(|(_, service)| service.image == "food-ordering-trials");
    assert!(images.map(|(name, _)| name).eq(["load"]));
}

#[test]
fn compose_uses_the_kafka_version_that_up_starts() {
    let image = &services()["kafka"].image;
    assert_eq!(
        *image,
        format!("apache/kafka:{}", food_ordering::broker::apache::VERSION)
    );
}
