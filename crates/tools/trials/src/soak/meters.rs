//! Samples the processes every ten seconds, and the runtime's rows and disk usage every minute.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::own_system::OwnSystem;
use crate::usage::{Process, Role};
use food_ordering::restate::admin::Admin;

/// The name of this process, the load generator, among those that are measured.
pub(super) const SOAK: &str = "soak";

/// One process at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Proportional set size: shared memory is divided among the processes that share it.
    pub(super) pss_kib: u64,
    pub(super) rss_kib: u64,
    pub(super) open_files: usize,
    /// CPU time so far.
    pub(super) cpu_seconds: f64,
}

/// All processes at one moment.
#[derive(Debug)]
pub(super) struct Samples {
    /// Seconds since the first order.
    pub(super) at: f64,
    /// In the sequence of [`Meters::names`].
    pub(super) each: Vec<Sample>,
}

/// What the runtime stores.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kept {
    /// State entries by service and key.
    pub(super) state: BTreeMap<String, u64>,
    /// Invocations by status.
    pub(super) invocations: BTreeMap<String, u64>,
    /// The size of the runtime's files.
    pub(super) disk_mib: f64,
}

/// The keys of state with one entry per order that is never removed: a repeated order, and another order with the same id, are
/// recognised by it.
const PERMANENT: [&str; 2] = [
    "OrderStatusService/order-status",
    "OrderStatusService/order-content",
];

impl Kept {
    /// The state entries that are kept for ever.
    pub(super) fn permanent(&self) -> u64 {
        let entries = PERMANENT.iter().filter_map(|key| self.state.get(*key));
        entries.sum()
    }

    /// All other state entries.
    pub(super) fn transient(&self) -> u64 {
        self.state.values().sum::<u64>() - self.permanent()
    }

    pub(super) fn invocations(&self) -> u64 {
        self.invocations.values().sum()
    }
}

/// All meters.
pub(super) struct Meters {
    processes: Vec<Process>,
    admin: Admin,
    restate_data: PathBuf,
}

impl Meters {
    pub(super) fn new(system: &OwnSystem, directory: &Path) -> anyhow::Result<Self> {
        let this = Process {
            name: SOAK.to_owned(),
            pid: std::process::id(),
        };
        let parts = system.processes()?.into_iter();
        Ok(Self {
            processes: parts
                .map(|(name, pid)| Process { name, pid })
                .chain([this])
                .collect(),
            admin: Admin::new(&system.nodes("restate-admin")?.to_string())?,
            restate_data: directory.join("restate"),
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.processes.iter().map(|process| process.name.as_str())
    }

    /// Whether the process is one of our parts: not the runtime, the broker or the load generator.
    pub(super) fn is_service(&self, index: usize) -> bool {
        let process = &self.processes[index];
        process.role() == Role::Service && process.name != SOAK
    }

    /// Whether the process is a node of Restate.
    pub(super) fn is_runtime(&self, index: usize) -> bool {
        self.processes[index].role() == Role::Runtime
    }

    /// Whether the process has this name.
    pub(super) fn is(&self, index: usize, name: &str) -> bool {
        self.processes[index].name == name
    }

    /// Samples all processes. Fails if one of them has died.
    pub(super) fn sample(&self, system: &OwnSystem, at: f64) -> anyhow::Result<Samples> {
        let now = system.processes()?;
        for process in &self.processes {
            let name = process.name.as_str();
            ensure!(
                name == SOAK || now.get(name) == Some(&process.pid),
                "{name} (process {}) has died",
                process.pid
            );
        }
        let each = self.processes.iter().map(|process| {
            Ok(Sample {
                pss_kib: process.proportional_kib()?,
                rss_kib: process.resident_kib()?,
                open_files: process.open_files()?,
                cpu_seconds: process.cpu()?.as_secs_f64(),
            })
        });
        Ok(Samples {
            at,
            each: each.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Counts what the runtime stores.
    pub(super) async fn kept(&self) -> anyhow::Result<Kept> {
        #[derive(Deserialize)]
        struct Row {
            what: String,
            rows: u64,
        }
        let count = async |query: &str| {
            let rows = self.admin.query::<Row>(query).await?;
            anyhow::Ok(rows.into_iter().map(|row| (row.what, row.rows)).collect())
        };
        Ok(Kept {
            state: count(STATE).await?,
            invocations: count(INVOCATIONS).await?,
            disk_mib: bytes_in(&self.restate_data) / 1024.0 / 1024.0,
        })
    }
}

const STATE: &str = "select service_name || '/' || key as what, count(*) as rows from state group by service_name, key";
const INVOCATIONS: &str =
    "select status as what, count(*) as rows from sys_invocation_status group by status";

/// The bytes that a directory's files take on disk. Files that vanish in the meantime are not counted.
fn bytes_in(directory: &Path) -> f64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(directory) else {
        return 0.0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
            // Counted in blocks of 512 bytes, whatever the file system's block size is.
            Ok(metadata) => f64::from(u32::try_from(metadata.blocks()).unwrap_or(u32::MAX)) * 512.0,
            Err(_) => 0.0,
        })
        .sum()
}
