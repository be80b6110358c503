//! Is there space left for the data directory?

use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::finding::Finding;

/// With less space than this, any of Restate's writes may fail. A new Restate 1.7.12 with two partitions took 270 MB.
const LOW_BYTES: u128 = 256 * 1024 * 1024;

/// Looks at the file system of the data directory.
pub(super) fn look(directory: &Path) -> Finding {
    match statvfs(directory) {
        Ok(stat) => {
            // Their types depend on the operating system.
            let left = u128::from(stat.blocks_available()) * u128::from(stat.fragment_size());
            judge(directory, left)
        }
        Err(error) => Finding::wrong(
            "disk",
            format!("{} cannot be examined: {error}", directory.display()),
            "check the directory and its permissions",
        ),
    }
}

fn judge(directory: &Path, left: u128) -> Finding {
    let what = format!("{} MB left for {}", left / 1_000_000, directory.display());
    if left < LOW_BYTES {
        let remedy =
            "free some space: Restate ends when it cannot write, and `up` restarts it until it can";
        Finding::wrong("disk", what, remedy)
    } else {
        Finding::fine("disk", what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported() {
        let directory = Path::new("/data");
        assert!(judge(directory, 0).is_wrong());
        assert!(judge(directory, LOW_BYTES - 1).is_wrong());
        assert!(!judge(directory, LOW_BYTES).is_wrong());
        assert!(look(Path::new("/nowhere")).is_wrong());
    }
}
