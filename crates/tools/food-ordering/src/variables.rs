//! Warns about environment variables with our prefix that have no effect.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use crate::parent;

/// The prefix of all our environment variables.
const PREFIX: &str = "FOOD_ORDERING_";

/// Variables without a flag: a secret that must not be on a command line, one that processes pass to their children, and those that
/// the tests read.
const OTHERS: [&str; 5] = [
    gateway::OPERATOR_TOKEN,
    parent::PARENT,
    "FOOD_ORDERING_BIN",
    "FOOD_ORDERING_TEST_PYTHON",
    "FOOD_ORDERING_TEST_STRINGS",
];

/// Variables that only the test rig `trials` reads. A test there compares them with its command line.
pub const OF_TRIALS: [&str; 45] = [
    "FOOD_ORDERING_BENCH_TIMEOUT",
    "FOOD_ORDERING_BENCH_WARM_UP",
    "FOOD_ORDERING_CHAOS_DATA_DIR",
    "FOOD_ORDERING_CHAOS_DRAIN",
    "FOOD_ORDERING_CHAOS_DURATION",
    "FOOD_ORDERING_CHAOS_FACTS",
    "FOOD_ORDERING_CHAOS_KAFKA",
    "FOOD_ORDERING_DELIVERY_DELAY",
    "FOOD_ORDERING_ENDPOINTS",
    "FOOD_ORDERING_ENDS",
    "FOOD_ORDERING_EXTERNAL",
    "FOOD_ORDERING_FAIL_ON_DRIFT",
    "FOOD_ORDERING_FAULTS",
    "FOOD_ORDERING_HAS_STATUS_TOPIC",
    "FOOD_ORDERING_INVALID",
    "FOOD_ORDERING_IN_FLIGHT",
    "FOOD_ORDERING_JSON",
    "FOOD_ORDERING_KAFKA_DATA_DIR",
    "FOOD_ORDERING_KAFKA_PORT",
    "FOOD_ORDERING_KAFKA_SERVER_PROPERTIES",
    "FOOD_ORDERING_KILLS",
    "FOOD_ORDERING_LOAD_TIMEOUT",
    "FOOD_ORDERING_ORDERS",
    "FOOD_ORDERING_ORDERS_TOPIC",
    "FOOD_ORDERING_ORDER_TEMPLATE",
    "FOOD_ORDERING_PENDING",
    "FOOD_ORDERING_PIDS",
    "FOOD_ORDERING_PLACES_PER_ORDER",
    "FOOD_ORDERING_PREFIX",
    "FOOD_ORDERING_RATE",
    "FOOD_ORDERING_RATES",
    "FOOD_ORDERING_RECORDS",
    "FOOD_ORDERING_REGION",
    "FOOD_ORDERING_RESTATE_METRICS",
    "FOOD_ORDERING_SEED",
    "FOOD_ORDERING_SKIP_PENDING",
    "FOOD_ORDERING_SOAK_DRAIN",
    "FOOD_ORDERING_SOAK_DURATION",
    "FOOD_ORDERING_SOAK_KAFKA",
    "FOOD_ORDERING_SOAK_OUTPUT",
    "FOOD_ORDERING_SOAK_WARM_UP",
    "FOOD_ORDERING_STATUS_METHOD",
    "FOOD_ORDERING_STATUS_POINTER",
    "FOOD_ORDERING_STATUS_URL",
    "FOOD_ORDERING_UPDATES_TOPIC",
];

