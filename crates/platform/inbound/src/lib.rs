//! Code that all HTTP servers share; [`upstream`](../upstream/index.html) is the counterpart for clients.
//!
//! | file | contents |
//! |---|---|
//! | `connections.rs` | accepting connections until shutdown, and then letting open ones finish their requests |
//! | [`json`] | reading request bodies whose content type is JSON |
//! | [`problem`] | errors as problem documents (RFC 9457) |

mod connections;
pub mod json;
pub mod problem;

pub use connections::{GRACE, accept, drain};
pub use problem::{Kind, Problem};
