//! Code on top of the SDK that all durable services share: their HTTP server, calls that propagate the trace context, steps and
//! waits that recognise an operator's cancellation, and logging without duplicates on replay.
//!
//! Restate sends a trace context with each attempt, but starts a new trace with each one-way send and each Kafka record. An order
//! still is one trace, because the services propagate its context themselves in the header `traceparent`: see [`Trace`].
//!
//! | file | contents |
//! |---|---|
//! | `server.rs` | the HTTP server: Restate's endpoint, `GET /metrics` and `GET /health`, and a span around each attempt |
//! | `declared.rs` | options that every service declares: its version, and unlimited retries |
//! | [`identity`] | accepting only requests that Restate has signed with a known key |
//! | [`ingress`] | calling handlers from outside, as the gateway does |
//! | `options.rs` | settings of every part with durable services |
//! | `protocol.rs` | reading the messages of an attempt |
//! | `costs.rs` | what the attempts of each handler cost |
//! | [`record`] | the Kafka record that triggered an invocation |
//! | `trace.rs` | the trace that an invocation belongs to, and propagating it |
//! | `cancellation.rs` | distinguishing an operator's cancellation from every error |
//! | [`retry`] | retry policies of steps |
//! | [`clock`] | the wall clock, for use inside `ctx.run` |
//! | `unparsed.rs` | inputs that a handler parses itself, with their schema |
//! | `quiet.rs` | the log lines that are suppressed |

mod cancellation;
pub mod clock;
mod costs;
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
mod unparsed;

pub use cancellation::{
    Cancelled, NotDone, Retryable, despite_cancellation, retryable, unless_cancelled,
};
pub use declared::{VERSION, declared};
pub use identity::Identity;
pub use options::Options;
pub use quiet::Quiet;
pub use server::{Server, Source};
pub use trace::{Invocation, Trace, Traced, traceparent_in};
pub use unparsed::Unparsed;
