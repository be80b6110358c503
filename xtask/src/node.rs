//! Installs the packages of a directory with a `package.json` when its lock file has changed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The oldest supported version of Node.js; each `package.json` has the same.
pub(crate) const NODE: (u32, u32) = (20, 19);
/// The directory in which npm installs packages.
pub(crate) const INSTALLED: &str = "node_modules";
/// The file that records the flags and the lock file of the last installation.
const INSTALLED_FROM: &str = "node_modules/.installed-from";
pub(crate) const LOCK: &str = "package-lock.json";

/// Arguments that make npm install the packages of the lock file, whatever the user's `.npmrc` or environment says. Builds and tests
/// need the development packages, which `omit` and `NODE_ENV=production` would exclude, and the optional ones, which contain native
/// programs.
///
/// `npm ci` is not used, because it refuses a lock file that lacks packages for other platforms, and registries do not always have all
/// of them. `--no-save` keeps the lock file unchanged.
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
    /// A directory of this source tree; `directory` is relative to its root.
    pub(crate) fn new(directory: &str) -> Self {
        // The path at build time is right, because `cargo xtask` builds this program in the tree where it runs it.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let directory = root.join(directory);
        Self::at(directory.canonicalize().unwrap_or(directory))
    }

    /// Any directory.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// An `npm` command in this directory.
    pub(crate) fn npm<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(&self.directory);
        command
    }

    /// Installs the packages, unless those of the lock file are installed already. Calls `run` with the command and its `name`.
    pub(crate) fn install(&self, name: &'static str, run: &mut impl Run) -> anyhow::Result<()> {
        // Includes the flags, because an installation with other flags may have left packages out.
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

/// A function that runs a command with a name, and fails if the command fails.
pub(crate) trait Run: FnMut(&'static str, &mut Command) -> anyhow::Result<()> {}
impl<F: FnMut(&'static str, &mut Command) -> anyhow::Result<()>> Run for F {}

/// Fails with instructions if Node.js or npm is missing or too old.
pub(crate) fn check_node() -> anyhow::Result<()> {
    let (major, minor) = NODE;
    let found = match version_of("node") {
        Some(version) if is_new_enough(&version) => match version_of("npm") {
            Some(_) => return Ok(()),
            None => "has no npm".to_owned(),
        },
        Some(version) => format!("has Node.js {version}"),
        None => "has no Node.js".to_owned(),
    };
    bail!(
        "the web UI and the driver tests need Node.js {major}.{minor} or newer with npm, but this machine {found}.\n\
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
    fn versions_of_node_are_compared() {
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
    fn all_packages_require_the_same_version_of_node() {
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
