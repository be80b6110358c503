//! Secrets: creating them, reading them from files, and deriving keys and signatures from them.
//!
//! Secrets come from files or the environment, never from a command line, which every user of the machine can read. In memory they
//! are [`SecretString`]s, which print as `[REDACTED]` and are wiped on drop.
//!
//! | file | contents |
//! |---|---|
//! | `file.rs` | reading files with one secret per line |
//! | [`keys`] | creating the keys of a system, each in a file of its own |
//! | [`callback`] | the URL of each order's callback, and the secret that authenticates it |
//! | `testing.rs` | signing requests as Restate does, for tests |
//! | [`webhook`] | verifying the signature of a callback (Standard Webhooks) |

pub mod callback;
mod file;
pub mod keys;
#[cfg(feature = "testing")]
pub mod testing;
pub mod webhook;

pub use file::{Error, Secrets, lines, text};
pub use secrecy::{ExposeSecret, SecretString};
