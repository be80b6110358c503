//! The test rig `trials`: puts load on a system, measures it, strikes it, and decides whether money and food are right.
//!
//! It is a program of its own, so that nothing that kills processes is part of what runs in production. It starts systems by
//! `food-ordering up`: the launcher named by `FOOD_ORDERING_BIN`, or the one beside this program.
//!
//! | module | what it does | command |
//! |---|---|---|
//! | [`load`] | publishes orders and waits for their ends | `load` |
//! | [`bench`] | measures what an order costs | `bench` |
//! | [`soak`] | decides whether memory and latency stay flat under a steady load | `soak` |
//! | [`chaos`] | strikes a system under load and decides whether money and food are right | `chaos` |
//! | [`apache_kafka`] | runs a real broker on this machine | `kafka` |
//! | `own_system` | a system of one's own, for `bench`, `soak` and `chaos` | |
//! | `usage`, `offsets` | what processes have used, and how many records topics have | |
//!
//! The invariants are decided by the crate `audit`, which the end-to-end tests use too.

#[macro_use(say)]
extern crate food_ordering;

pub mod apache_kafka;
pub mod bench;
pub mod chaos;
mod cli;
mod clock;
pub mod load;
mod offsets;
mod own_system;
pub mod soak;
#[cfg(test)]
mod tests;
mod usage;
mod verdicts;

pub use cli::Cli;
