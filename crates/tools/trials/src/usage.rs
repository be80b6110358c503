//! What processes have used, from `/proc`. Linux only.

use std::time::Duration;

use anyhow::{Context, ensure};

/// In what the kernel counts CPU time; it is the same on every Linux that Rust's standard library runs on.
const TICK: Duration = Duration::from_millis(10);

/// A process to account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) pid: u32,
}

/// Whose costs a process's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The Restate server, or a node of it.
    Runtime,
    /// Kafka.
    Broker,
    /// Everything that is ours.
    Service,
}

impl Process {
    pub(crate) fn role(&self) -> Role {
        match self.name.as_str() {
            "kafka" => Role::Broker,
            // Further nodes of a cluster have a number behind it.
            name if name.starts_with("restate-server") => Role::Runtime,
            _ => Role::Service,
        }
    }

    /// CPU time so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = self.read("stat")?;
        let ticks =
            ticks(&stat).with_context(|| format!("unexpected /proc/{}/stat: {stat}", self.pid))?;
        Ok(TICK * ticks)
    }

    /// The most memory it has ever held, in KiB.
    pub(crate) fn peak_kib(&self) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        field(&status, "VmHWM:").with_context(|| format!("no VmHWM in /proc/{}/status", self.pid))
    }

    /// The memory it holds now, in KiB; what it shares with others, such as the program's code, is divided among them.
    pub(crate) fn proportional_kib(&self) -> anyhow::Result<u64> {
        let rollup = self.read("smaps_rollup")?;
        field(&rollup, "Pss:").with_context(|| format!("no Pss in /proc/{}/smaps_rollup", self.pid))
    }

    /// What it has had written to disks so far, in bytes.
    pub(crate) fn written(&self) -> anyhow::Result<u64> {
        let io = self.read("io")?;
        let bytes = io
            .lines()
            .find_map(|line| line.strip_prefix("write_bytes: "));
        bytes
            .and_then(|bytes| bytes.parse().ok())
            .with_context(|| format!("no write_bytes in /proc/{}/io", self.pid))
    }

    /// The memory it holds now, in KiB; what it shares with others counts in full.
    pub(crate) fn resident_kib(&self) -> anyhow::Result<u64> {
        let status = self.read("status")?;
        field(&status, "VmRSS:").with_context(|| format!("no VmRSS in /proc/{}/status", self.pid))
    }

    /// How many files and sockets it has open.
    pub(crate) fn open_files(&self) -> anyhow::Result<usize> {
        let path = format!("/proc/{}/fd", self.pid);
        let open = std::fs::read_dir(&path)
            .with_context(|| format!("{}: cannot read {path}", self.name))?;
        Ok(open.count())
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.pid);
        std::fs::read_to_string(&path).with_context(|| {
            format!(
                "{} (process {}) is gone: cannot read {path}",
                self.name, self.pid
            )
        })
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

/// User and system time in a line of `/proc/<pid>/stat`, see `proc_pid_stat(5)`.
fn ticks(stat: &str) -> Option<u32> {
    // The second field is the program's name in parentheses, which may hold anything; the third follows the last one.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let (user, system) = (fields.get(11)?, fields.get(12)?);
    Some(user.parse::<u32>().ok()? + system.parse::<u32>().ok()?)
}

/// A line such as `VmHWM:   1234 kB`.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_are_read_as_the_kernel_writes_them() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 1 0 100 1000 10";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("nonsense"), None);
        assert_eq!(
            field("Name:\tx\nVmHWM:\t   12345 kB\nVmRSS:\t 1 kB\n", "VmHWM:"),
            Some(12345)
        );
    }

    #[test]
    fn this_process_can_be_accounted() {
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
