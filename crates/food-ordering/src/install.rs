//! Programs of others: finding them, and installing them once into a cache that all data directories and checkouts share.

use std::env;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

/// Where a program is, if it is on `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

/// The directory of one version of one program.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// The directory `name` in the user's cache.
    pub(crate) fn of(name: &str) -> anyhow::Result<Self> {
        let directory = |name: &str| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let cache = directory("XDG_CACHE_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".cache")))
            .context(
                "no place to install programs: neither XDG_CACHE_HOME nor HOME is set; set one",
            )?;
        Ok(Self {
            directory: cache.join("food-ordering").join(name),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    /// Whether an installation was finished: an interrupted one may leave a part.
    pub(crate) fn is_complete(&self) -> bool {
        self.directory.join("complete").exists()
    }

    /// Notes that the installation is finished.
    pub(crate) fn complete(&self) -> anyhow::Result<()> {
        let file = self.directory.join("complete");
        std::fs::write(&file, "").with_context(|| format!("writing {}", file.display()))
    }

    /// Takes a lock that other processes respect; it is given back when the file is dropped, also by a crash.
    pub(crate) async fn lock(&self, what: &str, progress: impl Fn(&str)) -> anyhow::Result<File> {
        std::fs::create_dir_all(&self.directory)
            .with_context(|| format!("creating {}", self.directory.display()))?;
        let path = self.directory.join("lock");
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        progress(&format!(
                            "Waiting for another process that installs {what} …"
                        ));
                        told = true;
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("locking {}", path.display()));
                }
            }
        }
    }
}
