//! What the two stubs of third parties share: fault injection, their `SQLite` books, problem documents.
//!
//! The restaurant's point of sale and the payment provider stand in for companies that we do not run. They know nothing of
//! each other or of this system; what they have in common is how such a service is built, and that is here:
//!
//! | module | what it holds |
//! |---|---|
//! | [`database`] | a `SQLite` file behind one thread, so that no query blocks the async runtime |
//! | [`faults`] | rates at which requests fail, and the `/faults` API that sets them at run time |
//! | [`problem`] | errors as RFC 9457 problem documents ([`inbound`]) |
//! | [`extract`] | JSON bodies, path segments, queries and pages whose errors are problem documents |
//! | [`server`] | the routes every stub has, and serving them until told to stop |
//! | [`clock`] | wall-clock time |
//! | `testing` | helpers for the tests of the stubs (feature `testing`) |

pub mod clock;
pub mod database;
pub mod extract;
pub mod faults;
mod nonsense;
pub mod problem;
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use database::Database;
pub use faults::Faults;
pub use problem::Problem;
