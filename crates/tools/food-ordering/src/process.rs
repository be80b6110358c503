//! What each of our programs does first.

use tokio::runtime::{Builder, Runtime};

use crate::parent;

/// The limit of open files is raised to this if the system allows it: connections are files, and shells often allow 1,024, or 256.
const OPEN_FILES: u64 = 1_048_576;

/// Ties this process to its parent if that is wanted, and raises the limit of open files, also for processes that this one starts.
pub fn begin() -> anyhow::Result<()> {
    parent::die_with_parent()?;
    // A limit that cannot be raised stays as it is, and the parts deal with it.
    let _ = rlimit::increase_nofile_limit(OPEN_FILES);
    Ok(())
}

/// A runtime for commands that start processes: a child that is to die with its parent dies with the very thread that started
/// it, and here that is the main thread.
pub fn one_thread() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
