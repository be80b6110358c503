//! Who listens on a port, as far as Linux tells this user.

use std::fs;
use std::path::Path;

/// The process that listens on `port`, as `name (pid)`.
pub(crate) fn port(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| {
            let inodes: Vec<String> = table.lines().filter_map(|line| inode(line, port)).collect();
            inodes
        })
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

/// The socket's number in a line of `/proc/net/tcp` about a listener on `port`.
fn inode(line: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, local) = fields.get(1)?.split_once(':')?;
    let matches = u16::from_str_radix(local, 16) == Ok(port) && fields.get(3) == Some(&LISTEN);
    matches.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
}

fn holds(process: &Path, inodes: &[String]) -> bool {
    let Ok(files) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        fs::read_link(file.path()).is_ok_and(|target| {
            let target = target.to_string_lossy();
            let socket = target
                .strip_prefix("socket:[")
                .and_then(|rest| rest.strip_suffix(']'));
            socket.is_some_and(|socket| inodes.iter().any(|inode| inode == socket))
        })
    })
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
