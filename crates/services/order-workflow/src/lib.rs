//! [`OrderIntake`] and [`OrderWorkflow`]: one durable workflow per order.
//!
//! | file | what it holds |
//! |---|---|
//! | `workflow.rs` | the workflow: its handlers, and the steps of an order, numbered as in the README |
//! | `under_way.rs` | an order while it is being processed, how it waits, and why it stops |
//! | `third_party_steps.rs`, `delivery_wait.rs` | what the steps do: payment and preparation; delivery |
//! | `ending.rs`, `undo.rs` | the end of an order that does not reach its customer; undoing its steps |
//! | `settle.rs` | an order whose workflow was killed |
//! | `api.rs` | the answers to callers |
//! | `scope.rs` | what a handler needs to talk to the other services |
//! | `intake.rs`, `event.rs` | the sink of topic `orders`: valid events start a workflow, the others go to `orders-dlq` |
//! | `clients/` | the payment provider and the restaurants; `answer.rs` classifies their answers |
//! | `options.rs` | the settings of the part `order-services` |
//! | `services.rs` | all durable services of the part `order-services` in one endpoint |

mod api;
mod clients;
mod delivery_wait;
mod ending;
mod event;
mod intake;
mod options;
mod scope;
mod services;
mod settle;
mod third_party_steps;
mod under_way;
mod undo;
mod workflow;

pub use api::{CancelAnswer, Ended, Settled, Settlement};
pub use clients::Error as ClientError;
pub use intake::{OrderIntake, OrderIntakeClient, OrderIntakeIngressClient};
pub use options::{DRIVER_SPEED, Listen, Options, ThirdPartyUrls, Times};
pub use services::{Error, endpoint, serve};
pub use workflow::{OrderWorkflow, OrderWorkflowClient, OrderWorkflowIngressClient};
