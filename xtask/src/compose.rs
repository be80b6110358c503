//! Docker Compose: which client there is, what it says of the file, and the whole system on an engine.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::dependencies::not_checked;
use crate::steps::Steps;

/// Docker Compose, as the plugin that it is today or as the program that it was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(&'static [&'static str]);

const CLIENTS: [Client; 2] = [Client(&["docker", "compose"]), Client(&["docker-compose"])];

impl Client {
    /// The first that is on this machine.
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

/// Has the client read the file, if there is one. The answer tells what could not be checked. That the file fits to our command
/// line is a unit test.
pub(crate) fn check(steps: &mut Steps) -> anyhow::Result<Vec<String>> {
    const WHAT: &str = "docker-compose.yaml, by Docker Compose";
    let Some(client) = Client::find() else {
        return Ok(vec![not_checked(WHAT, "there is none on this machine")]);
    };
    let profiles = ["--profile=load", "--profile=observability"];
    let arguments = [&profiles[..], &["config", "--quiet"]].concat();
    steps.run(WHAT, &mut client.command(&arguments))?;
    Ok(Vec::new())
}

/// Builds the images and tries the system on the engine.
pub(crate) fn test(steps: &mut Steps, cargo: &mut Command) -> anyhow::Result<()> {
    let client = Client::find().context(
        "there is no Docker Compose; on Debian: sudo apt install docker.io docker-compose",
    )?;
    let mut engine = Command::new("docker");
    engine.arg("version");
    ensure!(
        succeeds(engine),
        "no Docker engine answers: `docker version` says why. Start it, or ask for the rights to use it"
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
