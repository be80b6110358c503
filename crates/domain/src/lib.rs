//! Types and pure rules of food ordering: orders, money, statuses, places. No I/O.
//!
//! Everything here is deterministic, so durable handlers may call it freely, and everything that crosses a process border
//! is parsed into a type that cannot hold invalid values ([`Order`], [`Money`], [`OrderId`], [`Location`]).
//!
//! | module | what it holds |
//! |---|---|
//! | [`json`] | JSON from outside, with every fault as a sentence for its sender |
//! | [`order`] | the order event of the providers and the checked [`Order`] |
//! | [`money`] | exact amounts |
//! | [`status`] | the stages of an order, which may follow which, and the event for each change |
//! | [`geo`] | places, travel times, map cells |
//! | [`region`] | the delivery regions |
//! | [`restaurant`] | the restaurants of the demo, and the place of any restaurant |
//! | [`driver`] | what a driver's phone reports, and how a report is evaluated |
//! | [`topic`] | the names of the Kafka topics |

pub mod driver;
pub mod geo;
pub mod id;
pub mod json;
pub mod money;
pub mod order;
pub mod region;
pub mod restaurant;
pub mod status;
#[cfg(test)]
mod testing;
pub mod topic;

pub use geo::Location;
pub use id::{DriverId, OrderId, RestaurantId};
pub use money::Money;
pub use order::{Order, Product};
pub use region::Region;
pub use status::{Status, StatusEvent};
