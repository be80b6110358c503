//! Runs commands one after the other, with a heading for each.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, anyhow, bail, ensure};

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
        succeed(command).with_context(|| failed(name))
    }

    /// Runs two steps at the same time, because the second waits more than it computes. Its output is printed when both have
    /// ended. Fails if one of their commands fails.
    pub(crate) fn run_both(
        &mut self,
        (name, command): (&'static str, &mut Command),
        (other_name, other): (&'static str, &mut Command),
    ) -> anyhow::Result<()> {
        self.begin(name, command);
        println!("   (at the same time, {other_name}: {})", shown(other));
        let (result, other_output) = std::thread::scope(|scope| {
            let other = scope.spawn(|| other.stdin(Stdio::null()).output());
            (succeed(command), other.join())
        });
        let other_output = other_output
            .map_err(|_| anyhow!("its thread panicked"))
            .and_then(|output| Ok(output?))
            .with_context(|| failed(other_name))?;
        println!("\n━━ {other_name} (ran at the same time)");
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&other_output.stdout)?;
        stdout.write_all(&other_output.stderr)?;
        drop(stdout);
        result.with_context(|| failed(name))?;
        ensure!(
            other_output.status.success(),
            "{}: {}",
            failed(other_name),
            other_output.status
        );
        Ok(())
    }
}

fn failed(step: &str) -> String {
    format!("step `{step}` failed")
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
