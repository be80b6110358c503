//! What our HTTP servers have in common, as [`upstream`](../upstream/index.html) is what our HTTP clients have in common.
//!
//! | file | what it holds |
//! |---|---|
//! | `connections.rs` | accepting connections until told to stop, and letting those that are left finish |
//! | [`json`] | bodies that claim to be JSON |
//! | [`problem`] | errors as problem documents (RFC 9457) |

mod connections;
pub mod json;
pub mod problem;

pub use connections::{GRACE, accept, drain};
pub use problem::{Kind, Problem};
