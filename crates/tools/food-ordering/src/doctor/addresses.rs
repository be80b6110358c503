//! The addresses of the parts: from flags, from a data directory, or the default ports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use kafka::{Connection, PROPERTIES_FILE};
use upstream::Addresses as Nodes;

use crate::flags;
use crate::setup;
use crate::up::{self, ENDPOINTS};

/// Arguments of `doctor`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    data_dir: flags::DataDirectory,
    /// URL of the gateway [default: as in the data directory, else 127.0.0.1:3000]
    #[arg(long, env = "FOOD_ORDERING_GATEWAY_URL", value_name = "URL")]
    gateway_url: Option<String>,
    /// URL of Restate's admin API, of each of its nodes [default: as in the data directory, else 127.0.0.1:9070]
    #[arg(long, env = "FOOD_ORDERING_RESTATE_ADMIN", value_name = "URL,…")]
    restate_admin: Option<String>,
    /// URL of Restate's ingress, of each of its nodes [default: as in the data directory, else 127.0.0.1:8080]
    #[arg(long, env = "FOOD_ORDERING_RESTATE_INGRESS", value_name = "URL,…")]
    restate_ingress: Option<String>,
    /// URL of the order services [default: as in the data directory, else 127.0.0.1:9080]
    #[arg(long, env = "FOOD_ORDERING_ORDER_SERVICES_URL", value_name = "URL")]
    order_services_url: Option<String>,
    /// URL of the driver simulator [default: as in the data directory, else 127.0.0.1:9081]
    #[arg(long, env = "FOOD_ORDERING_DRIVER_SIMULATOR_URL", value_name = "URL")]
    driver_simulator_url: Option<String>,
    /// URL of the position filter [default: as in the data directory; without it, no filter is checked]
    #[arg(long, env = "FOOD_ORDERING_POSITION_FILTER_URL", value_name = "URL")]
    position_filter_url: Option<String>,
    /// URL of the restaurants' point of sale [default: as in the data directory, else 127.0.0.1:5050]
    #[arg(long, env = "FOOD_ORDERING_RESTAURANT_URL", value_name = "URL")]
    restaurant_url: Option<String>,
    /// URL of the payment provider [default: as in the data directory, else 127.0.0.1:5060]
    #[arg(long, env = "FOOD_ORDERING_PAYMENT_URL", value_name = "URL")]
    payment_url: Option<String>,
    /// Addresses of Kafka's brokers [default: as in the data directory, else 127.0.0.1:9092]
    #[arg(long, env = "FOOD_ORDERING_KAFKA_BROKERS", value_parser = kafka::brokers, value_name = "HOST:PORT,…")]
    kafka_brokers: Option<String>,
    #[command(flatten)]
    kafka_properties: kafka::PropertiesFile,
    #[command(flatten)]
    reader: setup::Reader,
}

impl Args {
    /// Whether the address of every part is given.
    fn names_all(&self) -> bool {
        let given = [
            &self.gateway_url,
            &self.restate_admin,
            &self.restate_ingress,
            &self.order_services_url,
            &self.driver_simulator_url,
            &self.restaurant_url,
            &self.payment_url,
            &self.kafka_brokers,
        ];
        given.iter().all(|address| address.is_some())
    }
}

/// The addresses of all parts.
#[derive(Debug)]
pub(super) struct Addresses {
    /// A description of where the addresses come from.
    pub(super) origin: String,
    /// The data directory, if it contains `endpoints.json`: an `up` runs there, or was not stopped properly.
    pub(super) data_dir: Option<PathBuf>,
    pub(super) gateway: String,
    /// One address for each node.
    pub(super) restate_admin: Nodes,
    /// One address for each node.
    pub(super) restate_ingress: Nodes,
    pub(super) order_services: String,
    pub(super) driver_simulator: String,
    /// If one runs.
    pub(super) position_filter: Option<String>,
    pub(super) restaurant_pos: String,
    pub(super) payment_provider: String,
    pub(super) kafka: Connection,
    /// The file with Kafka's connection properties, if there is one.
    pub(super) kafka_properties: Option<PathBuf>,
    /// Whether another program than Restate reads Kafka.
    pub(super) no_subscribe: bool,
}

