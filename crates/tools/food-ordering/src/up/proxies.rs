//! Makes parts on this machine reach each other directly, even if the environment names a proxy (`HTTP_PROXY`, `ALL_PROXY`, …).

use std::env;

/// The variables that list hosts to reach without a proxy. Some programs read the one, some the other.
const VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The variables that make a child process reach this machine directly, in addition to the hosts that the user has listed.
pub(super) fn no_proxy_variables() -> impl Iterator<Item = (&'static str, String)> {
    let given = VARIABLES.map(|name| env::var(name).unwrap_or_default());
    let all = exceptions(&given);
    VARIABLES.into_iter().map(move |name| (name, all.clone()))
}

/// All hosts in `given`, and this machine.
fn exceptions(given: &[String]) -> String {
    let given = given.iter().flat_map(|list| list.split(','));
    let mut all: Vec<&str> = Vec::new();
    for name in given.map(str::trim).chain(THIS_MACHINE) {
        if !name.is_empty() && !all.contains(&name) {
            all.push(name);
        }
    }
    // Many programs support the asterisk only on its own.
    if all.contains(&"*") {
        all = vec!["*"];
    }
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_added_to_the_listed_hosts() {
        for (given, expected) in [
            (["", ""], "localhost,127.0.0.1,::1"),
            (["127.0.0.1", ""], "127.0.0.1,localhost,::1"),
            (
                ["corp.example, .internal", "corp.example,10.0.0.0/8"],
                "corp.example,.internal,10.0.0.0/8,localhost,127.0.0.1,::1",
            ),
            (["*", "corp.example"], "*"),
        ] {
            assert_eq!(exceptions(&given.map(str::to_owned)), expected);
        }
    }
}
