//! [`DriverMobileAppSimulator`]: simulated drivers' phones for the demo, the tests and the benchmark.
//!
//! A simulated driver is a durable object that does what a driver's phone does: it asks for work, polls its digital twin for a
//! delivery, drives to the restaurant and on to the customer while it reports its position over Kafka, and notifies its twin of the
//! pickup and the delivery. Like a phone, it is outside the system: it uses only the twin and Kafka.
//!
//! | file | what it holds |
//! |---|---|
//! | `simulator.rs` | the handlers |
//! | `drive.rs` | routes, and grouping the positions that are reported together |
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
