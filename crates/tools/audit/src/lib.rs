//! Whether money and food are right: the invariants of this system, decided from outside.
//!
//! Nothing here is told by the services themselves. [`Sources::collect`] reads what the third parties have in their books,
//! what the providers were told in Kafka, and what the runtime holds (its SQL), together with the notes of whoever sent the
//! orders. [`check`] is a pure function over those [`Facts`]: they can be kept as JSON and checked again.
//!
//! | file | what it holds |
//! |---|---|
//! | `facts.rs` | what is known |
//! | `collect.rs` | where it is read: HTTP, Kafka |
//! | `check.rs` | the invariants, and one verdict each |
//! | `told.rs` | what a reader of `order-status` makes of its records |
//! | `drivers.rs` | who holds what, who waits for whom |
//!
//! Used by `trials` and by the end-to-end tests.

mod check;
mod collect;
mod drivers;
mod facts;
mod told;

#[cfg(test)]
mod tests;

pub use check::{Invariant, Verdict, check};
pub use collect::{Error, Sources};
pub use facts::{
    Accepted, DeadLetter, Entry, EntryKind, Facts, Holding, Invocation, Look, Notes, Preparation,
    PreparationStatus, StateEntry, Told,
};
