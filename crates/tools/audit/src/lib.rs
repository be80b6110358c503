//! Checks the invariants of this system from outside: whether every payment and every delivery is right.
//!
//! The services' own answers are not used as evidence. [`Sources::collect`] reads the third parties' books, the topics in Kafka
//! and the runtime's state (by SQL), and adds the notes of whoever sent the orders. [`check`] is a pure function of these
//! [`Facts`], so they can be stored as JSON and checked again.
//!
//! | file | what it holds |
//! |---|---|
//! | `facts.rs` | the types of the evidence |
//! | `collect.rs` | reading the evidence over HTTP and from Kafka |
//! | `check.rs` | the invariants, and the verdict on each |
//! | `history.rs` | the history of each order, as a reader of `order-status` sees it |
//! | `drivers.rs` | which driver holds which delivery, and who is queued |
//!
//! Used by `trials` and by the end-to-end tests.

mod check;
mod collect;
mod drivers;
mod facts;
mod history;

#[cfg(test)]
mod tests;

pub use check::{Invariant, Verdict, check};
pub use collect::{Error, Sources};
pub use facts::{
    Accepted, DeadLetter, Entry, EntryKind, Facts, Holding, HoldingsSample, Invocation, Notes,
    Preparation, PreparationStatus, StateEntry, StatusRecord,
};
