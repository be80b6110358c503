//! Checks `deploy/kubernetes` against the command line. Tests that need a running system are in
//! `tests/tests/end_to_end/kubernetes.rs`, checks that need Kubernetes' schemas in `deploy/kubernetes/validate.sh`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use serde_json::Value;

use crate::Cli;

/// The part that is a program of its own.
const PSQL_GATEWAY: &str = "psql-gateway";
/// The image of every part, before Kustomize gives it a registry and a tag.
const IMAGE: &str = "food-ordering";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/kubernetes")
}

/// All YAML files below a directory.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every document of the manifests, with the path of its file.
fn manifests() -> Vec<(PathBuf, Value)> {
    let mut paths = Vec::new();
    files(&root(), &mut paths);
    assert!(paths.len() > 15, "{paths:?}");
    let read = |path: PathBuf| {
        let documents = documents(&path);
        documents.into_iter().map(move |it| (path.clone(), it))
    };
    paths.into_iter().flat_map(read).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The template of a pod that runs a part of this binary.
struct Pod {
    name: String,
    /// `spec` of the pod.
    spec: Value,
    labels: Value,
}

impl Pod {
    fn container(&self) -> &Value {
        &self.spec["containers"][0]
    }

    fn args(&self) -> Vec<&str> {
        list(&self.container()["args"]).iter().map(text).collect()
    }

    /// The program and its arguments.
    fn line(&self) -> Vec<&str> {
        let command = list(&self.container()["command"]);
        let program = match command {
            [] => "food-ordering",
            [program] => text(program),
            _ => panic!("{}: {command:?}", self.name),
        };
        [vec![program], self.args()].concat()
    }
}

/// The pods of all parts, whatever kind of resource creates them.
fn pods() -> Vec<Pod> {
    let template = |document: &Value| match text(&document["kind"]) {
        "CronJob" => document["spec"]["jobTemplate"]["spec"]["template"].clone(),
        _ => document["spec"]["template"].clone(),
    };
    let pods: Vec<_> = (manifests().iter())
        .map(|(_, document)| (document, template(document)))
        .filter(|(_, template)| template["spec"]["containers"][0]["image"] == IMAGE)
        .map(|(document, template)| Pod {
            name: text(&document["metadata"]["name"]).to_owned(),
            spec: template["spec"].clone(),
            labels: template["metadata"]["labels"].clone(),
        })
        .collect();
    let names: BTreeSet<_> = pods.iter().map(|pod| pod.name.as_str()).collect();
    let expected = [
        "driver-simulator",
        "gateway",
        "order-services",
        "payment-provider",
        "position-filter",
        "psql-gateway",
        "restaurant-pos",
        "setup",
    ];
    assert!(names.iter().eq(&expected), "{names:?}");
    pods
}

/// The environment variables set by `literals` in generated `ConfigMap`s, with the path of the file.
fn settings() -> Vec<(PathBuf, String, String)> {
    let mut settings = Vec::new();
    for (path, document) in manifests() {
        for generator in list(&document["configMapGenerator"]) {
            for literal in list(&generator["literals"]) {
                let (name, value) = text(literal).split_once('=').unwrap();
                settings.push((path.clone(), name.to_owned(), value.to_owned()));
            }
        }
    }
    assert!(settings.len() >= 5, "{settings:?}");
    settings
}

/// The flags of a command line, by their environment variables.
fn variables(line: &[impl AsRef<str>]) -> BTreeMap<String, String> {
    let (cli, command) = if line[0].as_ref() == PSQL_GATEWAY {
        (psql_gateway::Cli::command(), clap::Command::default())
    } else {
        let cli = Cli::command();
        let command = crate::tests::command(&cli, &line[1..]).clone();
        (cli, command)
    };
    (command.get_arguments().chain(cli.get_arguments()))
        .filter_map(|flag| {
            let variable = flag.get_env()?.to_str()?.to_owned();
            Some((variable, flag.get_long()?.to_owned()))
        })
        .collect()
}

#[test]
fn every_part_has_a_valid_command_line() {
    let settings = settings();
    for pod in pods() {
        let mut line: Vec<String> = pod.line().into_iter().map(str::to_owned).collect();
        assert_eq!(line[0] == PSQL_GATEWAY, pod.name == PSQL_GATEWAY);
        let flags = variables(&line);
        // Kubernetes replaces `$(NAME)` by the variable.
        for (_, name, value) in &settings {
            let named = format!("$({name})");
            for word in &mut line {
                *word = word.replace(&named, value);
            }
        }
        for variable in list(&pod.container()["env"]) {
            let name = text(&variable["name"]);
            let flag = flags.get(name);
            let flag = flag.unwrap_or_else(|| panic!("{}: no flag reads {name}", pod.name));
            // A value from a Kubernetes secret is not known here.
            let value = variable["value"].as_str().unwrap_or("secret");
            line.push(format!("--{flag}={value}"));
        }
        for (_, name, value) in &settings {
            let Some(flag) = flags.get(name) else {
                continue;
            };
            let flag = format!("--{flag}=");
            // An overlay may set it again.
            if !line.iter().any(|given| given.starts_with(&flag)) {
                line.push(flag + value);
            }
        }
        let parsed = match line[0].as_str() {
            PSQL_GATEWAY => psql_gateway::Cli::try_parse_from(&line).map(drop),
            _ => Cli::try_parse_from(&line).map(drop),
        };
        if let Err(error) = parsed {
            panic!("{}: {line:?}: {error}", pod.name);
        }
    }
}

#[test]
fn every_setting_is_read_by_a_command() {
    let known: BTreeSet<String> = (pods().iter())
        .flat_map(|pod| variables(&pod.line()))
        .map(|(variable, _)| variable)
        .collect();
    for (path, name, _) in settings() {
        assert!(known.contains(&name), "{}: {name}", path.display());
    }
}

#[test]
fn parts_listen_where_their_containers_and_probes_say() {
    for pod in pods() {
        let container = pod.container();
        let listen = pod.args().into_iter().find(|arg| arg.contains("listen="));
        let ports = list(&container["ports"]);
        let Some(listen) = listen else {
            assert!(ports.is_empty(), "{}", pod.name);
            continue;
        };
        let flag = match pod.name.as_str() {
            PSQL_GATEWAY => "listen".to_owned(),
            name => format!("{name}-listen"),
        };
        assert_eq!(
            listen,
            format!("--{flag}=0.0.0.0:{}", ports[0]["containerPort"])
        );
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let probe = &container[probe];
            let port = &probe["httpGet"]["port"];
            let port = if port.is_null() {
                &probe["tcpSocket"]["port"]
            } else {
                port
            };
            assert_eq!(*port, ports[0]["name"], "{}: {probe}", pod.name);
        }
    }
}

