//! The launcher `food-ordering`: runs the whole system, sets it up, and looks after it.
//!
//! | module | what it does | command |
//! |---|---|---|
//! | [`up`] | starts every part as a child process, sets up, restarts what dies, stops in order | `up` |
//! | [`serve`] | runs one or several parts in this process | `serve` |
//! | [`setup`] | tells Restate about deployments and Kafka, starts the drivers; may be run again and again | `setup` |
//! | [`deployments`] | which versions of the services Restate knows, and removing those that have drained | `deployments` |
//! | [`settle`] | settles orders whose workflow was killed | `settle` |
//! | [`backup`] | the data directory of a stopped system as one file, and back | `backup`, `restore` |
//! | [`doctor`] | says what is wrong when the system does not move | `doctor` |
//! | [`health`] | says whether parts on this machine are healthy, for those who have no `curl` | `health` |
//! | [`dlq`] | shows records that were put aside, and sends them again | `dlq` |
//! | [`keys`] | makes the keys of the system | `keys` |
//! | [`restate`] | the Restate server: finding it, configuring it, talking to it | |
//! | [`parent`] | no orphans: a process that ends when its parent does | |
//!
//! What measures a system or strikes it is the program `trials`, which uses this library: [`http`], [`files`],
//! [`install`], [`process`], [`shutdown`], [`variables`].

/// Prints a line. Where nobody reads it any more, the program goes on all the same.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

pub mod backup;
mod broker;
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
pub mod shutdown;
#[cfg(test)]
mod tests;
pub mod up;
pub mod variables;

pub use cli::Cli;
pub use part::Part;

/// An error with its causes, each said once: many say their cause themselves.
#[must_use]
pub fn said(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}
