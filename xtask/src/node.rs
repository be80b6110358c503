//! A directory with a `package.json`: its packages are installed when its lock file has changed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The oldest Node.js that the packages run on; each `package.json` says the same.
pub(crate) const NODE: (u32, u32) = (20, 19);
/// Where npm keeps what it has installed.
pub(crate) const INSTALLED: &str = "node_modules";
/// In [`INSTALLED`]: how it was installed, and the lock file it was installed from.
const INSTALLED_FROM: &str = "node_modules/.installed-from";
pub(crate) const LOCK: &str = "package-lock.json";

/// Has npm install what the lock file says, whatever the user's `.npmrc` or environment says: builds and tests need the
/// development packages, which `omit` and `NODE_ENV=production` leave out, and the optional ones, which hold native programs.
///
/// Not `npm ci`: it refuses a lock file that lacks the packages for some other platform, and registries do not always have them
/// all. `--no-save` leaves the lock file as it is.
const INSTALL: [&str; 12] = [
    "install",
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--include=dev",
    "--include=optional",
    "--global=false",
    "--location=project",
    "--dry-run=false",
    "--package-lock=true",
    "--package-lock-only=false",
];

/// A directory with a `package.json`.
#[derive(Debug)]
pub(crate) struct Packages {
    directory: PathBuf,
}

impl Packages {
    /// That of this source tree, named from its root.
    pub(crate) fn new(directory: &str) -> Self {
        // Of the time of the build: `cargo xtask` builds this program where it runs it.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let directory = root.join(directory);
        Self::at(directory.canonicalize().unwrap_or(directory))
    }

    /// One anywhere.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// An `npm` command there.
    pub(crate) fn npm<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(&self.directory);
        command
    }

    /// Has `run` install the packages, unless they are those of the lock file. The command is called `name`.
    pub(crate) fn install(&self, name: &'static str, run: &mut impl Run) -> anyhow::Result<()> {
        // With the flags, as others may have left something out.
        let wanted = [INSTALL.join(" ").as_bytes(), b"\n", &self.read(LOCK)?].concat();
        if fs::read(self.directory.join(INSTALLED_FROM)).is_ok_and(|from| from == wanted) {
            return Ok(());
        }
        check_node()?;
        run(name, &mut self.npm(INSTALL))?;
        self.write(INSTALLED_FROM, &wanted)
    }

    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.directory.join(name);
        fs::read(&path).with_context(|| format!("reading {}", path.display()))
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.directory.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))
    }
}

/// What runs a command that has a name; an error if it fails.
pub(crate) trait Run: FnMut(&'static str, &mut Command) -> anyhow::Result<()> {}
impl<F: FnMut(&'static str, &mut Command) -> anyhow::Result<()>> Run for F {}

/// An error that says what to do, if Node.js or npm is missing or too old.
pub(crate) fn check_node() -> anyhow::Result<()> {
    let (major, minor) = NODE;
    let found = match version_of("node") {
        Some(version) if is_new_enough(&version) => match version_of("npm") {
            Some(_) => return Ok(()),
            None => "has no npm".to_owned(),
        },
        Some(version) => format!("has Node.js {version}"),
        None => "has none".to_owned(),
    };
    bail!(
        "the web UI and the tests of drivers need Node.js {major}.{minor} or newer with npm, and this machine {found}.\n\
         On Debian 13 or newer: sudo apt install nodejs npm. Elsewhere: https://nodejs.org\n\
         The demo runs without it too: cargo xtask demo --no-web-ui"
    );
}

fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| version.trim().to_owned())
}

/// Whether a version like `v20.19.2` is at least [`NODE`].
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|number| number.parse().ok());
    let found: Option<(u32, u32)> = numbers.next().zip(numbers.next());
    found.is_some_and(|found| found >= NODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_is_told_from_a_new_one() {
        for (version, expected) in [
            ("v20.19.0", true),
            ("v22.1.0", true),
            ("v20.18.9", false),
            ("v18.19.0", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }

    #[test]
    fn all_packages_ask_for_the_same_node() {
        for directory in ["webui", "tests/drivers/node"] {
            let package = Packages::new(directory).read("package.json").unwrap();
            let wanted = format!("\"node\": \">={}.{}\"", NODE.0, NODE.1);
            assert!(
                String::from_utf8(package).unwrap().contains(&wanted),
                "{directory}"
            );
        }
    }
}
