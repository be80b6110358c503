//! The processes that make up the system, and how each is started and reached.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use kafka::{Connection, PROPERTIES_FILE};
use secrets::keys;

use super::data_dir::DataDir;
use super::nodes::{self, Node, Nodes, Store};
use super::ports::{Ports, Use};
use super::process::{Readiness, Spec};
use crate::Part;
use crate::broker::apache::{self, Installation};
use crate::restate::config::{Cluster, Config};

/// Everything that determines how the processes are started.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) dir: DataDir,
    pub(super) ports: Ports,
    /// This binary.
    pub(super) binary: PathBuf,
    pub(super) restate_server: PathBuf,
    /// The program `psql-gateway`.
    pub(super) psql_gateway: PathBuf,
    pub(super) nodes: Nodes,
    /// Where the nodes of a cluster store snapshots of their partitions, if anywhere.
    pub(super) snapshots: Option<String>,
    /// Where the nodes of a cluster reach each other: the address of a proxy for each node, or nothing if they do so directly.
    pub(super) links: Vec<String>,
    pub(super) partitions: u16,
    /// Environment variables for Restate, which override its configuration file.
    pub(super) restate_environment: Vec<(OsString, OsString)>,
    /// The least time before a process that died is restarted.
    pub(super) restart_delay: Duration,
    pub(super) workflow_retention: Duration,
    /// What is logged, and where traces are sent.
    pub(super) telemetry: telemetry::Options,
    /// Environment variables for every part; each part reads those of its own settings.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// An external payment provider, used instead of the stub.
    pub(super) payment_url: Option<String>,
    /// The file with the psql gateway's users and passwords, if the user gave one.
    pub(super) password_file: Option<PathBuf>,
    /// An external point of sale of the restaurants, used instead of the stub.
    pub(super) restaurant_url: Option<String>,
    pub(super) broker: Broker,
    /// The file with Kafka's connection properties, if it is not reached in plain text.
    pub(super) kafka_properties: Option<PathBuf>,
    pub(super) has_position_filter: bool,
}

/// The broker of this system.
#[derive(Debug)]
pub(super) enum Broker {
    /// Apache Kafka, started by `up`, with its records in the data directory.
    Apache(Installation),
    /// The broker in memory, started by `up`.
    InMemory,
    /// Brokers that the user runs, at these addresses.
    Elsewhere(String),
}

impl Layout {
    /// The processes that need no address of another one: those that start together with the broker, and those that start after it.
    ///
    /// Apache Kafka takes seconds to start. A Restate that has subscriptions starts after it, because it would wait for several
    /// seconds before it tries again to reach a broker.
    pub(super) fn independent(&self) -> anyhow::Result<(Vec<Spec>, Vec<Spec>)> {
        let restate = (self.nodes.all().iter())
            .map(|node| self.restate(*node))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let others = self.without_kafka();
        Ok(match self.broker {
            Broker::Apache(_) if self.store().exists() => (others, restate),
            Broker::Apache(_) => ([others, restate].concat(), Vec::new()),
            _ => (Vec::new(), [others, restate].concat()),
        })
    }

    /// The stubs, and the psql gateway.
    fn without_kafka(&self) -> Vec<Spec> {
        let mut specs = Vec::new();
        let stub = |part: Part, port, database: &str| {
            let file = self.dir.file(&format!("{part}.sqlite"));
            let flags = vec![self.listen(port), flag(database, file.display())];
            self.part(part, Readiness::Answers(vec![self.health(port)]), flags)
        };
        if self.payment_url.is_none() {
            specs.push(stub(
                Part::PaymentProvider,
                Use::PaymentProvider,
                "payment-database",
            ));
        }
        if self.restaurant_url.is_none() {
            specs.push(stub(
                Part::RestaurantPos,
                Use::RestaurantPos,
                "restaurant-database",
            ));
        }
        specs.push(self.psql_gateway());
        specs
    }

    /// The broker, if `up` starts one.
    pub(super) fn broker(&self) -> anyhow::Result<Option<Spec>> {
        Ok(match &self.broker {
            Broker::Apache(installed) => Some(self.apache_kafka(installed)?),
            Broker::InMemory => Some(self.broker_in_memory()),
            Broker::Elsewhere(_) => None,
        })
    }

