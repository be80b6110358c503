//! Live events: read from Kafka, remembered for a while, and sent to those who watch.
//!
//! Every gateway reads all partitions itself and commits nothing, so any gateway can answer for any order, and a viewer costs no
//! invocation in Restate. [`view`] is a pure function of the records. A stream has no queue; it holds only the version that it
//! sent last ([`follower`]), and continues from there when it is woken ([`hub`]). So a client that reconnects with the id of the
//! last event misses nothing.
//!
//! | file | what it holds |
//! |---|---|
//! | `consumer.rs` | reading the topics |
//! | `record.rs` | what a record means |
//! | `view.rs`, `order.rs`, `figures.rs`, `bounded.rs` | what is known, and how much of it is kept |
//! | `hub.rs` | waking those who watch |
//! | `follower.rs` | what a client has received, and what it gets next |
//! | `lookup.rs` | asking Restate for orders that are no longer in the topics |
//! | `sse.rs` | server-sent events |

mod bounded;
pub(crate) mod consumer;
mod figures;
mod follower;
pub(crate) mod hub;
pub(crate) mod lookup;
mod order;
pub(crate) mod record;
pub(crate) mod sse;
pub(crate) mod view;

pub(crate) use figures::{StageTimes, Throughput};
pub(crate) use hub::Hub;
