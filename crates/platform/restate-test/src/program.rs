//! Finds the Restate server that `food-ordering up` uses.

use std::env;
use std::path::{Path, PathBuf};

const PROGRAM: &str = "restate-server";
const VARIABLE: &str = "FOOD_ORDERING_RESTATE_SERVER";

/// The executable: the one in the environment variable, the one on `PATH`, or else the newest that `food-ordering` has installed.
pub(crate) fn path() -> PathBuf {
    let from_variable = env::var_os(VARIABLE).map(PathBuf::from);
    from_variable
        .or_else(on_path)
        .or_else(installed)
        .unwrap_or_else(|| {
            panic!(
                "{PROGRAM} was not found. Run `cargo run -p food-ordering -- restate-server-path` to install it, or set {VARIABLE} to its path"
            )
        })
}

fn on_path() -> Option<PathBuf> {
    let directories = env::var_os("PATH")?;
    env::split_paths(&directories)
        .map(|directory| directory.join(PROGRAM))
        .find(|program| program.is_file())
}

/// The newest version at `restate-<version>/node_modules/@restatedev/<package>/bin/` in the user's cache.
fn installed() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")))?;
    let (_, newest) = entries(&cache.join("food-ordering"))
        .filter(|directory| directory.join("complete").exists())
        .filter_map(|directory| Some((version(&directory)?, directory)))
        .max()?;
    let packages = entries(&newest.join("node_modules/@restatedev"));
    packages
        .map(|package| package.join("bin").join(PROGRAM))
        .find(|program| program.is_file())
}

/// The numbers of the version in `restate-<version>`, so that 1.7.12 counts as newer than 1.7.9.
fn version(directory: &Path) -> Option<Vec<u32>> {
    let name = directory.file_name()?.to_str()?;
    let numbers = name.strip_prefix("restate-")?.split('.');
    numbers.map(|number| number.parse().ok()).collect()
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}
