//! Finds the launcher and the test rig, and runs their commands.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// The result of a command.
#[derive(Debug)]
pub struct CommandOutput {
    /// Whether the exit code was 0.
    pub success: bool,
    /// Standard output, followed by standard error.
    pub output: String,
}

/// Runs `food-ordering` with these arguments and this standard input, and waits until it ends. Blocks.
pub fn run<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
    input: &str,
) -> anyhow::Result<CommandOutput> {
    run_program(&binary()?, arguments, input)
}

/// Runs `trials` with these arguments, and waits until it ends. Blocks.
pub fn run_trials<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
) -> anyhow::Result<CommandOutput> {
    run_program(&trials()?, arguments, "")
}

fn run_program<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    input: &str,
) -> anyhow::Result<CommandOutput> {
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
    Ok(CommandOutput {
        success: ended.status.success(),
        output,
    })
}

/// The path of the launcher: `FOOD_ORDERING_BIN`, or else the one built together with the tests.
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

/// The path of the test rig, in the directory of the launcher.
pub(crate) fn trials() -> anyhow::Result<PathBuf> {
    there(binary()?.with_file_name("trials"))
}

/// The path of the psql gateway, in the directory of the launcher.
pub fn psql_gateway() -> anyhow::Result<PathBuf> {
    there(binary()?.with_file_name("psql-gateway"))
}

fn there(program: PathBuf) -> anyhow::Result<PathBuf> {
    ensure!(
        program.exists(),
        "{} is missing; build it with `cargo build --workspace --bins`, or run `cargo xtask test`",
        program.display()
    );
    Ok(program)
}

/// Runs `doctor` on a data directory. Returns whether nothing was wrong, and its output.
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
