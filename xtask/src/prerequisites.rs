//! What has to be on the machine beside Rust, and how to get it.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::bail;

use crate::steps;

/// A need, any one program of which fills it, and what fills it on Debian.
struct Need {
    what: &'static str,
    programs: &'static [&'static str],
    packages: &'static str,
}

const NEEDS: [Need; 4] = [
    Need {
        what: "a C compiler, for the Kafka client and SQLite",
        programs: &["cc"],
        packages: "build-essential",
    },
    Need {
        // Its `configure` insists on one, though only C is linked.
        what: "a C++ compiler, for the Kafka client",
        programs: &["c++"],
        packages: "build-essential",
    },
    Need {
        what: "make, for the Kafka client",
        programs: &["make"],
        packages: "build-essential",
    },
    Need {
        what: "npm, which fetches the Restate server; or a restate-server on PATH",
        programs: &["npm", "restate-server"],
        packages: "nodejs npm",
    },
];

/// What the tests need beside that.
const NEEDS_OF_TESTS: [Need; 2] = [
    Need {
        what: "psql, with which the SQL door is tested",
        programs: &["psql"],
        packages: "postgresql-client",
    },
    Need {
        what: "watch, under which psql is tested",
        programs: &["watch"],
        packages: "procps",
    },
];

/// An error that names everything that is missing, and the command that installs it.
pub(crate) fn check() -> anyhow::Result<()> {
    let named = std::env::var_os("FOOD_ORDERING_RESTATE_SERVER").is_some();
    let needs = NEEDS
        .iter()
        .filter(|need| !(named && need.programs.contains(&"restate-server")));
    complain(&missing(needs))
}

/// The same for the tests. What only they need is installed where that can be done without asking: by root, on Debian.
pub(crate) fn check_for_tests() -> anyhow::Result<()> {
    check()?;
    let lacking = missing(NEEDS_OF_TESTS.iter());
    if !lacking.is_empty() && nix::unistd::geteuid().is_root() && is_on_path("apt-get") {
        let packages = lacking.iter().map(|need| need.packages);
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
    complain(&missing(NEEDS_OF_TESTS.iter()))
}

fn missing<'a>(needs: impl Iterator<Item = &'a Need>) -> Vec<&'a Need> {
    needs
        .filter(|need| !need.programs.iter().any(|program| is_on_path(program)))
        .collect()
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
}
