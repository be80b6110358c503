//! Starts, supervises and stops the processes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, bail};
use domain::Region;
use futures::future::join_all;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep, timeout};

use super::clock::Clock;
use super::data_dir::{self, ENDPOINTS, PROCESSES};
use super::drain;
use super::layout::{Broker, Layout};
use super::nodes::{self, Node, Nodes, Store};
use super::ports::Use;
use super::process::{Event, Readiness, Spec, Supervisor};
use super::reading;
use crate::broker::apache;
use crate::http::{self, Protocol};
use crate::restate::admin::Admin;
use crate::{Part, files, setup};

/// How long a process may take to be ready.
const READY_WITHIN: Duration = Duration::from_mins(2);
/// How long setup may take after everything it waits for is ready.
const SETUP_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);
/// How often `up` checks the clock, and whether Restate reads the topics that exist.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// How long a process may take to end before it is killed.
const END_WITHIN: Duration = Duration::from_secs(5);
/// The same for Restate, which flushes its memory to disk.
const RESTATE_ENDS_WITHIN: Duration = Duration::from_secs(15);
/// The same for Apache Kafka, which runs in Java.
const KAFKA_ENDS_WITHIN: Duration = Duration::from_secs(10);
/// How long Restate may take to read the orders that only the broker in memory holds. A Restate that was restarted after a kill can
/// read them only when its previous session with Kafka is over (6 s, see `setup/subscriptions.rs`).
const DRAIN_WITHIN: Duration = Duration::from_secs(10);
/// After this time, the user is told what is being waited for.
const QUIET: Duration = Duration::from_secs(1);

/// All processes.
#[derive(Debug)]
pub(super) struct System {
    pub(super) layout: Layout,
    drivers: u32,
    regions: Vec<Region>,
    /// Kafka's address, once it is known.
    pub(super) brokers: String,
    supervisors: BTreeMap<&'static str, Supervisor>,
    pids: BTreeMap<&'static str, u32>,
    sender: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
    /// Whether everything has been ready once.
    started: bool,
    /// The background steps that are running.
    steps: JoinSet<Step>,
}

/// The result of a background step: setting up again, moving to a new broker, or checking Kafka.
#[derive(Debug)]
enum Step {
    /// The restarted broker in memory has written its address.
    BrokerRestarted(anyhow::Result<String>),
    /// Setup has finished.
    SetUp(anyhow::Result<()>),
    /// The topics were checked: what setup would have to change.
    Checked(anyhow::Result<Vec<String>>),
}

