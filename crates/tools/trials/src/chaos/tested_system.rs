//! The system under test, and the signals sent to its processes.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use audit::Sources;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Client;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::links::Links;
use super::plan::Victim;
use crate::own_system::{self, BACK_WITHIN, OwnSystem};
use food_ordering::broker::Broker;
use food_ordering::http::{self, Protocol};
use food_ordering::setup;
use food_ordering::up::{Node, Nodes};

const POLL: Duration = Duration::from_millis(10);
/// Flags of `up` that make orders quick and limits short. The user's flags replace these.
const FLAGS: [&str; 10] = [
    "--poll-interval=1s",
    "--move-interval=20ms",
    "--pause=0s",
    "--preparation-time=500ms",
    // Shorter than an outage of a third party, longer than any other fault.
    "--preparation-limit=10s",
    "--payment-limit=10s",
    "--driver-limit=10m",
    "--driver-silence=10s",
    "--delivery-limit=10m",
    // So that an outage of some seconds exceeds Restate's default retries. With the usual setting, only an outage of hours does.
    "--restate-env=RESTATE_DEFAULT_RETRY_POLICY__MAX_ATTEMPTS=3",
];
/// The name in `processes.json` of the process that restarts the others.
const LAUNCHER: &str = "launcher";

/// A whole system of its own.
#[derive(Debug)]
pub(super) struct TestedSystem {
    pub(super) system: OwnSystem,
    /// The connections between the nodes of a cluster.
    links: Option<Links>,
    /// Locked during an outage, when the launcher is stopped.
    launcher: Mutex<()>,
    pub(super) sources: Sources,
    pub(super) client: Client,
}

impl TestedSystem {
    /// Starts the system with its data in `directory`.
    pub(super) async fn start(
        directory: &Path,
        broker: Broker,
        nodes: Nodes,
        drivers: u32,
        flags: &[OsString],
    ) -> anyhow::Result<Self> {
        let links = match nodes {
            Nodes::One => None,
            Nodes::Three => Some(Links::start(directory).await?),
        };
        let mut all = vec![
            format!("--drivers={drivers}").into(),
            format!("--kafka={broker}").into(),
            format!("--restate-nodes={nodes}").into(),
        ];
        all.extend(links.as_ref().map(|links| links.flag().into()));
        all.extend(own_system::with_defaults(&FLAGS, flags));
        let system = OwnSystem::start(directory, &all).await?;
        Ok(Self {
            sources: Sources::from_endpoints(&system.endpoints())?,
            system,
            links,
            launcher: Mutex::default(),
            client: http::client(Duration::from_secs(10))?,
        })
    }

    /// Kills a process and waits until it is replaced. Returns when the new one was started, in ms since the epoch.
    pub(super) async fn kill(&self, victim: Victim) -> anyhow::Result<i64> {
        self.system.kill(victim.name()).await?;
        Ok(crate::clock::now_ms())
    }

    /// Kills a process, prevents its restart for the time `lasts`, and returns when it is replaced.
    pub(super) async fn keep_down(&self, victim: Victim, lasts: Duration) -> anyhow::Result<()> {
        self.replace_after(victim, async || {
            sleep(lasts).await;
            Ok(())
        })
        .await
    }

    /// Kills a process, does something while it is missing, and returns when it is replaced. The launcher is stopped during that
    /// time, so no other process is restarted either. Only one process may be missing: the end of one outage would end the other.
    async fn replace_after(
        &self,
        victim: Victim,
        meanwhile: impl AsyncFnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let _one = self.launcher.lock().await;
        let launcher = self.system.process(LAUNCHER)?;
        signal(launcher, Signal::SIGSTOP)?;
        let before = self.system.process(victim.name())?;
        signal(before, Signal::SIGKILL)?;
        let done = meanwhile().await;
        signal(launcher, Signal::SIGCONT)?;
        done?;
        self.system.replaced(victim.name(), before).await
    }

    /// Cuts a node of a cluster off from the others for the time `lasts`.
    pub(super) async fn cut_off(&self, node: Victim, lasts: Duration) -> anyhow::Result<()> {
        let links = self.links.as_ref().context("a single node has no links")?;
        links.cut_off(node, lasts).await;
        Ok(())
    }

    /// Kills a node of a cluster, takes everything away that it had stored, and waits until a new node has replaced it. Returns when
    /// that was started, in ms since the epoch.
    ///
    /// The new node has another name: Restate refuses a node that comes back without its log.
    pub(super) async fn lose_disk(&self, victim: Victim) -> anyhow::Result<i64> {
        let node = Node::of_process(victim.name()).context("only nodes of Restate have a disk")?;
        let directory = self.system.directory();
        self.replace_after(victim, async || replace_node(directory, node))
            .await?;
        Ok(crate::clock::now_ms())
    }

