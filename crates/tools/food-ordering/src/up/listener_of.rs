//! Finds the process that listens on a port. Linux shows only processes that this user may inspect.

use std::fs;
use std::path::Path;

use procfs_core::net::{TcpNetEntries, TcpState};
use procfs_core::{ExplicitSystemInfo, FromReadSI};

/// The process that listens on `port`, as `name (pid)`.
pub(crate) fn port(port: u16) -> Option<String> {
    let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| TcpNetEntries::from_file(table, &here()).ok())
        .flat_map(|table| table.0)
        .filter(|socket| socket.state == TcpState::Listen && socket.local_address.port() == port)
        .map(|socket| socket.inode)
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes
        .filter(|process| process.file_name().to_str().is_some_and(is_number))
        .find(|process| holds(&process.path(), &inodes))
        .map(|process| {
            let pid = process.file_name();
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            format!("{} (pid {})", name.trim(), pid.display())
        })
}

/// System information for parsing the tables; only the byte order matters.
fn here() -> ExplicitSystemInfo {
    ExplicitSystemInfo {
        boot_time_secs: 0,
        ticks_per_second: 0,
        page_size: 0,
        is_little_endian: cfg!(target_endian = "little"),
    }
}

fn holds(process: &Path, inodes: &[u64]) -> bool {
    let Ok(files) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        fs::read_link(file.path()).is_ok_and(|target| {
            let target = target.to_string_lossy();
            let socket = target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'));
            socket.is_some_and(|socket| socket.parse().is_ok_and(|socket| inodes.contains(&socket)))
        })
    })
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