impl Addresses {
    pub(super) fn find(args: Args) -> anyhow::Result<Self> {
        let listed = read(&args.data_dir.path.join(ENDPOINTS))?;
        let directory = args.data_dir.path.display();
        let origin = match (&listed, up::lock_holder(&args.data_dir.path)) {
            (Some(_), Some(pid)) => {
                format!("the system in {directory}, run by `up` (pid {pid})")
            }
            (Some(_), None) => format!(
                "the system in {directory}, which ended without being stopped: start it with `food-ordering up`"
            ),
            (None, Some(pid)) => format!(
                "the default addresses: `up` (pid {pid}) in {directory} is not ready; its logs are in {directory}/logs"
            ),
            // A container of Docker Compose, for example.
            (None, None) if args.names_all() => {
                "the addresses that flags and the environment name".to_owned()
            }
            (None, None) => format!("the default addresses, because no `up` runs in {directory}"),
        };
        let known = listed.is_some();
        let listed = listed.unwrap_or_default();
        let address = |flag: Option<String>, name: &str, usual: &str| {
            flag.or_else(|| listed.get(name).cloned())
                .unwrap_or_else(|| usual.to_owned())
                .trim_end_matches('/')
                .to_owned()
        };
        let at = |flag: Option<String>, name: &str, port: u16| {
            address(flag, name, &format!("http://127.0.0.1:{port}"))
        };
        let nodes = |flag: Option<String>, name: &str, port| {
            let listed = match flag {
                Some(_) => None,
                None => Nodes::named(&listed, name)?,
            };
            listed.map_or_else(|| at(flag, name, port).parse(), Ok)
        };
        // The file that `up` was given, unless a flag names another one.
        let kafka_properties = args.kafka_properties.file;
        let kafka_properties =
            kafka_properties.or_else(|| listed.get(PROPERTIES_FILE).map(PathBuf::from));
        let brokers = address(args.kafka_brokers, "kafka", "127.0.0.1:9092");
        Ok(Self {
            origin,
            gateway: at(args.gateway_url, "gateway", 3000),
            restate_admin: nodes(args.restate_admin, "restate-admin", 9070)?,
            restate_ingress: nodes(args.restate_ingress, "restate-ingress", 8080)?,
            order_services: at(args.order_services_url, "order-services", 9080),
            driver_simulator: at(args.driver_simulator_url, "driver-simulator", 9081),
            position_filter: (args.position_filter_url)
                .or_else(|| listed.get("position-filter").cloned()),
            restaurant_pos: at(args.restaurant_url, "restaurant-pos", 5050),
            payment_provider: at(args.payment_url, "payment-provider", 5060),
            kafka: Connection::with_file(brokers, kafka_properties.as_deref())?,
            kafka_properties,
            no_subscribe: args.reader.no_subscribe,
            data_dir: known.then_some(args.data_dir.path),
        })
    }

    /// The `setup` command for this system, as a remedy.
    pub(super) fn setup_command(&self) -> String {
        let properties = (self.kafka_properties.as_ref())
            .map(|file| format!(" --{PROPERTIES_FILE}={}", file.display()));
        format!(
            "food-ordering setup --moved --restate-admin={} --restate-ingress={} --order-services-url={} --driver-simulator-url={} \
             --kafka-brokers={}{}{}",
            self.restate_admin,
            self.restate_ingress,
            self.order_services,
            self.driver_simulator,
            self.kafka.brokers(),
            properties.unwrap_or_default(),
            if self.no_subscribe {
                " --no-subscribe"
            } else {
                ""
            },
        )
    }

    /// The remedy for a part that does not run.
    pub(super) fn restart(&self, part: &str) -> String {
        let log = (self.data_dir.as_deref())
            .map(|directory| directory.join("logs").join(format!("{part}.log")));
        match log {
            Some(log) if log.exists() => format!(
                "`up` restarts it; if it does not come back, see its log: {}",
                log.display()
            ),
            Some(_) => format!("`up` does not run {part}: start it on the machine it runs on"),
            None => format!(
                "start it (`food-ordering up`, or `docker compose up --detach` with Docker Compose, starts everything), or give the \
                 address of {part}: see `food-ordering doctor --help`"
            ),
        }
    }
}

/// The first node's address, for commands that the user may run.
pub(super) fn first(nodes: &Nodes) -> &str {
    nodes.each().next().unwrap_or_default()
}

/// The addresses in `endpoints.json`; `None` if the file does not exist.
fn read(file: &Path) -> anyhow::Result<Option<BTreeMap<String, String>>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    let addresses = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a valid list of addresses", file.display()))?;
    Ok(Some(addresses))
}