/// Settings of the parts that `up` sets itself, by flags of `serve`, so that their environment variables have no effect. All other
/// settings reach the parts through the environment.
pub(crate) const DECIDED_BY_UP: [&str; 15] = [
    "FOOD_ORDERING_CALLBACK_SECRET_FILE",
    "FOOD_ORDERING_CALLBACK_URL",
    "FOOD_ORDERING_DRIVER_SIMULATOR_LISTEN",
    "FOOD_ORDERING_KAFKA_ADDRESS_FILE",
    "FOOD_ORDERING_OPERATOR_TOKEN_FILE",
    "FOOD_ORDERING_ORDER_LINKS_SECRET_FILE",
    "FOOD_ORDERING_ORDER_SERVICES_LISTEN",
    "FOOD_ORDERING_PAYMENT_DATABASE",
    "FOOD_ORDERING_PAYMENT_PROVIDER_LISTEN",
    "FOOD_ORDERING_POSITION_FILTER_LISTEN",
    "FOOD_ORDERING_RESTATE_IDENTITY_FILE",
    "FOOD_ORDERING_RESTATE_INGRESS",
    "FOOD_ORDERING_RESTATE_UI",
    "FOOD_ORDERING_RESTAURANT_DATABASE",
    "FOOD_ORDERING_RESTAURANT_POS_LISTEN",
];

/// Warnings about the variables in the environment that have no effect on `command` of `cli`, the launcher's command line.
#[must_use]
pub fn without_effect(cli: &clap::Command, command: &str) -> Vec<String> {
    // The process that started this one has printed the warnings already.
    if std::env::var_os(parent::PARENT).is_some() {
        return Vec::new();
    }
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    Known::of(cli).without_effect(command, set)
}

/// Which commands read a variable.
#[derive(Debug)]
pub struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    /// The variables of every flag of every command.
    #[must_use]
    pub fn of(cli: &clap::Command) -> Self {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let own = std::iter::once((cli, cli));
        // The parts are subcommands of `serve`.
        let commands = cli.get_subcommands().flat_map(|command| {
            let parts = command.get_subcommands().chain([command]);
            parts.map(move |part| (command, part))
        });
        for (command, declares) in own.chain(commands) {
            let flags = declares.get_arguments();
            for variable in flags.filter_map(|flag| flag.get_env()?.to_str()) {
                let readers = known.entry(variable.to_owned()).or_default();
                readers.insert(command.get_name().to_owned());
            }
        }
        for variable in OF_TRIALS {
            let readers = known.entry(variable.to_owned()).or_default();
            readers.insert("trials".to_owned());
        }
        for variable in OTHERS {
            known.entry(variable.to_owned()).or_default();
        }
        Self(known)
    }

    /// Whether any command reads it.
    #[must_use]
    pub fn contains(&self, variable: &str) -> bool {
        self.0.contains_key(variable)
    }

    /// The variables and arguments that cannot be read because they are not UTF-8.
    pub(crate) fn not_utf8(
        &self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Vec<String> {
        let variables = variables.into_iter().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            (self.0.contains_key(&name) && value.to_str().is_none())
                .then(|| format!("the value of the variable {name}"))
        });
        let arguments = arguments.into_iter().filter_map(|argument| {
            (argument.to_str().is_none())
                .then(|| format!("the argument \"{}\"", argument.display()))
        });
        variables.chain(arguments).collect()
    }

    /// Warnings about the variables that have no effect on `command`.
    ///
    /// Commands share an environment, so there is no warning about a variable that another command reads. `up` is the exception:
    /// it starts everything, so a user who sets a variable expects it to have an effect.
    fn without_effect(&self, command: &str, set: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut warnings: Vec<String> = set
            .into_iter()
            .filter(|name| name.to_ascii_uppercase().starts_with(PREFIX))
            .filter_map(|name| match self.0.get(&name) {
                None => Some(self.unknown(&name)),
                Some(readers) if command == "up" => of_up(&name, readers),
                Some(_) => None,
            })
            .collect();
        warnings.sort();
        warnings
    }

    fn unknown(&self, name: &str) -> String {
        /// The least similarity for a suggestion; 1 means equal.
        const MIN_SIMILARITY: f64 = 0.7;
        let own = |name: &str| name.to_ascii_uppercase().split_off(PREFIX.len());
        let similar = (self.0.keys())
            .map(|known| {
                (
                    strsim::normalized_damerau_levenshtein(&own(known), &own(name)),
                    known,
                )
            })
            .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        let hint =
            similar.map_or_else(String::new, |(_, known)| format!("; did you mean {known}?"));
        format!("{name} is set, but nothing reads a variable of that name{hint}")
    }
}

