//! Which process holds a TCP socket. Linux shows only processes that this user may inspect.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use procfs_core::net::{TcpNetEntries, TcpNetEntry, TcpState};
use procfs_core::{ExplicitSystemInfo, FromReadSI};

/// The process that listens on `port`, as `name (pid)`.
pub(crate) fn listener(port: u16) -> Option<String> {
    let inodes =
        inodes(|socket| socket.state == TcpState::Listen && socket.local_address.port() == port);
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

/// Whether process `pid` has a connection whose own address is `local`.
#[must_use]
pub fn is_connected_from(pid: u32, local: SocketAddr) -> bool {
    let inodes = inodes(|socket| socket.local_address == local);
    holds(&Path::new("/proc").join(pid.to_string()), &inodes)
}

/// The inodes of the sockets that `wanted` selects.
fn inodes(wanted: impl Fn(&TcpNetEntry) -> bool) -> Vec<u64> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| TcpNetEntries::from_file(table, &here()).ok())
        .flat_map(|table| table.0)
        .filter(wanted)
        .map(|socket| socket.inode)
        .collect()
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

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_belongs_to_the_process_that_opened_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, peer) = listener.accept().unwrap();
        assert!(is_connected_from(std::process::id(), peer));
        assert!(!is_connected_from(1, peer));
        drop((connection, accepted));
        let free = "127.0.0.1:1".parse().unwrap();
        assert!(!is_connected_from(std::process::id(), free));
    }
}
