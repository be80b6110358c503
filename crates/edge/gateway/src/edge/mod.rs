//! The edge: everything between the outside world and the routes. Only the gateway is exposed to the outside.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings.rs` | the limits and whom to trust |
//! | `access.rs` | who is an operator |
//! | `proxies.rs` | where a request comes from, also behind proxies |
//! | `visitor.rs` | who sends a request, determined once per request |
//! | `rates.rs` | how often each client may send requests |
//! | `permits.rs` | limits on the connections and streams of each client |
//! | `keys.rs` | the keys with which visitors read their own orders |
//! | `server.rs` | accepting connections, and closing idle ones to make room |
//! | `socket.rs` | clients that neither send nor read |
//! | `refusals.rs` | counting what is refused |

pub(crate) mod access;
pub(crate) mod keys;
pub(crate) mod permits;
pub(crate) mod proxies;
pub(crate) mod rates;
pub(crate) mod refusals;
pub(crate) mod server;
pub(crate) mod settings;
mod socket;
pub(crate) mod visitor;
