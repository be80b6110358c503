//! Checks that the programs needed besides Rust are installed.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::steps;

/// A prerequisite: any one of `programs` satisfies it, and `packages` install it on Debian.
struct Prerequisite {
    what: &'static str,
    programs: &'static [&'static str],
    /// The program must succeed with these arguments. Without arguments, it only has to exist.
    probe: &'static [&'static str],
    packages: &'static str,
}

impl Prerequisite {
    fn is_satisfied(&self) -> bool {
        self.programs.iter().any(|program| {
            is_on_path(program) && (self.probe.is_empty() || succeeds(program, self.probe))
        })
    }
}

const PREREQUISITES: [Prerequisite; 5] = [
    needed(
        "a C compiler, for the Kafka client and SQLite",
        &["cc"],
        "build-essential",
    ),
    // librdkafka's `configure` requires one, though only C is linked.
    needed(
        "a C++ compiler, for the Kafka client",
        &["c++"],
        "build-essential",
    ),
    needed("make, for the Kafka client", &["make"], "build-essential"),
    Prerequisite {
        what: "OpenSSL's headers and pkg-config, for the Kafka client's TLS",
        programs: &["pkg-config"],
        probe: &["--exists", "openssl"],
        packages: "libssl-dev pkg-config",
    },
    needed(
        "npm, which fetches the Restate server; or a restate-server on PATH",
        &["npm", "restate-server"],
        "nodejs npm",
    ),
];

/// Additional prerequisites of the tests.
const TEST_PREREQUISITES: [Prerequisite; 3] = [
    needed(
        "psql, for testing the psql gateway",
        &["psql"],
        "postgresql-client",
    ),
    needed("watch, for testing psql under watch", &["watch"], "procps"),
    Prerequisite {
        what: "Python 3 with venv, for testing a Python driver with the psql gateway",
        programs: &["python3"],
        probe: &["-c", "import ensurepip, venv"],
        packages: "python3-venv",
    },
];

/// A prerequisite without a probe.
const fn needed(
    what: &'static str,
    programs: &'static [&'static str],
    packages: &'static str,
) -> Prerequisite {
    Prerequisite {
        what,
        programs,
        probe: &[],
        packages,
    }
}

/// Fails with a list of everything that is missing, and the command that installs it.
pub(crate) fn check() -> anyhow::Result<()> {
    report_missing(&missing(prerequisites()))
}

fn prerequisites() -> impl Iterator<Item = &'static Prerequisite> {
    let named = std::env::var_os("FOOD_ORDERING_RESTATE_SERVER").is_some();
    PREREQUISITES
        .iter()
        .filter(move |prerequisite| !(named && prerequisite.programs.contains(&"restate-server")))
}

/// The same for the tests. If run by root on Debian, installs what is missing.
pub(crate) fn check_for_tests() -> anyhow::Result<()> {
    let all = || prerequisites().chain(&TEST_PREREQUISITES);
    let missing_now = missing(all());
    if !missing_now.is_empty() && nix::unistd::geteuid().is_root() && is_on_path("apt-get") {
        let packages =
            (missing_now.iter()).flat_map(|prerequisite| prerequisite.packages.split_whitespace());
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        if steps::succeed(&mut install).is_err() {
            // A fresh machine has no package lists yet.
            steps::succeed(Command::new("apt-get").arg("update"))?;
            steps::succeed(&mut install)?;
        }
    }
    report_missing(&missing(all()))
}

fn missing<'a>(prerequisites: impl Iterator<Item = &'a Prerequisite>) -> Vec<&'a Prerequisite> {
    prerequisites
        .filter(|prerequisite| !prerequisite.is_satisfied())
        .collect()
}

fn report_missing(missing: &[&Prerequisite]) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = missing
        .iter()
        .map(|prerequisite| format!("  - {}", prerequisite.what))
        .collect();
    let packages: BTreeSet<&str> = missing
        .iter()
        .map(|prerequisite| prerequisite.packages)
        .collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    bail!(
        "some prerequisites are missing on this machine:\n{}\nOn Debian: sudo apt install {}",
        list.join("\n"),
        packages.join(" ")
    );
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub(crate) fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_path() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program"));
    }

    #[test]
    fn an_installed_program_whose_probe_fails_is_missing() {
        let prerequisite = |probe| Prerequisite {
            what: "a shell",
            programs: &["no-such-program", "sh"],
            probe,
            packages: "dash",
        };
        assert!(prerequisite(&[]).is_satisfied());
        assert!(prerequisite(&["-c", "true"]).is_satisfied());
        assert!(!prerequisite(&["-c", "false"]).is_satisfied());
    }
}
