//! The names of the Kafka topics, and how many partitions setup gives them.

/// Order events of the ordering providers, keyed by order id.
pub const ORDERS: &str = "orders";
/// Positions of drivers, keyed by driver id.
pub const DRIVER_UPDATES: &str = "driver-updates";
/// Those records of [`DRIVER_UPDATES`] that can change something, unchanged; only the position filter writes here.
pub const DRIVER_POSITIONS: &str = "driver-positions";
/// One event for each change of an order's status or arrival, keyed by order id.
pub const ORDER_STATUS: &str = "order-status";
/// Events of [`ORDERS`] that were refused, unchanged, with the reason in the headers.
pub const ORDERS_DLQ: &str = "orders-dlq";
/// Events of [`DRIVER_UPDATES`] that were refused, with the reason in the headers.
pub const DRIVER_UPDATES_DLQ: &str = "driver-updates-dlq";

/// A record in [`ORDERS`] by which `up` sees that Restate reads the topic. It has no other effect.
pub const PROBE: &[u8] = br#""probe of food-ordering""#;

/// Every topic with the number of partitions it is created with.
pub const ALL: [(&str, i32); 6] = [
    (ORDERS, 4),
    (DRIVER_UPDATES, 4),
    (DRIVER_POSITIONS, 4),
    (ORDER_STATUS, 4),
    (ORDERS_DLQ, 1),
    (DRIVER_UPDATES_DLQ, 1),
];
