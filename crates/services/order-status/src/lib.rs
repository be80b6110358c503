//! [`OrderStatusService`]: the only place that holds the status of an order.
//!
//! Every change of a status goes through this object. It refuses changes that the present status does not allow
//! ([`domain::Status::may_become`]), so a race between a cancellation and a pickup has one winner. Every change is published to
//! topic `order-status` before it is stored: at least once, in order, and with a version that counts up.
//!
//! | file | what it holds |
//! |---|---|
//! | `service.rs` | the handlers |
//! | `record.rs` | the rules: what a change does to the stored record |
//! | [`cause`] | the reasons for which orders end, for people and for metrics |

pub mod cause;
mod record;
mod service;

pub use record::{
    Change, Claimant, HistoryEntry, IdClaim, IdClaimAnswer, NewOrder, OrderStatus, Outcome,
};
pub use service::{OrderStatusService, OrderStatusServiceClient, OrderStatusServiceIngressClient};
