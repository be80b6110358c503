//! Undoes the steps of an order that does not reach the customer.

use std::time::Duration;

use domain::{Money, OrderId};
use durable::{despite_cancellation, retry, step_despite_cancellation};
use restate_sdk::prelude::*;

use crate::clients::{Asking, Charge, Failure, Payment, ThirdParties};
use crate::scope::{Handler, Scope};

/// How long a third party may delay the other steps.
const MAX_DELAY: Duration = Duration::from_mins(1);

/// A step that has begun and must be undone if the order does not reach the customer. It may be unknown whether the step was
/// completed, so each undo also works for a step that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Undo {
    /// Refund this payment.
    Payment(Payment),
    /// Refund whatever was charged; the charge is repeated to find that out. `said` is what the provider reported to have charged
    /// instead of the price: it is refunded if the repeated charge brings nothing better.
    Charge { said: Option<Payment> },
    /// Tell the restaurant to stop.
    Preparation,
    /// Send the driver away.
    Delivery,
}

/// An order that is being undone, by `run`, or by `settle` after `run` was killed.
pub(crate) struct Undoing<'a, 'ctx> {
    pub(crate) scope: &'a Scope<'ctx>,
    pub(crate) third_parties: &'a ThirdParties,
    pub(crate) order_id: &'a OrderId,
    pub(crate) price: Money,
    /// How long the restaurant has to confirm the cancellation.
    pub(crate) preparation: Duration,
}

impl<'ctx> Undoing<'_, 'ctx> {
    /// Undoes what has begun, newest first. A step that a third party does not confirm within a minute is postponed until the others
    /// are done, so that a restaurant that does not answer does not delay the refund.
    ///
    /// An operator's cancellation does not end this, because the order has ended already. The restaurant has `preparation` to
    /// confirm. The refund is repeated once a minute until it succeeds, however long the provider gives no valid answer; only
    /// killing the invocation ends that.
    ///
    /// # Errors
    /// The last error of a step of this system. It does not keep the other steps from being undone.
    pub(crate) async fn undo(&self, begun: Vec<Undo>) -> Result<(), TerminalError> {
        let mut failure = None;
        let mut left = Vec::new();
        for undo in begun.into_iter().rev() {
            let done = match &undo {
                Undo::Delivery => {
                    let cancel = || self.scope.call(self.scope.delivery().cancel());
                    failure = despite_cancellation(cancel).await.err().or(failure);
                    true
                }
                Undo::Preparation => {
                    let limit = MAX_DELAY.min(self.preparation);
                    self.stop_cooking(retry::third_party().max_duration(limit))
                        .await
                }
                Undo::Payment(_) | Undo::Charge { .. } => {
                    let retries = retry::money_in_doubt().max_duration(MAX_DELAY);
                    self.give_back(&undo, retries).await
                }
            };
            if !done {
                left.push(undo);
            }
        }
        for undo in left {
            let order = self.order_id.as_str();
            match &undo {
                Undo::Delivery => {}
                Undo::Preparation => {
                    let retries = retry::every(MAX_DELAY).max_duration(self.preparation);
                    if !self.stop_cooking(retries).await {
                        tracing::error!(order, "the restaurant did not confirm the cancellation");
                    }
                }
                Undo::Payment(_) | Undo::Charge { .. } => {
                    tracing::error!(order, "the payment is not refunded yet");
                    while !self.give_back(&undo, retry::every(MAX_DELAY)).await {}
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Tells the restaurant to stop. Returns whether it confirmed.
    async fn stop_cooking(&self, retries: RunRetryPolicy) -> bool {
        self.persist("cancel preparation", &retries, || {
            let (third_parties, order_id) = (self.third_parties.clone(), self.order_id.clone());
            async move { third_parties.cancel_preparation(&order_id).await }
        })
        .await
    }

    /// Refunds the payment. Returns whether the provider confirmed.
    async fn give_back(&self, undo: &Undo, retries: RunRetryPolicy) -> bool {
        self.persist("refund", &retries, || {
            let third_parties = self.third_parties.clone();
            let (order_id, amount) = (self.order_id.clone(), self.price);
            let undo = undo.clone();
            async move {
                let payment = match undo {
                    Undo::Payment(payment) => Some(payment),
                    Undo::Charge { said } => {
                        what_was_charged(&third_parties, &order_id, amount, said).await?
                    }
                    Undo::Preparation | Undo::Delivery => None,
                };
                match payment {
                    Some(payment) => third_parties.refund(&order_id, &payment).await,
                    None => Ok(()),
                }
            }
        })
        .await
    }

    /// Repeats a request until it succeeds or `retries` gives up. Returns whether it succeeded. A cancellation does not end it.
    async fn persist<Fut>(
        &self,
        name: &'static str,
        retries: &RunRetryPolicy,
        request: impl Fn() -> Fut,
    ) -> bool
    where
        Fut: Future<Output = Result<(), Failure>> + Send + 'ctx,
    {
        let done: Result<(), String> = match self.scope.handler {
            Handler::Run(ctx) => {
                step_despite_cancellation!(ctx, name, retries.clone(), request())
            }
            Handler::Settle(ctx) => {
                step_despite_cancellation!(ctx, name, retries.clone(), request())
            }
        };
        if let Err(last) = &done {
            tracing::warn!("{name}: {last}");
        }
        done.is_ok()
    }
}

/// What was charged, if the charge was never answered, or with something that contradicts the request (`said`). The same request
/// with the same key gets the original answer, and is a new charge only if there was none; so the earlier request cannot take
/// effect later.
async fn what_was_charged(
    third_parties: &ThirdParties,
    order_id: &OrderId,
    amount: Money,
    said: Option<Payment>,
) -> Result<Option<Payment>, Failure> {
    match third_parties
        .charge(order_id, amount, Asking::Again)
        .await?
    {
        Charge::Charged { payment_id: id } => Ok(Some(Payment {
            id,
            amount: amount.into(),
        })),
        Charge::OtherAmount(payment) => Ok(Some(payment)),
        Charge::Declined { .. } => Ok(said),
        // The reason may be new, such as an expired key, and says nothing about the earlier charge.
        Charge::Refused { .. } if said.is_some() => Ok(said),
        Charge::Refused { reason } => Err(Failure::Invalid(format!("status {reason}"))),
    }
}
