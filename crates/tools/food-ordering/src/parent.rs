//! Makes a child process end when its parent ends, even if the parent is killed with `kill -9`.
//!
//! The parent calls [`tie`] on the command that starts the child. The child, which must be this binary, then asks the kernel for a
//! SIGKILL on its parent's death. Other programs are started through `exec-with-parent`: the kernel keeps the request across an
//! exec.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;

/// The environment variable with the process id of the parent.
pub(crate) const PARENT: &str = "FOOD_ORDERING_PARENT";

/// Arguments of `exec-with-parent`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Environment variable to remove for the program
    #[arg(long, value_name = "VARIABLE")]
    without: Vec<OsString>,
    /// Directory for the program's temporary files
    #[arg(long, value_name = "DIRECTORY")]
    temporary: Option<OsString>,
    /// The program and its arguments
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

/// Makes the process that `command` starts die with the calling thread. `command` must start this binary.
pub fn tie(command: &mut Command) -> &mut Command {
    command.env(PARENT, std::process::id().to_string())
}

/// In a child that was started with [`tie`], asks the kernel to kill this process when its parent dies. Otherwise does nothing.
pub fn die_with_parent() -> anyhow::Result<()> {
    let Some(parent) = std::env::var_os(PARENT) else {
        return Ok(());
    };
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
        .context("asking the kernel to end this process with its parent")?;
    // If the parent died before this call, the kernel sends no signal.
    let actual = std::os::unix::process::parent_id().to_string();
    if parent != *actual {
        anyhow::bail!(
            "the process that started this one ({}) is gone",
            parent.display()
        );
    }
    Ok(())
}

/// Replaces this process with another program. Returns only if that fails.
#[must_use]
pub fn exec(args: &Args) -> anyhow::Error {
    let Some((program, arguments)) = args.command.split_first() else {
        return anyhow::anyhow!("name the program to run");
    };
    let mut command = Command::new(program);
    command.args(arguments).env_remove(PARENT);
    for variable in &args.without {
        command.env_remove(variable);
    }
    if let Some(directory) = &args.temporary {
        command.env("TMPDIR", directory);
    }
    let error = command.exec();
    anyhow::Error::new(error).context(format!("starting {}", program.display()))
}
