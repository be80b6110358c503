//! Keeps one child process running.

use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::proxies;
use crate::{files, parent};

/// How to start a process: this binary with `arguments`.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) binary: PathBuf,
    pub(super) arguments: Vec<OsString>,
    /// Environment variables in addition to those of this process.
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) log: PathBuf,
    pub(super) readiness: Readiness,
    /// The least time before it is restarted after it has died.
    pub(super) restart_delay: Duration,
}

/// How to see that a process is ready.
#[derive(Debug, Clone)]
pub(super) enum Readiness {
    /// These URLs answer a GET with success.
    Answers(Vec<String>),
    /// This URL does so over HTTP/2, for durable services.
    AnswersHttp2(String),
    /// This address accepts connections.
    Listens(SocketAddr),
    /// A Kafka broker answers at this address.
    Brokers(String),
    /// This file exists; it is removed before the process is started.
    Writes(PathBuf),
}

/// Something that happened to a process.
#[derive(Debug)]
pub(super) enum Event {
    Started {
        name: &'static str,
        pid: u32,
    },
    Died {
        name: &'static str,
        how: String,
        /// The time until it is restarted.
        back_in: Duration,
    },
}

/// Keeps a process running until [`stop`](Self::stop) is called.
///
/// If it is dropped instead, the process is killed.
#[derive(Debug)]
pub(super) struct Supervisor {
    /// What should run; `None` to stop.
    wanted: watch::Sender<Option<Arc<Spec>>>,
    /// What was started last.
    running: watch::Receiver<Option<Arc<Spec>>>,
    task: JoinHandle<()>,
}

/// How long a process may take to end when it is replaced.
const REPLACE_WITHIN: Duration = Duration::from_secs(3);

impl Supervisor {
    /// Starts the process, and restarts it whenever it ends.
    pub(super) fn start(spec: Spec, events: mpsc::UnboundedSender<Event>) -> Self {
        let (wanted, changes) = watch::channel(Some(Arc::new(spec)));
        let (started, running) = watch::channel(None);
        let task = tokio::spawn(keep(changes, started, events));
        Self {
            wanted,
            running,
            task,
        }
    }

    /// Ends the process and starts it again according to `spec`. The returned future completes when it has been started.
    pub(super) fn replace(&self, spec: Spec) -> impl Future<Output = ()> + use<> {
        let spec = Arc::new(spec);
        self.wanted.send_replace(Some(spec.clone()));
        let mut running = self.running.clone();
        async move {
            let is_it = |running: &Option<Arc<Spec>>| {
                running
                    .as_ref()
                    .is_some_and(|running| Arc::ptr_eq(running, &spec))
            };
            // An error means that this supervisor has been stopped.
            let _ = running.wait_for(is_it).await;
        }
    }

