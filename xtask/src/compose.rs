//! Docker Compose: finds the client, checks the Compose file with it, and tests the whole system on a Docker engine.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::dependencies::not_checked;
use crate::steps::Steps;

/// The command of Docker Compose: the plugin `docker compose`, or the older program `docker-compose`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(&'static [&'static str]);

const CLIENTS: [Client; 2] = [Client(&["docker", "compose"]), Client(&["docker-compose"])];

impl Client {
    /// The first one that works on this machine.
    fn find() -> Option<Self> {
        CLIENTS
            .into_iter()
            .find(|client| succeeds(client.command(&["version"])))
    }

    fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0[0]);
        command.args(&self.0[1..]).args(arguments);
        command
    }
}

fn succeeds(mut command: Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Has Docker Compose check the file, if it is installed. Returns what could not be checked. A unit test checks the file against our
/// command line.
pub(crate) fn check(steps: &mut Steps) -> anyhow::Result<Vec<String>> {
    const WHAT: &str = "docker-compose.yaml, by Docker Compose";
    let Some(client) = Client::find() else {
        return Ok(vec![not_checked(WHAT, "Docker Compose is not installed")]);
    };
    let profiles = ["--profile=load", "--profile=observability"];
    let arguments = [&profiles[..], &["config", "--quiet"]].concat();
    steps.run(WHAT, &mut client.command(&arguments))?;
    Ok(Vec::new())
}

/// Builds the images and tests the system on the Docker engine.
pub(crate) fn test(steps: &mut Steps, cargo: &mut Command) -> anyhow::Result<()> {
    let client = Client::find().context(
        "Docker Compose is not installed; on Debian: sudo apt install docker.io docker-compose",
    )?;
    let mut engine = Command::new("docker");
    engine.arg("version");
    ensure!(
        succeeds(engine),
        "the Docker engine does not answer: `docker version` says why. Start it, or get the rights to use it"
    );
    let build = ["--profile=load", "build"];
    steps.run("images", &mut client.command(&build))?;
    steps.run(
        "the system on an engine",
        cargo
            .args(["test", "--package", "end-to-end-tests", "--test", "compose"])
            .args(["--", "--ignored", "--nocapture"])
            .env("COMPOSE", client.0.join(" ")),
    )
}
