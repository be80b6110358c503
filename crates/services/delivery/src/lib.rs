//! Delivers a prepared order to the customer: [`DeliveryManager`], [`DriverDeliveryMatcher`], [`DriverDigitalTwin`], and
//! [`DriverUpdateIntake`], which passes the drivers' positions on to the twins.
//!
//! ```text
//!  OrderWorkflow ──start, cancel, checkProgress──▶ DeliveryManager ──────── setStatus ──▶ OrderStatusService
//!        ▲                                            │  ▲   │                                  ▲
//!        └───────── awakeable: delivered ─────────────┘  │   │ requestDriverForDelivery         │ setETA
//!                                                        │   ▼                                  │
//!                                  assignDriver ─ DriverDeliveryMatcher ◀── setDriverAvailable ─┤
//!                                                                                               │
//!                  DeliveryManager ══ assignDeliveryJob ══▶ DriverDigitalTwin ──────────────────┘
//!                        ▲                                        │
//!                        └── notifyDeliveryPickup, …Delivered ────┘
//! ```
//!
//! Every arrow is a one-way send, except `assignDeliveryJob` (double), `checkProgress` and `cancel`, whose callers wait for the
//! answer. No service waits for one that may be waiting for it, so there are no deadlocks. No exclusive handler waits for anything
//! outside the system, so a cancellation is never queued behind a wait.
//!
//! | file | what it holds |
//! |---|---|
//! | `manager.rs`, `delivery.rs` | one delivery: handlers, rules |
//! | `matcher.rs`, `dispatch.rs` | drivers and deliveries of a region: handlers, rules |
//! | `backlog.rs`, `segmented.rs` | storage for long queues: handlers, the queue itself |
//! | `intake.rs`, `report.rs` | location updates from Kafka: handler, parsing |
//! | `twin.rs`, `driver.rs` | one driver: handlers, rules; the rules about positions are in [`domain::driver`] |
//! | `dead_letter.rs` | publishing unusable location updates as dead letters |
//! | `types.rs` | inputs and outputs of the handlers |
//! | `options.rs` | the setting that the order services and the position filter share |

mod backlog;
mod dead_letter;
mod delivery;
mod dispatch;
mod driver;
mod intake;
mod manager;
mod matcher;
mod options;
mod report;
mod segmented;
mod twin;
mod types;

pub use backlog::{DispatchBacklog, DispatchBacklogClient, DispatchBacklogIngressClient};
pub use delivery::Progress;
pub use driver::AssignedDelivery;
pub use intake::{DriverUpdateIntake, DriverUpdateIntakeClient, DriverUpdateIntakeIngressClient};
pub use manager::{
    DeliveryManager, DeliveryManagerClient, DeliveryManagerIngressClient, STATUS_IS_SET,
};
pub use matcher::{
    DriverDeliveryMatcher, DriverDeliveryMatcherClient, DriverDeliveryMatcherIngressClient,
};
pub use options::Silence;
pub use report::{Reported, read_record};
pub use twin::{DriverDigitalTwin, DriverDigitalTwinClient, DriverDigitalTwinIngressClient};
pub use types::{Availability, DeliveryRef, DeliveryRequest};

#[cfg(test)]
mod tests {
    use durable::testing::wire_names;
    use restate_sdk::service::Discoverable;

    use super::{
        DeliveryManager, DispatchBacklog, DriverDeliveryMatcher, DriverDigitalTwin,
        DriverUpdateIntake,
    };

    #[test]
    fn names_on_the_wire_are_pinned() {
        assert_eq!(
            wire_names(&DeliveryManager::discover()),
            [
                "DeliveryManager",
                "start (private)",
                "assignDriver (private)",
                "notifyDeliveryPickup (private)",
                "notifyDeliveryDelivered (private)",
                "notifyDriverSilent (private)",
                "cancel (private)",
                "checkProgress (private)",
            ]
        );
        assert_eq!(
            wire_names(&DriverDeliveryMatcher::discover()),
            [
                "DriverDeliveryMatcher",
                "setDriverAvailable (private)",
                "requestDriverForDelivery (private)",
                "withdrawDelivery (private)",
                "withdrawDriver (private)",
            ]
        );
        assert_eq!(
            wire_names(&DriverDigitalTwin::discover()),
            [
                "DriverDigitalTwin",
                "setDriverAvailable (private)",
                "setDriverUnavailable (private)",
                "assignDeliveryJob (private)",
                "notifyDeliveryPickup (private)",
                "notifyDeliveryDelivered (private)",
                "handleDriverLocationUpdateEvent (private)",
                "unassignDelivery (private)",
                "checkSilence (private)",
                "getAssignedDelivery",
            ]
        );
        assert_eq!(
            wire_names(&DriverUpdateIntake::discover()),
            ["DriverUpdateIntake", "receive (private)"]
        );
        assert_eq!(
            wire_names(&DispatchBacklog::discover()),
            [
                "DispatchBacklog",
                "store (private)",
                "take (private)",
                "remove (private)",
            ]
        );
    }
}
