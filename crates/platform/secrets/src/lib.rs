//! Secrets: making them, reading them from files, and what follows from them.
//!
//! Each comes from a file or the environment, never from a command line, which every user of the machine can read. In memory
//! they are [`SecretString`]s, which print as `[REDACTED]` and are wiped when they are dropped.
//!
//! | file | what it holds |
//! |---|---|
//! | `file.rs` | reading files with one secret a line |
//! | [`keys`] | making the keys of a system, each in a file of its own |
//! | [`callback`] | which callback belongs to which order: its address, and the secret that authenticates it |
//! | `testing.rs` | a stand-in for Restate, which signs as it does |
//! | [`webhook`] | the signature of a callback, as Standard Webhooks has it |

pub mod callback;
mod file;
pub mod keys;
#[cfg(feature = "testing")]
pub mod testing;
pub mod webhook;

pub use file::{Error, Secrets, lines, text};
pub use secrecy::{ExposeSecret, SecretString};
