//! [`DriverMobileAppSimulator`]: drivers' phones for the demo, tests and benchmark.
//!
//! A simulated driver is a durable object that does what a driver's phone does: it says that it wants work, polls its digital
//! twin for a delivery, drives to the restaurant and on to the customer while it reports its position over Kafka, and notifies its
//! twin of pickup and delivery. Like a phone, it is outside the system: it talks only to the twin and to Kafka.
//!
//! | file | what it holds |
//! |---|---|
//! | `simulator.rs` | the handlers |
//! | `drive.rs` | routes, and which positions are reported together |
//! | `options.rs` | the settings of the part `driver-simulator` |
//! | `service.rs` | serving the part `driver-simulator` |

mod drive;
mod options;
mod service;
mod simulator;

pub use options::{Listen, Options, Pace};
pub use service::{Error, endpoint, serve};
pub use simulator::{
    DriverMobileAppSimulator, DriverMobileAppSimulatorClient,
    DriverMobileAppSimulatorIngressClient, Start, Started,
};
