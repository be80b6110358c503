//! Checks `docker-compose.yaml`, `Dockerfile` and Prometheus' targets against the command line. `cargo xtask compose-test` has the
//! tests that need a Docker engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser, ValueEnum};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::variables::Known;
use crate::{Cli, Part};

/// The image of every part.
const IMAGE: &str = "food-ordering";
/// The image of the test rig, which crates/tools/trials/src/tests/mod.rs compares with its command line.
const TRIALS: &str = "food-ordering-trials";
/// The image of Restate's Kafka integration. Its documentation names no version, and whatever it contains could not be seen here.
const KAFKA_INTEGRATION: &str = "ghcr.io/restatedev/ingress-integration-kafka:";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn yaml<T: DeserializeOwned>(file: &str) -> T {
    serde_saphyr::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Service>,
    volumes: BTreeMap<String, Option<serde_json::Value>>,
}

#[derive(Deserialize)]
struct Service {
    image: String,
    build: Option<serde_json::Value>,
    pull_policy: Option<String>,
    #[serde(default)]
    entrypoint: Vec<String>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    depends_on: BTreeMap<String, Dependency>,
    #[serde(default)]
    ports: Vec<String>,
    #[serde(default)]
    volumes: Vec<String>,
    healthcheck: Option<HealthCheck>,
    restart: String,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    cap_drop: Vec<String>,
    #[serde(default)]
    cap_add: Vec<String>,
    user: Option<String>,
    #[serde(default)]
    security_opt: Vec<String>,
    mem_limit: Option<String>,
    logging: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Dependency {
    condition: String,
}

#[derive(Deserialize)]
struct HealthCheck {
    test: Vec<String>,
}

impl Service {
    /// Whether its image is built from this repository.
    fn is_ours(&self) -> bool {
        [IMAGE, TRIALS].contains(&self.image.as_str())
    }

    fn is_kafka_integration(&self) -> bool {
        self.image.starts_with(KAFKA_INTEGRATION)
    }

    /// Whether it runs once and ends.
    fn is_one_shot(&self) -> bool {
        self.restart == "no"
    }

    /// Its command line.
    fn command_line(&self) -> Vec<&str> {
        let words: Vec<&str> = match self.entrypoint.as_slice() {
            [] => vec![IMAGE],
            [script] if script == "restate-setup.sh" => vec![IMAGE, "setup"],
            words => words.iter().map(String::as_str).collect(),
        };
        words
            .into_iter()
            .chain(self.command.iter().map(String::as_str))
            .collect()
    }
}

fn compose() -> Compose {
    yaml("docker-compose.yaml")
}

/// The text with the defaults filled in for variables like `${NAME:-default}`.
fn resolved(text: &str) -> String {
    let mut words = text.split("${");
    let mut resolved = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (variable, rest) = word.split_once('}').expect("a variable ends with }");
        let (_, default) = variable
            .split_once(":-")
            .unwrap_or_else(|| panic!("{variable} has no default"));
        resolved.push_str(default);
        resolved.push_str(rest);
    }
    resolved
}

/// The flags of a command, by their environment variables.
fn variables(command: &clap::Command) -> BTreeMap<String, String> {
    let named = |arg: &clap::Arg| {
        let variable = arg.get_env()?.to_str()?.to_owned();
        Some((variable, arg.get_long()?.to_owned()))
    };
    command.get_arguments().filter_map(named).collect()
}

/// Whether any command reads this environment variable, or its HTTP clients do (those about proxies).
fn is_known(variable: &str) -> bool {
    Known::of(&Cli::command()).contains(variable)
        || variables(&psql_gateway::Cli::command()).contains_key(variable)
        || DIRECT.contains(&variable)
}

/// Variables that make containers reach each other directly, even if the Docker engine sets a proxy for them.
const DIRECT: [&str; 2] = ["NO_PROXY", "no_proxy"];

#[test]
fn every_part_is_a_service_of_its_own() {
    let compose = compose();
    for part in Part::value_variants() {
        let service = (compose.services.get(part.name()))
            .unwrap_or_else(|| panic!("there is no service {part}"));
        match part {
            Part::Kafka => assert!(service.image.starts_with("apache/kafka:"), "a real Kafka"),
            part => {
                assert_eq!(service.command_line(), [IMAGE, "serve", part.name()]);
                let check = service.healthcheck.as_ref().unwrap();
                assert_eq!(check.test, ["CMD", IMAGE, "health", part.name()]);
            }
        }
    }
    let service = &compose.services["psql-gateway"];
    assert_eq!(service.command_line(), ["psql-gateway"]);
    let check = service.healthcheck.as_ref().unwrap();
    assert_eq!(check.test, ["CMD", "psql-gateway", "--health"]);
    psql_gateway::Cli::try_parse_from(&check.test[1..]).unwrap();
}

