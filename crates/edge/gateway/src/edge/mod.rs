//! The edge: what stands between the world and the routes. Only the gateway is meant to face the world, and it must bear that.
//!
//! | file | what it holds |
//! |---|---|
//! | `settings.rs` | the limits and whom to trust |
//! | `access.rs` | who is an operator |
//! | `proxies.rs` | where a request comes from, also behind proxies |
//! | `visitor.rs` | who sends a request, decided once for each |
//! | `rates.rs` | how often each address may ask |
//! | `permits.rs` | limits the number of connections and streams of each client |
//! | `keys.rs` | the keys by which visitors read their own orders |
//! | `server.rs` | accepting connections, and ending those that keep others out |
//! | `socket.rs` | clients that neither send nor read |
//! | `refusals.rs` | counting what was refused |

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
