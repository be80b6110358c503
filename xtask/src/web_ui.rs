//! The web UI in `webui/`: built when its sources have changed, and checked.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The oldest Node.js that the build tools run on; `webui/package.json` says the same.
const NODE: (u32, u32) = (20, 19);
/// Where npm keeps what it has installed.
const INSTALLED: &str = "node_modules";
/// Where the build goes, and the gateway reads.
const DIST: &str = "dist";
/// In [`INSTALLED`]: the lock file it was installed from.
const INSTALLED_FROM: &str = "node_modules/.installed-from";
/// In [`DIST`], hidden from browsers: the fingerprint of what it was built from.
const BUILT_FROM: &str = "dist/.built-from";
const LOCK: &str = "package-lock.json";
/// What is not part of the build, beside everything whose name begins with a dot.
const NOT_BUILT_FROM: [&str; 5] = [INSTALLED, DIST, "e2e", "mock", "playwright.config.ts"];

/// The web UI's directory.
#[derive(Debug)]
pub(crate) struct WebUi {
    directory: PathBuf,
}

impl WebUi {
    /// That of this source tree.
    pub(crate) fn new() -> Self {
        // Of the time of the build: `cargo xtask` builds this program where it runs it.
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../webui");
        Self {
            directory: directory.canonicalize().unwrap_or(directory),
        }
    }

    /// The directory of the built web UI.
    pub(crate) fn dist(&self) -> PathBuf {
        self.directory.join(DIST)
    }

    /// An `npm` command in the web UI's directory.
    pub(crate) fn npm<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(&self.directory);
        command
    }

    /// Has `run` install what the web UI is built with, and build it, each only where something has changed since.
    ///
    /// `run` is given each command with its name.
    pub(crate) fn make(&self, mut run: impl Run) -> anyhow::Result<()> {
        self.install(&mut run)?;
        self.build(&mut run)
    }

    fn install(&self, run: &mut impl Run) -> anyhow::Result<()> {
        let lock = self.read(LOCK)?;
        if fs::read(self.directory.join(INSTALLED_FROM)).is_ok_and(|from| from == lock) {
            return Ok(());
        }
        check_node()?;
        // Not `npm ci`: it refuses a lock file that lacks the packages for some other platform, and registries do not always have
        // them all. This too installs what the lock file says, and `--no-save` leaves the file as it is.
        let mut command = self.npm([
            "install",
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]);
        run("web UI packages", &mut command)?;
        self.write(INSTALLED_FROM, &lock)
    }

    fn build(&self, run: &mut impl Run) -> anyhow::Result<()> {
        let sources = self.fingerprint()?;
        if fs::read_to_string(self.directory.join(BUILT_FROM)).is_ok_and(|from| from == sources) {
            return Ok(());
        }
        check_node()?;
        run("web UI build", &mut self.npm(["run", "--silent", "build"]))?;
        self.write(BUILT_FROM, sources.as_bytes())
    }

    /// Names and contents of all files it is built from, in short.
    fn fingerprint(&self) -> anyhow::Result<String> {
        // Another version of Rust may hash otherwise. That costs one build.
        let mut hasher = DefaultHasher::new();
        self.hash(&self.directory, &mut hasher)?;
        Ok(format!("{:016x}", hasher.finish()))
    }

    fn hash(&self, directory: &Path, hasher: &mut DefaultHasher) -> anyhow::Result<()> {
        let mut entries = fs::read_dir(directory)
            .with_context(|| format!("reading {}", directory.display()))?
            .collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = path.strip_prefix(&self.directory)?;
            if NOT_BUILT_FROM.iter().any(|not| name == Path::new(not))
                || entry.file_name().as_encoded_bytes().starts_with(b".")
            {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.hash(&path, hasher)?;
            } else {
                name.hash(hasher);
                fs::read(&path)
                    .with_context(|| format!("reading {}", path.display()))?
                    .hash(hasher);
            }
        }
        Ok(())
    }

    fn read(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.directory.join(name);
        fs::read(&path).with_context(|| format!("reading {}", path.display()))
    }

    fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.directory.join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))
    }
}

/// What runs a command that has a name; an error if it fails.
pub(crate) trait Run: FnMut(&'static str, &mut Command) -> anyhow::Result<()> {}
impl<F: FnMut(&'static str, &mut Command) -> anyhow::Result<()>> Run for F {}

/// An error that says what to do, if Node.js or npm is missing or too old.
fn check_node() -> anyhow::Result<()> {
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
        "building the web UI needs Node.js {major}.{minor} or newer with npm, and this machine {found}.\n\
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
    use tempfile::TempDir;

    use super::*;

    /// A web UI with one source file, in a directory that ends with the first value.
    fn web_ui() -> (TempDir, WebUi) {
        let directory = tempfile::tempdir().unwrap();
        for made in ["src", INSTALLED, DIST, "e2e"] {
            fs::create_dir(directory.path().join(made)).unwrap();
        }
        fs::write(directory.path().join(LOCK), "{}").unwrap();
        fs::write(directory.path().join("src/main.ts"), "1").unwrap();
        let web_ui = WebUi {
            directory: directory.path().to_owned(),
        };
        (directory, web_ui)
    }

    /// The names of the commands that would be run now, as if they succeeded.
    fn made(web_ui: &WebUi) -> Vec<&'static str> {
        let mut names = Vec::new();
        let run = |name, _: &mut Command| {
            names.push(name);
            Ok(())
        };
        web_ui.make(run).unwrap();
        names
    }

    #[test]
    fn only_what_has_changed_is_done_again() {
        const PACKAGES: &str = "web UI packages";
        const BUILD: &str = "web UI build";
        const NOTHING: [&str; 0] = [];
        let (_directory, web_ui) = web_ui();
        let write = |name: &str, text: &str| fs::write(web_ui.directory.join(name), text).unwrap();
        assert_eq!(made(&web_ui), [PACKAGES, BUILD]);
        assert_eq!(made(&web_ui), NOTHING);
        write("src/main.ts", "1");
        write("e2e/some.spec.ts", "2");
        write("node_modules/package.json", "3");
        assert_eq!(made(&web_ui), NOTHING, "nothing it is built from");
        write("src/main.ts", "2");
        assert_eq!(made(&web_ui), [BUILD], "a file has changed");
        write("src/other.ts", "");
        assert_eq!(made(&web_ui), [BUILD], "a file is new");
        fs::rename(
            web_ui.directory.join("src/other.ts"),
            web_ui.directory.join("src/same.ts"),
        )
        .unwrap();
        assert_eq!(made(&web_ui), [BUILD], "a file has another name");
        write(LOCK, "{ }");
        assert_eq!(made(&web_ui), [PACKAGES, BUILD], "other packages");
    }

    #[test]
    fn what_has_failed_is_done_again() {
        let (_directory, web_ui) = web_ui();
        let fail = |_: &'static str, _: &mut Command| bail!("no network");
        assert!(web_ui.make(fail).is_err());
        assert_eq!(made(&web_ui).len(), 2);
    }

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
    fn the_web_ui_asks_for_the_same_node() {
        let package = WebUi::new().read("package.json").unwrap();
        let wanted = format!("\"node\": \">={}.{}\"", NODE.0, NODE.1);
        assert!(String::from_utf8(package).unwrap().contains(&wanted));
    }
}
