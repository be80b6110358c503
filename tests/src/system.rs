//! A whole system, started by the launcher.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use kafka::{Connection, Publisher};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use upstream::{Addresses, Attempt, Repeat, Upstream};

use crate::launcher::{binary, doctor};
use crate::{SOON, eventually};

/// How to start a system.
#[derive(Debug, Clone)]
pub struct Options {
    /// The number of drivers at the start.
    pub drivers: u32,
    /// More flags for `up`.
    pub flags: Vec<String>,
    /// Variables in its environment.
    pub environment: Vec<(&'static str, String)>,
    /// The prefix of the name of its data directory.
    pub directory: &'static str,
}

impl Default for Options {
    /// Two fast drivers, and short preparations.
    fn default() -> Self {
        Self {
            drivers: 2,
            flags: [
                "--poll-interval=1s",
                // A delivery in six steps: each costs two invocations.
                "--move-interval=40ms",
                "--step=0.02",
                "--pause=0s",
                "--preparation-time=200ms",
                // It starts at once.
                "--kafka=in-memory",
            ]
            .map(str::to_owned)
            .to_vec(),
            environment: Vec::new(),
            directory: "food-ordering-test-",
        }
    }
}

impl Options {
    /// Adds `flag`, in the form `--name=value`, or replaces its value.
    #[must_use]
    pub fn with(mut self, flag: &str) -> Self {
        let name = flag.split('=').next().unwrap_or(flag);
        self.flags
            .retain(|other| other.split('=').next() != Some(name));
        self.flags.push(flag.to_owned());
        self
    }

    /// Adds a variable to the environment.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Sets the prefix of the name of the data directory.
    #[must_use]
    pub fn directory(mut self, name: &'static str) -> Self {
        self.directory = name;
        self
    }

    /// Sets the number of drivers.
    #[must_use]
    pub fn drivers(mut self, drivers: u32) -> Self {
        self.drivers = drivers;
        self
    }
}

/// A running system. It ends when this is dropped.
pub struct System {
    launcher: Child,
    options: Options,
    directory: TempDir,
    http: reqwest::Client,
    restate: Restate,
}

/// The APIs of Restate, at all of its nodes.
struct Restate {
    ingress: Upstream,
    admin: Upstream,
}

/// How long a response may take.
const TIMEOUT: Duration = Duration::from_secs(20);

impl System {
    /// Starts a system and waits until it is ready.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(options.directory)
            .tempdir()?;
        let mut launcher = launch(&options, directory.path())?;
        let restate = match wait_until_ready(&mut launcher, directory.path()).await {
            Ok(restate) => restate,
            Err(error) => {
                launcher.kill()?;
                launcher.wait()?;
                return Err(error);
            }
        };
        let http = upstream::http::client(TIMEOUT).build()?;
        Ok(Self {
            launcher,
            options,
            directory,
            http,
            restate,
        })
    }

