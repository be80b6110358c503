//! [`OrderStatusService`]: the one place that holds the status of an order.
//!
//! Every change of a status goes through this object, which decides: a change that does not fit the order's
//! status is refused ([`domain::Status::may_become`]), so a cancellation that races with the driver has one winner. Every
//! change is published to topic `order-status` before it is stored, at least once, in order, with a version that counts up.
//!
//! | file | what it holds |
//! |---|---|
//! | `service.rs` | the handlers |
//! | `record.rs` | the rules: what a change does to the stored record |
//! | [`cause`] | the reasons for which orders end, as people and metrics read them |

pub mod cause;
mod record;
mod service;

pub use record::{
    Change, Claimant, HistoryEntry, IdClaim, IdClaimAnswer, NewOrder, OrderStatus, Outcome,
};
pub use service::{OrderStatusService, OrderStatusServiceClient, OrderStatusServiceIngressClient};
