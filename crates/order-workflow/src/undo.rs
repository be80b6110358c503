//! What undoes the steps of an order that does not end with the customer.

use std::time::Duration;

use delivery::DeliveryManagerClient;
use domain::{Money, Order, OrderId};
use durable::{NotDone, Trace, Traced, step, unless_cancelled};
use restate_sdk::prelude::*;

use crate::clients::{Charge, Failure, Payment, ThirdParties};

/// How long a third party may keep the others waiting.
const SOON: Duration = Duration::from_secs(60);

/// A step that was begun and must be undone if the order does not end with the customer. Begun is enough: whether it was done
/// may be unknown, so each undo also holds for a step that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Undo {
    /// Give the money back: this payment, or whatever came of the charge.
    Payment(Option<Payment>),
    /// Have the restaurant stop.
    Preparation,
    /// Send the driver away.
    Delivery,
}

/// Undoes what was begun, newest first. What a third party does not take within a minute is put off until the others are done:
/// nobody waits for the money because a restaurant does not answer.
///
/// An operator's cancellation does not end it, as the order has ended already. The restaurant has `preparation` to take its part.
/// The money is tried until it is back: once a minute, however long the provider gives no valid answer. Whoever wants to be rid
/// of that too can kill the invocation.
///
/// # Errors
/// The last error of a step of our own. It keeps no other step from being undone.
pub(crate) async fn all(
    ctx: &WorkflowContext<'_>,
    trace: Trace,
    third_parties: &ThirdParties,
    order: &Order,
    begun: Vec<Undo>,
    preparation: Duration,
) -> Result<(), TerminalError> {
    let mut failure = None;
    let mut left = Vec::new();
    for undo in begun.into_iter().rev() {
        let done = match &undo {
            Undo::Delivery => {
                let cancel = || {
                    let manager = ctx.object_client::<DeliveryManagerClient>(ctx.key());
                    unless_cancelled(manager.cancel().traced(trace).call())
                };
                let cancelled = loop {
                    if let Ok(answer) = cancel().await {
                        break answer;
                    }
                };
                failure = cancelled.err().or(failure);
                true
            }
            Undo::Preparation => {
                let retries = until_done().max_duration(SOON.min(preparation));
                stop_cooking(ctx, third_parties, &order.order_id, retries).await
            }
            Undo::Payment(payment) => {
                let retries = until_settled().max_duration(SOON);
                give_back(ctx, third_parties, order, payment.as_ref(), retries).await
            }
        };
        if !done {
            left.push(undo);
        }
    }
    for undo in left {
        let rarely = RunRetryPolicy::new().initial_delay(SOON);
        match &undo {
            Undo::Delivery => {}
            Undo::Preparation => {
                let retries = rarely.max_duration(preparation);
                if !stop_cooking(ctx, third_parties, &order.order_id, retries).await {
                    tracing::error!(order = ctx.key(), "the restaurant was not told to stop");
                }
            }
            Undo::Payment(payment) => {
                tracing::error!(order = ctx.key(), "the money is not back yet");
                while !give_back(ctx, third_parties, order, payment.as_ref(), rarely.clone()).await
                {
                }
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Has the restaurant stop; whether it took that.
async fn stop_cooking(
    ctx: &WorkflowContext<'_>,
    third_parties: &ThirdParties,
    order_id: &OrderId,
    retries: RunRetryPolicy,
) -> bool {
    persist(ctx, "cancel preparation", &retries, || {
        let (third_parties, order_id) = (third_parties.clone(), order_id.clone());
        async move { third_parties.cancel_preparation(&order_id).await }
    })
    .await
}

/// Gives the money back; whether the provider took that.
async fn give_back(
    ctx: &WorkflowContext<'_>,
    third_parties: &ThirdParties,
    order: &Order,
    payment: Option<&Payment>,
    retries: RunRetryPolicy,
) -> bool {
    persist(ctx, "refund", &retries, || {
        let third_parties = third_parties.clone();
        let (order_id, amount) = (order.order_id.clone(), order.total_cost);
        let payment = payment.cloned();
        async move {
            let payment = match payment {
                Some(payment) => Some(payment),
                None => what_was_charged(&third_parties, &order_id, amount).await?,
            };
            match payment {
                Some(payment) => third_parties.refund(&order_id, &payment).await,
                None => Ok(()),
            }
        }
    })
    .await
}

/// What came of the charge, which was never answered. The same request under the same key is answered with that, and is a charge
/// only if there was none yet; so nothing comes of the earlier one later either.
async fn what_was_charged(
    third_parties: &ThirdParties,
    order_id: &OrderId,
    amount: Money,
) -> Result<Option<Payment>, Failure> {
    match third_parties.charge(order_id, amount).await? {
        Charge::Charged { payment_id: id } => Ok(Some(Payment {
            id,
            amount: amount.into(),
        })),
        Charge::OtherAmount(payment) => Ok(Some(payment)),
        Charge::Declined { .. } => Ok(None),
        // Refused for a reason of today, such as an expired key, it says nothing of what was charged before.
        Charge::Refused { reason } => Err(Failure::Invalid(format!("status {reason}"))),
    }
}

/// Makes a request until it is answered, or `retries` gives up; whether it was answered. A cancellation does not end it.
async fn persist<'ctx, Fut>(
    ctx: &WorkflowContext<'ctx>,
    name: &'static str,
    retries: &RunRetryPolicy,
    request: impl Fn() -> Fut,
) -> bool
where
    Fut: Future<Output = Result<(), Failure>> + Send + 'ctx,
{
    loop {
        let request = request();
        match step!(ctx, name, retries.clone(), request) {
            Ok(()) => return true,
            Err(NotDone::Cancelled(_)) => tracing::warn!("cancelled during {name}, which goes on"),
            Err(NotDone::GaveUp(last)) => {
                tracing::warn!("{name}: {last}");
                return false;
            }
        }
    }
}

/// For requests that may be repeated soon.
pub(crate) fn until_done() -> RunRetryPolicy {
    RunRetryPolicy::new()
        .initial_delay(Duration::from_millis(200))
        .exponentiation_factor(2.0)
        .max_delay(Duration::from_secs(10))
}

/// For requests about money that is in doubt: at most 7 in the first minute.
fn until_settled() -> RunRetryPolicy {
    until_done()
        .initial_delay(Duration::from_secs(1))
        .max_delay(Duration::from_secs(30))
}
