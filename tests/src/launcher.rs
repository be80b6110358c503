//! The launcher's binary, and short commands of it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// Whether it says that all is well.
    pub success: bool,
    /// What it printed, errors last.
    pub output: String,
}

/// Runs `food-ordering` with these arguments and this standard input, and waits until it ends. Blocks.
pub fn run<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
    input: &str,
) -> anyhow::Result<Ran> {
    let mut child = Command::new(binary()?)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("a pipe")?;
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    let ended = child.wait_with_output()?;
    let mut output = String::from_utf8_lossy(&ended.stdout).into_owned();
    output.push_str(&String::from_utf8_lossy(&ended.stderr));
    Ok(Ran {
        success: ended.status.success(),
        output,
    })
}

/// The launcher: named by `FOOD_ORDERING_BIN`, or the one beside the tests.
pub fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("FOOD_ORDERING_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let profile = test
        .ancestors()
        .nth(2)
        .context("tests are in target/<profile>/deps")?;
    let binary = profile.join("food-ordering");
    ensure!(
        binary.exists(),
        "{} is missing; build it with `cargo build -p food-ordering`, or run `cargo xtask test`",
        binary.display()
    );
    Ok(binary)
}

/// Runs `doctor` on a data directory: whether it found everything fine, and what it said.
pub async fn doctor(directory: &Path, flags: &[&str]) -> anyhow::Result<(bool, String)> {
    let output = tokio::process::Command::new(binary()?)
        .arg("doctor")
        .arg(format!("--data-dir={}", directory.display()))
        .args(flags)
        .output()
        .await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}
