//! Runs Docker Compose.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use end_to_end_tests::eventually;

/// How long a container that died may take to be healthy again. Long, because Kafka and Restate read their data first.
const BACK_WITHIN: Duration = Duration::from_mins(2);

/// A separate Compose project. It is removed when this is dropped.
pub(crate) struct Compose {
    /// `docker compose`, or `docker-compose`.
    program: Vec<String>,
    project: String,
    /// A free port for each port variable of docker-compose.yaml.
    ports: BTreeMap<&'static str, u16>,
    begin: Instant,
    /// Whether the test has passed. If it has not, the containers' logs are of interest.
    passed: Cell<bool>,
}

const PORTS: [&str; 10] = [
    "GATEWAY_PORT",
    "RESTATE_INGRESS_PORT",
    "RESTATE_ADMIN_PORT",
    "KAFKA_PORT",
    "PSQL_PORT",
    "JAEGER_PORT",
    "RESTAURANT_POS_PORT",
    "PAYMENT_PROVIDER_PORT",
    "PROMETHEUS_PORT",
    "GRAFANA_PORT",
];

impl Compose {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let program = std::env::var("COMPOSE").unwrap_or_else(|_| "docker compose".to_owned());
        let compose = Self {
            program: program.split_whitespace().map(str::to_owned).collect(),
            project: format!("food-ordering-test-{}", std::process::id()),
            ports: free_ports()?,
            begin: Instant::now(),
            passed: Cell::new(false),
        };
        println!(
            "{program}: {}",
            compose.output(&["version", "--short"])?.trim()
        );
        Ok(compose)
    }

    /// Prints the heading of a step.
    pub(crate) fn step(&self, what: &str) {
        println!("━━ {:6.1} s  {what}", self.begin.elapsed().as_secs_f64());
    }

    /// Says that the test has passed.
    pub(crate) fn pass(&self) {
        self.passed.set(true);
    }

    pub(crate) fn port(&self, variable: &str) -> u16 {
        self.ports[variable]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command
            .args(&self.program[1..])
            .args(["--project-name", &self.project])
            .args(["--file", "docker-compose.yaml"])
            .args(["--file", "tests/tests/compose/quick.yaml"])
            .args(arguments)
            .envs(
                self.ports
                    .iter()
                    .map(|(name, port)| (name, port.to_string())),
            )
            .current_dir(root())
            .stdin(Stdio::null());
        command
    }

    /// Runs Compose with these arguments. Its output goes to this process's output.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        self.run_command(self.command(arguments), arguments)
    }

    /// The same, with a variable of docker-compose.yaml set.
    pub(crate) fn run_with(
        &self,
        variable: &str,
        value: &str,
        arguments: &[&str],
    ) -> anyhow::Result<()> {
        let mut command = self.command(arguments);
        command.env(variable, value);
        self.run_command(command, arguments)
    }

    fn run_command(&self, mut command: Command, arguments: &[&str]) -> anyhow::Result<()> {
        let begin = Instant::now();
        let status = command.status()?;
        println!(
            "   {} {} took {:.1} s",
            self.program.join(" "),
            arguments.join(" "),
            begin.elapsed().as_secs_f64()
        );
        ensure!(status.success(), "{arguments:?}: {status}");
        Ok(())
    }

    /// Runs Compose with these arguments, and returns its output.
    pub(crate) fn output(&self, arguments: &[&str]) -> anyhow::Result<String> {
        output(&mut self.command(arguments))
    }

    pub(crate) fn remove_volume(&self, name: &str) -> anyhow::Result<()> {
        let volume = format!("{}_{name}", self.project);
        output(Command::new("docker").args(["volume", "rm", &volume]))?;
        Ok(())
    }

    fn container(&self, service: &str) -> anyhow::Result<String> {
        Ok(self.output(&["ps", "--quiet", service])?.trim().to_owned())
    }

    fn inspect(&self, service: &str, format: &str) -> anyhow::Result<String> {
        let container = self.container(service)?;
        let said =
            output(Command::new("docker").args(["inspect", "--format", format, &container]))?;
        Ok(said.trim().to_owned())
    }

    /// Kills the process of a container, like a crash, and waits until the engine has restarted it and it is healthy. `docker kill`
    /// is not suitable, because the engine would not restart the container after it.
    pub(crate) async fn kill(&self, service: &str) -> anyhow::Result<()> {
        let look = "{{.State.Pid}} {{.State.Health.Status}}";
        let before = self.inspect(service, look)?;
        let pid = before.split(' ').next().context("a process id")?;
        let kill = format!("kill -9 {pid}");
        // From a container that sees the host's processes. This also works if the engine runs in a virtual machine.
        let arguments = [
            "run",
            "--rm",
            "--pid=host",
            "--user=0",
            "--entrypoint=bash",
            "food-ordering",
            "-c",
            &kill,
        ];
        output(Command::new("docker").args(arguments))?;
        eventually(
            &format!("{service} to come back"),
            BACK_WITHIN,
            async || match self.inspect(service, look) {
                Ok(now) if now.ends_with(" healthy") && !now.starts_with(&format!("{pid} ")) => {
                    Ok(())
                }
                other => Err(format!("{other:?}, before: {before}")),
            },
        )
        .await;
        Ok(())
    }

    /// The names of running containers that are unhealthy.
    pub(crate) fn unhealthy(&self) -> anyhow::Result<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        output(Command::new("docker").args([
            "ps",
            "--filter",
            &project,
            "--filter",
            "health=unhealthy",
            "--format",
            "{{.Names}}",
        ]))
    }

    /// Whether a service's image is on this machine, or can be pulled.
    pub(crate) fn has_image(service: &str) -> anyhow::Result<bool> {
        let config = std::fs::read_to_string(root().join("docker-compose.yaml"))?;
        let image = (config.lines())
            .filter_map(|line| line.trim().strip_prefix("image: "))
            .find(|image| image.contains(service))
            .context("an image")?;
        let succeeds =
            |arguments: &[&str]| output(Command::new("docker").args(arguments).arg(image)).is_ok();
        Ok(succeeds(&["image", "inspect"]) || succeeds(&["pull", "--quiet"]))
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        if !self.passed.get() || std::env::var_os("COMPOSE_LOGS").is_some() {
            let _ = self.command(&["ps", "--all"]).status();
            let _ = self.command(&["logs", "--no-color", "--tail=40"]).status();
        }
        let profiles = ["--profile", "load", "--profile", "observability"];
        let down = ["down", "--volumes", "--timeout", "5"];
        let _ = self.command(&[&profiles[..], &down].concat()).status();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .output()?;
    ensure!(
        output.status.success(),
        "{command:?}: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Free ports. All of them are held until the last one is found, so that they are different.
fn free_ports() -> anyhow::Result<BTreeMap<&'static str, u16>> {
    let held: Vec<TcpListener> = (PORTS.iter())
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let ports = held
        .iter()
        .map(|listener| anyhow::Ok(listener.local_addr()?.port()));
    PORTS
        .into_iter()
        .zip(ports)
        .map(|(name, port)| port.map(|port| (name, port)))
        .collect()
}
