//! Runs commands one after the other, with a heading for each.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};

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

    /// Runs two steps at the same time, because they wait more than they compute. The output of the second is held back until the
    /// first has ended. Fails if one of their commands fails.
    pub(crate) fn run_both(
        &mut self,
        (name, command): (&'static str, &mut Command),
        (other_name, other): (&'static str, &mut Command),
    ) -> anyhow::Result<()> {
        self.begin(name, command);
        println!("   (at the same time, {other_name}: {})", shown(other));
        let (mut output, input) = std::io::pipe()?;
        // The command keeps its ends of the pipe until it is replaced, and the output would never end.
        other
            .stdin(Stdio::null())
            .stdout(input.try_clone()?)
            .stderr(input);
        let mut child = other
            .spawn()
            .with_context(|| format!("starting {}", other.get_program().display()))?;
        other.stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let (sender, pieces) = mpsc::channel();
        std::thread::spawn(move || {
            let mut piece = vec![0; 8192];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                // Fails only if this process is about to end.
                let _ = sender.send(piece[..length].to_owned());
            }
        });
        let result = succeed(command).with_context(|| failed(name));
        println!("\n━━ {other_name} (began at the same time)");
        for piece in pieces {
            std::io::stdout().write_all(&piece)?;
        }
        let status = child.wait()?;
        result?;
        ensure!(status.success(), "{}: {status}", failed(other_name));
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