    /// Stops a process with SIGSTOP, and continues it after `lasts`.
    pub(super) async fn pause(&self, victim: Victim, lasts: Duration) -> anyhow::Result<()> {
        let pid = self.system.process(victim.name())?;
        signal(pid, Signal::SIGSTOP)?;
        sleep(lasts).await;
        signal(pid, Signal::SIGCONT)
    }

    /// Runs setup again, as an operator does. Among other things it resumes paused invocations; returns its line about them.
    pub(super) async fn set_up(&self) -> anyhow::Result<Option<String>> {
        let resumed = RefCell::new(None);
        let properties = self.system.address(kafka::PROPERTIES_FILE);
        let args = setup::Args {
            restate_admin: upstream::RestateAdmin {
                urls: self.system.nodes("restate-admin")?.to_string(),
            },
            restate_ingress: upstream::RestateIngress {
                urls: self.system.nodes("restate-ingress")?.to_string(),
            },
            order_services_url: self.system.address("order-services")?.to_owned(),
            driver_simulator_url: self.system.address("driver-simulator")?.to_owned(),
            moved: true,
            no_register: false,
            keep_paused: false,
            kafka: kafka::Options {
                brokers: self.system.address("kafka")?.to_owned(),
                properties: kafka::PropertiesFile {
                    file: properties.ok().map(Into::into),
                },
            },
            kafka_brokers_for_restate: None,
            kafka_properties_for_restate: None,
            reader: setup::Reader::default(),
            position_filter: setup::PositionFilter {
                position_filter: Some(true),
            },
            // They are at work already.
            drivers: 0,
            regions: Vec::new(),
            timeout: BACK_WITHIN,
        };
        setup::run(&args, |line| {
            tracing::debug!("setup: {line}");
            if line.contains("paused invocations") {
                resumed.replace(Some(line.to_owned()));
            }
        })
        .await
        .context("setup")?;
        Ok(resumed.into_inner())
    }

    /// Ends all faults: clears the third parties' faults, waits until every part answers, and runs setup.
    pub(super) async fn heal(&self) -> anyhow::Result<()> {
        // A fault that was aborted may have left a process stopped.
        for pid in self.system.processes()?.into_values() {
            signal(Pid::from_raw(i32::try_from(pid)?), Signal::SIGCONT)?;
        }
        for stub in [Victim::PaymentProvider, Victim::RestaurantPos] {
            let url = format!("{}/faults", self.system.address(stub.name())?);
            self.wait_until(stub, async || {
                http::send(self.client.delete(&url)).await.is_ok()
            })
            .await?;
        }
        for node in self.system.nodes("restate-admin")?.each() {
            let url = format!("{node}/health");
            self.wait_until(Victim::Restate, async || {
                http::answers(&url, Protocol::Http1).await
            })
            .await?;
        }
        for (victim, name, protocol) in [
            (Victim::Gateway, "gateway", Protocol::Http1),
            (Victim::OrderServices, "order-services", Protocol::Http2),
            (Victim::DriverSimulator, "driver-simulator", Protocol::Http2),
            (Victim::PositionFilter, "position-filter", Protocol::Http1),
        ] {
            let url = format!("{}/health", self.system.address(name)?);
            self.wait_until(victim, async || http::answers(&url, protocol).await)
                .await?;
        }
        self.set_up().await.map(drop)
    }

    async fn wait_until(
        &self,
        victim: Victim,
        mut is_back: impl AsyncFnMut() -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + BACK_WITHIN;
        while !is_back().await {
            ensure!(
                Instant::now() < deadline,
                "{} does not answer after {BACK_WITHIN:?}",
                victim.name()
            );
            sleep(POLL).await;
        }
        Ok(())
    }
}

/// Takes the data of a node away, and makes the node a new one that joins the cluster.
fn replace_node(directory: &Path, node: Node) -> anyhow::Result<()> {
    let name = node.name();
    let config = directory.join(node.config_file());
    let store = directory.join("restate").join(name);
    let of = |name: &str| format!("node-name = \"{name}\"");
    let text = std::fs::read_to_string(&config)
        .with_context(|| format!("reading {}", config.display()))?;
    ensure!(text.contains(&of(name)), "{}: no {name}", config.display());
    let text = text
        .replace(&of(name), &of(&format!("{name}-new")))
        // It must not create a second cluster.
        .replace("auto-provision = true", "auto-provision = false");
    std::fs::write(&config, text).with_context(|| format!("writing {}", config.display()))?;
    // Not deleted: the killed process may still be writing to it.
    std::fs::rename(&store, store.with_extension("lost"))
        .with_context(|| format!("moving {}", store.display()))
}

/// Sends a signal to a process. It is not an error if the process is gone, because another fault may have killed it.
fn signal(pid: Pid, signal: Signal) -> anyhow::Result<()> {
    match kill(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("sending {signal} to process {pid}")),
    }
}
