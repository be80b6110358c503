//! The command line.

use clap::{CommandFactory, Parser, Subcommand};
use settings::Given;

use crate::process::{self, one_thread};
use crate::{
    backup, deployments, dlq, doctor, health, keys, parent, restate, serve, settle, setup, up,
    variables,
};

/// Food ordering on Restate: runs, sets up and operates the whole system.
///
/// Every flag can also be set by the environment variable that its help names.
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
    /// Starts Apache Kafka, the Restate server, the services with two drivers in each region, and the gateway, each
    /// in a process of its own, and restarts processes that die. Data and logs are in the data directory; the next `up` continues
    /// the orders that were under way.
    Up(Box<up::Args>),
    /// Runs one or more parts of the system in this process
    Serve(Box<serve::Args>),
    /// Registers the services and Kafka with a running Restate, and starts the drivers; safe to run repeatedly
    Setup(setup::Args),
    /// Lists the versions of the services that Restate knows, with the invocations under way, and removes drained versions
    Deployments(deployments::Args),
    /// Settles orders whose workflow was killed: undoes and refunds them, unless a driver already has the food
    ///
    /// Safe to run at any time and repeatedly. An order that a driver has picked up will be delivered.
    Settle(settle::Args),
    /// Saves a stopped system to one file: orders under way, books, keys
    Backup(backup::Args),
    /// Restores a data directory from a backup, in another place or on another machine
    Restore(backup::RestoreArgs),
    /// Checks every part, and prints what is wrong and how to fix it; changes nothing
    Doctor(doctor::Args),
    /// Checks whether parts on this machine, or in this container, can do their work; for health checks
    ///
    /// Use the same flags or environment variables with which the parts were started.
    Health(health::Args),
    /// Creates the missing keys with which the parts authenticate each other, in files that only you can read
    ///
    /// Never changes existing keys.
    Keys(keys::Args),
    /// Lists, shows and replays dead letters, corrected or unchanged
    Dlq(dlq::Args),
    /// Prints the path of the restate-server binary, and installs it first if necessary
    #[command(hide = true)]
    RestateServerPath(restate::binary::Wanted),
    /// Replaces this process with another program that ends when the parent process ends
    #[command(hide = true)]
    ExecWithParent(parent::Args),
}

impl Cli {
    /// Parses the command line and the environment of this process. On errors, prints them and exits.
    #[must_use]
    pub fn read() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            // Clap's message does not name the value that is not UTF-8.
            if error.kind() == clap::error::ErrorKind::InvalidUtf8 {
                let variables = variables::Known::of(&Self::command());
                for wrong in variables.not_utf8(std::env::vars_os(), std::env::args_os()) {
                    complain!("error: {wrong} is not UTF-8");
                }
            }
            error.exit()
        })
    }

    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        process::begin()?;
        let without_effect = self.command.variables_without_effect();
        if !matches!(self.command, Command::Serve(_)) {
            for variable in &without_effect {
                complain!("Warning: {variable}");
            }
        }
        match self.command {
            Command::Serve(args) => {
                let runtime = args.runtime()?;
                let parts = args.parts().unwrap_or_else(|error| error.exit());
                // Dropped last, because dropping it sends the remaining traces.
                let _telemetry =
                    telemetry::init(&parts.names(), &self.telemetry.settings, durable::Quiet)?;
                for variable in without_effect {
                    tracing::warn!("{variable}");
                }
                let served = runtime.block_on(serve::run(parts));
                // Does not wait for blocking calls to a Kafka that is gone.
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
    /// Warnings about environment variables that have no effect.
    fn variables_without_effect(&self) -> Vec<String> {
        let name = match self {
            Self::Up(_) => "up",
            // A health check runs every few seconds, in the environment of the part that it checks.
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
    fn every_flag_of_a_visible_command_has_an_environment_variable() {
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
