//! `up`: the whole system on this machine, each part in a process of its own.
//!
//! | file | what it holds |
//! |---|---|
//! | `layout.rs` | which processes there are, how each is started and by what one sees that it is ready |
//! | `process.rs` | one child process that is kept running |
//! | `proxies.rs` | what keeps them from looking for each other behind a proxy |
//! | `nodes.rs` | the nodes of Restate: one, or a cluster of three |
//! | `ports.rs`, `listener_of.rs` | which ports they use, and who else holds them |
//! | `data_dir.rs` | the directory with data, logs and the list of addresses |
//! | `system.rs` | starting, watching and stopping all of them |
//! | `reading.rs` | waiting until Restate reads the topics |
//! | `clock.rs` | noticing that the machine's clock was set back |
//! | `drain.rs` | stopping without losing an order |

mod clock;
mod data_dir;
pub mod drain;
mod layout;
pub(crate) mod listener_of;
mod nodes;
mod ports;
mod process;
mod proxies;
mod reading;
mod system;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::Region;

use self::data_dir::DataDir;
pub use self::data_dir::{ENDPOINTS, PROCESSES};
pub(crate) use self::data_dir::{KEYS, lock, lock_holder};
use self::layout::Layout;
use self::nodes::{Nodes, Store};
use self::ports::Use;
use self::system::System;
use crate::settings::Settings;
use crate::{flags, restate, shutdown};

/// Arguments of `up`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    data_dir: flags::DataDirectory,
    #[command(flatten)]
    ports: ports::Choice,
    /// How many simulated drivers to put to work in each region
    #[arg(
        long,
        env = "FOOD_ORDERING_DRIVERS",
        default_value_t = 2,
        value_name = "N"
    )]
    drivers: u32,
    /// A region in which they work; may be given more than once
    #[arg(long = "region", env = "FOOD_ORDERING_REGIONS", default_values_t = Region::ALL, value_delimiter = ',', value_name = "REGION")]
    regions: Vec<Region>,
    /// Use this Kafka instead of the embedded broker
    #[arg(long, env = "FOOD_ORDERING_KAFKA_BROKERS", value_parser = kafka::brokers, value_name = "HOST:PORT,…")]
    kafka_brokers: Option<String>,
    #[command(flatten)]
    kafka_properties: flags::KafkaProperties,
    /// Use this payment provider instead of the stub
    #[arg(long, env = "FOOD_ORDERING_PAYMENT_URL", value_name = "URL")]
    payment_url: Option<String>,
    /// A file with lines <user>:<password>, which the psql gateway requires [default: none where it listens on loopback, `keys/psql.passwords` in
    /// the data directory elsewhere]
    #[arg(long, env = "FOOD_ORDERING_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Use this point of sale of the restaurants instead of the stub
    #[arg(long, env = "FOOD_ORDERING_RESTAURANT_URL", value_name = "URL")]
    restaurant_url: Option<String>,
    #[command(flatten)]
    restate_server: restate::binary::Wanted,
    /// The number of Restate nodes: 1, or 3 for a cluster that survives the loss of any one of them
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTATE_NODES",
        default_value = "1",
        value_name = "N"
    )]
    restate_nodes: Nodes,
    /// Where the nodes of a cluster store snapshots: s3://, gs:// or az://, with the credentials in the environment (AWS_…, see
    /// `docs.restate.dev/server/snapshots`). Without it, a cluster never trims its log
    #[arg(long, env = "FOOD_ORDERING_RESTATE_SNAPSHOTS", value_name = "URL")]
    restate_snapshots: Option<String>,
    /// The number of partitions of a new Restate [default: one for each core, and at least one for each node]
    #[arg(long, env = "FOOD_ORDERING_PARTITIONS", value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    partitions: Option<u16>,
    /// After how many attempts Restate pauses an invocation of a service without a retry policy; for tests
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTATE_DEFAULT_ATTEMPTS",
        hide = true,
        value_name = "N"
    )]
    restate_default_attempts: Option<NonZeroU32>,
    /// How long to wait before a dead process is restarted, to observe the system without it
    #[arg(long, env = "FOOD_ORDERING_RESTART_DELAY", default_value = "0s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    restart_delay: Duration,
    #[command(flatten)]
    settings: Settings,
}