    /// Asks the launcher to stop, as Ctrl-C does, and waits until it has stopped.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        kill(pid_of(&self.launcher)?, Signal::SIGINT)?;
        let deadline = tokio::time::Instant::now() + SOON;
        loop {
            if let Some(status) = self.launcher.try_wait()? {
                ensure!(
                    status.success(),
                    "`up` ended with {status}:\n{}",
                    self.launcher_log()
                );
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "`up` does not stop:\n{}",
                self.launcher_log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts a stopped system again, with the same data.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.launcher = launch(&self.options, self.directory.path())?;
        self.restate = wait_until_ready(&mut self.launcher, self.directory.path()).await?;
        Ok(())
    }

    /// Kills a part with SIGKILL, and waits until its process is replaced and everything is ready again.
    pub async fn kill_and_wait_for_return(&self, part: &str) -> anyhow::Result<()> {
        let before = self.process(part)?;
        kill(before, Signal::SIGKILL).with_context(|| format!("killing {part}"))?;
        eventually(&format!("{part} to come back"), SOON, async || {
            match self.process(part) {
                Ok(pid) if pid != before && self.file("endpoints.json").exists() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        Ok(())
    }

    /// Cancels the workflow of an order as `restate invocations cancel` does.
    pub async fn cancel_workflow(&self, order: &str) -> anyhow::Result<()> {
        self.command_workflow(order, "cancel").await
    }

    /// Resumes the suspended workflow of an order on the newest version of the services, as an operator does.
    pub async fn resume_workflow_on_newest(&self, order: &str) -> anyhow::Result<()> {
        self.command_workflow(order, "resume?deployment=latest")
            .await
    }

    /// Applies `restate invocations <command>` to the workflow of an order.
    pub async fn command_workflow(&self, order: &str, command: &str) -> anyhow::Result<()> {
        let path = format!("invocations/{}/{command}", self.workflow(order).await?);
        self.admin(Method::PATCH, &path, None).await?;
        Ok(())
    }

    /// The id of an order's workflow.
    async fn workflow(&self, order: &str) -> anyhow::Result<String> {
        let query = format!(
            "select id from sys_invocation where target_service_name = 'OrderWorkflow' and target_service_key = '{order}' \
             and target_handler_name = 'run'"
        );
        let rows = self.sql(&query).await?;
        let id = rows
            .first()
            .and_then(|row| row["id"].as_str())
            .with_context(|| format!("order {order} has no workflow"))?;
        Ok(id.to_owned())
    }

    /// Sends a signal to a part.
    pub fn signal(&self, part: &str, signal: Signal) -> anyhow::Result<()> {
        kill(self.process(part)?, signal).with_context(|| format!("{signal} to {part}"))
    }

    /// Runs `doctor` on this system's data directory. Returns whether nothing was wrong, and its output.
    pub async fn doctor(&self, flags: &[&str]) -> anyhow::Result<(bool, String)> {
        doctor(self.directory.path(), flags).await
    }

    /// The text at `path` of a part.
    pub async fn text(&self, part: &str, path: &str) -> anyhow::Result<String> {
        let url = format!("{}{path}", self.address(part)?);
        let response = self.http.get(url).send().await?.error_for_status()?;
        Ok(response.text().await?)
    }

    /// Sends a request to Restate's admin API.
    pub async fn admin(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let api = &self.restate.admin;
        let (code, answer) = self.ask(api, Repeat::Never, method, path, body).await?;
        ensure!(code.is_success(), "{path}: {code}: {answer}");
        Ok(answer)
    }

    /// Sends a signal to a part, and waits until its process has ended. Returns how it ended, from the launcher's output. The
    /// launcher then restarts it.
    pub async fn stop_part(&self, part: &str, signal: Signal) -> anyhow::Result<String> {
        let said_before = self.launcher_log().len();
        self.signal(part, signal)?;
        let ended = eventually(&format!("{part} to end"), SOON, async || {
            let log = self.launcher_log();
            let said = log[said_before..].lines();
            let mut of_part = said.filter_map(|line| line.strip_prefix(part)?.strip_prefix(' '));
            match of_part.find_map(|said| said.split_once("; starting it again")) {
                Some((how, _)) => Ok(how.to_owned()),
                None => Err(log),
            }
        })
        .await;
        Ok(ended)
    }

    /// The log of a part.
    pub fn log(&self, part: &str) -> anyhow::Result<String> {
        let path = self.file(&format!("logs/{part}.log"));
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// Its data directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Makes a stopped system use a new empty directory at its next start. The previous directory is removed.
    pub fn move_to_empty_directory(&mut self) -> anyhow::Result<()> {
        self.directory = tempfile::Builder::new()
            .prefix(self.options.directory)
            .tempdir()?;
        Ok(())
    }

    /// Sets the number of drivers for the next start.
    pub fn set_drivers(&mut self, drivers: u32) {
        self.options.drivers = drivers;
    }

    /// Sets a variable of the environment for the next start.
    pub fn set_environment(&mut self, name: &'static str, value: &str) {
        self.options.environment.retain(|(other, _)| *other != name);
        self.options.environment.push((name, value.to_owned()));
    }

    /// The process ids of all parts, by name.
    pub fn processes(&self) -> anyhow::Result<BTreeMap<String, i32>> {
        self.read("processes.json")
    }

    fn process(&self, part: &str) -> anyhow::Result<Pid> {
        let pids = self.processes()?;
        let pid = pids
            .get(part)
            .with_context(|| format!("no process {part} in {pids:?}"))?;
        Ok(Pid::from_raw(*pid))
    }

    /// The address of a part, from `endpoints.json`.
    pub fn address(&self, part: &str) -> anyhow::Result<String> {
        let addresses: BTreeMap<String, String> = self.read("endpoints.json")?;
        addresses
            .get(part)
            .cloned()
            .with_context(|| format!("no address {part} in {addresses:?}"))
    }

    /// The connection to its Kafka.
    pub fn kafka(&self) -> anyhow::Result<Connection> {
        let kafka = Connection::from_endpoints(&self.read("endpoints.json")?)?;
        kafka.context("no address of Kafka")
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> anyhow::Result<T> {
        let text =
            std::fs::read_to_string(self.file(name)).with_context(|| format!("reading {name}"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The sources of evidence for an audit.
    pub fn sources(&self) -> anyhow::Result<audit::Sources> {
        Ok(audit::Sources::from_endpoints(
            &self.file("endpoints.json"),
        )?)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The path of one of the system's key files.
    #[must_use]
    pub fn key(&self, name: &str) -> PathBuf {
        self.file("keys").join(name)
    }

    /// The output of `up`.
    #[must_use]
    pub fn launcher_log(&self) -> String {
        std::fs::read_to_string(self.file("up.out")).unwrap_or_default()
    }

    /// Publishes a record to topic `orders`.
    pub async fn publish(&self, key: Option<&[u8]>, value: &[u8]) -> anyhow::Result<()> {
        let publisher = Publisher::new(&self.kafka()?, "end-to-end-tests")?;
        publisher
            .publish(domain::topic::ORDERS, key, value, &[])
            .await?;
        Ok(())
    }

    /// Publishes order events concurrently, each with its id as the key, and waits until all are confirmed.
    pub async fn publish_orders(&self, events: &[Value]) -> anyhow::Result<()> {
        let publisher = Publisher::new(&self.kafka()?, "end-to-end-tests")?;
        let mut publishing = tokio::task::JoinSet::new();
        for event in events {
            let publisher = publisher.clone();
            let key = event["orderId"]
                .as_str()
                .context("an order event has an id")?
                .to_owned();
            let value = event.to_string();
            publishing.spawn(async move {
                publisher
                    .publish(
                        domain::topic::ORDERS,
                        Some(key.as_bytes()),
                        value.as_bytes(),
                        &[],
                    )
                    .await
            });
        }
        while let Some(published) = publishing.join_next().await {
            published??;
        }
        Ok(())
    }

    /// Calls a handler through the ingress, as curl would, with or without a JSON body.
    pub async fn call(
        &self,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let api = &self.restate.ingress;
        self.ask(api, Repeat::Never, Method::POST, path, body).await
    }

    /// Sends a request to a node of Restate, or to another node if that one cannot be reached.
    async fn ask(
        &self,
        api: &Upstream,
        repeat: Repeat,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let attempt = |Attempt { base, limit }| {
            let url = format!("{}/{path}", base.as_str().trim_end_matches('/'));
            let mut request = self.http.request(method.clone(), url).timeout(limit);
            if let Some(body) = body {
                // For SQL queries, so that the rows come as JSON.
                request = request.header("accept", "application/json").json(body);
            }
            read(request)
        };
        Ok(api.ask(repeat, attempt).await?)
    }

    /// The answer of `OrderStatusService/get` for an order.
    pub async fn order_status(&self, id: &str) -> anyhow::Result<Value> {
        let (code, status) = self
            .call(&format!("OrderStatusService/{id}/get"), None)
            .await?;
        ensure!(code.is_success(), "{code}: {status}");
        Ok(status)
    }

    /// Waits until an order has this status, and returns the answer of `OrderStatusService/get`.
    pub async fn wait_for_status(&self, id: &str, status: &str) -> Value {
        eventually(&format!("order {id} to be {status}"), SOON, async || {
            let seen = self
                .order_status(id)
                .await
                .map_err(|error| error.to_string())?;
            if seen["status"] == status {
                Ok(seen)
            } else {
                Err(seen.to_string())
            }
        })
        .await
    }

    /// Sends a GET to the gateway.
    pub async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        answer(self.http.get(format!("{}{path}", self.address("gateway")?))).await
    }

    /// Sends a POST to the gateway.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        answer(
            self.http
                .post(format!("{}{path}", self.address("gateway")?))
                .json(body),
        )
        .await
    }

    /// Changes the faults of a stub.
    pub async fn set_faults(&self, stub: &str, faults: &Value) -> anyhow::Result<()> {
        let request = self
            .http
            .put(format!("{}/faults", self.address(stub)?))
            .json(faults);
        let (code, answer) = answer(request).await?;
        ensure!(code.is_success(), "{code}: {answer}");
        Ok(())
    }

    /// All entries of the payment provider's ledger.
    pub async fn ledger(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/ledger?limit=10000", self.address("payment-provider")?);
        let (code, mut ledger) = answer(self.http.get(url)).await?;
        ensure!(
            code.is_success() && ledger["next"].is_null(),
            "{code}: {ledger}"
        );
        match ledger["entries"].take() {
            Value::Array(entries) => Ok(entries),
            other => bail!("no entries: {other}"),
        }
    }

    /// Runs an SQL query on the Restate server.
    pub async fn sql(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let (api, query) = (&self.restate.admin, json!({ "query": query }));
        let asked = self.ask(api, Repeat::Harmless, Method::POST, "query", Some(&query));
        let (code, mut answer) = asked.await?;
        ensure!(code.is_success(), "{code}: {answer}");
        match answer["rows"].take() {
            Value::Array(rows) => Ok(rows),
            other => bail!("no rows: {other}"),
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // All processes end with the launcher, even if it is killed.
        if let Ok(pid) = pid_of(&self.launcher)
            && self.launcher.try_wait().is_ok_and(|ended| ended.is_none())
        {
            let _ = kill(pid, Signal::SIGKILL);
            let _ = self.launcher.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- up\n{}", self.launcher_log());
            let logs = std::fs::read_dir(self.file("logs"))
                .into_iter()
                .flatten()
                .flatten();
            for log in logs.map(|entry| entry.path()) {
                let text = std::fs::read_to_string(&log).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                let last = &lines[lines.len().saturating_sub(20)..];
                eprintln!("--- {}\n{}", log.display(), last.join("\n"));
            }
        }
    }
}

fn launch(options: &Options, directory: &Path) -> anyhow::Result<Child> {
    let output = std::fs::File::create(directory.join("up.out"))?;
    let binary = binary()?;
    Command::new(&binary)
        .arg("up")
        .arg("--free-ports")
        .arg(format!("--data-dir={}", directory.display()))
        .arg(format!("--drivers={}", options.drivers))
        .arg(format!("--region={}", domain::Region::default()))
        .args(&options.flags)
        .envs(
            options
                .environment
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| format!("starting {}", binary.display()))
}

/// Waits until `up` has written `endpoints.json`.
async fn wait_until_ready(launcher: &mut Child, directory: &Path) -> anyhow::Result<Restate> {
    let log = || std::fs::read_to_string(directory.join("up.out")).unwrap_or_default();
    let deadline = tokio::time::Instant::now() + SOON;
    let endpoints = directory.join("endpoints.json");
    while !endpoints.exists() {
        if let Some(status) = launcher.try_wait()? {
            bail!("`up` ended with {status}:\n{}", log());
        }
        ensure!(
            tokio::time::Instant::now() < deadline,
            "`up` is not ready after {SOON:?}:\n{}",
            log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let list = serde_json::from_str(&std::fs::read_to_string(endpoints)?)?;
    let api = |name: &str| {
        let nodes = Addresses::named(&list, name)?.with_context(|| format!("no {name}"))?;
        anyhow::Ok(Upstream::new(nodes, TIMEOUT))
    };
    Ok(Restate {
        ingress: api("restate-ingress")?,
        admin: api("restate-admin")?,
    })
}

fn pid_of(child: &Child) -> anyhow::Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<(StatusCode, Value)> {
    Ok(read(request).await?)
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<(StatusCode, Value)> {
    let response = request.send().await?;
    let code = response.status();
    let body = response.bytes().await?;
    Ok((code, serde_json::from_slice(&body).unwrap_or(Value::Null)))
}