fn of_up(name: &str, readers: &BTreeSet<String>) -> Option<String> {
    if DECIDED_BY_UP.contains(&name) {
        return Some(format!(
            "{name} is set, but has no effect on `up`, which sets this itself"
        ));
    }
    let is_of_parts = |reader: &String| ["food-ordering", "up", "serve"].contains(&reader.as_str());
    if readers.is_empty() || readers.iter().any(is_of_parts) {
        return None;
    }
    let readers: Vec<&str> = readers.iter().map(String::as_str).collect();
    Some(format!(
        "{name} is set, but has no effect on `up`; it is for: {}",
        readers.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    fn warning(command: &str, variable: &str) -> Option<String> {
        let known = Known::of(&Cli::command());
        known.without_effect(command, [variable.to_owned()]).pop()
    }

    #[test]
    fn an_unknown_variable_is_named_with_a_suggestion() {
        for (wrong, meant) in [
            (
                "FOOD_ORDERING_GATEWAY_LISTN",
                Some("FOOD_ORDERING_GATEWAY_LISTEN"),
            ),
            (
                "FOOD_ORDERING_KAFKA_BROKER",
                Some("FOOD_ORDERING_KAFKA_BROKERS"),
            ),
            ("food_ordering_drivers", Some("FOOD_ORDERING_DRIVERS")),
            ("FOOD_ORDERING_XYZZY", None),
        ] {
            for command in ["up", "serve", "setup", "doctor"] {
                let warning = warning(command, wrong).unwrap();
                assert!(warning.starts_with(wrong), "{warning}");
                match meant {
                    Some(meant) => {
                        assert!(
                            warning.ends_with(&format!("did you mean {meant}?")),
                            "{warning}"
                        );
                    }
                    None => assert!(!warning.contains("did you mean"), "{warning}"),
                }
            }
        }
        assert_eq!(warning("up", "RESTATE_ADMIN"), None);
    }

    #[cfg(unix)]
    #[test]
    fn values_that_are_not_utf8_are_named() {
        use std::os::unix::ffi::OsStringExt;
        let broken = || OsString::from_vec(b"http://\xff".to_vec());
        let known = Known::of(&<crate::Cli as clap::CommandFactory>::command());
        let warning = known.not_utf8(
            [
                ("FOOD_ORDERING_PAYMENT_URL".into(), broken()),
                ("FOOD_ORDERING_DRIVERS".into(), "2".into()),
                ("OF_OTHERS".into(), broken()),
            ],
            ["up".into(), broken()],
        );
        assert_eq!(
            warning,
            [
                "the value of the variable FOOD_ORDERING_PAYMENT_URL",
                "the argument \"http://\u{fffd}\"",
            ]
        );
    }

    #[test]
    fn up_warns_about_settings_that_have_no_effect_on_it() {
        for variable in [
            "FOOD_ORDERING_RESTATE_ADMIN",
            "FOOD_ORDERING_ORDER_SERVICES_LISTEN",
            "FOOD_ORDERING_RATE",
            "FOOD_ORDERING_ORDER_SERVICES_URL",
        ] {
            assert!(warning("up", variable).is_some(), "{variable}");
            assert_eq!(warning("serve", variable), None, "{variable}");
        }
        for variable in [
            "FOOD_ORDERING_GATEWAY_LISTEN",
            "FOOD_ORDERING_TRUST_LOOPBACK",
            "FOOD_ORDERING_DRIVERS",
            "FOOD_ORDERING_LOG",
            "FOOD_ORDERING_OPERATOR_TOKEN",
        ] {
            assert_eq!(warning("up", variable), None, "{variable}");
        }
    }
}
