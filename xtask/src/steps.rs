//! Runs commands one after the other, with a heading for each.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use anyhow::{Context, bail};

/// Runs commands, and prints what runs and how long the previous command took.
pub(crate) struct Steps {
    last: Option<(&'static str, Instant)>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { last: None }
    }

    /// Prints the heading of a step.
    pub(crate) fn begin(&mut self, name: &'static str, command: &Command) {
        let before = match self.last {
            Some((name, begin)) => {
                format!("   ({name} took {:.1} s)", begin.elapsed().as_secs_f64())
            }
            None => String::new(),
        };
        println!("\n━━ {name}: {}{before}", shown(command));
        self.last = Some((name, Instant::now()));
    }

    /// Runs a step. Fails if its command fails.
    pub(crate) fn run(&mut self, name: &'static str, command: &mut Command) -> anyhow::Result<()> {
        self.begin(name, command);
        succeed(command).with_context(|| format!("step `{name}` failed"))
    }
}

/// Runs a command. Fails unless the command succeeds.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status: ExitStatus = command
        .status()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    if !status.success() {
        bail!("`{}`: {status}", shown(command));
    }
    Ok(())
}

/// The command line, as in a shell.
fn shown(command: &Command) -> String {
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    let program = Path::new(command.get_program());
    program
        .file_name()
        .map(OsStr::to_string_lossy)
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