    fn apache_kafka(&self, installed: &Installation) -> anyhow::Result<Spec> {
        let ports = apache::Ports {
            broker: self.ports.number(Use::Kafka),
            controller: self.ports.number(Use::KafkaController),
        };
        let node = apache::Node {
            data: &self.dir.file("kafka"),
            ports,
            more: "",
        };
        let configuration = self.dir.file("kafka-server.properties");
        node.configure(&configuration)?;
        Ok(self.program(
            Part::Kafka.name(),
            &[],
            installed.command(&configuration),
            Readiness::Brokers(ports.address()),
        ))
    }

    /// The address of the brokers. That of the broker in memory is known only once it has started.
    pub(super) fn brokers(&self) -> String {
        match &self.broker {
            Broker::Apache(_) => self.ports.address(Use::Kafka).to_string(),
            Broker::InMemory => String::new(),
            Broker::Elsewhere(brokers) => brokers.clone(),
        }
    }

    /// The processes that talk to Kafka.
    pub(super) fn dependent_on_kafka(&self, brokers: &str) -> Vec<Spec> {
        let kafka: Vec<String> = [flag("kafka-brokers", brokers)]
            .into_iter()
            .chain((self.kafka_properties.iter()).map(|file| flag(PROPERTIES_FILE, file.display())))
            .collect();
        let with_kafka = |flags: Vec<String>| [kafka.clone(), flags].concat();
        let mut specs = vec![
            self.part(
                Part::OrderServices,
                Readiness::AnswersHttp2(self.health(Use::OrderServices)),
                with_kafka(vec![
                    self.listen(Use::OrderServices),
                    self.identity(),
                    self.callbacks(),
                    flag("callback-url", self.ports.url(Use::Gateway)),
                    flag("payment-url", self.url(Use::PaymentProvider)),
                    flag("restaurant-url", self.url(Use::RestaurantPos)),
                ]),
            ),
            self.part(
                Part::DriverSimulator,
                Readiness::AnswersHttp2(self.health(Use::DriverSimulator)),
                with_kafka(vec![self.listen(Use::DriverSimulator), self.identity()]),
            ),
            self.part(
                Part::Gateway,
                Readiness::Answers(vec![self.health(Use::Gateway)]),
                with_kafka(vec![
                    self.listen(Use::Gateway),
                    self.callbacks(),
                    flag("operator-token-file", self.key(keys::OPERATOR).display()),
                    flag("restate-ingress", self.ports.urls(Use::RestateIngress)),
                    flag("restate-ui", self.ports.url(Use::RestateAdmin(Node::First))),
                    flag(
                        "order-links-secret-file",
                        self.key(keys::ORDER_LINKS).display(),
                    ),
                    flag("payment-url", self.url(Use::PaymentProvider)),
                    flag("restaurant-url", self.url(Use::RestaurantPos)),
                ]),
            ),
        ];
        if self.has_position_filter {
            let port = Use::PositionFilter;
            let ready = format!("{}/ready", self.ports.url(port));
            specs.push(self.part(
                Part::PositionFilter,
                Readiness::Answers(vec![ready]),
                with_kafka(vec![self.listen(port)]),
            ));
        }
        specs
    }

    fn broker_in_memory(&self) -> Spec {
        let file = self.broker_address_file();
        let flags = vec![flag("kafka-address-file", file.display())];
        self.part(Part::Kafka, Readiness::Writes(file), flags)
    }

    /// The file to which the broker in memory writes its address.
    pub(super) fn broker_address_file(&self) -> PathBuf {
        self.dir.file("kafka.address")
    }

