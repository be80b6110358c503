//! What is known about a run. As JSON it can be kept and looked at again.

use domain::{DriverId, Money, OrderId, StatusEvent};
use serde::{Deserialize, Serialize};

/// Everything that the invariants are decided from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// What those who sent the orders wrote down.
    pub notes: Notes,
    /// The payment provider's ledger.
    pub ledger: Vec<Entry>,
    /// The restaurants' books.
    pub preparations: Vec<Preparation>,
    /// The records of topic `order-status`, each partition in its order.
    pub statuses: Vec<Told>,
    /// The records of topic `orders-dlq`.
    pub dead_letters: Vec<DeadLetter>,
    /// The state of the runtime's objects.
    pub state: Vec<StateEntry>,
    /// The runtime's invocations that have not completed, when the state was read.
    pub invocations: Vec<Invocation>,
    /// Those of a moment before: what is in both has stayed.
    #[serde(default)]
    pub invocations_before: Vec<Invocation>,
}

/// What those who sent the orders wrote down.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    /// Orders that the system said yes to: confirmed by Kafka, or 202 of the gateway.
    pub accepted: Vec<Accepted>,
    /// Orders whose cancellation was accepted.
    pub cancelled: Vec<OrderId>,
    /// Values of records that are no orders, each of them unlike all others.
    pub garbage: Vec<String>,
    /// Who held what while orders were under way.
    pub looks: Vec<Look>,
}

/// An order that the system said yes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Which.
    pub order_id: OrderId,
    /// What the customer is to pay.
    pub price: Money,
}

/// Two glances a moment apart at who holds what. One glance is no snapshot: it may see a delivery on its way from one driver to
/// the next. Two see a delivery that stays with both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The first glance.
    pub first: Vec<Holding>,
    /// The second.
    pub second: Vec<Holding>,
}

/// A driver has a delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Holding {
    /// Who.
    pub driver_id: DriverId,
    /// Which, by the id of its order.
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
    /// Which way the money went.
    pub kind: EntryKind,
    /// For which order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// By which the provider recognises a repeated request.
    pub idempotency_key: String,
}

/// How far an order is in the restaurant's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PreparationStatus {
    /// Cooking.
    Preparing,
    /// Cooked; nobody knows yet.
    Ready,
    /// Handed over.
    CalledBack,
    /// Called off.
    Cancelled,
    /// Never accepted.
    Refused,
    /// Cooked; nobody wanted to know any more.
    Failed,
}

/// An order in the restaurant's books.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preparation {
    /// Which.
    pub order_id: OrderId,
    /// How far it is.
    pub status: PreparationStatus,
}

/// A record of topic `order-status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// In which partition it is.
    pub partition: i32,
    /// What it says.
    pub event: StatusEvent,
}

/// A record of topic `orders-dlq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// As it came; what is not UTF-8 is replaced.
    pub value: String,
    /// Why it is here.
    pub reason: String,
}

/// A state entry of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateEntry {
    /// The object's service.
    pub service: String,
    /// The object's key.
    pub object: String,
    /// The entry's name.
    pub name: String,
    /// The entry's value: JSON.
    pub value: String,
}

/// An invocation that has not completed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// Its id, by which it is recognised.
    #[serde(default)]
    pub id: String,
    /// Service, key and handler.
    pub target: String,
    /// As `sys_invocation.status` has it.
    pub status: String,
    /// Why it is tried again, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
}
