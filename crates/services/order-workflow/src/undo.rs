//! What undoes the steps of an order that does not end with the customer.

use std::time::Duration;

use domain::{Money, OrderId};
use durable::{despite_cancellation, retry, step_despite_cancellation};
use restate_sdk::prelude::*;

use crate::clients::{Asking, Charge, Failure, Payment, ThirdParties};
use crate::scope::{Handler, Scope};

/// How long a third party may keep the others waiting.
const SOON: Duration = Duration::from_mins(1);

/// A step that was begun and must be undone if the order does not end with the customer. Begun is enough: whether it was done
/// may be unknown, so each undo also holds for a step that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Undo {
    /// Give the money back: this payment.
    Payment(Payment),
    /// Give back whatever came of the charge, which is asked for again. `said` is what the provider said to have charged instead of the
    /// price: that is given back if it has nothing better to say.
    Charge { said: Option<Payment> },
    /// Have the restaurant stop.
    Preparation,
    /// Send the driver away.
    Delivery,
}

/// An order that is to be undone, by `run`, or by `settle` after a `run` that was killed.
pub(crate) struct Undoing<'a, 'ctx> {
    pub(crate) scope: &'a Scope<'ctx>,
    pub(crate) third_parties: &'a ThirdParties,
    pub(crate) order_id: &'a OrderId,
    pub(crate) price: Money,
    /// How long the restaurant has to take its part.
    pub(crate) preparation: Duration,
}

impl<'ctx> Undoing<'_, 'ctx> {
    /// Undoes what was begun, newest first. What a third party does not take within a minute is put off until the others are done:
    /// nobody waits for the money because a restaurant does not answer.
    ///
    /// An operator's cancellation does not end it, as the order has ended already. The restaurant has its time to take its part.
    /// The money is tried until it is back: once a minute, however long the provider gives no valid answer. Whoever wants to be rid
    /// of that too can kill the invocation.
    ///
    /// # Errors
    /// The last error of a step of our own. It keeps no other step from being undone.
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
                    let limit = SOON.min(self.preparation);
                    self.stop_cooking(retry::third_party().max_duration(limit))
                        .await
                }
                Undo::Payment(_) | Undo::Charge { .. } => {
                    let retries = retry::money_in_doubt().max_duration(SOON);
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
                    let retries = retry::every(SOON).max_duration(self.preparation);
                    if !self.stop_cooking(retries).await {
                        tracing::error!(order, "the restaurant was not told to stop");
                    }
                }
                Undo::Payment(_) | Undo::Charge { .. } => {
                    tracing::error!(order, "the money is not back yet");
                    while !self.give_back(&undo, retry::every(SOON)).await {}
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Has the restaurant stop; whether it took that.
    async fn stop_cooking(&self, retries: RunRetryPolicy) -> bool {
        self.persist("cancel preparation", &retries, || {
            let (third_parties, order_id) = (self.third_parties.clone(), self.order_id.clone());
            async move { third_parties.cancel_preparation(&order_id).await }
        })
        .await
    }

    /// Gives the money back; whether the provider took that.
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

    /// Makes a request until it is answered, or `retries` gives up; whether it was answered. A cancellation does not end it.
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

/// What came of the charge, which was never answered, or with what contradicts the request (`said`). The same request under the same
/// key is answered with that, and is a charge only if there was none yet; so nothing comes of the earlier one later either.
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
        // Refused for a reason of today, such as an expired key, it says nothing of what was charged before.
        Charge::Refused { .. } if said.is_some() => Ok(said),
        Charge::Refused { reason } => Err(Failure::Invalid(format!("status {reason}"))),
    }
}