#[test]
fn the_commands_and_variables_of_our_services_are_those_of_the_command_line() {
    for (name, service) in compose().services {
        if service.image != IMAGE {
            continue;
        }
        let mut line: Vec<String> = (service.command_line().into_iter())
            .map(str::to_owned)
            .collect();
        let flags = match line[0].as_str() {
            "psql-gateway" => variables(&psql_gateway::Cli::command()),
            _ => variables(crate::tests::command(&Cli::command(), &line[1..])),
        };
        for (variable, value) in &service.environment {
            assert!(is_known(variable), "{name}: no command reads {variable}");
            assert!(
                !variable.starts_with("PSQL_GATEWAY_") || flags.contains_key(variable),
                "{name}: {variable}"
            );
            if let Some(flag) = flags.get(variable) {
                let value = resolved(value.as_str().unwrap_or_else(|| panic!("{name}: {value}")));
                line.push(format!("--{flag}={value}"));
            }
        }
        let parsed = match line[0].as_str() {
            "psql-gateway" => psql_gateway::Cli::try_parse_from(&line).map(drop),
            _ => Cli::try_parse_from(&line).map(drop),
        };
        if let Err(error) = parsed {
            panic!("{name}: {line:?}: {error}");
        }
    }
}

#[test]
fn every_address_is_that_of_a_service() {
    let compose = compose();
    for (name, service) in &compose.services {
        for (variable, value) in &service.environment {
            let Some(value) = value.as_str().filter(|_| service.is_ours()) else {
                continue;
            };
            // The UI's address is one for the browser, and a log level with a colon is not an address.
            let is_inside = !variable.ends_with("_UI") && !value.contains("${");
            let address = value.strip_prefix("http://").unwrap_or(value);
            if let Some((host, port)) = address.split_once(':').filter(|_| is_inside) {
                let there = compose.services.get(host);
                assert!(there.is_some(), "{name}: {variable}={value}");
                assert!(port.parse::<u16>().is_ok(), "{name}: {variable}={value}");
            }
        }
    }
}

#[test]
fn ports_are_published_on_loopback_only_and_only_once() {
    let mut taken = BTreeSet::new();
    for (name, service) in compose().services {
        for port in &service.ports {
            let port = resolved(port);
            let [address, outside, inside] = port.split(':').collect::<Vec<_>>()[..] else {
                panic!("{name}: {port}");
            };
            assert_eq!(address, "127.0.0.1", "{name}: {port}");
            assert!(inside.parse::<u16>().is_ok(), "{name}: {port}");
            assert!(taken.insert(outside.to_owned()), "{name}: {port}");
        }
    }
    for usual in ["3000", "16686", "9070", "9071", "8080"] {
        assert!(taken.contains(usual), "{usual} is not published");
    }
}

#[test]
fn containers_reach_each_other_without_a_proxy() {
    for (name, service) in compose().services {
        // Services without a network, and one that is not an HTTP client.
        let needs_none = ["keys", "kafka", "prometheus"].contains(&name.as_str());
        for variable in DIRECT {
            let value = service.environment.get(variable);
            assert!(
                needs_none || value.is_some_and(|value| value == "*"),
                "{name}"
            );
        }
        let checks_by_wget =
            (service.healthcheck.iter()).any(|check| check.test.contains(&"wget".to_owned()));
        let proxy = service.environment.get("http_proxy");
        assert!(
            !checks_by_wget || proxy.is_some_and(|proxy| proxy == ""),
            "{name}"
        );
    }
}

