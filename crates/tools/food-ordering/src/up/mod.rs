//! `up`: runs the whole system on this machine, each part in a process of its own.
//!
//! | file | what it holds |
//! |---|---|
//! | `layout.rs` | the processes, how each is started, and how to see that it is ready |
//! | `process.rs` | one child process that is kept running |
//! | `proxies.rs` | variables that make the parts reach each other without a proxy |
//! | `nodes.rs` | the nodes of Restate: one, or a cluster of three |
//! | `ports.rs` | the ports of the parts |
//! | `data_dir.rs` | the directory with data, logs and the list of addresses |
//! | `views.rs` | the views for SQL, which the psql gateway reads |
//! | `system.rs` | starting, supervising and stopping the processes |
//! | `reading.rs` | waiting until Restate reads the topics |
//! | `clock.rs` | noticing that the machine's clock was set back |
//! | `drain.rs` | waiting until Restate has read every record, so that stopping loses no order |

mod clock;
mod data_dir;
pub mod drain;
mod layout;
mod nodes;
mod ports;
mod process;
mod proxies;
mod reading;
mod system;
mod views;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::Region;
use order_workflow::DRIVER_SPEED;
use settings::Given;

use self::data_dir::DataDir;
pub use self::data_dir::{ENDPOINTS, PORTS, PROCESSES};
pub(crate) use self::data_dir::{KEYS, lock, lock_holder};
use self::layout::{Broker, Layout};
use self::nodes::Store;
pub use self::nodes::{Node, Nodes, RestateNodes};
use self::ports::Use;
use self::system::System;
use crate::broker::apache::Installation;
use crate::setup::PositionFilter;
use crate::{broker, flags, restate};

/// Arguments of `up`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    data_dir: flags::DataDirectory,
    #[command(flatten)]
    ports: ports::Choice,
    /// How many simulated drivers to start in each region
    #[arg(
        long,
        env = "FOOD_ORDERING_DRIVERS",
        default_value_t = 2,
        value_name = "N"
    )]
    drivers: u32,
    /// Region in which the drivers work; repeat the flag for several regions
    #[arg(long = "region", env = "FOOD_ORDERING_REGIONS", default_values_t = Region::ALL, value_delimiter = ',', value_name = "REGION")]
    regions: Vec<Region>,
    #[command(flatten)]
    broker: broker::Choice,
    /// Use the Kafka at this address instead of starting a broker
    #[arg(long, env = "FOOD_ORDERING_KAFKA_BROKERS", value_parser = kafka::brokers, value_name = "HOST:PORT,…")]
    kafka_brokers: Option<String>,
    #[command(flatten)]
    kafka_properties: kafka::PropertiesFile,
    /// Use this payment provider instead of the stub
    #[arg(long, env = "FOOD_ORDERING_PAYMENT_URL", value_name = "URL")]
    payment_url: Option<String>,
    /// File with lines <user>:<password> that the psql gateway requires of its clients [default: none if it listens on loopback,
    /// otherwise `keys/psql.passwords` in the data directory]
    #[arg(long, env = "FOOD_ORDERING_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Use this point of sale of the restaurants instead of the stub
    #[arg(long, env = "FOOD_ORDERING_RESTAURANT_URL", value_name = "URL")]
    restaurant_url: Option<String>,
    #[command(flatten)]
    restate_server: restate::binary::Wanted,
    #[command(flatten)]
    restate_nodes: RestateNodes,
    /// Where the nodes of a cluster store snapshots: s3://, gs:// or az://, with the credentials in the environment (AWS_…, see
    /// `docs.restate.dev/server/snapshots`); without it, a cluster never trims its log
    #[arg(long, env = "FOOD_ORDERING_RESTATE_SNAPSHOTS", value_name = "URL")]
    restate_snapshots: Option<String>,
    /// Addresses at which the nodes of a cluster reach each other, one for each: of proxies, with which a test cuts a node off
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTATE_LINKS",
        value_delimiter = ',',
        value_name = "URL",
        hide = true
    )]
    restate_links: Vec<String>,
    /// Number of partitions of a new Restate server [default: one per core, and at least one per node]
    #[arg(long, env = "FOOD_ORDERING_PARTITIONS", value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    partitions: Option<u16>,
    /// Setting of Restate as an environment variable, such as `RESTATE_WORKER__CLEANUP_INTERVAL=1m`; repeat the flag for several
    /// settings (`docs.restate.dev/references/server-config`). `RESTATE_…` variables of `up` itself are not passed on
    #[arg(long, env = "FOOD_ORDERING_RESTATE_ENV", value_delimiter = ',', value_parser = restate_variable, value_name = "NAME=VALUE")]
    restate_env: Vec<(OsString, OsString)>,
    /// How long to wait before restarting a process that died, to observe the system without it
    #[arg(long, env = "FOOD_ORDERING_RESTART_DELAY", default_value = "0s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    restart_delay: Duration,
    #[command(flatten)]
    position_filter: PositionFilter,
    #[command(flatten)]
    parts: Given<Settings>,
}

