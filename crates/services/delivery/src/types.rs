//! What the services of a delivery say to each other.

use domain::geo::Cell;
use domain::{DriverId, Location, OrderId, Region, RestaurantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of `DeliveryManager/start`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRequest {
    /// The region whose drivers may deliver.
    pub region: Region,
    /// Who has cooked.
    pub restaurant_id: RestaurantId,
    /// Where the food is.
    pub restaurant_location: Location,
    /// Where it is to go.
    pub customer_location: Location,
    /// The awakeable that is resolved when the customer has it.
    pub delivered: String,
}

/// Input of `DriverDigitalTwin/setDriverAvailable`: a driver wants work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// Where the driver works.
    pub region: Region,
    /// Where the driver is, which may be news to the twin.
    pub location: Location,
}

/// A driver who is looking for a delivery, as the matcher knows one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FreeDriver {
    pub(crate) driver_id: DriverId,
    /// The region whose matcher has, or had, the driver.
    pub(crate) region: Region,
    /// The map cell in which the driver waits.
    pub(crate) cell: Cell,
}

/// A delivery that is looking for a driver: input of `DriverDeliveryMatcher/requestDriverForDelivery`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriverRequest {
    pub(crate) delivery_id: OrderId,
    /// The map cell of the restaurant.
    pub(crate) cell: Cell,
}

/// Input of `DriverDigitalTwin/assignDeliveryJob`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryJob {
    pub(crate) delivery_id: OrderId,
    pub(crate) region: Region,
    pub(crate) restaurant_id: RestaurantId,
    pub(crate) restaurant_location: Location,
    pub(crate) customer_location: Location,
}

/// Answer of `DriverDigitalTwin/assignDeliveryJob`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "answer")]
pub(crate) enum JobAnswer {
    /// The driver takes it and expects to be with the customer then, in ms since the epoch.
    Accepted { eta: i64 },
    /// The driver is not free (any more).
    Refused,
}

/// A driver's word about the delivery in hand: input of the twin's `notify…` handlers and of `unassignDelivery`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRef {
    /// The delivery, by the id of its order.
    pub delivery_id: OrderId,
}

/// A twin's word about its delivery: input of the manager's `notify…` handlers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriverRef {
    pub(crate) driver_id: DriverId,
}
