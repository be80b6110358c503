//! The launcher `food-ordering`: runs, sets up and operates the whole system.
//!
//! | module | what it does | command |
//! |---|---|---|
//! | [`up`] | starts every part as a child process, runs setup, restarts processes that die, stops in order | `up` |
//! | [`serve`] | runs one or more parts in this process | `serve` |
//! | [`setup`] | registers deployments and Kafka with Restate, starts the drivers; safe to run repeatedly | `setup` |
//! | [`deployments`] | lists the versions of the services that Restate knows, removes drained ones | `deployments` |
//! | [`settle`] | settles orders whose workflow was killed | `settle` |
//! | [`backup`] | saves the data directory of a stopped system to one file, and restores it | `backup`, `restore` |
//! | [`doctor`] | finds out what is wrong with the system, and how to fix it | `doctor` |
//! | [`health`] | checks whether parts on this machine are healthy, without `curl` | `health` |
//! | [`dlq`] | lists, shows and replays dead letters | `dlq` |
//! | [`keys`] | creates the system's missing keys | `keys` |
//! | [`restate`] | the Restate server: finding it, configuring it, its admin API | |
//! | [`parent`] | makes a process end when its parent ends | |
//!
//! The program `trials`, which measures systems and injects faults, uses this library too: [`http`], [`files`], [`install`],
//! [`process`], [`variables`].
/// Prints a line. Unlike `println!`, it does not panic if standard output is closed.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// Prints a line to standard error. Unlike `eprintln!`, it does not panic if that is closed or its disk is full.
#[macro_export]
macro_rules! complain {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub mod backup;
pub mod broker;
mod cli;
pub mod deployments;
pub mod dlq;
pub mod doctor;
pub mod files;
mod flags;
pub mod health;
pub mod http;
pub mod install;
pub mod keys;
pub mod parent;
mod part;
pub mod process;
pub mod restate;
pub mod serve;
pub mod settle;
pub mod setup;
pub mod sockets;
#[cfg(test)]
mod tests;
pub mod up;
pub mod variables;

pub use cli::Cli;
pub use part::Part;

/// Numbers of things in one line, such as `2 DELIVERED, 1 REJECTED`.
#[must_use]
pub fn counted<'a, T, N>(numbers: impl IntoIterator<Item = (&'a T, &'a N)>) -> String
where
    T: std::fmt::Display + 'a,
    N: std::fmt::Display + 'a,
{
    let numbers = numbers.into_iter();
    let numbers: Vec<String> = numbers.map(|(what, n)| format!("{n} {what}")).collect();
    numbers.join(", ")
}

/// An error with its causes, separated by colons. A cause that an earlier message already contains is left out.
#[must_use]
pub fn error_chain(error: &anyhow::Error) -> String {
    let mut error_chain = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if error_chain.is_empty() {
            error_chain = cause;
        } else if !error_chain.contains(&cause) {
            error_chain = format!("{error_chain}: {cause}");
        }
    }
    error_chain
}
