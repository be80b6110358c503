//! What has to be on the machine beside Rust, and how to get it.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::steps;

/// A need, any one program of which fills it, and what fills it on Debian.
struct Need {
    what: &'static str,
    programs: &'static [&'static str],
    /// With these arguments the program must succeed; where there are none, it is enough that it is there.
    probe: &'static [&'static str],
    packages: &'static str,
}

impl Need {
    fn is_filled(&self) -> bool {
        self.programs.iter().any(|program| {
            is_on_path(program) && (self.probe.is_empty() || succeeds(program, self.probe))
        })
    }
}

const NEEDS: [Need; 5] = [
    Need {
        what: "a C compiler, for the Kafka client and SQLite",
        programs: &["cc"],
        probe: &[],
        packages: "build-essential",
    },
    Need {
        // Its `configure` insists on one, though only C is linked.
        what: "a C++ compiler, for the Kafka client",
        programs: &["c++"],
        probe: &[],
        packages: "build-essential",
    },
    Need {
        what: "make, for the Kafka client",
        programs: &["make"],
        probe: &[],
        packages: "build-essential",
    },
    Need {
        what: "OpenSSL's headers and pkg-config, for the Kafka client's TLS",
        programs: &["pkg-config"],
        probe: &["--exists", "openssl"],
        packages: "libssl-dev pkg-config",
    },
    Need {
        what: "npm, which fetches the Restate server; or a restate-server on PATH",
        programs: &["npm", "restate-server"],
        probe: &[],
        packages: "nodejs npm",
    },
];

/// What the tests need beside that.
const NEEDS_OF_TESTS: [Need; 5] = [
    Need {
        what: "psql, with which the SQL door is tested",
        programs: &["psql"],
        probe: &[],
        packages: "postgresql-client",
    },
    Need {
        what: "watch, under which psql is tested",
        programs: &["watch"],
        probe: &[],
        packages: "procps",
    },
    Need {
        what: "Python 3 with venv, whose driver is tested at the SQL door",
        programs: &["python3"],
        probe: &["-c", "import ensurepip, venv"],
        packages: "python3-venv",
    },
    Need {
        what: "Java 17 or later, for Apache Kafka",
        programs: &["java"],
        probe: &["--version"],
        packages: "default-jre-headless",
    },
    Need {
        what: "Maven, which fetches Apache Kafka",
        programs: &["mvn"],
        probe: &[],
        packages: "maven",
    },
];

/// An error that names everything that is missing, and the command that installs it.
pub(crate) fn check() -> anyhow::Result<()> {
    complain(&missing(needs()))
}

fn needs() -> impl Iterator<Item = &'static Need> {
    let named = std::env::var_os("FOOD_ORDERING_RESTATE_SERVER").is_some();
    NEEDS
        .iter()
        .filter(move |need| !(named && need.programs.contains(&"restate-server")))
}

/// The same for the tests. What is missing is installed where that can be done without asking: by root, on Debian.
pub(crate) fn check_for_tests() -> anyhow::Result<()> {
    let all = || needs().chain(&NEEDS_OF_TESTS);
    let lacking = missing(all());
    if !lacking.is_empty() && nix::unistd::geteuid().is_root() && is_on_path("apt-get") {
        let packages = (lacking.iter()).flat_map(|need| need.packages.split_whitespace());
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        if steps::succeed(&mut install).is_err() {
            // A fresh machine knows no packages yet.
            steps::succeed(Command::new("apt-get").arg("update"))?;
            steps::succeed(&mut install)?;
        }
    }
    complain(&missing(all()))
}

fn missing<'a>(needs: impl Iterator<Item = &'a Need>) -> Vec<&'a Need> {
    needs.filter(|need| !need.is_filled()).collect()
}

fn complain(missing: &[&Need]) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = missing
        .iter()
        .map(|need| format!("  - {}", need.what))
        .collect();
    let packages: BTreeSet<&str> = missing.iter().map(|need| need.packages).collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    bail!(
        "this machine has not all that is needed. Missing:\n{}\nOn Debian: sudo apt install {}",
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
    fn programs_are_looked_for_on_path() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("no-such-program"));
    }

    #[test]
    fn a_program_that_is_there_may_lack_something() {
        let need = |probe| Need {
            what: "a shell",
            programs: &["no-such-program", "sh"],
            probe,
            packages: "dash",
        };
        assert!(need(&[]).is_filled());
        assert!(need(&["-c", "true"]).is_filled());
        assert!(!need(&["-c", "false"]).is_filled());
    }
}
