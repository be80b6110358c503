//! `setup`: registers the services and their Kafka subscriptions with a running Restate, and starts the simulated drivers.
//!
//! It checks what is there before it changes anything, so it can be run repeatedly: after an interruption, for a new version, after
//! Kafka was replaced.

pub(crate) mod deployments;
pub mod drivers;
mod ingress;
mod paused;
pub(crate) mod progress;
pub(crate) mod subscriptions;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use domain::Region;
use kafka::properties::For;
use kafka::{Connection, Properties};
use tokio::time::Instant;

use self::ingress::Ingress;
use self::subscriptions::{Described, Reads, Wanted};
use crate::restate::admin::Admin;

/// Arguments of `setup`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The Restate to set up.
    #[command(flatten)]
    pub restate_admin: upstream::RestateAdmin,
    /// Used to start the drivers.
    #[command(flatten)]
    pub restate_ingress: upstream::RestateIngress,
    /// URL at which Restate reaches the order services
    #[arg(
        long,
        env = "FOOD_ORDERING_ORDER_SERVICES_URL",
        default_value = "http://127.0.0.1:9080",
        value_name = "URL"
    )]
    pub order_services_url: String,
    /// URL at which Restate reaches the driver simulator
    #[arg(
        long,
        env = "FOOD_ORDERING_DRIVER_SIMULATOR_URL",
        default_value = "http://127.0.0.1:9081",
        value_name = "URL"
    )]
    pub driver_simulator_url: String,
    /// The services are not a new version: if Restate knows them at another address, move them to this one, with all their
    /// invocations
    #[arg(long, env = "FOOD_ORDERING_MOVED")]
    pub moved: bool,
    /// Do not register the services, but wait until another program, such as Restate's operator for Kubernetes, has done so
    #[arg(long, env = "FOOD_ORDERING_NO_REGISTER", conflicts_with_all = ["order_services_url", "driver_simulator_url", "moved"])]
    pub no_register: bool,
    /// Leave paused invocations paused; without this flag all of them are resumed
    #[arg(long, env = "FOOD_ORDERING_KEEP_PAUSED")]
    pub keep_paused: bool,
    /// The Kafka of this system.
    #[command(flatten)]
    pub kafka: kafka::Options,
    /// Addresses at which Restate reaches Kafka's brokers [default: those that this process uses]
    #[arg(
        long,
        env = "FOOD_ORDERING_KAFKA_BROKERS_FOR_RESTATE",
        value_parser = kafka::brokers, value_name = "HOST:PORT,…"
    )]
    pub kafka_brokers_for_restate: Option<String>,
    /// Properties file for Restate's Kafka clients, if Restate has the certificates elsewhere or has its own credentials
    /// [default: --kafka-properties-file]
    #[arg(
        long = "kafka-properties-for-restate-file",
        env = "FOOD_ORDERING_KAFKA_PROPERTIES_FOR_RESTATE_FILE",
        value_name = "FILE"
    )]
    pub kafka_properties_for_restate: Option<PathBuf>,
    /// Whether Restate reads Kafka.
    #[command(flatten)]
    pub reader: Reader,
    /// Where Restate reads the drivers' positions.
    #[command(flatten)]
    pub position_filter: PositionFilter,
    /// How many simulated drivers to start in each region
    #[arg(
        long,
        env = "FOOD_ORDERING_DRIVERS",
        default_value_t = 2,
        value_name = "N"
    )]
    pub drivers: u32,
    /// Region in which the drivers work; repeat the flag for several regions
    #[arg(long = "region", env = "FOOD_ORDERING_REGIONS", default_values_t = Region::ALL, value_delimiter = ',', value_name = "REGION")]
    pub regions: Vec<Region>,
    /// How long to wait for Kafka, Restate, the services and the drivers
    #[arg(long, env = "FOOD_ORDERING_SETUP_TIMEOUT", default_value = "1m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub timeout: Duration,
}

/// Who reads Kafka for Restate.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[group(skip)]
pub struct Reader {
    /// Restate does not read Kafka itself: another program, such as Restate's Kafka integration, does and calls the handlers. `setup`
    /// then removes Restate's subscriptions, and `doctor` expects none
    #[arg(
        long,
        env = "FOOD_ORDERING_NO_SUBSCRIBE",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL"
    )]
    pub no_subscribe: bool,
}