#[test]
fn a_part_is_given_the_address_that_its_port_is_published_on() {
    let services = compose().services;
    for (name, variable) in [
        ("gateway", "FOOD_ORDERING_GATEWAY_PUBLISHED_ON"),
        ("psql-gateway", "PSQL_GATEWAY_PUBLISHED_ON"),
    ] {
        let service = &services[name];
        let told = service.environment[variable].as_str().unwrap();
        let [port] = &service.ports[..] else {
            panic!("{name} has one port");
        };
        assert!(
            port.starts_with(&format!("{told}:")),
            "{name}: {port}, {told}"
        );
        // Docker takes an IPv6 address in brackets only.
        for address in ["127.0.0.1", "0.0.0.0", "[::1]", "[::]"] {
            let parsed = if name == "psql-gateway" {
                let flag = &variables(&psql_gateway::Cli::command())[variable];
                let line = [name, &format!("--{flag}={address}")];
                psql_gateway::Cli::try_parse_from(line).map(drop)
            } else {
                let flags = variables(crate::tests::command(&Cli::command(), &["serve", name]));
                let flag = format!("--{}={address}", flags[variable]);
                Cli::try_parse_from([IMAGE, "serve", name, &flag]).map(drop)
            };
            if let Err(error) = parsed {
                panic!("{name}, {address}: {error}");
            }
        }
    }
}

#[test]
fn containers_can_read_mounted_files_whatever_their_modes_and_labels() {
    for (name, service) in compose().services {
        let mounted = service
            .volumes
            .iter()
            .filter(|volume| volume.starts_with("./"));
        for volume in mounted {
            assert!(volume.ends_with(":ro,z"), "{name}: {volume}");
            assert_eq!(service.user.as_deref(), Some("root"), "{name}: {volume}");
            assert_eq!(service.cap_drop, ["ALL"], "{name}");
            assert_eq!(service.cap_add, ["DAC_OVERRIDE"], "{name}");
        }
    }
    // Files in the image get their modes in the build stage.
    let dockerfile = read("Dockerfile");
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    for line in last.lines().filter(|line| line.starts_with("COPY ")) {
        assert!(line.starts_with("COPY --from="), "{line}");
    }
}

/// Clones two files with Git's settings for Windows.
#[test]
fn text_files_have_the_same_line_endings_in_every_checkout() {
    let directory = tempfile::tempdir().unwrap();
    let (origin, clone) = (
        directory.path().join("origin"),
        directory.path().join("clone"),
    );
    let git = |directory: &Path, arguments: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args([
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@example.com",
            "-c",
            "core.autocrlf=true",
        ]);
        let done = git.args(arguments).current_dir(directory).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    fs::create_dir(&origin).unwrap();
    git(&origin, &["init", "--quiet"]);
    for file in [".gitattributes", "restate-setup.sh"] {
        fs::copy(root().join(file), origin.join(file)).unwrap();
    }
    git(&origin, &["add", "."]);
    git(&origin, &["commit", "--quiet", "--message=x"]);
    git(directory.path(), &["clone", "--quiet", "origin", "clone"]);
    let text = fs::read_to_string(clone.join("restate-setup.sh")).unwrap();
    assert!(!text.contains('\r'), "{text:?}");
}

