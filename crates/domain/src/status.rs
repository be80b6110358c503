//! The stages of an order, which may follow which, and the event for each change.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DriverId, OrderId};

/// How far an order is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// No order with this id has been created.
    New,
    /// Known, not yet paid.
    Created,
    /// Paid, waiting for the time at which the customer wants it.
    Scheduled,
    /// The restaurant is cooking.
    InPreparation,
    /// Cooked; looking for a driver.
    SchedulingDelivery,
    /// A driver is on the way to the restaurant.
    WaitingForDriver,
    /// A driver is on the way to the customer.
    InDelivery,
    /// The customer has the food.
    Delivered,
    /// Refused: invalid, not paid, or the restaurant would not cook it.
    Rejected,
    /// Cancelled by the customer or an operator, or because a step failed or took too long.
    Cancelled,
    /// Reserved for statuses of a newer version.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// Every status, in the order of an order's life.
    pub const ALL: [Self; 11] = [
        Self::New,
        Self::Created,
        Self::Scheduled,
        Self::InPreparation,
        Self::SchedulingDelivery,
        Self::WaitingForDriver,
        Self::InDelivery,
        Self::Delivered,
        Self::Rejected,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// Whether no other status can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Delivered | Self::Rejected | Self::Cancelled)
    }

    /// Whether an order in this status may get status `next`.
    ///
    /// An order moves forward only, so a late or repeated change is refused. It is delivered only after a driver was assigned, and
    /// cancelled only before the pickup: a driver who has picked it up delivers it.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        if self.is_terminal() || self == Self::Unknown {
            return false;
        }
        match next {
            Self::New | Self::Unknown => false,
            Self::Rejected => self < Self::InDelivery,
            Self::Cancelled => self > Self::New && self < Self::InDelivery,
            Self::Created => self == Self::New,
            // The report of the pickup may have been lost (its invocation was killed); a driver who delivers has picked it up.
            Self::Delivered => self >= Self::WaitingForDriver,
            _ => self > Self::New && self < next,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Created => "CREATED",
            Self::Scheduled => "SCHEDULED",
            Self::InPreparation => "IN_PREPARATION",
            Self::SchedulingDelivery => "SCHEDULING_DELIVERY",
            Self::WaitingForDriver => "WAITING_FOR_DRIVER",
            Self::InDelivery => "IN_DELIVERY",
            Self::Delivered => "DELIVERED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A record of topic `order-status`: one for each change of an order's status or expected arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusEvent {
    /// Whose status it is; also the key of the record.
    pub order_id: OrderId,
    /// The status after the change.
    pub status: Status,
    /// Expected arrival in ms since the epoch, if known.
    pub eta: Option<i64>,
    /// Counts the order's changes from 1; a reader that sees a version twice may ignore the second.
    pub version: u64,
    /// When the change was made, in ms since the epoch.
    pub at: i64,
    /// Why the order was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The driver who has the order; the live map uses it to find the driver's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<DriverId>,
    /// The order is delayed: its driver has been silent, or takes much longer than expected. The next change without this field
    /// means that the delay is over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delayed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_transitions_in_this_table_are_allowed() {
        use Status::{
            Cancelled, Created, Delivered, InDelivery, InPreparation, New, Rejected, Scheduled,
            SchedulingDelivery, Unknown, WaitingForDriver,
        };
        let table: [(Status, &[Status]); 11] = [
            (New, &[Created, Rejected]),
            (
                Created,
                &[
                    Scheduled,
                    InPreparation,
                    SchedulingDelivery,
                    WaitingForDriver,
                    InDelivery,
                    Rejected,
                    Cancelled,
                ],
            ),
            (
                Scheduled,
                &[
                    InPreparation,
                    SchedulingDelivery,
                    WaitingForDriver,
                    InDelivery,
                    Rejected,
                    Cancelled,
                ],
            ),
            (
                InPreparation,
                &[
                    SchedulingDelivery,
                    WaitingForDriver,
                    InDelivery,
                    Rejected,
                    Cancelled,
                ],
            ),
            (
                SchedulingDelivery,
                &[WaitingForDriver, InDelivery, Rejected, Cancelled],
            ),
            (
                WaitingForDriver,
                &[InDelivery, Delivered, Rejected, Cancelled],
            ),
            (InDelivery, &[Delivered]),
            (Delivered, &[]),
            (Rejected, &[]),
            (Cancelled, &[]),
            (Unknown, &[]),
        ];
        for (from, to) in table {
            for next in Status::ALL {
                assert_eq!(
                    from.may_become(next),
                    to.contains(&next),
                    "{from} to {next}"
                );
            }
        }
    }

    #[test]
    fn names_on_the_wire_are_those_of_the_display() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
        assert_eq!(
            serde_json::from_str::<Status>(r#""TELEPORTED""#).unwrap(),
            Status::Unknown
        );
    }

    fn any_status() -> impl Strategy<Value = Status> {
        proptest::sample::select(&Status::ALL[..])
    }

    proptest! {
        #[test]
        fn whatever_changes_are_requested_a_status_never_goes_back(changes in proptest::collection::vec(any_status(), 0..40)) {
            let mut seen = vec![Status::New];
            for next in changes {
                if seen.last().unwrap().may_become(next) {
                    seen.push(next);
                }
            }
            for pair in seen.windows(2) {
                prop_assert!(pair[0] < pair[1], "{:?}", seen);
            }
            prop_assert!(seen.iter().rev().skip(1).all(|status| !status.is_terminal()));
        }
    }
}
