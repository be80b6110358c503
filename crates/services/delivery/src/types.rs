//! Inputs and outputs of the delivery services' handlers.

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
    /// The restaurant that has cooked.
    pub restaurant_id: RestaurantId,
    /// The location of the restaurant.
    pub restaurant_location: Location,
    /// The location of the customer.
    pub customer_location: Location,
    /// The id of the awakeable to resolve when the food is delivered.
    pub delivered: String,
}

/// Input of `DriverDigitalTwin/setDriverAvailable`: a driver wants work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// The region in which the driver works.
    pub region: Region,
    /// The driver's present location, which the twin may not know yet.
    pub location: Location,
}

/// A driver who waits for a delivery: input of `DriverDeliveryMatcher/setDriverAvailable` and `withdrawDriver`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FreeDriver {
    pub(crate) driver_id: DriverId,
    /// The region whose matcher has, or had, the driver in its queue.
    pub(crate) region: Region,
    /// The map cell in which the driver waits.
    pub(crate) cell: Cell,
}

/// A delivery that needs a driver: input of `DriverDeliveryMatcher/requestDriverForDelivery`.
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
    /// The driver takes the job. `eta` is the expected arrival at the customer, in ms since the epoch.
    Accepted { eta: i64 },
    /// The driver is not free (any more).
    Refused,
}

/// A reference to a delivery: input of the twin's `notify…` handlers and of `unassignDelivery`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRef {
    /// The delivery's id, which is the id of its order.
    pub delivery_id: OrderId,
}

/// A reference to a driver: input of the manager's `notify…` handlers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriverRef {
    pub(crate) driver_id: DriverId,
}
