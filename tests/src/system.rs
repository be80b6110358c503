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

/// How a system is to be started.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many drivers there are at the start.
    pub drivers: u32,
    /// Further flags of `up`.
    pub flags: Vec<String>,
    /// Variables in its environment.
    pub environment: Vec<(&'static str, String)>,
    /// How the name of its data directory begins.
    pub directory: &'static str,
}

impl Default for Options {
    /// Two drivers in a hurry.
    fn default() -> Self {
        Self {
            drivers: 2,
            flags: [
                "--poll-interval=200ms",
                "--move-interval=10ms",
                "--pause=0s",
                "--preparation-time=200ms",
            ]
            .map(str::to_owned)
            .to_vec(),
            environment: Vec::new(),
            directory: "food-ordering-test-",
        }
    }
}

impl Options {
    /// The same with `flag`, as in `--name=value`, instead of what it was.
    #[must_use]
    pub fn with(mut self, flag: &str) -> Self {
        let name = flag.split('=').next().unwrap_or(flag);
        self.flags
            .retain(|other| other.split('=').next() != Some(name));
        self.flags.push(flag.to_owned());
        self
    }

    /// The same with a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// The same in a data directory whose name begins like this.
    #[must_use]
    pub fn directory(mut self, name: &'static str) -> Self {
        self.directory = name;
        self
    }

    /// The same with this many drivers.
    #[must_use]
    pub fn drivers(mut self, drivers: u32) -> Self {
        self.drivers = drivers;
        self
    }
}

/// A running system. Ends with this value.
pub struct System {
    launcher: Child,
    options: Options,
    directory: TempDir,
    http: reqwest::Client,
    restate: Restate,
}

/// The doors of Restate, at each of its nodes.
struct Restate {
    ingress: Upstream,
    admin: Upstream,
}

/// How long an answer may take.
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
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(2))
            .no_proxy()
            .build()?;
        Ok(Self {
            launcher,
            options,
            directory,
            http,
            restate,
        })
    }

    /// Asks the launcher to stop, as Ctrl-C does, and waits until it has.
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

    /// Starts a stopped system again, on the same data.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.launcher = launch(&self.options, self.directory.path())?;
        self.restate = wait_until_ready(&mut self.launcher, self.directory.path()).await?;
        Ok(())
    }

    /// Kills a part with SIGKILL and waits until another process has taken its place and everything is ready again.
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

    /// Has the suspended workflow of an order go on at the newest version of the services, as an operator does.
    pub async fn resume_workflow_on_newest(&self, order: &str) -> anyhow::Result<()> {
        self.command_workflow(order, "resume?deployment=latest")
            .await
    }

    /// Does to the workflow of an order what `restate invocations <command>` does.
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

    /// Runs `doctor` on this system's data directory: whether it found everything fine, and what it said.
    pub async fn doctor(&self, flags: &[&str]) -> anyhow::Result<(bool, String)> {
        doctor(self.directory.path(), flags).await
    }

    /// The text that is at `path` of a part.
    pub async fn text(&self, part: &str, path: &str) -> anyhow::Result<String> {
        let url = format!("{}{path}", self.address(part)?);
        let response = self.http.get(url).send().await?.error_for_status()?;
        Ok(response.text().await?)
    }

    /// Asks Restate's admin API.
    pub async fn admin(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let door = &self.restate.admin;
        let (code, answer) = self.ask(door, Repeat::Never, method, path, body).await?;
        ensure!(code.is_success(), "{path}: {code}: {answer}");
        Ok(answer)
    }

    /// Sends a signal to a part and waits until it has ended; answers how, in the launcher's words. Another process takes its
    /// place.
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

    /// Where its data are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Has the stopped system start in an empty directory next time; the former one is removed.
    pub fn move_to_empty_directory(&mut self) -> anyhow::Result<()> {
        self.directory = tempfile::Builder::new()
            .prefix(self.options.directory)
            .tempdir()?;
        Ok(())
    }

    /// How many drivers there are from the next start on.
    pub fn set_drivers(&mut self, drivers: u32) {
        self.options.drivers = drivers;
    }

    /// The processes of all parts.
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

    /// The address of a part, as `endpoints.json` tells it.
    pub fn address(&self, part: &str) -> anyhow::Result<String> {
        let addresses: BTreeMap<String, String> = self.read("endpoints.json")?;
        addresses
            .get(part)
            .cloned()
            .with_context(|| format!("no address {part} in {addresses:?}"))
    }

    /// How its Kafka is reached.
    pub fn kafka(&self) -> anyhow::Result<Connection> {
        let kafka = Connection::from_endpoints(&self.read("endpoints.json")?)?;
        kafka.context("no address of Kafka")
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> anyhow::Result<T> {
        let text =
            std::fs::read_to_string(self.file(name)).with_context(|| format!("reading {name}"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Where an audit reads what became of the orders.
    pub fn sources(&self) -> anyhow::Result<audit::Sources> {
        Ok(audit::Sources::from_endpoints(
            &self.file("endpoints.json"),
        )?)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file of the system's keys.
    #[must_use]
    pub fn key(&self, name: &str) -> PathBuf {
        self.file("keys").join(name)
    }

    /// What `up` has said.
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

    /// Publishes order events, each under its id, all of them before the first is waited for.
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

    /// Calls a handler through the ingress, as curl would, with `body` as JSON or without one.
    pub async fn call(
        &self,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let door = &self.restate.ingress;
        self.ask(door, Repeat::Never, Method::POST, path, body)
            .await
    }

    /// Asks a node of Restate, or another one where that one cannot be reached.
    async fn ask(
        &self,
        door: &Upstream,
        repeat: Repeat,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let attempt = |Attempt { base, limit }| {
            let url = format!("{}/{path}", base.as_str().trim_end_matches('/'));
            let mut request = self.http.request(method.clone(), url).timeout(limit);
            if let Some(body) = body {
                // Where rows are asked for, they are to come as JSON.
                request = request.header("accept", "application/json").json(body);
            }
            read(request)
        };
        Ok(door.ask(repeat, attempt).await?)
    }

    /// What `OrderStatusService/get` says of an order.
    pub async fn order_status(&self, id: &str) -> anyhow::Result<Value> {
        let (code, status) = self
            .call(&format!("OrderStatusService/{id}/get"), None)
            .await?;
        ensure!(code.is_success(), "{code}: {status}");
        Ok(status)
    }

    /// Waits until an order has this status, and answers all that is known of it.
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

    /// Asks the gateway.
    pub async fn get(&self, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        answer(self.http.get(format!("{}{path}", self.address("gateway")?))).await
    }

    /// Posts to the gateway.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        answer(
            self.http
                .post(format!("{}{path}", self.address("gateway")?))
                .json(body),
        )
        .await
    }

    /// Makes a stub fail in some way, or stop to.
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

    /// Asks the Restate server with SQL.
    pub async fn sql(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let (door, query) = (&self.restate.admin, json!({ "query": query }));
        let asked = self.ask(door, Repeat::Harmless, Method::POST, "query", Some(&query));
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
        // The launcher takes all its processes with it, also when it is killed.
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

/// Waits until `up` has told where everything is.
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
    let door = |name: &str| {
        let nodes = Addresses::named(&list, name)?.with_context(|| format!("no {name}"))?;
        anyhow::Ok(Upstream::new(nodes, TIMEOUT))
    };
    Ok(Restate {
        ingress: door("restate-ingress")?,
        admin: door("restate-admin")?,
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