/// A variable that configures Restate, and its value.
fn restate_variable(text: &str) -> Result<(OsString, OsString), String> {
    match text.split_once('=') {
        Some((name, value)) if name.starts_with("RESTATE_") => Ok((name.into(), value.into())),
        _ => Err("must be RESTATE_<setting>=<value>".to_owned()),
    }
}

/// The settings that `up` passes on to its parts.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
struct Settings {
    #[command(flatten)]
    simulator: driver_simulator::Pace,
    #[command(flatten)]
    restaurant: restaurant_pos::Cooking,
    #[command(flatten)]
    orders: order_workflow::Times,
    #[command(flatten)]
    positions: position_filter::Rules,
    #[command(flatten)]
    web_ui: gateway::WebUi,
}

impl Args {
    /// Environment variables for the parts, in addition to those of this process: the flags of this command line, and the drivers'
    /// expected speed, computed from the simulator's settings unless a flag gives it.
    fn environment(&self, telemetry: &Given<telemetry::Options>) -> Vec<(OsString, OsString)> {
        let settings = &self.parts.settings;
        let speed = match settings.orders.driver_speed {
            Some(_) => None,
            None => settings.simulator.speed(),
        };
        let speed = speed.map(|speed| (DRIVER_SPEED.into(), speed.to_string().into()));
        let given = [&self.parts.environment[..], &telemetry.environment[..]].concat();
        given.into_iter().chain(speed).collect()
    }
}

