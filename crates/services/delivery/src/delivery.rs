//! The rules of one delivery. Pure code, without the runtime.

use domain::DriverId;
use durable::Trace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::DeliveryRequest;

/// State key `delivery-info`: a delivery that is under way. The key is absent before the start and after the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    pub(crate) request: DeliveryRequest,
    pub(crate) progress: Progress,
    /// The trace it belongs to. Kept here because the matcher does not know it when it later assigns a driver.
    #[serde(default, skip_serializing_if = "Trace::is_none")]
    pub(crate) trace: Trace,
}

/// The progress of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "stage")]
pub enum Progress {
    /// No such delivery, or it has ended.
    None,
    /// Looking for a driver.
    Searching,
    /// A driver is on the way to the restaurant.
    #[serde(rename_all = "camelCase")]
    Assigned {
        /// The driver.
        driver_id: DriverId,
    },
    /// A driver has the food.
    #[serde(rename_all = "camelCase")]
    PickedUp {
        /// The driver.
        driver_id: DriverId,
    },
}

impl Progress {
    /// Whether the delivery needs a driver.
    pub(crate) fn wants_driver(&self) -> bool {
        *self == Self::Searching
    }

    /// The progress after `driver` has reported the pickup; `None` if `driver` does not hold the delivery, or has picked it up already.
    pub(crate) fn after_pickup_by(&self, driver: &DriverId) -> Option<Self> {
        match self {
            Self::Assigned { driver_id } if driver_id == driver => Some(Self::PickedUp {
                driver_id: driver.clone(),
            }),
            _ => None,
        }
    }

    /// The driver who holds the delivery.
    pub(crate) fn driver(&self) -> Option<&DriverId> {
        match self {
            Self::Assigned { driver_id } | Self::PickedUp { driver_id } => Some(driver_id),
            Self::None | Self::Searching => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_driver_who_holds_the_delivery_picks_it_up_and_only_once() {
        let anna: DriverId = "anna".parse().unwrap();
        let ben: DriverId = "ben".parse().unwrap();
        let assigned = Progress::Assigned {
            driver_id: anna.clone(),
        };
        let picked_up = Progress::PickedUp {
            driver_id: anna.clone(),
        };
        for (progress, driver, after_pickup) in [
            (Progress::None, &anna, None),
            (Progress::Searching, &anna, None),
            (assigned.clone(), &anna, Some(picked_up.clone())),
            (assigned, &ben, None),
            (picked_up.clone(), &anna, None),
            (picked_up, &ben, None),
        ] {
            assert_eq!(
                progress.after_pickup_by(driver),
                after_pickup,
                "{progress:?} {driver}"
            );
        }
    }
}
