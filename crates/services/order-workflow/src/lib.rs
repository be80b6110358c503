//! [`OrderIntake`] and [`OrderWorkflow`]: one durable workflow per order.
//!
//! | file | what it holds |
//! |---|---|
//! | `intake.rs` | the sink of topic `orders`: what is no order goes to `orders-dlq`, what is one starts its workflow |
//! | `workflow.rs` | the workflow: the steps of an order, numbered as in the README |
//! | `undo.rs` | what undoes a step |
//! | `clients/` | the payment provider and the restaurants; `answer.rs` sorts what they answer |
//! | `services.rs` | all durable services of the part `order-services` in one endpoint |

mod clients;
mod intake;
mod services;
mod undo;
mod workflow;

pub use clients::Error as ClientError;
pub use intake::{OrderIntake, OrderIntakeClient, OrderIntakeIngressClient};
pub use services::{Config, Error, serve};
pub use workflow::{
    CancelAnswer, OrderWorkflow, OrderWorkflowClient, OrderWorkflowIngressClient, Settled,
    Settlement,
};
