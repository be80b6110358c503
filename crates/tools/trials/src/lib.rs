//! The test rig `trials`: puts load on a system, measures it, injects faults, and checks the system's invariants.
//!
//! It is a separate program, so that the production binary contains no code that kills processes. It starts systems with
//! `food-ordering up`; `FOOD_ORDERING_BIN` names the binary, by default the one in the same directory as this program.
//!
//! | module | what it does | command |
//! |---|---|---|
//! | [`load`] | publishes orders and waits until they have ended | `load` |
//! | [`bench`] | measures what an order costs | `bench` |
//! | [`soak`] | checks that memory and latency stay flat under a steady load | `soak` |
//! | [`chaos`] | injects faults into a system under load and checks every payment and delivery | `chaos` |
//! | [`broker`] | kills the broker after accepted orders, and measures what a record costs it | `broker` |
//! | [`running`] | checks a running system that others have put load on | `audit` |
//! | [`apache_kafka`] | runs a real broker on this machine | `kafka` |
//! | `own_system` | starts a separate system for `bench`, `soak`, `chaos` and `broker` | |
//! | `usage`, `offsets` | resource usage of processes, and record counts of topics | |
//!
//! The crate `audit` checks the invariants; the end-to-end tests use it too.

#[macro_use(say)]
extern crate food_ordering;

pub mod apache_kafka;
pub mod bench;
pub mod broker;
pub mod chaos;
mod cli;
mod clock;
pub mod load;
mod offsets;
mod own_system;
pub mod running;
pub mod soak;
#[cfg(test)]
mod tests;
mod usage;
mod verdicts;

pub use cli::Cli;
