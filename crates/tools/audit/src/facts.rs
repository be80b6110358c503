//! The evidence about a run. It can be stored as JSON and checked again later.

use domain::{DriverId, Money, OrderId, StatusEvent};
use serde::{Deserialize, Serialize};

/// All evidence that the invariants are checked against.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// What the senders of the orders recorded.
    pub notes: Notes,
    /// The payment provider's ledger.
    pub ledger: Vec<Entry>,
    /// The restaurants' books.
    pub preparations: Vec<Preparation>,
    /// The records of topic `order-status`, each partition in its order.
    pub statuses: Vec<StatusRecord>,
    /// The records of topic `orders-dlq`.
    pub dead_letters: Vec<DeadLetter>,
    /// The state of the runtime's objects.
    pub state: Vec<StateEntry>,
    /// The runtime's invocations that have not completed, when the state was read.
    pub invocations: Vec<Invocation>,
    /// The invocations of the sample half a second earlier. An invocation in both samples has stayed.
    #[serde(default)]
    pub invocations_before: Vec<Invocation>,
}

/// What the senders of the orders recorded during the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    /// Orders that were accepted: confirmed by Kafka, or answered 202 by the gateway.
    pub accepted: Vec<Accepted>,
    /// Orders whose cancellation was accepted.
    pub cancelled: Vec<OrderId>,
    /// Values of the invalid records that were published; all are different.
    pub garbage: Vec<String>,
    /// Samples of which driver held which delivery, taken while orders were under way.
    pub looks: Vec<HoldingsSample>,
}

/// An order that was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The order's id.
    pub order_id: OrderId,
    /// What the customer has to pay.
    pub price: Money,
}

/// Two snapshots, half a second apart, of which driver holds which delivery. One snapshot is not enough: it is not atomic, so a
/// delivery that is just being reassigned may appear at both drivers. A delivery that two drivers hold in both snapshots is a violation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldingsSample {
    /// The first snapshot.
    pub first: Vec<Holding>,
    /// The second snapshot.
    pub second: Vec<Holding>,
}

/// A driver holds a delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holding {
    /// The driver.
    pub driver_id: DriverId,
    /// The delivery, which has the id of its order.
    pub delivery_id: OrderId,
}

/// The two kinds of [`Entry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EntryKind {
    /// The customer paid.
    Charge,
    /// The customer got money back.
    Refund,
}

/// An entry of the payment provider's ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Charge or refund.
    pub kind: EntryKind,
    /// The order that was paid for.
    pub order_id: OrderId,
    /// The amount of the charge or refund.
    pub amount: Money,
    /// The key by which the provider recognises a repeated request.
    pub idempotency_key: String,
}

/// The state of an order in the restaurant's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PreparationStatus {
    /// Cooking.
    Preparing,
    /// Cooked; the callback has not been accepted yet.
    Ready,
    /// Cooked, and the callback was accepted.
    CalledBack,
    /// Cancelled before it was ready.
    Cancelled,
    /// Refused by the restaurant.
    Refused,
    /// Cooked, but the callback was refused for good.
    Failed,
}

/// An order in the restaurant's books.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preparation {
    /// The order's id.
    pub order_id: OrderId,
    /// The state of its preparation.
    pub status: PreparationStatus,
}

/// A record of topic `order-status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusRecord {
    /// The partition it was read from.
    pub partition: i32,
    /// Its value.
    pub event: StatusEvent,
}

/// A record of topic `orders-dlq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The record's value as received; bytes that are not UTF-8 are replaced.
    pub value: String,
    /// Why the record was rejected: its header `dlq-reason`.
    pub reason: String,
}

/// A state entry of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateEntry {
    /// The name of the object's service.
    pub service: String,
    /// The object's key.
    pub object: String,
    /// The state key.
    pub name: String,
    /// The entry's value: JSON.
    pub value: String,
}

/// An invocation that has not completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// Its id; the same in every sample.
    #[serde(default)]
    pub id: String,
    /// Service, key and handler.
    pub target: String,
    /// The value of `sys_invocation.status`.
    pub status: String,
    /// Why the last attempt failed, if it is being retried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
}
