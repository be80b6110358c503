//! The answers to callers of `OrderWorkflow`.

use domain::Status;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How an order ended: the answer of `run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The order's final status.
    pub status: Status,
    /// Why it was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the order existed already, so that nothing was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

impl Ended {
    pub(crate) fn new(status: Status, reason: Option<String>) -> Self {
        Self {
            status,
            reason,
            repeated: false,
        }
    }

    /// For an order that exists already and has this status.
    pub(crate) fn repeated(status: Status) -> Self {
        Self {
            repeated: true,
            ..Self::new(status, None)
        }
    }
}

/// The answer of `cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelAnswer {
    /// Whether the order is cancelled.
    pub accepted: bool,
    /// The order's status now.
    pub status: Status,
    /// Why it cannot be cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl CancelAnswer {
    /// The answer for an order that has this status after the attempt to cancel it. `None`: there is no such order.
    pub(crate) fn of(status: Status) -> Option<Self> {
        let reason = match status {
            Status::New => return None,
            Status::Cancelled => None,
            Status::InDelivery => Some("the driver has already picked it up".to_owned()),
            Status::Delivered => Some("it has already been delivered".to_owned()),
            status => Some(format!("its status is {status}")),
        };
        Some(Self {
            accepted: reason.is_none(),
            status,
            reason,
        })
    }
}

/// The answer of `settle`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// The order's status now.
    pub status: Status,
    /// What was settled.
    pub settled: Settled,
}

impl Settlement {
    pub(crate) fn of(status: Status, settled: Settled) -> Self {
        Self { status, settled }
    }
}

/// What `settle` found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Settled {
    /// Nothing: it was settled before.
    Before,
    /// The order was never created, so nothing was charged.
    NeverBegun,
    /// The driver was sent away, the restaurant told to stop, and the payment refunded.
    Undone,
    /// The customer has the food.
    Delivered,
    /// A driver has the food: the order becomes `DELIVERED` when it is handed over.
    OnItsWay,
    /// The price is not known any more: somebody has to refund the payment by hand.
    PriceUnknown,
}