/// Starts everything, keeps it running until told to stop, and stops it.
pub async fn run(args: Args, telemetry: &telemetry::Options) -> anyhow::Result<()> {
    let begin = Instant::now();
    let shutdown = shutdown::on_signal()?;
    let kafka_properties = kafka_properties(&args)?;
    let dir = DataDir::open(&args.data_dir.path)?;
    say!(
        "Starting food ordering; data and logs are in {}",
        dir.display()
    );
    let nodes = args.restate_nodes;
    Store(&dir.file("restate")).check(nodes)?;
    if !secrets::keys::make_missing(&dir.keys())?.is_empty() {
        say!("Made keys in {}", dir.keys().display());
    }
    let reserved = ports::reserve(args.ports, nodes, &dir.former_ports())?;
    dir.write_ports(&reserved.ports.by_name())?;
    let programs = dir.file("programs");
    let found = tokio::select! {
        found = restate::binary::find(&args.restate_server, Some(&programs), |line| say!("{line}")) => found?,
        () = shutdown.asked.cancelled() => return Ok(()),
    };
    if let Some(warning) = found.warning {
        say!("Warning: {warning}");
    }
    let layout = Layout {
        dir,
        ports: reserved.ports.clone(),
        binary: std::env::current_exe().context("finding this program")?,
        restate_server: found.path,
        nodes,
        snapshots: args.restate_snapshots,
        partitions: (args.partitions).unwrap_or_else(|| one_for_each_core().max(nodes.count())),
        default_attempts: args.restate_default_attempts,
        restart_delay: args.restart_delay,
        settings: args.settings,
        collector: telemetry.collector().map(str::to_owned),
        telemetry: flags(telemetry),
        payment_url: args.payment_url,
        password_file: args.password_file,
        restaurant_url: args.restaurant_url,
        kafka_properties,
    };
    // The parts take them from here on.
    drop(reserved);

    let mut system = System::new(layout, args.kafka_brokers, args.drivers, args.regions);
    let result = tokio::select! {
        result = async {
            system.start().await?;
            print_addresses(&system, begin);
            system.supervise().await
        } => result,
        () = shutdown.asked.cancelled() => Ok(()),
    };
    tokio::select! {
        () = system.stop() => {}
        () = shutdown.insisted.cancelled() => say!("Told to stop a second time: everything is killed."),
    }
    result
}

/// The file that says how Kafka is reached, if it can be used.
fn kafka_properties(args: &Args) -> anyhow::Result<Option<PathBuf>> {
    let Some(file) = &args.kafka_properties.file else {
        return Ok(None);
    };
    let brokers = args.kafka_brokers.as_deref().with_context(|| {
        format!(
            "{} is for a Kafka that --kafka-brokers names: the embedded broker speaks plain text only",
            file.display()
        )
    })?;
    args.kafka_properties.connection(brokers)?;
    // The parts may be started elsewhere.
    Ok(Some(std::path::absolute(file)?))
}

/// A partition is one thread of the runtime's work: with fewer, cores stand idle while orders wait; with more, the runtime can
/// batch less. See `docs/adr/0003-runtime-settings.md`.
fn one_for_each_core() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u16::try_from(cores).unwrap_or(u16::MAX)
}

fn flags(telemetry: &telemetry::Options) -> Vec<String> {
    let mut flags = vec![format!("--log={}", telemetry.filter)];
    if telemetry.log_json {
        flags.push("--log-json".to_owned());
    }
    if let Some(collector) = telemetry.collector() {
        flags.push(format!("--otlp-endpoint={collector}"));
    }
    flags
}

/// Where other machines reach what they can reach, and what they need there.
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
            format!("with a line of {}", passwords.unwrap_or_default()),
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
    let layout = system.layout();
    let url = |port: Use| layout.url(port);
    say!("\nReady after {:.1} s.\n", begin.elapsed().as_secs_f64());
    for (what, address) in [
        ("Web UI", url(Use::Gateway)),
        (
            "  for operators",
            format!("{}/operations", url(Use::Gateway)),
        ),
        ("HTTP API", format!("{}/api", url(Use::Gateway))),
        ("SQL, as for psql", url(Use::PsqlGateway)),
        ("Restate UI and admin", layout.ports.urls(Use::RestateAdmin)),
        ("Restate ingress", layout.ports.urls(Use::RestateIngress)),
        ("Kafka", system.brokers().to_owned()),
        ("Restaurant's POS", url(Use::RestaurantPos)),
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
