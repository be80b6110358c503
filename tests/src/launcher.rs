//! The launcher and the test rig, and short commands of them.

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
    run_program(&binary()?, arguments, input)
}

/// Runs `trials` with these arguments, and waits until it ends. Blocks.
pub fn run_trials<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> anyhow::Result<Ran> {
    run_program(&trials()?, arguments, "")
}

fn run_program<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    input: &str,
) -> anyhow::Result<Ran> {
    let mut child = Command::new(program)
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
    there(profile.join("food-ordering"))
}

/// The test rig: beside the launcher.
pub(crate) fn trials() -> anyhow::Result<PathBuf> {
    there(binary()?.with_file_name("trials"))
}

fn there(program: PathBuf) -> anyhow::Result<PathBuf> {
    ensure!(
        program.exists(),
        "{} is missing; build it with `cargo build --workspace --bins`, or run `cargo xtask test`",
        program.display()
    );
    Ok(program)
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