    /// Asks the process to end, and kills it if it has not ended after `grace`.
    pub(super) async fn stop(mut self, grace: Duration) {
        self.wanted.send_replace(None);
        // The task sends SIGTERM and waits without a limit. Aborting it kills the process.
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            self.task.abort();
            let _ = (&mut self.task).await;
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(
    mut wanted: watch::Receiver<Option<Arc<Spec>>>,
    started: watch::Sender<Option<Arc<Spec>>>,
    events: mpsc::UnboundedSender<Event>,
) {
    let mut backoff = Backoff::default();
    loop {
        let Some(spec) = wanted.borrow_and_update().clone() else {
            return;
        };
        let (name, restart_delay) = (spec.name, spec.restart_delay);
        let born = Instant::now();
        let how = match spawn(&spec) {
            Err(error) => format!("could not be started: {error:#}"),
            Ok(mut child) => {
                started.send_replace(Some(spec));
                // Fails only if everything is being stopped.
                let _ = events.send(Event::Started {
                    name,
                    pid: child.id().unwrap_or_default(),
                });
                tokio::select! {
                    status = child.wait() => status.map_or_else(|error| error.to_string(), describe),
                    changed = wanted.changed() => {
                        let grace = match changed {
                            Ok(()) if wanted.borrow().is_some() => REPLACE_WITHIN,
                            // `stop` has its own limit.
                            _ => Duration::MAX,
                        };
                        end(&mut child, grace).await;
                        continue;
                    }
                }
            }
        };
        let back_in = backoff.after(born.elapsed()).max(restart_delay);
        let _ = events.send(Event::Died { name, how, back_in });
        tokio::select! {
            () = tokio::time::sleep(back_in) => {}
            _ = wanted.changed() => {}
        }
    }
}

fn spawn(spec: &Spec) -> anyhow::Result<Child> {
    if let Readiness::Writes(file) = &spec.readiness {
        files::remove(file)?;
    }
    let log = File::options()
        .create(true)
        .append(true)
        .open(&spec.log)
        .with_context(|| format!("opening {}", spec.log.display()))?;
    let mut command = std::process::Command::new(&spec.binary);
    command
        .args(&spec.arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    // Variables that the user has set for another Restate server must not configure this one.
    for (variable, _) in std::env::vars_os() {
        if variable.as_encoded_bytes().starts_with(b"RESTATE_") {
            command.env_remove(variable);
        }
    }
    command.envs(proxies::no_proxy_variables());
    command.envs(spec.environment.iter().map(|(name, value)| (name, value)));
    parent::tie(&mut command);
    // A process group of its own, so that Ctrl-C in the terminal reaches only the launcher, which stops the parts in order.
    Command::from(command)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", spec.binary.display()))
}

/// Asks a process to end, kills it after `grace`, and waits until it is gone.
async fn end(child: &mut Child, grace: Duration) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // An error means that it has ended already.
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    if tokio::time::timeout(grace, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => {
            let name =
                Signal::try_from(signal).map_or_else(|_| signal.to_string(), |s| s.to_string());
            format!("was killed by {name}")
        }
        (None, None) => "ended".to_owned(),
    }
}

/// How long to wait before restarting a process that died: not at all at first, then longer and longer if it dies soon after each
/// start.
#[derive(Debug, Default)]
struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// A process that has run for this long has started successfully, which resets the pauses.
    const STABLE_AFTER: Duration = Duration::from_secs(10);
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(5);

    fn after(&mut self, lived: Duration) -> Duration {
        if lived >= Self::STABLE_AFTER {
            self.deaths = 0;
        }
        let delay = match self.deaths {
            0 => Duration::ZERO,
            deaths => (Self::FIRST * 2_u32.saturating_pow(deaths - 1)).min(Self::LONGEST),
        };
        self.deaths = (self.deaths + 1).min(10);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_a_process_dies_soon_after_each_start() {
        let mut backoff = Backoff::default();
        let mut die = |lived: u64| backoff.after(Duration::from_secs(lived)).as_millis();
        assert_eq!([die(0), die(0), die(1), die(0)], [0, 100, 200, 400]);
        for _ in 0..10 {
            die(0);
        }
        assert_eq!(die(0), 5000);
        assert_eq!([die(60), die(0)], [0, 100]);
    }

    fn shell(script: &str, directory: &tempfile::TempDir) -> Spec {
        Spec {
            name: "shell",
            binary: PathBuf::from("/bin/sh"),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
            log: directory.path().join("shell.log"),
            readiness: Readiness::Answers(Vec::new()),
            restart_delay: Duration::ZERO,
        }
    }

    async fn started(events: &mut mpsc::UnboundedReceiver<Event>) -> u32 {
        loop {
            let event = tokio::time::timeout(Duration::from_secs(10), events.recv()).await;
            if let Some(Event::Started { pid, .. }) = event.unwrap() {
                return pid;
            }
        }
    }

    fn is_alive(pid: u32) -> bool {
        kill(Pid::from_raw(i32::try_from(pid).unwrap()), None).is_ok()
    }

    #[tokio::test]
    async fn a_killed_process_is_restarted_and_none_is_left_after_stopping() {
        let directory = tempfile::tempdir().unwrap();
        let (sender, mut events) = mpsc::unbounded_channel();
        let supervisor = Supervisor::start(shell("exec sleep 60", &directory), sender);
        let first = started(&mut events).await;
        kill(
            Pid::from_raw(i32::try_from(first).unwrap()),
            Signal::SIGKILL,
        )
        .unwrap();
        let second = started(&mut events).await;
        assert_ne!(first, second);
        supervisor.replace(shell("exec sleep 61", &directory)).await;
        let third = started(&mut events).await;
        assert!(!is_alive(second));
        supervisor.stop(Duration::from_secs(5)).await;
        assert!(!is_alive(third));
    }

    #[tokio::test]
    async fn a_process_is_not_restarted_before_the_restart_delay() {
        let directory = tempfile::tempdir().unwrap();
        let (sender, mut events) = mpsc::unbounded_channel();
        let spec = Spec {
            restart_delay: Duration::from_hours(1),
            ..shell("exit 3", &directory)
        };
        let supervisor = Supervisor::start(spec, sender);
        started(&mut events).await;
        let died = tokio::time::timeout(Duration::from_secs(10), events.recv()).await;
        let Some(Event::Died { how, back_in, .. }) = died.unwrap() else {
            panic!("it exits");
        };
        assert_eq!(
            (how.as_str(), back_in.as_secs()),
            ("ended with exit code 3", 3600)
        );
        supervisor.stop(Duration::from_secs(5)).await;
        assert!(events.recv().await.is_none(), "nothing was started");
    }

    #[tokio::test]
    async fn a_process_that_ignores_sigterm_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let (sender, mut events) = mpsc::unbounded_channel();
        let script = "trap '' TERM; echo deaf; while :; do sleep 1; done";
        let supervisor = Supervisor::start(shell(script, &directory), sender);
        let pid = started(&mut events).await;
        let log = directory.path().join("shell.log");
        while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains("deaf")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        supervisor.stop(Duration::from_millis(100)).await;
        // Dropping the supervisor's task killed it; tokio reaps it in the background.
        while std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z"))
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
