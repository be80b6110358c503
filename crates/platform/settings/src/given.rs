//! Default settings, and settings that are passed to child processes.

use std::ffi::OsString;

use clap::error::Error;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// The default settings, independent of the environment.
///
/// # Panics
/// If a setting has no default.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "each part has a test that creates its defaults"
)]
pub fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("defaults")).mut_args(|arg| arg.env(None::<&str>));
    let matches = command.try_get_matches_from(["defaults"]);
    matches
        .and_then(|matches| T::from_arg_matches(&matches))
        .expect("every setting has a default")
}

/// Settings, and those of them that were set on the command line. A child process needs only these as environment variables, since it
/// inherits the others.
#[derive(Debug, Clone)]
pub struct Given<T> {
    /// All settings.
    pub settings: T,
    /// The environment variables for the settings from the command line.
    pub environment: Vec<(OsString, OsString)>,
}

impl<T: Args> Args for Given<T> {
    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

impl<T: Args> FromArgMatches for Given<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let declared = T::augment_args(Command::new("given"));
        let environment = declared.get_arguments().filter_map(|arg| {
            let id = arg.get_id().as_str();
            let variable = arg.get_env()?;
            if matches.value_source(id) != Some(ValueSource::CommandLine) {
                return None;
            }
            let separator = arg.get_value_delimiter().unwrap_or(',').to_string();
            let values: Vec<OsString> = matches.get_raw(id)?.map(OsString::from).collect();
            Some((variable.to_owned(), values.join(separator.as_ref())))
        });
        Ok(Self {
            environment: environment.collect(),
            settings: T::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Args)]
    struct Settings {
        #[arg(long, env = "GIVEN_TEST_STEP", default_value_t = 0.5)]
        step: f64,
        #[arg(long, env = "GIVEN_TEST_NAMES", value_delimiter = ',')]
        names: Vec<String>,
        #[arg(long, env = "GIVEN_TEST_QUIET")]
        quiet: bool,
        /// Cargo sets this variable to a value that is not a number.
        #[arg(long, env = "CARGO_PKG_NAME", default_value_t = 7)]
        number: u32,
    }

    #[derive(Debug, Parser)]
    struct Up {
        #[command(flatten)]
        given: Given<Settings>,
    }

    #[test]
    fn defaults_do_not_depend_on_the_environment() {
        let defaults: Settings = defaults();
        assert_eq!((defaults.step, defaults.number), (0.5, 7));
    }

    #[test]
    fn settings_from_the_command_line_are_passed_as_environment_variables() {
        let line = ["up", "--names=a,b c", "--names=d", "--quiet", "--number=1"];
        let given = Up::parse_from(line).given;
        let environment: Vec<_> = (given.environment.iter())
            .map(|(name, value)| [name, value].map(|text| text.to_str().unwrap()))
            .collect();
        assert_eq!(
            environment,
            [
                ["GIVEN_TEST_NAMES", "a,b c,d"],
                ["GIVEN_TEST_QUIET", "true"],
                ["CARGO_PKG_NAME", "1"],
            ]
        );
        assert_eq!(given.settings.names, ["a", "b c", "d"]);
    }
}