/// Starts everything, keeps it running until a signal tells it to stop, and stops everything.
pub async fn run(args: Args, telemetry: &Given<telemetry::Options>) -> anyhow::Result<()> {
    let begin = Instant::now();
    let environment = args.environment(telemetry);
    let shutdown = shutdown::on_signal()?;
    let kafka_properties = kafka_properties(&args)?;
    let binary = std::env::current_exe().context("finding this program")?;
    let psql_gateway = beside(&binary, "psql-gateway")?;
    let dir = DataDir::open(&args.data_dir.path)?;
    say!(
        "Starting food ordering; data and logs are in {}",
        dir.display()
    );
    let nodes = args.restate_nodes.count;
    Store(&dir.file("restate")).check(nodes)?;
    if !secrets::keys::make_missing(&dir.keys())?.is_empty() {
        say!("Created keys in {}", dir.keys().display());
    }
    let starts_kafka = args.kafka_brokers.is_none() && args.broker.broker == broker::Broker::Apache;
    let has_position_filter = args.position_filter.position_filter.unwrap_or(true);
    let uses = Use::all(nodes, starts_kafka, has_position_filter);
    let reserved = ports::reserve(args.ports, uses, &dir.previous_ports())?;
    dir.write_json(PORTS, &reserved.ports.by_name())?;
    let programs = dir.file("programs");
    let progress = |line: &str| say!("{line}");
    let broker = async {
        Ok(match (args.kafka_brokers, args.broker.broker) {
            (Some(brokers), _) => Broker::Elsewhere(brokers),
            (None, broker::Broker::InMemory) => Broker::InMemory,
            (None, broker::Broker::Apache) => {
                let java = args.broker.java.as_deref();
                Broker::Apache(Installation::find(java, Some(&programs), progress).await?)
            }
        })
    };
    let restate = restate::binary::find(&args.restate_server, Some(&programs), progress);
    let (found, broker) = tokio::select! {
        found = async { tokio::try_join!(restate, broker) } => found?,
        () = shutdown.requested.cancelled() => return Ok(()),
    };
    if let Some(warning) = found.warning {
        say!("Warning: {warning}");
    }
    let layout = Layout {
        dir,
        ports: reserved.ports.clone(),
        binary,
        restate_server: found.path,
        nodes,
        snapshots: args.restate_snapshots,
        links: args.restate_links,
        partitions: (args.partitions).unwrap_or_else(|| one_for_each_core().max(nodes.count())),
        restate_environment: args.restate_env,
        restart_delay: args.restart_delay,
        workflow_retention: args.parts.settings.orders.workflow_retention,
        telemetry: telemetry.settings.clone(),
        psql_gateway,
        environment,
        payment_url: args.payment_url,
        password_file: args.password_file,
        restaurant_url: args.restaurant_url,
        broker,
        kafka_properties,
        has_position_filter,
    };
    views::write(&layout.views())?;
    // Releases the ports, so that the parts can take them.
    drop(reserved);

    let mut system = System::new(layout, args.drivers, args.regions);
    let result = tokio::select! {
        result = async {
            system.start().await?;
            print_addresses(&system, begin);
            system.supervise().await
        } => result,
        () = shutdown.requested.cancelled() => Ok(()),
    };
    tokio::select! {
        () = system.stop() => {}
        () = shutdown.forced.cancelled() => say!("Told to stop a second time: killing everything."),
    }
    result
}

/// The absolute path of the file with Kafka's connection properties, after checking that the file is valid.
fn kafka_properties(args: &Args) -> anyhow::Result<Option<PathBuf>> {
    let Some(file) = &args.kafka_properties.file else {
        return Ok(None);
    };
    let brokers = args.kafka_brokers.as_deref().with_context(|| {
        format!(
            "{} needs --kafka-brokers too: the broker that `up` starts supports only plain text",
            file.display()
        )
    })?;
    args.kafka_properties.connection(brokers)?;
    // Absolute, in case the parts run in another working directory.
    Ok(Some(std::path::absolute(file)?))
}

/// The path of a program of ours that is in the same directory as this one.
fn beside(binary: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = binary.with_file_name(name);
    ensure!(
        path.is_file(),
        "{} does not exist: `up` needs this program beside its own; build it with `cargo build -p {name}`, or copy it there",
        path.display()
    );
    Ok(path)
}

/// The default number of partitions. The runtime works on partitions in parallel: with fewer, cores are idle while orders wait; with
/// more, the runtime batches less. See `docs/adr/0003-runtime-settings.md`.
fn one_for_each_core() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u16::try_from(cores).unwrap_or(u16::MAX)
}

/// Prints the addresses that other machines can use, and the credentials they need.
fn print_addresses_elsewhere(layout: &Layout) {
    let token = layout.dir.keys().join(secrets::keys::OPERATOR);
    let passwords = layout.psql_passwords();
    let passwords = passwords.as_ref().map(|file| file.display().to_string());
    for (port, what, needs) in [
        (
            Use::Gateway,
            "Web UI",
            format!("operators need the token in {}", token.display()),
        ),
        (
            Use::PsqlGateway,
            "SQL",
            format!(
                "users and passwords are in {}",
                passwords.unwrap_or_default()
            ),
        ),
    ] {
        let urls = layout.ports.urls_from_elsewhere(port);
        if !urls.is_empty() {
            say!("\n{what} for other machines ({needs}):");
        }
        for url in urls {
            say!("  {url}");
        }
    }
}