    /// The name and address of everything that listens, for `endpoints.json`.
    pub(super) fn addresses(&self, brokers: &str) -> BTreeMap<&'static str, String> {
        self.ports
            .uses()
            .filter(|port| *port != Use::KafkaController)
            .map(|port| (port.name(), self.url(port)))
            .chain([(Part::Kafka.name(), brokers.to_owned())])
            .chain(
                (self.kafka_properties.iter())
                    .map(|file| (PROPERTIES_FILE, file.display().to_string())),
            )
            .collect()
    }

    /// The connection to the brokers at this address.
    pub(super) fn kafka(&self, brokers: &str) -> anyhow::Result<Connection> {
        Ok(Connection::with_file(
            brokers,
            self.kafka_properties.as_deref(),
        )?)
    }

    /// The URL of a part.
    pub(super) fn url(&self, port: Use) -> String {
        let elsewhere = match port {
            Use::PaymentProvider => &self.payment_url,
            Use::RestaurantPos => &self.restaurant_url,
            _ => &None,
        };
        elsewhere.clone().unwrap_or_else(|| self.ports.url(port))
    }

    /// The directory in which Restate's nodes keep their data.
    pub(super) fn store(&self) -> PathBuf {
        self.dir.file("restate")
    }

    fn psql_gateway(&self) -> Spec {
        let mut command = vec![
            self.psql_gateway.clone().into_os_string(),
            flag("listen", self.ports.listen(Use::PsqlGateway)).into(),
            flag("restate-admin", self.ports.urls(Use::RestateAdmin)).into(),
            flag("views", self.views().display()).into(),
            flag("log", &self.telemetry.filter).into(),
        ];
        if self.telemetry.log_json {
            command.push("--log-json".into());
        }
        if let Some(file) = self.psql_passwords() {
            command.push(flag("password-file", file.display()).into());
        }
        let readiness = Readiness::Listens(self.ports.address(Use::PsqlGateway));
        self.program(Use::PsqlGateway.name(), &[], command, readiness)
    }

    /// The directory of the views for SQL.
    pub(super) fn views(&self) -> PathBuf {
        self.dir.file("views")
    }

    /// The password file of the psql gateway: the user's, or the generated one if other machines can reach it.
    pub(super) fn psql_passwords(&self) -> Option<PathBuf> {
        let made = || (!self.ports.is_local(Use::PsqlGateway)).then(|| self.key(keys::PSQL));
        self.password_file.clone().or_else(made)
    }

    /// Where other nodes reach this node.
    fn link(&self, node: Node) -> String {
        match self.links.get(node as usize) {
            Some(proxy) => proxy.clone(),
            None => format!("{}/", self.ports.url(Use::RestateNode(node))),
        }
    }

    fn restate(&self, node: Node) -> anyhow::Result<Spec> {
        let config = self.dir.file(node.config_file());
        let store = self.store();
        let cluster = match self.nodes {
            Nodes::One => None,
            Nodes::Three => Some(Cluster {
                nodes: self
                    .nodes
                    .all()
                    .iter()
                    .map(|node| self.link(*node))
                    .collect(),
                provisions: node == Node::First && !Store(&store).is_provisioned(),
                snapshots: self.snapshots.clone(),
            }),
        };
        let text = Config {
            base_dir: store,
            ingress_port: self.ports.number(Use::RestateIngress(node)),
            admin_port: self.ports.number(Use::RestateAdmin(node)),
            node_port: self.ports.number(Use::RestateNode(node)),
            advertised: self.link(node),
            partitions: self.partitions,
            identity: self.key(keys::RESTATE_IDENTITY),
            workflow_retention: self.workflow_retention,
            collector: self.telemetry.collector().map(str::to_owned),
            name: match self.nodes {
                Nodes::One => nodes::SINGLE_NODE,
                Nodes::Three => node.name(),
            },
            cluster,
        }
        .render();
        std::fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
        let server = self.program(
            node.process(),
            &[
                // These variables would override the configuration file. Restate would send every invocation through the proxy,
                // though all services are on this machine.
                "--without=HTTP_PROXY",
                "--without=RUST_LOG",
                "--without=MEMORY_LIMIT",
                // Restate leaves temporary directories behind at each start.
                &flag("temporary", self.dir.temporary().display()),
            ],
            vec![
                self.restate_server.clone().into_os_string(),
                "--no-logo".into(),
                flag("config-file", config.display()).into(),
            ],
            Readiness::Answers(vec![
                self.health(Use::RestateAdmin(node)),
                format!(
                    "{}/restate/health",
                    self.ports.url(Use::RestateIngress(node))
                ),
            ]),
        );
        Ok(Spec {
            environment: self.restate_environment.clone(),
            ..server
        })
    }

    /// Another program than this one, with its arguments. `flags` are those of `exec-with-parent`.
    fn program(
        &self,
        name: &'static str,
        flags: &[&str],
        command: Vec<OsString>,
        readiness: Readiness,
    ) -> Spec {
        let words = ["exec-with-parent"].iter().chain(flags).chain(&["--"]);
        Spec {
            name,
            binary: self.binary.clone(),
            arguments: words.map(OsString::from).chain(command).collect(),
            environment: Vec::new(),
            log: self.dir.log(name),
            readiness,
            restart_delay: self.restart_delay,
        }
    }

    fn part(&self, part: Part, readiness: Readiness, flags: Vec<String>) -> Spec {
        let arguments = ["serve".to_owned(), part.name().to_owned()].into_iter();
        let arguments = arguments.chain(flags).map(OsString::from).collect();
        Spec {
            name: part.name(),
            binary: self.binary.clone(),
            arguments,
            environment: self.environment.clone(),
            log: self.dir.log(part.name()),
            readiness,
            restart_delay: self.restart_delay,
        }
    }

    /// The path of a key file.
    fn key(&self, name: &str) -> PathBuf {
        self.dir.keys().join(name)
    }

    /// The flag with the public keys that verify Restate's requests.
    fn identity(&self) -> String {
        let file = self.key(keys::RESTATE_IDENTITY_PUBLIC);
        flag("restate-identity-file", file.display())
    }

    /// The flag with the secret that verifies restaurants' callbacks.
    fn callbacks(&self) -> String {
        let file = self.key(keys::CALLBACK);
        flag("callback-secret-file", file.display())
    }

    fn health(&self, port: Use) -> String {
        format!("{}/health", self.ports.url(port))
    }

    fn listen(&self, port: Use) -> String {
        flag(&format!("{}-listen", port.name()), self.ports.listen(port))
    }
}

fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    fn layout(directory: &std::path::Path, nodes: Nodes) -> Layout {
        Layout {
            dir: DataDir::open(directory).unwrap(),
            ports: Ports::with_offset(100, nodes).unwrap(),
            binary: PathBuf::from("food-ordering"),
            restate_server: PathBuf::from("/opt/restate-server"),
            nodes,
            snapshots: None,
            links: Vec::new(),
            partitions: 1,
            restate_environment: vec![("RESTATE_A__B".into(), "1".into())],
            restart_delay: Duration::ZERO,
            workflow_retention: Duration::from_hours(1),
            telemetry: telemetry::Options::default(),
            psql_gateway: PathBuf::from("/opt/psql-gateway"),
            environment: Vec::new(),
            payment_url: None,
            password_file: None,
            restaurant_url: None,
            broker: Broker::InMemory,
            kafka_properties: Some(PathBuf::from("/etc/kafka.properties")),
            has_position_filter: true,
        }
    }

    fn independent(layout: &Layout) -> Vec<Spec> {
        let (first, then) = layout.independent().unwrap();
        [first, then].concat()
    }

    #[test]
    fn a_restate_with_subscriptions_starts_after_kafka() {
        let directory = tempfile::tempdir().unwrap();
        let mut layout = layout(directory.path(), Nodes::One);
        let first = |layout: &Layout| -> Vec<&str> {
            let (first, _) = layout.independent().unwrap();
            first.iter().map(|spec| spec.name).collect()
        };
        assert_eq!(
            first(&layout),
            [""; 0],
            "the broker in memory starts at once"
        );
        layout.broker = Broker::Apache(Installation::nowhere());
        assert!(first(&layout).contains(&"restate-server"));
        std::fs::create_dir(layout.store()).unwrap();
        assert!(!first(&layout).contains(&"restate-server"));
        assert!(first(&layout).contains(&"payment-provider"));
    }

    #[test]
    fn every_process_is_started_with_valid_flags() {
        for (nodes, processes) in [(Nodes::One, 9), (Nodes::Three, 11)] {
            let directory = tempfile::tempdir().unwrap();
            let layout = layout(directory.path(), nodes);
            let mut specs = independent(&layout);
            specs.extend(layout.dependent_on_kafka("127.0.0.1:9092"));
            specs.push(layout.broker_in_memory());
            assert_eq!(specs.len(), processes);
            for spec in specs {
                let for_restate = ("RESTATE_A__B".into(), "1".into());
                let has = spec.environment.contains(&for_restate);
                assert_eq!(has, nodes::is_node(spec.name), "{}", spec.name);
                if spec.name == "psql-gateway" {
                    let program = spec
                        .arguments
                        .iter()
                        .skip_while(|word| *word != "--")
                        .skip(1);
                    if let Err(error) = psql_gateway::Cli::try_parse_from(program) {
                        panic!("{error}");
                    }
                }
                let line = std::iter::once("food-ordering".into()).chain(spec.arguments);
                if let Err(error) = crate::Cli::try_parse_from(line) {
                    panic!("{}: {error}", spec.name);
                }
            }
            let addresses = layout.addresses("127.0.0.1:9092");
            assert_eq!(addresses["gateway"], "http://127.0.0.1:3100");
            assert_eq!(
                addresses.contains_key("restate-ingress-3"),
                nodes == Nodes::Three
            );
        }
    }

    #[test]
    fn decided_by_up_lists_the_settings_that_up_sets_itself() {
        let cli = crate::Cli::command();
        let variables = |command: &str| -> BTreeMap<String, String> {
            let command = cli.find_subcommand(command).unwrap();
            let commands = command.get_subcommands().chain([command]);
            let flags = commands.flat_map(clap::Command::get_arguments);
            let named = flags.filter_map(|flag| {
                let variable = flag.get_env()?.to_str()?.to_owned();
                Some((flag.get_long()?.to_owned(), variable))
            });
            named.collect()
        };
        let (of_parts, of_up) = (variables("serve"), variables("up"));
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(directory.path(), Nodes::One);
        let mut specs = independent(&layout);
        specs.extend(layout.dependent_on_kafka("127.0.0.1:9092"));
        specs.push(layout.broker_in_memory());
        let flags = specs.iter().flat_map(|spec| &spec.arguments);
        let names = flags.filter_map(|flag| flag.to_str()?.strip_prefix("--")?.split('=').next());
        let mut decided: Vec<&str> = names
            .filter_map(|name| of_parts.get(name))
            .map(String::as_str)
            .filter(|variable| !of_up.values().any(|of_up| of_up == variable))
            .collect();
        decided.sort_unstable();
        decided.dedup();
        assert_eq!(decided, crate::variables::DECIDED_BY_UP);
    }

    #[test]
    fn the_psql_gateway_requires_a_password_if_other_machines_can_reach_it() {
        let directory = tempfile::tempdir().unwrap();
        let mut layout = layout(directory.path(), Nodes::One);
        let given = |layout: &Layout| {
            let words = layout.psql_gateway().arguments.into_iter();
            words
                .map(|word| word.into_string().unwrap())
                .filter(|flag| flag.starts_with("--password-file="))
                .collect::<Vec<_>>()
        };
        assert_eq!(given(&layout), [""; 0]);
        layout.ports = Ports::of(Use::PsqlGateway, "0.0.0.0:9071".parse().unwrap());
        assert!(given(&layout)[0].ends_with("/keys/psql.passwords"));
        layout.password_file = Some(PathBuf::from("/own"));
        assert_eq!(given(&layout), ["--password-file=/own"]);
    }

    #[test]
    fn only_the_first_node_creates_the_cluster_and_only_once() {
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(directory.path(), Nodes::Three);
        let provisioners = || {
            layout.independent().unwrap();
            let provisions = |node: &Node| {
                let config = std::fs::read_to_string(layout.dir.file(node.config_file())).unwrap();
                config.contains("auto-provision = true")
            };
            Node::ALL.into_iter().filter(provisions).collect::<Vec<_>>()
        };
        assert_eq!(provisioners(), [Node::First]);
        std::fs::create_dir(layout.store()).unwrap();
        Store(&layout.store()).note_provisioned().unwrap();
        assert_eq!(provisioners(), []);
    }
}
