//! The command line.

use clap::{CommandFactory, Parser, Subcommand};
use settings::Given;

use crate::process::{self, one_thread};
use crate::{
    backup, deployments, dlq, doctor, health, keys, parent, restate, serve, settle, setup, up,
    variables,
};

/// Food ordering on Restate: runs the whole system, sets it up, and looks after it.
///
/// Every flag can also be given as the environment variable that its help names.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    telemetry: Given<telemetry::Options>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts everything on this machine and stops it on Ctrl-C; no Docker needed
    ///
    /// Starts the embedded Kafka broker, the Restate server, every service, two drivers and the gateway, each as a process of
    /// its own, and restarts what dies. Data and logs are in the data directory: `up` again goes on with the orders that were
    /// under way.
    Up(Box<up::Args>),
    /// Runs one or several parts of the system in this process
    Serve(Box<serve::Args>),
    /// Registers the services, Kafka and the drivers with a running Restate; safe to run again and again
    Setup(setup::Args),
    /// Lists the versions of the services that Restate knows and what ends on each, and removes those that have drained
    Deployments(deployments::Args),
    /// Finds orders whose workflow was killed, and settles them: undone and refunded, or left to the driver who has the food
    ///
    /// Safe to run at any time, and again. An order that a driver has picked up is left to the driver.
    Settle(settle::Args),
    /// Saves a stopped system to one file: orders under way, books, keys
    Backup(backup::Args),
    /// Restores a data directory from a backup, in another place or on another machine
    Restore(backup::RestoreArgs),
    /// Checks every part, and prints what is wrong and what to do; changes nothing
    Doctor(doctor::Args),
    /// Checks whether parts on this machine, or in this container, can do their work; for health checks
    ///
    /// Give it the flags, or the environment, with which the parts were started.
    Health(health::Args),
    /// Creates the keys by which the parts authenticate each other, each in a file that only you can read; never changes existing keys
    Keys(keys::Args),
    /// Lists and shows dead letters, and publishes them again, corrected or unchanged
    Dlq(dlq::Args),
    /// Prints the path of the Restate server's binary; installs it first if necessary
    #[command(hide = true)]
    RestateServerPath(restate::binary::Wanted),
    /// Replaces this process by another program, which ends when the parent process ends
    #[command(hide = true)]
    ExecWithParent(parent::Args),
}

impl Cli {
    /// The command line and the environment of this process, or an end with a complaint about them.
    #[must_use]
    pub fn read() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            // It does not say which one.
            if error.kind() == clap::error::ErrorKind::InvalidUtf8 {
                let variables = variables::Known::of(&Self::command());
                for wrong in variables.not_utf8(std::env::vars_os(), std::env::args_os()) {
                    eprintln!("error: {wrong} is not UTF-8");
                }
            }
            error.exit()
        })
    }

    /// Does what the command line asks for.
    pub fn run(self) -> anyhow::Result<()> {
        process::begin()?;
        let without_effect = self.command.variables_without_effect();
        if !matches!(self.command, Command::Serve(_)) {
            for variable in &without_effect {
                eprintln!("Warning: {variable}");
            }
        }
        match self.command {
            Command::Serve(args) => {
                let runtime = args.runtime()?;
                let parts = args.parts().unwrap_or_else(|error| error.exit());
                // Dropped last: it sends what is left.
                let _telemetry =
                    telemetry::init(&parts.names(), &self.telemetry.settings, durable::Quiet)?;
                for variable in without_effect {
                    tracing::warn!("{variable}");
                }
                let served = runtime.block_on(serve::run(parts));
                // Whoever still waits for a Kafka that is gone waits for nothing.
                runtime.shutdown_background();
                served
            }
            Command::Up(args) => one_thread()?.block_on(up::run(*args, &self.telemetry)),
            Command::Setup(args) => one_thread()?.block_on(setup::main(args)),
            Command::Deployments(args) => one_thread()?.block_on(deployments::main(args)),
            Command::Settle(args) => one_thread()?.block_on(settle::main(args)),
            Command::Backup(args) => backup::main(&args),
            Command::Restore(args) => backup::restore(&args),
            Command::Doctor(args) => one_thread()?.block_on(doctor::main(args)),
            Command::Health(args) => one_thread()?.block_on(health::main(args)),
            Command::Keys(args) => keys::main(&args),
            Command::Dlq(args) => one_thread()?.block_on(dlq::main(args)),
            Command::RestateServerPath(args) => one_thread()?.block_on(restate::binary::main(args)),
            Command::ExecWithParent(args) => Err(parent::exec(&args)),
        }
    }
}

impl Command {
    /// What is to be said of variables in the environment that have no effect.
    fn variables_without_effect(&self) -> Vec<String> {
        let name = match self {
            Self::Up(_) => "up",
            // A health check runs every few seconds, and has the environment of the part that it is for.
            Self::Health(_) | Self::RestateServerPath(_) | Self::ExecWithParent(_) => {
                return Vec::new();
            }
            _ => "",
        };
        variables::without_effect(&Cli::command(), name)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_a_command_for_people_can_be_given_as_an_environment_variable() {
        let cli = super::Cli::command();
        let parts = cli.find_subcommand("serve").unwrap().get_subcommands();
        for command in cli.get_subcommands().chain(parts) {
            for flag in command.get_arguments().filter(|arg| !arg.is_positional()) {
                let name = flag.get_id();
                if command.is_hide_set() || ["help", "version"].contains(&name.as_str()) {
                    continue;
                }
                let variable = flag.get_env().and_then(|name| name.to_str());
                assert!(
                    variable.is_some_and(|name| name.starts_with("FOOD_ORDERING_")),
                    "{} --{name}",
                    command.get_name()
                );
            }
        }
    }
}
