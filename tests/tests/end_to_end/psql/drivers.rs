//! Drivers of other languages. Their checks are in `tests/drivers`; `cargo xtask test` installs them.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::{delivered, url};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers")
}

/// The Python interpreter for which the driver is installed.
fn python() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("FOOD_ORDERING_TEST_PYTHON") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let target = test.ancestors().nth(3);
    let target = target.context("tests are in target/<profile>/deps")?;
    Ok(target.join("test-drivers/python/bin/python"))
}

async fn check(mut command: Command, all: &[&str]) -> anyhow::Result<()> {
    let output = command.kill_on_drop(true).output().await;
    let output =
        output.with_context(|| format!("{command:?}, which `cargo xtask test` installs"))?;
    let passed = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && passed.lines().eq(all.iter().copied()),
        "passed: {passed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn psycopg_and_pg_pass_their_checks() -> anyhow::Result<()> {
    let system = delivered().await?;

    // How many generated texts each driver sends.
    let count = std::env::var("FOOD_ORDERING_TEST_STRINGS");
    let count = count.unwrap_or_else(|_| "1000".to_owned());
    let mut strings = Command::new(python()?);
    strings
        .arg(directory().join("python/strings.py"))
        .arg(url(&system)?)
        .arg(&count);
    let mut psycopg = Command::new(python()?);
    psycopg
        .arg(directory().join("python/check.py"))
        .arg(url(&system)?);
    let mut pg = Command::new("node");
    pg.arg(directory().join("node/check.mjs"))
        .arg(url(&system)?)
        .arg(&count);
    let (strings, psycopg, pg) = tokio::join!(
        check(strings, &["psycopg", "asyncpg", "pg8000"]),
        check(
            psycopg,
            &[
                "values",
                "parameters",
                "types",
                "data",
                "harmless",
                "cursors",
                "reflected",
                "prepared",
                "copied",
                "refused",
                "cancelled"
            ],
        ),
        check(
            pg,
            &[
                "values",
                "parameters",
                "data",
                "strings",
                "harmless",
                "prepared",
                "pooled",
                "refused",
                "cancelled"
            ],
        ),
    );
    strings.context("generated texts")?;
    psycopg.context("psycopg")?;
    pg.context("pg")
}