/// Whether there is a position filter.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub struct PositionFilter {
    /// Whether a position filter runs: then Restate reads the positions that it passes on, not all of them [default: `up` starts a
    /// filter; `setup` changes nothing, and at its first run assumes none]
    #[arg(
        long,
        env = "FOOD_ORDERING_POSITION_FILTER",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        value_name = "BOOL"
    )]
    pub position_filter: Option<bool>,
}

impl Args {
    /// The connection by which Restate reaches the brokers that this process reaches by `kafka`.
    fn for_restate(&self, kafka: &Connection) -> anyhow::Result<Connection> {
        let brokers = (self.kafka_brokers_for_restate.as_deref()).unwrap_or(kafka.brokers());
        let connection = kafka.at(brokers);
        Ok(match &self.kafka_properties_for_restate {
            Some(file) => connection.with_properties(Properties::read(file, For::Elsewhere)?),
            None => connection,
        })
    }

    /// The services that setup itself uses.
    fn services_used(&self) -> BTreeSet<&'static str> {
        let simulator = (self.drivers > 0).then_some(drivers::SERVICE);
        subscriptions::services().chain(simulator).collect()
    }
}

/// `setup`: sets up, and prints what was found and done.
pub async fn main(args: Args) -> anyhow::Result<()> {
    run(&args, |line| say!("{line}")).await
}

/// Sets up. `report` is called with a line for everything that was found and done.
pub async fn run(args: &Args, report: impl Fn(&str)) -> anyhow::Result<()> {
    let waiter = Waiter {
        deadline: Instant::now() + args.timeout,
        report: &report,
    };
    let admin = Admin::new(&args.restate_admin.urls)?;
    let kafka = args.kafka.connection()?;
    let for_restate = args.for_restate(&kafka)?;
    // These two steps are independent of each other.
    let (cluster, ()) = tokio::try_join!(
        waiter.until_ok("Kafka", || async {
            let reads = match args.position_filter.position_filter {
                _ if args.reader.no_subscribe => Reads::Nothing,
                Some(has_filter) => Reads::with_filter(has_filter),
                None => Reads::as_before(&admin.subscriptions().await?),
            };
            find_cluster(&kafka, &for_restate, reads).await
        }),
        register(args, &admin, &waiter),
    )?;

    if !args.keep_paused {
        // A server that has just started answers before it knows its partitions.
        let resumed = waiter
            .until_ok("Restate's invocations", || {
                paused::resume(&admin, waiter.deadline)
            })
            .await?;
        if let Some(resumed) = resumed {
            report(&resumed);
        }
    }

    let clusters = admin.kafka_clusters().await?;
    let existing = admin.subscriptions().await?;
    let actions = subscriptions::plan(&clusters, &existing, &cluster);
    if args.reader.no_subscribe {
        report(&format!(
            "Kafka cluster {}: another program reads it for Restate",
            cluster.name()
        ));
    } else if actions.is_empty() {
        report(&format!(
            "Kafka cluster {}: subscribed to already",
            cluster.name()
        ));
    }
    for action in &actions {
        let description = Described(&cluster, action).to_string();
        // Kafka does not report the end of a new topic until its partitions have a leader.
        waiter
            .until_ok(&description, || {
                subscriptions::apply(&admin, &kafka, &cluster, action)
            })
            .await?;
        report(&description);
    }
    let stalled = waiter
        .until_ok("Restate's progress in Kafka", || async {
            let subscriptions = admin.subscriptions().await?;
            Ok(progress::stalled_topics(&kafka, &subscriptions).await?)
        })
        .await?;
    for topic in stalled {
        let description =
            format!("topic {topic}: subscribed again, because Restate had stopped reading it");
        waiter
            .until_ok(&description, || {
                subscriptions::renew(&admin, &kafka, &cluster, topic)
            })
            .await?;
        report(&description);
    }

    for region in &args.regions {
        // A driver that is at work answers after its current step, which waits for Kafka if that has just started.
        let started = waiter
            .until_ok("the drivers", || {
                drivers::start(&args.restate_ingress.urls, args.drivers, *region)
            })
            .await?;
        report(&started);
    }
    Ok(())
}

