//! What undoes a step.

use std::time::Duration;

use delivery::DeliveryManagerClient;
use domain::Order;
use durable::{Trace, Traced};
use restate_sdk::prelude::*;

use crate::clients::{Charge, ThirdParties};
use crate::workflow::CANCELLED_BY_OPERATOR;

/// A step that was begun and must be undone if the order does not end with the customer. Begun is enough: whether it was done
/// may be unknown, so each undo also holds for a step that was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undo {
    /// Give the money back.
    Payment,
    /// Have the restaurant stop.
    Preparation,
    /// Send the driver away.
    Delivery,
}

impl Undo {
    /// Undoes the step. Tried until done: there is no other way out, and an operator's cancellation is none. The order ends
    /// already; who wants to be rid of the money too can kill the invocation.
    pub(crate) async fn run(
        self,
        ctx: &WorkflowContext<'_>,
        trace: Trace,
        third_parties: &ThirdParties,
        order: &Order,
    ) -> Result<(), TerminalError> {
        loop {
            match self.once(ctx, trace, third_parties, order).await {
                Err(error) if error.code() == CANCELLED_BY_OPERATOR => {
                    tracing::warn!("cancelled while undoing {self:?}, which goes on");
                }
                result => return result,
            }
        }
    }

    async fn once(
        self,
        ctx: &WorkflowContext<'_>,
        trace: Trace,
        third_parties: &ThirdParties,
        order: &Order,
    ) -> Result<(), TerminalError> {
        match self {
            Self::Delivery => {
                ctx.object_client::<DeliveryManagerClient>(ctx.key())
                    .cancel()
                    .traced(trace)
                    .call()
                    .await
            }
            Self::Preparation => {
                let third_parties = third_parties.clone();
                let order_id = order.order_id.clone();
                ctx.run(move || async move {
                    third_parties
                        .cancel_preparation(order_id)
                        .await
                        .map_err(|error| not_yet(&error))
                })
                .name("cancel preparation")
                .retry_policy(until_done())
                .await
            }
            Self::Payment => {
                let third_parties = third_parties.clone();
                let order_id = order.order_id.clone();
                let amount = order.total_cost;
                ctx.run(move || async move {
                    // The same key as the charge: answers what became of it, and makes sure that nothing comes of it later.
                    let charge = third_parties.charge(order_id.clone(), amount).await;
                    match charge.map_err(|error| not_yet(&error))?.into_inner() {
                        Charge::Charged { payment_id } => third_parties
                            .refund(order_id, payment_id, amount)
                            .await
                            .map_err(|error| not_yet(&error)),
                        Charge::Declined { .. } => Ok(()),
                    }
                })
                .name("refund")
                .retry_policy(until_done())
                .await
            }
        }
    }
}

/// A refusal that an undo does not take for an answer.
#[derive(Debug, thiserror::Error)]
#[error("not undone yet, and tried again until it is: {0}")]
struct NotYet(String);

/// In an undo every failure is tried again, also one that looks final: somebody has to mend it, and then it goes on.
fn not_yet(error: &HandlerError) -> HandlerError {
    let error: &(dyn std::error::Error + Send + Sync) = error.as_ref();
    NotYet(error.to_string()).into()
}

/// For steps that cannot be left undone.
pub(crate) fn until_done() -> RunRetryPolicy {
    RunRetryPolicy::new()
        .initial_delay(Duration::from_millis(200))
        .exponentiation_factor(2.0)
        .max_delay(Duration::from_secs(10))
}
