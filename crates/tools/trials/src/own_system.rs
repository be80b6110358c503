//! A separate system: `food-ordering up` as a child process, on free ports.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kafka::Connection;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use upstream::Addresses;

use food_ordering::{parent, up};

/// How long the system may take to start. It may have to install the Restate server first.
const START_WITHIN: Duration = Duration::from_mins(5);
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// How long a killed process may take to be replaced.
pub(crate) const BACK_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(5);

/// A system that `food-ordering up` runs. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct OwnSystem {
    up: Child,
    directory: PathBuf,
    endpoints: BTreeMap<String, String>,
}

impl OwnSystem {
    /// Starts a system with its data in `directory` and waits until it is ready. `flags` are for `up`.
    pub(crate) async fn start(directory: &Path, flags: &[OsString]) -> anyhow::Result<Self> {
        let output = directory.join("up.out");
        let file =
            File::create(&output).with_context(|| format!("writing {}", output.display()))?;
        let mut command = std::process::Command::new(launcher()?);
        command
            .args(["up", "--free-ports", "--data-dir"])
            .arg(directory)
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
        let addresses = directory.join(up::ENDPOINTS);
        while !addresses.exists() {
            if let Some(status) = up.try_wait()? {
                bail!("`food-ordering up`: {status}\n{}", text(&output));
            }
            if begin.elapsed() > START_WITHIN {
                bail!(
                    "`food-ordering up` is not ready after {START_WITHIN:?}\n{}",
                    text(&output)
                );
            }
            sleep(POLL).await;
        }
        Ok(Self {
            up,
            endpoints: read(&addresses)?,
            directory: directory.to_owned(),
        })
    }

    /// The address of a part.
    pub(crate) fn address(&self, name: &str) -> anyhow::Result<&str> {
        self.endpoints
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("{} names no {name}", up::ENDPOINTS))
    }

    /// The connection to its Kafka.
    pub(crate) fn kafka(&self) -> anyhow::Result<Connection> {
        let kafka = Connection::from_endpoints(&self.endpoints)?;
        kafka.with_context(|| format!("{} names no Kafka", up::ENDPOINTS))
    }

    /// The addresses of all of Restate's nodes. `name` is `restate-ingress`, `restate-admin` or `restate-node`.
    pub(crate) fn nodes(&self, name: &str) -> anyhow::Result<Addresses> {
        let nodes = Addresses::named(&self.endpoints, name)?;
        nodes.with_context(|| format!("{} names no {name}", up::ENDPOINTS))
    }

    /// The directory with its data and logs.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file with the addresses of all parts.
    pub(crate) fn endpoints(&self) -> PathBuf {
        self.directory.join(up::ENDPOINTS)
    }

    /// The process id of each part, by its name. It changes when a part dies and is restarted.
    pub(crate) fn processes(&self) -> anyhow::Result<BTreeMap<String, u32>> {
        read(&self.directory.join(up::PROCESSES))
    }

    /// The process of a part.
    pub(crate) fn process(&self, name: &str) -> anyhow::Result<Pid> {
        let processes = self.processes()?;
        let pid = processes
            .get(name)
            .with_context(|| format!("no process {name} in {processes:?}"))?;
        Ok(Pid::from_raw(i32::try_from(*pid)?))
    }

    /// Kills a part with SIGKILL, and waits until it is replaced.
    pub(crate) async fn kill(&self, name: &str) -> anyhow::Result<()> {
        let before = self.process(name)?;
        kill(before, Signal::SIGKILL).with_context(|| format!("killing {name}"))?;
        self.replaced(name, before).await
    }

    /// Waits until the part is another process than `before`.
    pub(crate) async fn replaced(&self, name: &str, before: Pid) -> anyhow::Result<()> {
        let deadline = Instant::now() + BACK_WITHIN;
        while self.process(name).is_ok_and(|pid| pid == before) {
            ensure!(
                Instant::now() < deadline,
                "{name} was not started again within {BACK_WITHIN:?}"
            );
            sleep(POLL).await;
        }
        Ok(())
    }

    /// How many records of topic `orders` Restate has not read.
    pub(crate) async fn unread_orders(&self) -> anyhow::Result<i64> {
        let admin = self.nodes("restate-admin")?.to_string();
        up::drain::orders(&admin, &self.kafka()?, Duration::ZERO).await
    }

    /// Stops the system.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.up.id() {
            kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        }
        let ended = timeout(STOP_WITHIN, self.up.wait()).await;
        let output = text(&self.directory.join("up.out"));
        match ended {
            Ok(status) if status.as_ref().is_ok_and(ExitStatus::success) => Ok(()),
            Ok(status) => bail!("`food-ordering up`: {status:?}\n{output}"),
            Err(_) => bail!("`food-ordering up` has not stopped after {STOP_WITHIN:?}\n{output}"),
        }
    }
}

/// The path of `food-ordering`: `FOOD_ORDERING_BIN`, or else the one in the same directory as this program.
fn launcher() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("FOOD_ORDERING_BIN") {
        return Ok(path.into());
    }
    let path = std::env::current_exe()?.with_file_name("food-ordering");
    ensure!(
        path.exists(),
        "{} does not exist; build it with `cargo build -p food-ordering -p psql-gateway`, or set FOOD_ORDERING_BIN to its path",
        path.display()
    );
    Ok(path)
}

fn text(output: &Path) -> String {
    std::fs::read_to_string(output).unwrap_or_default()
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let read = || anyhow::Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?);
    read().with_context(|| format!("reading {}", file.display()))
}

/// `flags`, preceded by those of `defaults` that they do not replace.
pub(crate) fn with_defaults<D: AsRef<str>>(defaults: &[D], flags: &[OsString]) -> Vec<OsString> {
    let name = |flag: &str| flag.split('=').next().unwrap_or(flag).to_owned();
    let given: BTreeSet<String> = flags
        .iter()
        .filter_map(|flag| flag.to_str())
        .map(name)
        .collect();
    defaults
        .iter()
        .map(AsRef::as_ref)
        .filter(|flag| !given.contains(&name(flag)))
        .map(OsString::from)
        .chain(flags.iter().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_flag_replaces_the_default_in_either_notation() {
        let given = ["--pause=1s", "--step", "0.1"].map(OsString::from);
        let all = with_defaults(&["--pause=0s", "--step=1", "--drivers=3"], &given);
        assert_eq!(all, ["--drivers=3", "--pause=1s", "--step", "0.1"]);
    }
}
