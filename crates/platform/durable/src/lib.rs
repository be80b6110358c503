//! What the durable services have in common beyond the SDK: their HTTP server, calls that carry the trace of who caused them,
//! steps and waits that know an operator's cancellation, logs that are quiet on replay.
//!
//! Restate sends a trace context with each attempt, but begins a new trace with each one-way send and each record of Kafka. An
//! order is one trace all the same, because the services hand its context on themselves, as header `traceparent` of what they
//! send: see [`Trace`].
//!
//! | file | what it holds |
//! |---|---|
//! | `server.rs` | the HTTP server: Restate's endpoint, `GET /metrics` and `GET /health` beside it, a span around each attempt |
//! | `declared.rs` | what every service declares about itself: its version, and that its invocations are never given up |
//! | [`identity`] | who may call the services: the Restate that signs its requests with a known key |
//! | [`ingress`] | calling handlers from outside, as the gateway does |
//! | `options.rs` | settings of every part with durable services |
//! | `protocol.rs` | what the first messages of an attempt say about it |
//! | [`record`] | the Kafka record that has caused an invocation |
//! | `trace.rs` | the trace an invocation belongs to, and handing it on |
//! | `cancellation.rs` | an operator's cancellation of an invocation, told apart from every error |
//! | [`retry`] | how often a step is tried again |
//! | [`clock`] | the wall clock, for use inside `ctx.run` |
//! | `unread.rs` | inputs that a handler reads itself, with their schema |
//! | `quiet.rs` | which lines of the log are not written |

mod cancellation;
pub mod clock;
mod declared;
pub mod identity;
pub mod ingress;
mod options;
mod protocol;
mod quiet;
pub mod record;
pub mod retry;
mod server;
#[doc(hidden)]
pub mod testing;
mod trace;
mod unread;

pub use cancellation::{
    Cancelled, NotDone, Retryable, despite_cancellation, retryable, unless_cancelled,
};
pub use declared::{VERSION, declared};
pub use identity::Identity;
pub use options::Options;
pub use quiet::Quiet;
pub use server::{Server, Source};
pub use trace::{Invocation, Trace, Traced, traceparent_in};
pub use unread::Unread;
