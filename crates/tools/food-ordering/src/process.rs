//! Initialisation that both programs do first.

use tokio::runtime::{Builder, Runtime};

use crate::parent;

/// The limit of open files to set if the system allows it: connections are files, and shells often allow only 1,024 or 256.
const OPEN_FILES: u64 = 1_048_576;

/// Ties this process to its parent if the parent asked for that, and raises the limit of open files. Child processes inherit the
/// limit.
pub fn begin() -> anyhow::Result<()> {
    parent::die_with_parent()?;
    // If the limit cannot be raised, the parts cope with the lower one.
    let _ = rlimit::increase_nofile_limit(OPEN_FILES);
    Ok(())
}

/// A single-threaded runtime, for commands that start processes. A child that dies with its parent dies with the thread that
/// started it, so that must be the main thread.
pub fn one_thread() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
