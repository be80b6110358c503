//! What undoes the steps of an order that does not end with the customer.

use std::time::Duration;

use delivery::DeliveryManagerClient;
use domain::{Money, OrderId};
use durable::{NotDone, Trace, Traced, step, unless_cancelled};
use restate_sdk::prelude::*;

use crate::clients::{Charge, Failure, Payment, ThirdParties};

/// How long a third party may keep the others waiting.
const SOON: Duration = Duration::from_mins(1);

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

/// The handler that undoes: `run`, or `settle` after a `run` that was killed.
#[derive(Clone, Copy)]
pub(crate) enum Handler<'a, 'ctx> {
    Run(&'a WorkflowContext<'ctx>),
    Settle(&'a SharedWorkflowContext<'ctx>),
}

impl<'ctx> Handler<'_, 'ctx> {
    fn manager(self, order_id: &OrderId) -> DeliveryManagerClient<'ctx> {
        match self {
            Self::Run(ctx) => ctx.object_client(order_id.as_str()),
            Self::Settle(ctx) => ctx.object_client(order_id.as_str()),
        }
    }
}

/// What has to be known of an order to undo it.
#[derive(Debug, Clone)]
pub(crate) struct Undone {
    pub(crate) order_id: OrderId,
    pub(crate) price: Money,
    pub(crate) trace: Trace,
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
    handler: Handler<'_, '_>,
    third_parties: &ThirdParties,
    order: &Undone,
    begun: Vec<Undo>,
    preparation: Duration,
) -> Result<(), TerminalError> {
    let mut failure = None;
    let mut left = Vec::new();
    for undo in begun.into_iter().rev() {
        let done = match &undo {
            Undo::Delivery => {
                let cancel = || {
                    let manager = handler.manager(&order.order_id);
                    unless_cancelled(manager.cancel().traced(order.trace).call())
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
                stop_cooking(handler, third_parties, &order.order_id, retries).await
            }
            Undo::Payment(payment) => {
                let retries = until_settled().max_duration(SOON);
                give_back(handler, third_parties, order, payment.as_ref(), retries).await
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
                if !stop_cooking(handler, third_parties, &order.order_id, retries).await {
                    tracing::error!(
                        order = order.order_id.as_str(),
                        "the restaurant was not told to stop"
                    );
                }
            }
            Undo::Payment(payment) => {
                tracing::error!(order = order.order_id.as_str(), "the money is not back yet");
                while !give_back(
                    handler,
                    third_parties,
                    order,
                    payment.as_ref(),
                    rarely.clone(),
                )
                .await
                {}
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Has the restaurant stop; whether it took that.
async fn stop_cooking(
    handler: Handler<'_, '_>,
    third_parties: &ThirdParties,
    order_id: &OrderId,
    retries: RunRetryPolicy,
) -> bool {
    persist(handler, "cancel preparation", &retries, || {
        let (third_parties, order_id) = (third_parties.clone(), order_id.clone());
        async move { third_parties.cancel_preparation(&order_id).await }
    })
    .await
}

/// Gives the money back; whether the provider took that.
async fn give_back(
    handler: Handler<'_, '_>,
    third_parties: &ThirdParties,
    order: &Undone,
    payment: Option<&Payment>,
    retries: RunRetryPolicy,
) -> bool {
    persist(handler, "refund", &retries, || {
        let third_parties = third_parties.clone();
        let (order_id, amount) = (order.order_id.clone(), order.price);
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
    handler: Handler<'_, 'ctx>,
    name: &'static str,
    retries: &RunRetryPolicy,
    request: impl Fn() -> Fut,
) -> bool
where
    Fut: Future<Output = Result<(), Failure>> + Send + 'ctx,
{
    loop {
        let request = request();
        let done = match handler {
            Handler::Run(ctx) => step!(ctx, name, retries.clone(), request),
            Handler::Settle(ctx) => step!(ctx, name, retries.clone(), request),
        };
        match done {
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
