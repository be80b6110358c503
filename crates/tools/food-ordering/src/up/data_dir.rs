//! The data directory of `up`: Restate's data, the stubs' books, keys, logs, and the list of addresses.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde::Serialize;

use super::ports::PreviousPorts;
use crate::files;

/// An open data directory. No other `up` can use it at the same time.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    #[expect(dead_code, reason = "holds the lock until it is dropped")]
    lock: File,
}

impl DataDir {
    /// Opens or creates the directory, takes its lock, and renames the logs of the last run.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)?;
        // The path is written into configuration files, which are UTF-8.
        ensure!(
            path.to_str().is_some(),
            "the path {} is not UTF-8; give another directory with --data-dir",
            path.display()
        );
        let logs = path.join("logs");
        fs::create_dir_all(&logs).with_context(|| {
            format!(
                "creating {}; use --data-dir for another directory",
                logs.display()
            )
        })?;
        let lock = lock(&path)?;
        let dir = Self { path, lock };
        dir.forget_addresses()?;
        let temporary = dir.temporary();
        if temporary.exists() {
            fs::remove_dir_all(&temporary)
                .with_context(|| format!("emptying {}", temporary.display()))?;
        }
        fs::create_dir(&temporary).with_context(|| format!("creating {}", temporary.display()))?;
        for log in fs::read_dir(&logs)?.flatten() {
            let log = log.path();
            if log.extension().is_some_and(|extension| extension == "log") {
                fs::rename(&log, log.with_extension("log.previous"))?;
            }
        }
        Ok(dir)
    }

    /// The path of a file or directory in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory of the keys, which only its owner can read.
    pub(super) fn keys(&self) -> PathBuf {
        self.file(KEYS)
    }

    /// The directory for temporary files. It is emptied at each start.
    pub(super) fn temporary(&self) -> PathBuf {
        self.file("tmp")
    }

    /// The log of a part.
    pub(super) fn log(&self, part: &str) -> PathBuf {
        self.path.join(format!("logs/{part}.log"))
    }

    pub(super) fn display(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// The ports of the last run in this directory; empty if unknown.
    pub(super) fn previous_ports(&self) -> PreviousPorts {
        let text = fs::read_to_string(self.file(PORTS)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Removes `endpoints.json` and `processes.json`, because the system does not run any more, or not yet.
    pub(super) fn forget_addresses(&self) -> anyhow::Result<()> {
        for name in [ENDPOINTS, PROCESSES] {
            let file = self.file(name);
            files::remove(&file).with_context(|| format!("removing {}", file.display()))?;
        }
        Ok(())
    }

    /// Writes [`ENDPOINTS`], [`PROCESSES`] or [`PORTS`]: an address, a process id or a port for each name.
    pub(super) fn write_json(&self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        let file = self.file(name);
        let mut json = serde_json::to_string_pretty(value)?;
        json.push('\n');
        files::write_atomically(&file, json).with_context(|| format!("writing {}", file.display()))
    }
}

/// The file that lists the address of every part. It exists from when all parts are ready until they are stopped.
pub const ENDPOINTS: &str = "endpoints.json";
/// The directory of the keys.
pub(crate) const KEYS: &str = "keys";
/// The file that lists the process id of every part.
pub const PROCESSES: &str = "processes.json";

/// The file that lists the port of every part. It is written before the parts start, and the next run reads it.
pub const PORTS: &str = "ports.json";

/// Takes the lock of a data directory. No `up` can use it as long as the file is open.
pub(crate) fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join("up.lock");
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            // If the process id cannot be read, the message is only less helpful.
            let holder = lock_holder(directory).unwrap_or_default();
            bail!(
                "another `food-ordering up` (pid {holder}) uses {}; stop it, or use another directory with --data-dir",
                directory.display()
            );
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("locking {}", path.display()));
        }
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// The process id of the `up` that uses a directory, if any.
pub(crate) fn lock_holder(directory: &Path) -> Option<String> {
    let mut file = File::open(directory.join("up.lock")).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).ok()?;
            Some(holder.trim().to_owned())
        }
        _ => None,
    }
}

/// The last lines of a log, indented, for error messages.
pub(super) fn tail(log: &Path) -> String {
    const BYTES: u64 = 8 * 1024;
    const LINES: usize = 15;

    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = match read() {
        Ok(text) if text.trim().is_empty() => "(the log is empty)".to_owned(),
        Ok(text) => text,
        Err(error) => format!("(cannot be read: {error})"),
    };
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..]
        .iter()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_up_at_a_time_can_use_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let first = DataDir::open(directory.path()).unwrap();
        let error = DataDir::open(directory.path()).unwrap_err().to_string();
        assert!(
            error.contains(&format!("(pid {})", std::process::id())),
            "{error}"
        );
        drop(first);
        DataDir::open(directory.path()).unwrap();
    }

    #[test]
    fn a_new_run_begins_without_addresses_and_with_empty_logs() {
        let directory = tempfile::tempdir().unwrap();
        let dir = DataDir::open(directory.path()).unwrap();
        dir.write_json(ENDPOINTS, &["x"]).unwrap();
        fs::write(dir.log("gateway"), "old\n").unwrap();
        drop(dir);
        let dir = DataDir::open(directory.path()).unwrap();
        assert!(!dir.file(ENDPOINTS).exists());
        assert!(!dir.log("gateway").exists());
        assert_eq!(
            fs::read_to_string(dir.file("logs/gateway.log.previous")).unwrap(),
            "old\n"
        );
    }

    #[test]
    fn the_tail_of_a_log_is_its_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("x.log");
        assert!(tail(&log).contains("cannot be read"));
        let lines: Vec<String> = (0..1000).map(|number| format!("line {number}")).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        let tail = tail(&log);
        assert_eq!(tail.lines().count(), 15);
        assert!(tail.ends_with("line 999"), "{tail}");
    }
}
