//! Proxies in the environment (`HTTP_PROXY`, `ALL_PROXY`, …) are for the Internet: parts on this machine reach each other without.

use std::env;

/// By these names programs are told whom to reach without a proxy; some read the one, some the other.
const VARIABLES: [&str; 2] = ["NO_PROXY", "no_proxy"];
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The variables by which a child process reaches this machine directly, beside what the user has excepted already.
pub(super) fn not_for_this_machine() -> impl Iterator<Item = (&'static str, String)> {
    let given = VARIABLES.map(|name| env::var(name).unwrap_or_default());
    let all = exceptions(&given);
    VARIABLES.into_iter().map(move |name| (name, all.clone()))
}

/// All that is excepted in one of `given`, and this machine.
fn exceptions(given: &[String]) -> String {
    let given = given.iter().flat_map(|list| list.split(','));
    let mut all: Vec<&str> = Vec::new();
    for name in given.map(str::trim).chain(THIS_MACHINE) {
        if !name.is_empty() && !all.contains(&name) {
            all.push(name);
        }
    }
    // Many programs know the asterisk only if it stands alone.
    if all.contains(&"*") {
        all = vec!["*"];
    }
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_excepted_beside_what_was_before() {
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