/// Describes what setup would repair in how Restate reads Kafka. Takes up to [`progress::PATIENCE`] if there are unread records.
pub(crate) async fn to_repair(
    admin: &Admin,
    kafka: &Connection,
    has_filter: bool,
) -> anyhow::Result<Vec<String>> {
    let problems =
        subscriptions::problems(admin, kafka, Some(Reads::with_filter(has_filter))).await?;
    if !problems.is_empty() {
        return Ok(problems);
    }
    let subscriptions = admin.subscriptions().await?;
    let stalled = progress::stalled_topics(kafka, &subscriptions).await?;
    let stalled = stalled.into_iter();
    Ok(stalled
        .map(|topic| format!("Restate has stopped reading topic {topic}"))
        .collect())
}

/// Discovers the Kafka cluster, and creates the missing topics.
async fn find_cluster(
    kafka: &Connection,
    for_restate: &Connection,
    reads: Reads,
) -> anyhow::Result<Wanted> {
    let cluster = kafka::Cluster::discover(kafka).await?;
    kafka::ensure_topics(kafka, &domain::topic::ALL).await?;
    Wanted::find(&cluster.id, kafka, for_restate, reads).await
}

/// Waits for Restate and the services, and registers the services, or waits until another program has registered them.
async fn register<R: Fn(&str)>(
    args: &Args,
    admin: &Admin,
    waiter: &Waiter<'_, R>,
) -> anyhow::Result<()> {
    let ingress = Ingress::new(&args.restate_ingress.urls)?;
    waiter
        .until_ok("Restate", || async {
            anyhow::ensure!(
                admin.is_healthy().await,
                "no answer from its admin API at {}; is restate-server running, and is --restate-admin right?",
                args.restate_admin.urls
            );
            anyhow::ensure!(
                ingress.is_served().await,
                "no answer from its ingress at {}; is --restate-ingress right?",
                args.restate_ingress.urls
            );
            Ok(())
        })
        .await?;
    let wanted = args.services_used();
    if args.no_register {
        let found = waiter
            .until_ok("the services", || deployments::registered(admin, &wanted))
            .await?;
        (waiter.report)(&found);
    } else {
        for (part, url) in [
            ("order services", &args.order_services_url),
            ("driver simulator", &args.driver_simulator_url),
        ] {
            let found = waiter
                .until_ok(part, || deployments::ensure(admin, url, args.moved))
                .await?;
            (waiter.report)(&found);
        }
    }
    waiter
        .until_ok("the services", || ingress.knows(&wanted))
        .await
}

/// Waits for parts that may start later than setup.
struct Waiter<'a, R> {
    deadline: Instant,
    report: &'a R,
}

impl<R: Fn(&str)> Waiter<'_, R> {
    /// The pause between two attempts.
    const INTERVAL: Duration = Duration::from_millis(50);
    /// After this time, what is being waited for is reported.
    const QUIET: Duration = Duration::from_secs(2);

    /// Retries until `attempt` succeeds. Fails with the last error at the deadline.
    async fn until_ok<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        what: &str,
        attempt: impl Fn() -> F,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        let mut told = false;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if Instant::now() + Self::INTERVAL >= self.deadline {
                let waited =
                    humantime::format_duration(Duration::from_secs(start.elapsed().as_secs()));
                return Err(error.context(format!("{what}: gave up after {waited}")));
            }
            if !told && start.elapsed() >= Self::QUIET {
                (self.report)(&format!("waiting for {what}: {error:#}"));
                told = true;
            }
            tokio::time::sleep(Self::INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_is_reported_once_and_fails_with_the_last_error() {
        let told = RefCell::new(Vec::new());
        let report = |line: &str| told.borrow_mut().push(line.to_owned());
        let waiter = Waiter {
            deadline: Instant::now() + Duration::from_secs(10),
            report: &report,
        };
        let error = waiter
            .until_ok("tea", || async { Err::<(), _>(anyhow::anyhow!("cold")) })
            .await
            .unwrap_err();
        assert!(
            format!("{error:#}").starts_with("tea: gave up after 9"),
            "{error:#}"
        );
        assert!(format!("{error:#}").ends_with("cold"), "{error:#}");
        assert_eq!(*told.borrow(), ["waiting for tea: cold"]);

        let attempts = Cell::new(0);
        let waiter = Waiter {
            deadline: Instant::now() + Duration::from_secs(10),
            report: &report,
        };
        let served = waiter
            .until_ok("tea", || async {
                attempts.set(attempts.get() + 1);
                anyhow::ensure!(attempts.get() == 3, "cold");
                Ok("hot")
            })
            .await;
        assert_eq!((served.unwrap(), attempts.get()), ("hot", 3));
    }
}