#[test]
fn images_are_pinned_and_each_of_ours_is_built_once() {
    let services = compose().services;
    for (name, service) in &services {
        if service.is_ours() {
            assert_eq!(service.pull_policy.as_deref(), Some("never"), "{name}");
            continue;
        }
        if service.is_kafka_integration() {
            continue;
        }
        let image = resolved(&service.image);
        let (_, tag) = image.split_once(':').unwrap_or_default();
        let numbers = tag.trim_start_matches('v').split('.');
        let numbers: Vec<Result<u32, _>> = numbers.map(str::parse).collect();
        assert!(
            numbers.len() == 3 && numbers.iter().all(Result::is_ok),
            "{name}: {} is not an exact version",
            service.image
        );
    }
    let built: Vec<_> = (services.iter())
        .filter(|(_, service)| service.build.is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(built, ["keys", "load"]);
    let image = resolved(&services["restate"].image);
    let version = crate::restate::binary::VERSION;
    assert!(image.ends_with(&format!(":{version}")), "{image}");
}

#[test]
fn every_dependency_waits_for_a_condition_that_can_occur() {
    let services = compose().services;
    for (name, service) in &services {
        // A service that ends needs no health check.
        assert_eq!(
            service.is_one_shot() || service.is_kafka_integration(),
            service.healthcheck.is_none(),
            "{name}"
        );
        for (other, Dependency { condition }) in &service.depends_on {
            let expected = if services[other].is_one_shot() {
                "service_completed_successfully"
            } else {
                "service_healthy"
            };
            assert_eq!(condition, expected, "{name} on {other}");
        }
        // The service `keys` builds the image, so its other users must start after it.
        assert!(
            !service.is_ours() || name == "keys" || comes_after(&services, name, "keys"),
            "{name}"
        );
        for volume in &service.volumes {
            let source = volume.split(':').next().unwrap_or_default();
            let is_there = match source.strip_prefix("./") {
                Some(path) => root().join(path).exists(),
                None => compose().volumes.contains_key(source),
            };
            assert!(is_there, "{name}: {volume}");
        }
    }
}

fn comes_after(services: &BTreeMap<String, Service>, name: &str, first: &str) -> bool {
    let others = services[name].depends_on.keys();
    others
        .into_iter()
        .any(|other| other == first || comes_after(services, other, first))
}

#[test]
fn our_containers_have_only_the_rights_that_they_need() {
    for (name, service) in compose().services {
        assert!(
            service.mem_limit.is_some() && service.logging.is_some(),
            "{name}"
        );
        if service.is_ours() {
            assert!(service.read_only, "{name}");
            assert_eq!(service.cap_drop, ["ALL"], "{name}");
            assert_eq!(service.security_opt, ["no-new-privileges:true"], "{name}");
        }
        assert!(
            ["no", "unless-stopped"].contains(&service.restart.as_str()),
            "{name}"
        );
    }
}

#[test]
fn the_image_is_built_with_the_toolchain_of_the_project_and_its_variables_are_read() {
    let dockerfile = read("Dockerfile");
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .unwrap()
        .trim_matches('"');
    assert!(dockerfile.contains(&format!("ARG RUST_VERSION={channel}\n")));

    let mut variables = 0;
    for word in dockerfile.split_whitespace() {
        if let Some((name, _)) = word.split_once('=')
            && ["FOOD_ORDERING_", "PSQL_GATEWAY_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        {
            assert!(is_known(name), "no command reads {name}");
            variables += 1;
        }
    }
    assert!(variables > 5, "{variables}");
}

#[test]
fn dependencies_are_compiled_with_the_features_that_the_programs_need() {
    let dockerfile = read("Dockerfile");
    let packages = |line: &str| -> Vec<String> {
        let words = line.split_whitespace().map(str::to_owned);
        let words: Vec<_> = words.collect();
        let pairs = words.windows(2).filter(|pair| pair[0] == "--package");
        pairs.map(|pair| pair[1].clone()).collect()
    };
    let cook = dockerfile
        .lines()
        .find(|line| line.starts_with("RUN cargo chef cook "))
        .unwrap();
    let builds = dockerfile
        .lines()
        .filter(|line| line.starts_with("RUN cargo build "));
    for build in builds.clone() {
        // Cargo chooses features for all packages of a command together.
        assert_eq!(packages(build), packages(cook), "{build}");
    }
    assert_eq!(builds.count(), 2);
}

#[test]
fn comments_name_files_that_exist() {
    for file in ["Dockerfile", "docker-compose.yaml"] {
        for word in read(file).split_whitespace() {
            let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            if ["crates/", "docs/", "tests/", "xtask/"]
                .iter()
                .any(|start| word.starts_with(start))
            {
                assert!(root().join(word).exists(), "{file}: {word}");
            }
        }
    }
}

#[derive(Deserialize)]
struct Targets {
    labels: BTreeMap<String, String>,
    targets: Vec<String>,
}

/// The port of each job. `is_host` checks the hosts.
fn targets(file: &str, is_host: impl Fn(&str, &str) -> bool) -> BTreeMap<String, String> {
    let groups: Vec<Targets> = yaml(&format!("deploy/observability/prometheus/{file}"));
    let mut ports = BTreeMap::new();
    for mut group in groups {
        let job = group.labels.remove("job").unwrap();
        let [target] = &group.targets[..] else {
            panic!("{file}: {job}");
        };
        let (host, port) = target.split_once(':').unwrap();
        assert!(is_host(&job, host), "{file}: {job} at {host}");
        ports.insert(job, port.to_owned());
    }
    ports
}

#[test]
fn prometheus_scrapes_the_same_jobs_locally_and_in_compose() {
    let services = compose().services;
    let here = targets("targets.yml", |_, host| host == "127.0.0.1");
    let there = targets("targets.compose.yml", |job, host| {
        host == job && services.contains_key(host)
    });
    assert_eq!(here, there);
}
