//! A whole system of one's own, in a directory that goes when it does.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use domain::Region;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::figures::{self, Meters};
use super::process::Process;
use crate::{parent, up};

/// How long the system has to start; the Restate server may have to be installed first.
const START_WITHIN: Duration = Duration::from_mins(5);
const STOP_WITHIN: Duration = Duration::from_secs(40);

/// A system that `food-ordering up` runs.
#[derive(Debug)]
pub(super) struct LocalSystem {
    up: Child,
    directory: TempDir,
    endpoints: BTreeMap<String, String>,
    processes: BTreeMap<String, u32>,
    /// When it was told to start.
    pub(super) begin: Instant,
}

impl LocalSystem {
    /// Starts a fresh system as the benchmark wants it, and waits until it is ready.
    pub(super) async fn start(drivers: u32, flags: &[OsString]) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("food-ordering-bench-")
            .tempdir()
            .context("making a directory for the benchmark's data")?;
        let output = directory.path().join("up.out");
        let file = File::create(&output)?;
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command
            .args(["up", "--free-ports", "--data-dir"])
            .arg(directory.path())
            .arg(format!("--drivers={drivers}"))
            .arg(format!("--region={}", Region::default()))
            .args(["--poll-interval=1s", "--move-interval=0s", "--pause=0s"])
            .arg("--preparation-time=0s")
            .args(flags)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        parent::tie(&mut command);
        let begin = Instant::now();
        let mut up = Command::from(command)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("starting `food-ordering up`")?;
        let addresses = directory.path().join(up::ENDPOINTS);
        while !addresses.exists() {
            if let Some(status) = up.try_wait()? {
                bail!("`food-ordering up`: {status}\n{}", read(&output));
            }
            if begin.elapsed() > START_WITHIN {
                bail!(
                    "`food-ordering up` is not ready after {START_WITHIN:?}\n{}",
                    read(&output)
                );
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let processes = directory.path().join(up::PROCESSES);
        Ok(Self {
            up,
            endpoints: serde_json::from_str(&std::fs::read_to_string(addresses)?)?,
            processes: serde_json::from_str(&std::fs::read_to_string(processes)?)?,
            directory,
            begin,
        })
    }

    /// The address of a part.
    pub(super) fn address(&self, name: &str) -> anyhow::Result<&str> {
        self.endpoints
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("{} names no {name}", up::ENDPOINTS))
    }

    pub(super) fn meters(&self) -> anyhow::Result<Meters> {
        Ok(Meters {
            processes: self
                .processes
                .iter()
                .map(|(name, pid)| Process {
                    name: name.clone(),
                    pid: *pid,
                })
                .collect(),
            kafka: figures::kafka(self.address("kafka")?)?,
            topics: domain::topic::ALL
                .iter()
                .map(|(topic, _)| (*topic).to_owned())
                .collect(),
            updates_topic: domain::topic::DRIVER_UPDATES.to_owned(),
            metrics_url: Some(format!("{}/metrics", self.address("restate-node")?)),
            peak_together: Cell::default(),
        })
    }

    /// Stops it and removes its data.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.up.id() {
            kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        }
        let ended = tokio::time::timeout(STOP_WITHIN, self.up.wait()).await;
        let output = read(&self.directory.path().join("up.out"));
        match ended {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(()),
            Ok(status) => bail!("`food-ordering up`: {status:?}\n{output}"),
            Err(_) => bail!("`food-ordering up` has not stopped after {STOP_WITHIN:?}\n{output}"),
        }
    }
}

fn read(output: &Path) -> String {
    std::fs::read_to_string(output).unwrap_or_default()
}
