//! What has to be on the machine beside Rust, and how to get it.

use std::collections::BTreeSet;

use anyhow::bail;

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

/// An error that names everything that is missing, and the command that installs it.
pub(crate) fn check() -> anyhow::Result<()> {
    let named = std::env::var_os("FOOD_ORDERING_RESTATE_SERVER").is_some();
    let missing: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| !(named && need.programs.contains(&"restate-server")))
        .filter(|need| !need.programs.iter().any(|program| is_on_path(program)))
        .collect();
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

fn is_on_path(program: &str) -> bool {
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
