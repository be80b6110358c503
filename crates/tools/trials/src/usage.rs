//! Reads the resource usage of processes from `/proc`. Linux only.

use std::fs::File;
use std::time::Duration;

use anyhow::{Context, ensure};
use procfs_core::FromRead;
use procfs_core::process::{Io, SmapsRollup, Stat, Status};

/// The kernel's unit of CPU time. It is the same on every Linux that Rust's standard library supports.
const TICK: Duration = Duration::from_millis(10);

/// A process to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) pid: u32,
}

/// What a process's costs are attributed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The Restate server, or a node of it.
    Runtime,
    /// Kafka.
    Broker,
    /// One of our own parts.
    Service,
}

impl Process {
    pub(crate) fn role(&self) -> Role {
        match self.name.as_str() {
            "kafka" => Role::Broker,
            // Further nodes of a cluster have a number appended.
            name if name.starts_with("restate-server") => Role::Runtime,
            _ => Role::Service,
        }
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat: Stat = self.read("stat")?;
        Ok(TICK * u32::try_from(stat.utime + stat.stime)?)
    }

    /// Its peak memory (RSS), in KiB.
    pub(crate) fn peak_kib(&self) -> anyhow::Result<u64> {
        let status: Status = self.read("status")?;
        status.vmhwm.context("the kernel reports no VmHWM")
    }

    /// The memory it uses now (PSS), in KiB. Shared memory, such as the program's code, is divided among the processes.
    pub(crate) fn proportional_kib(&self) -> anyhow::Result<u64> {
        let SmapsRollup { memory_map_rollup } = self.read("smaps_rollup")?;
        let held = memory_map_rollup
            .iter()
            .find_map(|map| map.extension.map.get("Pss"));
        Ok(held.context("the kernel reports no Pss")? / 1024)
    }

    /// How many bytes it has written to disk so far.
    pub(crate) fn written(&self) -> anyhow::Result<u64> {
        self.read("io").map(|io: Io| io.write_bytes)
    }

    /// The memory it uses now (RSS), in KiB. Shared memory counts in full.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let status: Status = self.read("status")?;
        status.vmrss.context("the kernel reports no VmRSS")
    }

    /// How many files and sockets it has open.
    pub(crate) fn open_files(&self) -> anyhow::Result<usize> {
        let path = format!("/proc/{}/fd", self.pid);
        let open = std::fs::read_dir(&path)
            .with_context(|| format!("{}: cannot read {path}", self.name))?;
        Ok(open.count())
    }

    fn read<T: FromRead>(&self, file: &str) -> anyhow::Result<T> {
        let path = format!("/proc/{}/{file}", self.pid);
        let opened = File::open(&path).with_context(|| {
            format!(
                "{} (process {}) is gone: cannot read {path}",
                self.name, self.pid
            )
        })?;
        T::from_read(opened).with_context(|| format!("reading {path}"))
    }
}

/// Parses `name=123`.
pub(crate) fn parse(text: &str) -> anyhow::Result<Process> {
    let (name, pid) = text
        .split_once('=')
        .context("must be a name and a process id, such as services=1234")?;
    ensure!(!name.is_empty(), "the name must not be empty");
    Ok(Process {
        name: name.to_owned(),
        pid: pid.parse().context("the process id must be a number")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_measured() {
        let this = Process {
            name: "test".to_owned(),
            pid: std::process::id(),
        };
        assert!(this.peak_kib().unwrap() > 100);
        assert!(this.proportional_kib().unwrap() > 100);
        assert!(this.resident_kib().unwrap() >= this.proportional_kib().unwrap());
        assert!(this.open_files().unwrap() > 2);
        this.cpu().unwrap();
        this.written().unwrap();
        let gone = Process {
            pid: u32::MAX,
            ..this
        };
        assert!(gone.cpu().unwrap_err().to_string().contains("is gone"));
    }

    #[test]
    fn processes_are_given_as_name_and_number() {
        let process = parse("restate-server=17").unwrap();
        assert_eq!((process.pid, process.role()), (17, Role::Runtime));
        for bad in ["17", "=17", "x=", "x=y"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
