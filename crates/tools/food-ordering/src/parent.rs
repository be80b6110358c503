//! No orphans: a process that ends when its parent does, even if the parent is killed with `kill -9`.
//!
//! Whoever starts a process that shall not outlive it calls [`tie`] on the command. The child, this same binary, then asks the
//! kernel for a SIGKILL at its parent's death. Programs of others get there through `exec-with-parent`: the request survives
//! the exec.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context;

/// Holds the process id of the parent to die with.
pub(crate) const PARENT: &str = "FOOD_ORDERING_PARENT";

/// Arguments of `exec-with-parent`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A variable that the program is not to see
    #[arg(long, value_name = "VARIABLE")]
    without: Vec<OsString>,
    /// The program's directory for temporary files
    #[arg(long, value_name = "DIRECTORY")]
    temporary: Option<OsString>,
    /// The program and its arguments
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

/// Makes the process that `command` starts, if it is this binary, die with the calling thread.
pub fn tie(command: &mut Command) -> &mut Command {
    command.env(PARENT, std::process::id().to_string())
}

/// Does in the child what [`tie`] asked for; nothing if nobody asked.
pub fn die_with_parent() -> anyhow::Result<()> {
    let Some(parent) = std::env::var_os(PARENT) else {
        return Ok(());
    };
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
        .context("asking the kernel to end this process with its parent")?;
    // The parent may have died before the kernel was asked, and nobody would tell.
    let actual = std::os::unix::process::parent_id().to_string();
    if parent != *actual {
        anyhow::bail!(
            "the process that started this one ({}) is gone",
            parent.display()
        );
    }
    Ok(())
}

/// Replaces this process by another program; returns only if that fails.
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
