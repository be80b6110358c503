//! Files with one secret a line.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// The shortest secret, in characters: 128 bits as hexadecimal digits.
const SHORTEST: usize = 32;

/// The largest file of secrets or settings, in bytes.
const LARGEST: u64 = 1 << 20;

/// The text of a file with secrets, or with settings that may be secret.
///
/// No more is read than such a file can have: a name that was mixed up may be that of a device, which never ends. So it is
/// refused if it is larger than 1 MiB, if it is not UTF-8, and if it is a named pipe, which may never be written to.
pub fn text(path: &Path) -> io::Result<SecretString> {
    if std::fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a pipe, not a file",
        ));
    }
    let mut text = String::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_string(&mut text)?;
    // Wiped when it is dropped.
    let text = SecretString::from(text);
    if text.expose_secret().len() as u64 > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it has more than 1 MiB",
        ));
    }
    Ok(text)
}

/// Why a file cannot be used. Tells nothing of what is in it.
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
    /// There is no line in it.
    #[error("{} is empty: it must hold one secret a line", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A line is no secret.
    #[error(
        "line {line} of {} is no secret: it must have at least {SHORTEST} characters, printable ASCII without spaces; \
         `food-ordering keys --directory DIR` makes good ones",
        path.display()
    )]
    Weak {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// There is no file with the secret of restaurants' callbacks.
    #[error(
        "give --callback-secret-file, the same to order services and gateway: by it they know restaurants' callbacks. \
         `food-ordering keys --directory DIR` makes it: DIR/{}",
        crate::keys::CALLBACK
    )]
    NoCallbackSecret,
}

/// Secrets for one purpose. The first is used; the others are accepted too, so that a secret can be replaced while what was
/// made with the former one is still under way.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// Reads a file of secrets, one a line; see [`lines`].
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

    /// All of them, the one to use first.
    pub fn iter(&self) -> impl Iterator<Item = &SecretString> {
        self.0.iter()
    }
}

impl<T: Into<SecretString>> FromIterator<T> for Secrets {
    fn from_iter<I: IntoIterator<Item = T>>(secrets: I) -> Self {
        Self(secrets.into_iter().map(Into::into).collect())
    }
}

/// The lines of a file with their numbers, at least one, without those that are blank or begin with `#`.
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
    fn a_pipe_is_refused_before_anybody_waits_for_its_writer() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let refused = text(&pipe).unwrap_err();
        assert_eq!(refused.to_string(), "it is a pipe, not a file");
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        let endless = text(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(endless.to_string(), "it has more than 1 MiB");
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
    fn the_first_line_comes_first_and_remarks_are_none() {
        let secrets = read(&format!("# new since Monday\n{A}\n\n  {B}  \n")).unwrap();
        let texts: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(texts, [A, B]);
    }

    #[test]
    fn what_is_wrong_is_told_without_telling_the_secret() {
        for (text, told) in [
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
            assert!(error.to_string().contains(told), "{error}");
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
