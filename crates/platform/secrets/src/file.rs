//! Files with one secret per line.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// The minimum length of a secret, in characters: 128 bits as hexadecimal digits.
const SHORTEST: usize = 32;

/// The maximum size of a file with secrets or settings, in bytes.
const LARGEST: u64 = 1 << 20;

/// Reads a file with secrets, or with settings that may be secret.
///
/// Fails if the file is larger than 1 MiB or not UTF-8. Also fails for a named pipe, which would block until someone writes to it.
/// The limit matters if the path is that of a device by mistake, which may have no end.
pub fn text(path: &Path) -> io::Result<SecretString> {
    if std::fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is a pipe, not a file",
        ));
    }
    let mut text = String::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    // Wiped from memory on drop.
    let text = SecretString::from(text);
    if text.expose_secret().len() as u64 > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the file is larger than 1 MiB",
        ));
    }
    Ok(text)
}

/// Why a file cannot be used. Contains nothing of the file's contents.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It contains no secret.
    #[error("{} is empty: it must contain one secret per line", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A line is not a valid secret.
    #[error(
        "line {line} of {} is not a valid secret, which has at least {SHORTEST} characters, printable ASCII without spaces; \
         `food-ordering keys --directory DIR` creates valid secrets",
        path.display()
    )]
    Weak {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// No file with the secret for restaurants' callbacks was given.
    #[error(
        "set --callback-secret-file to the same secret for the order services and the gateway: it authenticates restaurants' \
         callbacks. `food-ordering keys --directory DIR` creates it: DIR/{}",
        crate::keys::CALLBACK
    )]
    NoCallbackSecret,
}

/// Secrets for one purpose. New keys and signatures use the first secret; the others are only accepted, so that a secret can be
/// replaced while keys or signatures of the previous one are still in use.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Reads a file with one secret per line; see [`lines`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut secrets = Vec::new();
        for (number, line) in lines(path)? {
            if line.len() < SHORTEST || !line.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Error::Weak {
                    path: path.to_owned(),
                    line: number,
                });
            }
            secrets.push(SecretString::from(line));
        }
        Ok(Self(secrets))
    }

    /// All secrets, beginning with the one to use.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        self.0.iter()
    }
}

impl<T: Into<SecretString>> FromIterator<T> for Secrets {
    fn from_iter<I: IntoIterator<Item = T>>(secrets: I) -> Self {
        Self(secrets.into_iter().map(Into::into).collect())
    }
}

/// The lines of a file with their numbers, without those that are blank or begin with `#`. Fails if no line is left.
pub fn lines(path: &Path) -> Result<Vec<(usize, String)>, Error> {
    let text = text(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let lines: Vec<(usize, String)> = (text.expose_secret().lines().enumerate())
        .map(|(number, line)| (number + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| (number, line.to_owned()))
        .collect();
    if lines.is_empty() {
        return Err(Error::Empty {
            path: path.to_owned(),
        });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_refused_without_waiting_for_a_writer() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let refused = text(&pipe).unwrap_err();
        assert_eq!(refused.to_string(), "this is a pipe, not a file");
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        let endless = text(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(endless.to_string(), "the file is larger than 1 MiB");
    }

    fn read(text: &str) -> Result<Secrets, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("some.secret");
        std::fs::write(&path, text).unwrap();
        Secrets::read(&path)
    }

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn secrets_keep_their_order_and_comments_are_ignored() {
        let secrets = read(&format!("# new since Monday\n{A}\n\n  {B}  \n")).unwrap();
        let texts: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(texts, [A, B]);
    }

    #[test]
    fn errors_do_not_contain_the_secret() {
        for (text, expected) in [
            ("", "is empty"),
            ("# nothing\n", "is empty"),
            ("changeme\n", "line 1 of"),
            (&format!("{A}\n{B} {B}\n"), "line 2 of"),
            (&format!("{A}ü\n"), "line 1 of"),
        ] {
            let error = read(text).unwrap_err();
            for shown in [error.to_string(), format!("{error:?}")] {
                assert!(!shown.contains("changeme") && !shown.contains(A), "{shown}");
            }
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = Secrets::read(Path::new("/nowhere/x.secret")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/x.secret"), "{error}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", read(A).unwrap());
        assert!(!shown.contains(A) && shown.contains("REDACTED"), "{shown}");
    }
}