fn print_addresses(system: &System, begin: Instant) {
    let layout = &system.layout;
    let url = |port: Use| layout.url(port);
    say!("\nReady after {:.1} s.\n", begin.elapsed().as_secs_f64());
    for (what, address) in [
        ("Web UI", url(Use::Gateway)),
        (
            "  for operators",
            format!("{}/operations", url(Use::Gateway)),
        ),
        ("HTTP API", format!("{}/api", url(Use::Gateway))),
        ("SQL, for psql", url(Use::PsqlGateway)),
        ("Restate UI and admin", layout.ports.urls(Use::RestateAdmin)),
        ("Restate ingress", layout.ports.urls(Use::RestateIngress)),
        ("Kafka", system.brokers.clone()),
        ("Restaurant POS", url(Use::RestaurantPos)),
        ("Payment provider", url(Use::PaymentProvider)),
    ] {
        say!("  {what:<22}{address}");
    }
    print_addresses_elsewhere(layout);
    say!(
        "\nAddresses for programs: {}\nCtrl-C stops everything; the same command continues where it stopped.",
        layout.dir.file(ENDPOINTS).display()
    );
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Up {
        #[command(flatten)]
        args: Args,
        #[command(flatten)]
        telemetry: Given<telemetry::Options>,
    }

    #[test]
    fn a_missing_program_is_named_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let find = || beside(&directory.path().join("food-ordering"), "psql-gateway");
        let error = find().unwrap_err().to_string();
        assert!(error.contains("/psql-gateway does not exist"), "{error}");
        assert!(error.contains("`cargo build -p psql-gateway`"), "{error}");
        std::fs::write(directory.path().join("psql-gateway"), "").unwrap();
        assert!(find().is_ok());
    }

    fn environment(flags: &[&str]) -> Vec<(String, String)> {
        let up = Up::parse_from(std::iter::once("up").chain(flags.iter().copied()));
        let text = |text: OsString| text.into_string().unwrap();
        let environment = up.args.environment(&up.telemetry).into_iter();
        environment
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn flags_are_passed_to_the_parts_as_environment_variables() {
        let flags = [
            "--poll-interval=250ms",
            "--move-interval=0s",
            "--pause=1m 30s",
            "--step=0.001",
            "--preparation-time=1500ms",
            "--payment-limit=7s",
            "--preparation-limit=1h 1s",
            "--driver-limit=3s",
            "--delivery-limit=4s",
            "--driver-silence=6s",
            "--order-retention=5d",
            "--workflow-retention=6h",
            "--driver-speed=0.25",
            "--position-interval=8s",
            "--position-tolerance=0.001",
            "--web-ui=/srv/web ui",
            "--tile-url=https://{s}.tiles.example/{z}/{x}/{y}.png",
            "--tile-attribution=The makers of maps",
            "--log=debug",
            "--log-json",
            "--otlp-endpoint=http://127.0.0.1:4318",
        ];
        let environment = environment(&flags);
        assert_eq!(environment.len(), flags.len(), "{environment:?}");
        let cli = crate::Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        for (flag, (variable, value)) in flags.iter().zip(&environment) {
            let (_, given) = flag.split_once('=').unwrap_or((flag, "true"));
            assert_eq!(value, given, "{variable}");
            let mut readers = (serve.get_subcommands().chain([&cli]))
                .flat_map(clap::Command::get_arguments)
                .filter(|arg| arg.get_env().is_some_and(|name| name == variable.as_str()));
            assert!(readers.next().is_some(), "no part reads {variable}");
        }
    }

    #[test]
    fn the_expected_speed_is_that_of_the_simulated_drivers() {
        let speed = |flags: &[&str]| {
            let environment = environment(flags).into_iter();
            let mut speeds = environment.filter(|(name, _)| name == DRIVER_SPEED);
            speeds.next().map(|(_, speed)| speed)
        };
        let of = |speed: &str| Some(speed.to_owned());
        assert_eq!(speed(&[]), of("0.005"));
        assert_eq!(speed(&["--step=0.01", "--move-interval=500ms"]), of("0.02"));
        assert_eq!(speed(&["--step=0.01", "--driver-speed=1"]), of("1"));
        assert_eq!(speed(&["--move-interval=0s"]), None);
    }
}
