//! Docker Compose: which client there is, what it says of the file, and the whole system on an engine.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

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

/// Has the client read the file, if there is one. That the file fits to our command line is a unit test.
pub(crate) fn check(steps: &mut Steps) -> anyhow::Result<()> {
    match Client::find() {
        Some(client) => steps.run(
            "docker-compose.yaml, read by Docker Compose",
            &mut client.command(&[
                "--profile=load",
                "--profile=observability",
                "config",
                "--quiet",
            ]),
        ),
        None => {
            println!(
                "\n━━ docker-compose.yaml, read by Docker Compose: SKIPPED, there is none here"
            );
            Ok(())
        }
    }
}

/// Builds the image and tries the system on the engine.
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
    steps.run("image", &mut client.command(&["build"]))?;
    steps.run(
        "the system on an engine",
        cargo
            .args(["test", "--package", "end-to-end-tests", "--test", "compose"])
            .args(["--", "--ignored", "--nocapture"])
            .env("COMPOSE", client.0.join(" ")),
    )
}
