//! Finds third-party programs, and installs them once into a cache that all data directories and checkouts share.

use std::env;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

/// The path of a program, if it is on `PATH`.
#[must_use]
pub fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

/// The cache directory of one version of one program.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// The directory `name` in the user's cache, or in `spare` if the cache cannot be written, because the home is read-only or
    /// missing.
    pub fn of(name: &str, spare: Option<&Path>) -> anyhow::Result<Self> {
        let directory = |name: &str| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let cache = directory("XDG_CACHE_HOME")
            .or_else(|| directory("HOME").map(|home| home.join(".cache")))
            .map(|cache| cache.join("food-ordering"));
        let places = cache.into_iter().chain(spare.map(Path::to_owned));
        Self::first_of(places.map(|place| place.join(name)).collect())
    }

    /// The first of these directories with a finished installation, or else the first that can be written.
    fn first_of(places: Vec<PathBuf>) -> anyhow::Result<Self> {
        let caches = places.into_iter().map(|directory| Self { directory });
        let mut caches: Vec<Self> = caches.collect();
        if let Some(complete) = caches.iter().position(Self::is_complete) {
            return Ok(caches.swap_remove(complete));
        }
        let mut reasons = Vec::new();
        for cache in caches {
            match cache.open_lock() {
                Ok(_) => return Ok(cache),
                Err(error) => reasons.push(format!("\n  {error:#}")),
            }
        }
        if reasons.is_empty() {
            reasons.push(" neither XDG_CACHE_HOME nor HOME is set".to_owned());
        }
        bail!(
            "no directory for installing programs can be written:{}\nSet XDG_CACHE_HOME to a writable directory",
            reasons.concat()
        )
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Whether an installation was finished. An interrupted one may have left some files.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.directory.join("complete").exists()
    }

    /// Removes everything that an earlier installation left behind, except the lock.
    pub fn clear(&self) -> anyhow::Result<()> {
        let entries = std::fs::read_dir(&self.directory)
            .with_context(|| format!("reading {}", self.directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.ends_with(LOCK) {
                continue;
            }
            let removed = if path.is_dir() && !path.is_symlink() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            removed.with_context(|| format!("removing {}", path.display()))?;
        }
        Ok(())
    }

    /// Marks the installation as finished.
    pub fn complete(&self) -> anyhow::Result<()> {
        let file = self.directory.join("complete");
        std::fs::write(&file, "").with_context(|| format!("writing {}", file.display()))
    }

    /// Installs `what`, unless that was finished before: empties the directory and calls `install`. Waits if another process does it.
    /// `progress` is called with a line of text when this takes long.
    pub async fn fill(
        &self,
        what: &str,
        progress: impl Fn(&str),
        install: impl AsyncFnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.is_complete() {
            return Ok(());
        }
        let _lock = self.lock(what, &progress).await?;
        if self.is_complete() {
            return Ok(());
        }
        progress(&format!(
            "Installing {what}, once, into {} …",
            self.directory.display()
        ));
        self.clear()?;
        install(&self.directory).await?;
        self.complete()
    }

    /// Takes the lock for installing `what`. It is released when the file is dropped, or by a crash. `progress` is called if
    /// another process holds it.
    pub async fn lock(&self, what: &str, progress: impl Fn(&str)) -> anyhow::Result<File> {
        let file = self.open_lock()?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {
                    if !std::mem::replace(&mut told, true) {
                        let line = format!("Waiting for another process that installs {what} …");
                        progress(&line);
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error)
                        .with_context(|| format!("locking {}", self.directory.display()));
                }
            }
        }
    }

    fn open_lock(&self) -> anyhow::Result<File> {
        std::fs::create_dir_all(&self.directory)
            .with_context(|| format!("creating {}", self.directory.display()))?;
        let path = self.directory.join(LOCK);
        File::create(&path).with_context(|| format!("creating {}", path.display()))
    }
}

/// The file in a cache's directory that a process locks while it installs.
const LOCK: &str = "lock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_installed_into_the_first_writable_directory() {
        let directory = tempfile::tempdir().unwrap();
        // A file in place of the directory makes this fail for root too, who can write to read-only directories.
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        let (unusable, spare) = (file.join("x"), directory.path().join("spare dir"));
        let cache = Cache::first_of(vec![unusable.clone(), spare.clone()]).unwrap();
        assert_eq!(cache.path(), spare);

        let error = Cache::first_of(vec![unusable.clone()])
            .unwrap_err()
            .to_string();
        assert!(error.contains(&*unusable.to_string_lossy()), "{error}");
        let error = Cache::first_of(Vec::new()).unwrap_err().to_string();
        assert!(error.contains("nor HOME is set"), "{error}");
    }

    #[test]
    fn a_finished_installation_is_used_wherever_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let places = ["first", "second"].map(|name| directory.path().join(name));
        let second = Cache::first_of(vec![places[1].clone()]).unwrap();
        second.complete().unwrap();
        let found = Cache::first_of(places.to_vec()).unwrap();
        assert_eq!(found.path(), places[1]);
    }

    #[tokio::test]
    async fn clearing_a_cache_leaves_only_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::first_of(vec![directory.path().to_owned()]).unwrap();
        let _lock = cache.lock("it", |_| ()).await.unwrap();
        std::fs::create_dir_all(directory.path().join("node_modules/half")).unwrap();
        cache.complete().unwrap();
        cache.clear().unwrap();
        assert!(!cache.is_complete());
        let left = std::fs::read_dir(directory.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [LOCK]);
    }
}
