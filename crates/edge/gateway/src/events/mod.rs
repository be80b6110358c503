//! Everything that happens, as it happens: read from Kafka, remembered for a while, told to those who watch.
//!
//! Every gateway reads all partitions itself and commits nothing, so any gateway can tell of any order, and a viewer costs no
//! invocation in Restate. [`view`] is a pure function of the records; a stream holds no queue but only the version it told
//! last ([`follower`]), and reads on from there when it is woken ([`hub`]). So a client that comes back with the id of the
//! last event goes on without a gap.
//!
//! | file | what it holds |
//! |---|---|
//! | `consumer.rs` | reading the topics |
//! | `record.rs` | what a record says |
//! | `view.rs`, `order.rs`, `figures.rs`, `bounded.rs` | what is known, and how much of it is kept |
//! | `hub.rs` | waking those who watch |
//! | `follower.rs` | what someone has been told, and what comes next |
//! | `lookup.rs` | asking Restate for what the topics no longer tell |
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
