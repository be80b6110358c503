//! A Python virtual environment with the packages of a `requirements.txt`, which is recreated when the file has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::node::Run;

/// The file in the environment that records the requirements it was made from.
const MADE_FROM: &str = ".made-from";

/// A virtual environment.
#[derive(Debug)]
pub(crate) struct Environment {
    requirements: PathBuf,
    directory: PathBuf,
}

impl Environment {
    /// An environment in `directory` with these requirements, whose path is relative to the root of the source tree.
    pub(crate) fn new(requirements: &str, directory: PathBuf) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Self {
            requirements: root.join(requirements),
            directory,
        }
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.directory.join("bin/python")
    }

    /// Creates the environment, unless it is up to date. Calls `run` with each command and its `name`.
    pub(crate) fn make(&self, name: &'static str, run: &mut impl Run) -> anyhow::Result<()> {
        let requirements = fs::read(&self.requirements)
            .with_context(|| format!("reading {}", self.requirements.display()))?;
        let stamp = self.directory.join(MADE_FROM);
        // The interpreter is a symbolic link, whose target may be gone.
        if self.python().is_file() && fs::read(&stamp).is_ok_and(|from| from == requirements) {
            return Ok(());
        }
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&self.directory);
        run(name, &mut make)?;
        let mut install = Command::new(self.python());
        install
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(&self.requirements);
        run(name, &mut install)?;
        fs::write(&stamp, requirements).with_context(|| format!("writing {}", stamp.display()))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn it_is_recreated_when_the_requirements_change_and_after_a_failure() {
        let directory = tempfile::tempdir().unwrap();
        let environment = Environment {
            requirements: directory.path().join("requirements.txt"),
            directory: directory.path().join("made"),
        };
        let write = |text: &str| fs::write(&environment.requirements, text).unwrap();
        let made = || {
            let mut commands = 0;
            let mut run = |_: &'static str, _: &mut Command| {
                commands += 1;
                fs::create_dir_all(environment.directory.join("bin"))?;
                fs::write(environment.python(), "")?;
                Ok(())
            };
            environment.make("Python packages", &mut run).unwrap();
            commands
        };
        write("psycopg==3.3.9");
        let mut fail = |_: &'static str, _: &mut Command| bail!("no network");
        assert!(environment.make("Python packages", &mut fail).is_err());
        assert_eq!(made(), 2);
        assert_eq!(made(), 0);
        write("psycopg==3.4.0");
        assert_eq!(made(), 2);
    }
}
