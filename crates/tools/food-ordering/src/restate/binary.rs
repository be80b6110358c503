//! Finds the restate-server binary.
//!
//! It tries the one given by a flag, then the one on `PATH`, then the one in the pinned npm package. The package is installed once
//! into a cache directory that all data directories and checkouts share.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use tokio::process::Command;

use crate::install::{Cache, on_path};

/// The version this system is tested with.
pub const VERSION: &str = "1.7.12";
/// Versions that speak the same admin API and service protocol.
const COMPATIBLE: &str = "1.7.";
const PROGRAM: &str = "restate-server";

/// The flag that names the binary.
#[derive(Debug, Clone, clap::Args)]
pub struct Wanted {
    /// Path of the restate-server binary [default: the one on PATH, else that of the npm package, which is installed once]
    #[arg(long, env = "FOOD_ORDERING_RESTATE_SERVER", value_name = "FILE")]
    restate_server: Option<PathBuf>,
}

/// The path of a binary, and a warning for the user if its version is not the tested one.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) warning: Option<String>,
}

/// `restate-server-path`: prints the path and nothing else on standard output.
pub async fn main(wanted: Wanted) -> anyhow::Result<()> {
    let found = find(&wanted, None, |line| complain!("{line}")).await?;
    if let Some(warning) = found.warning {
        complain!("{warning}");
    }
    say!("{}", found.path.display());
    Ok(())
}

/// Finds the binary, and installs it if necessary, into `spare` if the user's cache cannot be written. `progress` is called with
/// a line of text when a step takes long.
pub(crate) async fn find(
    wanted: &Wanted,
    spare: Option<&Path>,
    progress: impl Fn(&str),
) -> anyhow::Result<Found> {
    let there = wanted.restate_server.clone().or_else(|| on_path(PROGRAM));
    let Some(path) = there else {
        let path = installed(spare, &progress).await?;
        return Ok(Found {
            path,
            warning: None,
        });
    };
    let version = version(&path).await?;
    let warning = (!version.starts_with(COMPATIBLE)).then(|| {
        format!(
            "{} is version {version}; this system is tested with {VERSION}. If something fails, remove it from PATH or give \
             another binary with --restate-server.",
            path.display()
        )
    });
    Ok(Found { path, warning })
}

async fn version(binary: &Path) -> anyhow::Result<String> {
    let output = Command::new(binary)
        .arg("--version")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("running {} --version", binary.display()))?;
    // `restate-server 1.7.12`
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    match line.split(' ').collect::<Vec<_>>()[..] {
        [PROGRAM, version, ..] if output.status.success() => Ok(version.to_owned()),
        _ => bail!(
            "{} is not a Restate server: its --version prints {line:?}",
            binary.display()
        ),
    }
}

/// The binary in the npm package. Installs the package if it is missing or its binary does not run.
async fn installed(spare: Option<&Path>, progress: impl Fn(&str)) -> anyhow::Result<PathBuf> {
    let package = platform_package(env::consts::OS, env::consts::ARCH)?;
    let cache = Cache::of(&format!("restate-{VERSION}"), spare)?;
    let directory = cache.path();
    let binary = directory.join(format!("node_modules/{package}/bin/{PROGRAM}"));
    let works = async || cache.is_complete() && version(&binary).await.is_ok();
    if works().await {
        return Ok(binary);
    }
    let _lock = cache.lock(PROGRAM, &progress).await?;
    // Another process may have installed it while this one waited.
    if works().await {
        return Ok(binary);
    }
    let npm = on_path("npm").with_context(|| {
        format!(
            "there is no {PROGRAM} on PATH, and no npm to install it with. Install Node.js with npm (Debian: `apt install \
             nodejs npm`), or give the path of {PROGRAM} {VERSION} with --restate-server"
        )
    })?;
    progress(&format!(
        "Installing {PROGRAM} {VERSION} (225 MB, once) into {} …",
        directory.display()
    ));
    // npm would take the remains of an interrupted installation for a finished one.
    cache.clear()?;
    let npm_cache = directory.join("npm-cache");
    let output = Command::new(npm)
        .args(NPM_INSTALL)
        .arg("--prefix")
        .arg(directory)
        // The user's own npm cache may be read-only, or contain files owned by root.
        .arg("--cache")
        .arg(&npm_cache)
        .arg(format!("{package}@{VERSION}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("running npm")?;
    ensure!(
        output.status.success(),
        "npm could not install {package}@{VERSION} ({}):\n{}\nCheck the network, npm's registry and proxy, and the disk space, \
         or give the path of {PROGRAM} {VERSION} with --restate-server.",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    version(&binary).await.with_context(|| {
        format!("npm installed {package}@{VERSION}, but its program does not run on this machine")
    })?;
    // Not needed again. If it cannot be removed, it only takes space.
    let _ = std::fs::remove_dir_all(npm_cache);
    cache.complete()?;
    Ok(binary)
}

/// Arguments that make npm install one package into a directory, whatever the user's `.npmrc` or environment says.
///
/// The platform's package is named directly. As an optional dependency of the main package, npm's `omit` setting could exclude it.
const NPM_INSTALL: [&str; 12] = [
    "install",
    "--no-save",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
    "--global=false",
    "--location=project",
    "--dry-run=false",
    "--package-lock-only=false",
    "--offline=false",
];

/// The full name of the npm package with the binary for a platform.
fn platform_package(os: &str, arch: &str) -> anyhow::Result<String> {
    let os = match os {
        "linux" => "linux",
        "macos" => "darwin",
        _ => bail!("there is no {PROGRAM} for {os}; use Linux or macOS"),
    };
    let arch = match arch {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => bail!("there is no {PROGRAM} for {arch} processors; use x86_64 or aarch64"),
    };
    Ok(format!("@restatedev/{PROGRAM}-{os}-{arch}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_that_restate_supports_has_its_package() {
        for (os, arch, package) in [
            ("linux", "x86_64", "@restatedev/restate-server-linux-x64"),
            ("linux", "aarch64", "@restatedev/restate-server-linux-arm64"),
            ("macos", "x86_64", "@restatedev/restate-server-darwin-x64"),
            (
                "macos",
                "aarch64",
                "@restatedev/restate-server-darwin-arm64",
            ),
        ] {
            assert_eq!(platform_package(os, arch).unwrap(), package);
        }
        assert!(platform_package("windows", "x86_64").is_err());
        assert!(platform_package("linux", "riscv64").is_err());
    }

    #[tokio::test]
    async fn a_program_other_than_a_restate_server_is_refused() {
        assert!(version(Path::new("/bin/true")).await.is_err());
        assert!(version(Path::new("/nowhere")).await.is_err());
    }
}