#[test]
fn services_point_to_the_ports_of_the_parts() {
    let ports: BTreeMap<String, (String, u64)> = (pods().iter())
        .filter_map(|pod| {
            let port = &pod.container()["ports"][0];
            let place = (
                text(&port["name"]).to_owned(),
                port["containerPort"].as_u64()?,
            );
            Some((pod.name.clone(), place))
        })
        .collect();
    let mut seen = 0;
    for (_, document) in manifests() {
        let selected = text(&document["spec"]["selector"]["app.kubernetes.io/name"]);
        if document["kind"] != "Service" || !ports.contains_key(selected) {
            continue;
        }
        let (name, number) = &ports[selected];
        let port = &document["spec"]["ports"][0];
        assert_eq!(text(&port["targetPort"]), name);
        assert_eq!(port["port"].as_u64(), Some(*number), "{selected}");
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn every_part_has_only_the_rights_that_it_needs() {
    for pod in pods() {
        let (spec, container) = (&pod.spec, pod.container());
        let name = &pod.name;
        assert_eq!(spec["automountServiceAccountToken"], false, "{name}");
        // Kubernetes' variables for services would mix with those of the parts.
        assert_eq!(spec["enableServiceLinks"], false, "{name}");
        assert_eq!(spec["serviceAccountName"], *name);
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(
            spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
            "{name}"
        );
        let context = &container["securityContext"];
        assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(context["capabilities"]["drop"][0], "ALL", "{name}");
        for amounts in ["requests", "limits"] {
            for resource in ["cpu", "memory"] {
                let amount = &container["resources"][amounts][resource];
                assert!(amount.is_string(), "{name}: {amounts} {resource}");
            }
        }
        assert_eq!(pod.labels["app.kubernetes.io/part-of"], "food-ordering");
    }
}

#[test]
fn the_image_has_the_version_of_this_crate() {
    let mut seen = 0;
    for (path, document) in manifests() {
        for image in list(&document["images"]) {
            assert_eq!(image["name"], IMAGE);
            let tag = text(&image["newTag"]);
            assert_eq!(tag, env!("CARGO_PKG_VERSION"), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

#[test]
fn restate_has_the_tested_version() {
    let cluster = |(_, document): (PathBuf, Value)| {
        let image = document["spec"]["compute"]["image"].as_str()?;
        Some(image.to_owned())
    };
    let images: Vec<String> = manifests().into_iter().filter_map(cluster).collect();
    let version = crate::restate::binary::VERSION;
    assert_eq!(images, [format!("docker.io/restatedev/restate:{version}")]);
}

#[test]
fn every_manifest_is_part_of_a_kustomization() {
    let mut named = BTreeSet::new();
    for (path, document) in manifests() {
        if path
            .file_name()
            .is_some_and(|name| name == "kustomization.yaml")
        {
            let patches = list(&document["patches"]).iter().map(|it| &it["path"]);
            let others = ["resources", "configurations", "components"].map(|key| &document[key]);
            let others = others.into_iter().flat_map(list);
            for name in others.chain(patches).filter_map(Value::as_str) {
                let path = path.parent().unwrap().join(name);
                named.insert(path.canonicalize().unwrap());
            }
        }
    }
    let mut paths = Vec::new();
    files(&root(), &mut paths);
    for path in paths {
        let path = path.canonicalize().unwrap();
        let is_kustomization = path.ends_with("kustomization.yaml");
        let is_named = named.contains(&path);
        assert!(is_kustomization || is_named, "{}", path.display());
    }
}

#[test]
fn alerts_are_the_same_as_for_plain_prometheus() {
    let plain = documents(&root().join("../observability/prometheus/alerts.yml"));
    let rule = documents(&root().join("components/monitoring/prometheus-rule.yaml"));
    let same = rule[0]["spec"]["groups"] == plain[0]["groups"];
    assert!(same, "run deploy/kubernetes/alerts.sh");
}
