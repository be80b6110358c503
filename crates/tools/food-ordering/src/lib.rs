//! The launcher `food-ordering`: runs the whole system, sets it up, puts load on it, measures it.
//!
//! | module | what it does | command |
//! |---|---|---|
//! | [`up`] | starts every part as a child process, sets up, restarts what dies, stops in order | `up` |
//! | [`serve`] | runs one or several parts in this process | `serve` |
//! | [`setup`] | tells Restate about deployments and Kafka, starts the drivers; may be run again and again | `setup` |
//! | [`deployments`] | which versions of the services Restate knows, and removing those that have drained | `deployments` |
//! | [`settle`] | settles orders whose workflow was killed | `settle` |
//! | [`backup`] | the data directory of a stopped system as one file, and back | `backup`, `restore` |
//! | [`load`] | publishes orders and waits for their ends | `load` |
//! | [`bench`] | what an order costs | `bench` |
//! | [`doctor`] | says what is wrong when the system does not move | `doctor` |
//! | [`soak`] | whether memory and latency stay flat under a steady load | `soak` |
//! | [`chaos`] | strikes a system under load and decides whether money and food are right | `chaos` |
//! | [`health`] | says whether parts on this machine are healthy, for those who have no `curl` | `health` |
//! | [`dlq`] | shows records that were put aside, and sends them again | `dlq` |
//! | [`keys`] | makes the keys of the system | `keys` |
//! | [`apache_kafka`] | a real broker on this machine | `kafka` |
//! | [`restate`] | the Restate server: finding it, configuring it, talking to it | |
//! | [`settings`] | settings of the parts, shared by `up` and `serve` | |
//! | [`parent`] | no orphans: a process that ends when its parent does | |

/// Prints a line. Where nobody reads it any more, the program goes on all the same.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

pub mod apache_kafka;
pub mod backup;
pub mod bench;
mod broker;
pub mod chaos;
mod cli;
mod clock;
pub mod deployments;
pub mod dlq;
pub mod doctor;
mod edge;
mod files;
mod flags;
pub mod health;
mod http;
mod install;
pub mod keys;
mod listen;
pub mod load;
mod networks;
mod offsets;
mod own_system;
pub mod parent;
mod part;
mod psql;
pub mod restate;
pub mod serve;
pub mod settings;
pub mod settle;
pub mod setup;
mod shutdown;
pub mod soak;
#[cfg(test)]
mod tests;
pub mod up;
mod usage;
mod variables;
mod verdicts;

pub use cli::Cli;
pub use part::Part;
