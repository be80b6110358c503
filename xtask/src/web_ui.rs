//! Builds the web UI in `webui/` when its sources have changed.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::node::{INSTALLED, Packages, Run, check_node};

/// The directory of the built web UI, from which the gateway serves it.
const DIST: &str = "dist";
/// The file in [`DIST`] with the fingerprint of the sources it was built from. The gateway does not serve it.
const BUILT_FROM: &str = "dist/.built-from";
/// Entries that are not part of the build, in addition to all names that begin with a dot.
const NOT_BUILT_FROM: [&str; 5] = [INSTALLED, DIST, "e2e", "mock", "playwright.config.ts"];

/// The web UI's directory.
#[derive(Debug)]
pub(crate) struct WebUi {
    packages: Packages,
}

impl WebUi {
    /// The web UI of this source tree.
    pub(crate) fn new() -> Self {
        Self {
            packages: Packages::new("webui"),
        }
    }

    /// The directory of the built web UI.
    pub(crate) fn dist(&self) -> PathBuf {
        self.packages.directory().join(DIST)
    }

    /// An `npm` command in the web UI's directory.
    pub(crate) fn npm<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Command {
        self.packages.npm(arguments)
    }

    /// Installs the packages and builds the web UI, each only if something has changed since the last time.
    ///
    /// Calls `run` with each command and its name.
    pub(crate) fn make(&self, mut run: impl Run) -> anyhow::Result<()> {
        self.packages.install("web UI packages", &mut run)?;
        self.build(&mut run)
    }

    fn build(&self, run: &mut impl Run) -> anyhow::Result<()> {
        let sources = self.fingerprint()?;
        if fs::read_to_string(self.packages.directory().join(BUILT_FROM))
            .is_ok_and(|from| from == sources)
        {
            return Ok(());
        }
        check_node()?;
        run("web UI build", &mut self.npm(["run", "--silent", "build"]))?;
        self.packages.write(BUILT_FROM, sources.as_bytes())
    }

    /// A hash of the names and contents of all source files.
    fn fingerprint(&self) -> anyhow::Result<String> {
        // Another version of Rust may use another hash, which only costs one build.
        let mut hasher = DefaultHasher::new();
        self.hash(self.packages.directory(), &mut hasher)?;
        Ok(format!("{:016x}", hasher.finish()))
    }

    fn hash(&self, directory: &Path, hasher: &mut DefaultHasher) -> anyhow::Result<()> {
        let mut entries = fs::read_dir(directory)
            .with_context(|| format!("reading {}", directory.display()))?
            .collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let name = path.strip_prefix(self.packages.directory())?;
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
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use tempfile::TempDir;

    use super::*;
    use crate::node::LOCK;

    /// A web UI with one source file, in a temporary directory that is removed when the first value is dropped.
    fn web_ui() -> (TempDir, WebUi) {
        let directory = tempfile::tempdir().unwrap();
        for made in ["src", INSTALLED, DIST, "e2e"] {
            fs::create_dir(directory.path().join(made)).unwrap();
        }
        fs::write(directory.path().join(LOCK), "{}").unwrap();
        fs::write(directory.path().join("src/main.ts"), "1").unwrap();
        let web_ui = WebUi {
            packages: Packages::at(directory.path().to_owned()),
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
    fn only_steps_whose_input_has_changed_are_repeated() {
        const PACKAGES: &str = "web UI packages";
        const BUILD: &str = "web UI build";
        const NOTHING: [&str; 0] = [];
        let (_directory, web_ui) = web_ui();
        let write = |name: &str, text: &str| {
            fs::write(web_ui.packages.directory().join(name), text).unwrap();
        };
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
            web_ui.packages.directory().join("src/other.ts"),
            web_ui.packages.directory().join("src/same.ts"),
        )
        .unwrap();
        assert_eq!(made(&web_ui), [BUILD], "a file has another name");
        write(LOCK, "{ }");
        assert_eq!(made(&web_ui), [PACKAGES, BUILD], "other packages");
    }

    #[test]
    fn a_failed_step_is_repeated() {
        let (_directory, web_ui) = web_ui();
        let fail = |_: &'static str, _: &mut Command| bail!("no network");
        assert!(web_ui.make(fail).is_err());
        assert_eq!(made(&web_ui).len(), 2);
    }
}