impl System {
    pub(super) fn new(layout: Layout, drivers: u32, regions: Vec<Region>) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        Self {
            brokers: layout.brokers(),
            layout,
            drivers,
            regions,
            supervisors: BTreeMap::new(),
            pids: BTreeMap::from([("launcher", std::process::id())]),
            sender,
            events,
            started: false,
            steps: JoinSet::new(),
        }
    }

    /// Starts all processes and runs setup. Returns when everything is ready. Fails with the first part that is not.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let (mut first, mut starting) = self.layout.independent()?;
        if let Some(broker) = self.layout.broker()? {
            // Otherwise the address of the last run would be mistaken for the new one.
            files::remove(&self.layout.broker_address_file())?;
            first.insert(0, broker);
        }
        self.launch_all(&first);
        self.ready(&first).await?;
        if self.is_in_memory() {
            self.brokers = broker_address(&self.layout.broker_address_file()).await?;
        }
        starting.extend(self.layout.dependent_on_kafka(&self.brokers));
        self.launch_all(&starting);

        let setup = self.set_up()?;
        let setup = async {
            let begin = Instant::now();
            setup.await?;
            say!(
                "  {:<18}{:<28}{:>5} ms",
                "setup",
                "",
                begin.elapsed().as_millis()
            );
            anyhow::Ok(())
        };
        tokio::try_join!(self.ready(&starting), setup)?;
        if self.layout.nodes == Nodes::Three {
            Store(&self.layout.store()).note_provisioned()?;
        }
        self.started = true;
        self.write_lists()
    }

    /// Supervises everything. Returns only on an error that cannot be recovered from.
    pub(super) async fn supervise(&mut self) -> anyhow::Result<()> {
        let mut clock = Clock::now();
        let mut check_clock_and_topics = tokio::time::interval(CHECK_EVERY);
        check_clock_and_topics.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = check_clock_and_topics.tick(), if self.steps.is_empty() => {
                    let before = std::mem::replace(&mut clock, Clock::now());
                    self.check_clock_and_topics(before.set_back_until(&clock))?;
                }
                Some(event) = self.events.recv() => self.handle_event(event),
                Some(done) = self.steps.join_next() => match done {
                    Ok(step) => self.handle_step(step)?,
                    Err(aborted) if aborted.is_cancelled() => {}
                    Err(panic) => return Err(panic.into()),
                },
            }
        }
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Died { name, how, back_in } => {
                let log = self.layout.dir.log(name);
                let mut when = String::new();
                if !self.layout.restart_delay.is_zero() {
                    when = format!(" in {}", humantime::format_duration(back_in));
                    // Until then the operating system may give the process id to another process.
                    self.pids.remove(name);
                    self.note_processes();
                }
                say!(
                    "{name} {how}; starting it again{when} (log: {})",
                    log.display()
                );
            }
            Event::Started { name, pid } => {
                self.pids.insert(name, pid);
                self.note_processes();
                say!("{name} runs as process {pid}");
                if name == Part::Kafka.name() && self.is_in_memory() {
                    // The new broker has no records, and a new address. Everything moves there as soon as the address is known.
                    self.steps.abort_all();
                    let file = self.layout.broker_address_file();
                    self.steps
                        .spawn(async move { Step::BrokerRestarted(broker_address(&file).await) });
                }
            }
        }
    }

    fn handle_step(&mut self, step: Step) -> anyhow::Result<()> {
        match step {
            Step::BrokerRestarted(address) => {
                self.brokers = address?;
                say!(
                    "The broker in memory was restarted at {}: records that Restate had not read are lost. Moving everything there …",
                    self.brokers
                );
                let mut replaced = Vec::new();
                for spec in self.layout.dependent_on_kafka(&self.brokers) {
                    if let Some(supervisor) = self.supervisors.get(spec.name) {
                        let readiness = spec.readiness.clone();
                        let started = supervisor.replace(spec);
                        replaced.push(async move {
                            started.await;
                            wait_until_ready(&readiness).await
                        });
                    }
                }
                let replaced = join_all(replaced);
                self.set_up_after(async { drop(replaced.await) });
            }
            Step::SetUp(Ok(())) => {
                say!("Restate reads the topics at {}.", self.brokers);
                self.write_lists()?;
            }
            Step::Checked(Ok(problems)) if !problems.is_empty() => {
                say!("Setting up again: {}.", problems.join("; "));
                self.set_up_after(std::future::ready(()));
            }
            // Kafka cannot be reached; the parts that need it report that.
            Step::Checked(_) => {}
            Step::SetUp(Err(error)) => {
                say!("Setup failed, retrying: {error:#}");
                self.set_up_after(sleep(Duration::from_secs(1)));
            }
        }
        Ok(())
    }

    /// Sets up again if the clock was `set_back`. Otherwise checks whether Restate reads the existing topics: one may have been
    /// deleted and created again, or Restate may have stopped reading.
    fn check_clock_and_topics(&mut self, set_back: Option<Duration>) -> anyhow::Result<()> {
        if let Some(by) = set_back {
            let by = Duration::from_secs(by.as_secs());
            say!(
                "The clock was set back by {}: waking the simulated drivers, whose timers would otherwise be late by that much.",
                humantime::format_duration(by)
            );
            self.set_up_after(std::future::ready(()));
            return Ok(());
        }
        let admin = Admin::new(&self.layout.ports.urls(Use::RestateAdmin))?;
        let kafka = self.layout.kafka(&self.brokers)?;
        let has_filter = self.layout.has_position_filter;
        self.steps.spawn(async move {
            Step::Checked(setup::to_repair(&admin, &kafka, has_filter).await)
        });
        Ok(())
    }

    fn set_up_after(&mut self, before: impl Future<Output = ()> + Send + 'static) {
        let setup = self.set_up();
        self.steps.spawn(async move {
            before.await;
            Step::SetUp(match setup {
                Ok(setup) => setup.await,
                Err(error) => Err(error),
            })
        });
    }

    /// Runs setup, which writes to its log, and waits until Restate reads the topics.
    fn set_up(&self) -> anyhow::Result<impl Future<Output = anyhow::Result<()>> + use<>> {
        let args = self.setup_args();
        let log = self.layout.dir.log("setup");
        let kafka = self.layout.kafka(&self.brokers)?;
        let nodes: Vec<String> = (self.layout.nodes.all().iter())
            .map(|node| self.layout.ports.url(Use::RestateNode(*node)))
            .collect();
        // Other readers of the topic would see a probe in a Kafka that is not ours.
        let probe = !matches!(self.layout.broker, Broker::Elsewhere(_));
        Ok(async move {
            set_up(&args, &log).await?;
            let admin = &args.restate_admin.urls;
            reading::topics(admin, &nodes, &kafka, probe, READY_WITHIN).await
        })
    }

    /// Stops everything in a sequence that loses no accepted order: the gateway, which accepts orders, comes first.
    pub(super) async fn stop(&mut self) {
        say!("\nStopping …");
        self.steps.abort_all();
        if let Some(gateway) = self.supervisors.remove(Part::Gateway.name()) {
            gateway.stop(END_WITHIN).await;
        }
        if self.started && self.is_in_memory() {
            self.drain().await;
        }
        // All at the same time: the services end as soon as Restate closes its connections, and interrupted attempts are retried at
        // the next start.
        let kafka = self.supervisors.remove(Part::Kafka.name());
        let others = std::mem::take(&mut self.supervisors);
        let others = others.into_iter();
        join_all(others.map(|(name, supervisor)| supervisor.stop(grace(name)))).await;
        if let Some(kafka) = kafka {
            kafka.stop(KAFKA_ENDS_WITHIN).await;
        }
        if let Err(error) = self.layout.dir.forget_addresses() {
            say!("{error:#}");
        }
        say!("Stopped.");
    }

    fn is_in_memory(&self) -> bool {
        matches!(self.layout.broker, Broker::InMemory)
    }

    /// Gives Restate time to read the orders that would be lost with the broker in memory.
    async fn drain(&self) {
        let admin = self.layout.ports.urls(Use::RestateAdmin);
        let drain = async {
            let kafka = self.layout.kafka(&self.brokers)?;
            drain::orders(&admin, &kafka, DRAIN_WITHIN).await
        };
        tokio::pin!(drain);
        let drained = if let Ok(drained) = timeout(QUIET, &mut drain).await {
            drained
        } else {
            say!("Waiting until Restate has read the last orders …");
            drain.await
        };
        match drained {
            Ok(0) => {}
            Ok(left) => say!(
                "{left} orders are lost with the broker in memory: Restate did not read them in time."
            ),
            Err(error) => say!(
                "Could not check whether Restate has read all orders of the broker in memory: {error:#}"
            ),
        }
    }

    fn launch_all(&mut self, specs: &[Spec]) {
        for spec in specs {
            let supervisor = Supervisor::start(spec.clone(), self.sender.clone());
            self.supervisors.insert(spec.name, supervisor);
        }
    }

    /// Waits until these processes are ready, and prints a line for each. Fails if one dies or takes too long.
    async fn ready(&mut self, specs: &[Spec]) -> anyhow::Result<()> {
        let all = join_all(specs.iter().map(|spec| async move {
            let begin = Instant::now();
            let address = timeout(READY_WITHIN, wait_until_ready(&spec.readiness))
                .await
                .ok()?;
            let ms = begin.elapsed().as_millis();
            say!("  {:<18}{address:<28}{ms:>5} ms", spec.name);
            Some(())
        }));
        tokio::pin!(all);
        loop {
            tokio::select! {
                ready = &mut all => {
                    let late = specs.iter().zip(ready).find(|(_, ready)| ready.is_none());
                    let Some((Spec { name, log, .. }, _)) = late else { return Ok(()) };
                    bail!(
                        "{name} is not ready after {} s. The last lines of its log ({}):\n{}",
                        READY_WITHIN.as_secs(),
                        log.display(),
                        data_dir::tail(log)
                    );
                }
                Some(event) = self.events.recv() => match event {
                    Event::Started { name, pid } => { self.pids.insert(name, pid); }
                    Event::Died { name, how, .. } => {
                        let log = self.layout.dir.log(name);
                        bail!(
                            "{name} {how} while starting. The last lines of its log ({}):\n{}",
                            log.display(),
                            data_dir::tail(&log)
                        )
                    }
                }
            }
        }
    }

    fn setup_args(&self) -> setup::Args {
        let url = |port: Use| self.layout.ports.url(port);
        let urls = |port: fn(Node) -> Use| self.layout.ports.urls(port);
        setup::Args {
            restate_admin: upstream::RestateAdmin {
                urls: urls(Use::RestateAdmin),
            },
            restate_ingress: upstream::RestateIngress {
                urls: urls(Use::RestateIngress),
            },
            order_services_url: url(Use::OrderServices),
            driver_simulator_url: url(Use::DriverSimulator),
            // There is one process per part, so a different port means that the part has moved.
            moved: true,
            no_register: false,
            keep_paused: false,
            kafka: kafka::Options {
                brokers: self.brokers.clone(),
                properties: kafka::PropertiesFile {
                    file: self.layout.kafka_properties.clone(),
                },
            },
            kafka_brokers_for_restate: None,
            kafka_properties_for_restate: None,
            reader: setup::Reader::default(),
            position_filter: setup::PositionFilter {
                position_filter: Some(self.layout.has_position_filter),
            },
            drivers: self.drivers,
            regions: self.regions.clone(),
            timeout: READY_WITHIN + SETUP_WITHIN,
        }
    }

    /// Writes `processes.json`. If that fails, as on a full disk, the parts keep running.
    fn note_processes(&self) {
        if let Err(error) = self.layout.dir.write_json(PROCESSES, &self.pids) {
            say!("{error:#}: the list of processes is out of date");
        }
    }

    /// Writes `endpoints.json` and `processes.json`.
    fn write_lists(&self) -> anyhow::Result<()> {
        let (dir, addresses) = (&self.layout.dir, self.layout.addresses(&self.brokers));
        dir.write_json(PROCESSES, &self.pids)?;
        dir.write_json(ENDPOINTS, &addresses)
    }
}

