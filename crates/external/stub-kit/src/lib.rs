//! Shared code of the two third-party stubs: fault injection, `SQLite` books, problem documents.
//!
//! The restaurants' point of sale and the payment provider stand in for external companies. They know nothing of each other or of
//! this system. This crate holds the technical code that both need:
//!
//! | module | what it holds |
//! |---|---|
//! | [`database`] | a `SQLite` file with its own thread, so that no query blocks the async runtime |
//! | [`faults`] | rates at which requests fail, and the `/faults` API that sets them at run time |
//! | [`problem`] | errors as RFC 9457 problem documents ([`inbound`]) |
//! | [`extract`] | JSON bodies, path segments, queries and pages whose errors are problem documents |
//! | [`server`] | the routes that every stub has, and the HTTP server |
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
