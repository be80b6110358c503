//! Writing and removing files that other processes read.

use std::io;
use std::path::Path;

/// Writes a file atomically: a reader sees either the old content or all of the new content.
pub fn write_atomically(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    std::fs::write(&new, content)?;
    std::fs::rename(&new, path)
}

/// Removes a file. It is not an error if the file does not exist.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