fn grace(name: &str) -> Duration {
    if nodes::is_node(name) {
        RESTATE_ENDS_WITHIN
    } else {
        END_WITHIN
    }
}

/// Waits until a process is ready. Returns its address.
async fn wait_until_ready(readiness: &Readiness) -> String {
    loop {
        let seen = match readiness {
            Readiness::Answers(urls) => {
                let answers = join_all(urls.iter().map(|url| http::answers(url, Protocol::Http1)));
                answers.await.into_iter().all(|answers| answers)
            }
            Readiness::AnswersHttp2(url) => http::answers(url, Protocol::Http2).await,
            Readiness::Listens(address) => TcpStream::connect(address).await.is_ok(),
            Readiness::Brokers(address) => apache::answers(address).await,
            Readiness::Writes(file) => file.exists(),
        };
        if seen {
            return match readiness {
                Readiness::Answers(urls) => urls.first().map_or_else(String::new, |url| base(url)),
                Readiness::AnswersHttp2(url) => base(url),
                Readiness::Listens(address) => address.to_string(),
                Readiness::Brokers(address) => address.clone(),
                Readiness::Writes(_) => "in memory".to_owned(),
            };
        }
        sleep(POLL).await;
    }
}

/// `http://host:port` of a URL.
fn base(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

/// Waits until the broker in memory has written its address into `file`, and returns it.
async fn broker_address(file: &Path) -> anyhow::Result<String> {
    while !file.exists() {
        sleep(POLL).await;
    }
    std::fs::read_to_string(file)
        .with_context(|| format!("reading the broker's address from {}", file.display()))
}

/// Runs setup. What it finds and does is written to `log`.
async fn set_up(args: &setup::Args, log: &Path) -> anyhow::Result<()> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("opening {}", log.display()))?;
    let file = Mutex::new(file);
    let report = |line: &str| {
        if let Ok(mut file) = file.lock() {
            // A failure to write the log is no reason to stop.
            let _ = writeln!(file, "{line}");
        }
    };
    setup::run(args, report).await.context("setup")
}
