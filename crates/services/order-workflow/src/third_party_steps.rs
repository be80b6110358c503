//! The steps of an order with a third party: payment and preparation.

use std::time::Duration;

use durable::{NotDone, retry, step};
use order_status::cause;
use restate_sdk::prelude::*;
use restate_sdk::serde::{Deserialize, Serialize};

use crate::clients::{Amount, Asking, Charge, Failure, Payment, Preparation};
use crate::under_way::{Event, Stop, UnderWay};
use crate::undo::Undo;

impl<'a> UnderWay<'a> {
    /// Step 2: charges the customer.
    pub(crate) async fn charge(&mut self) -> Result<(), Stop> {
        self.begun.push(Undo::Charge { said: None });
        let asked = self.ask(["charge", "charge again"], self.limits.payment, |asking| {
            let third_parties = self.third_parties.clone();
            let (order_id, amount) = (self.order.order_id.clone(), self.order.total_cost);
            async move {
                let charge = third_parties.charge(&order_id, amount, asking).await;
                charge.map(Json)
            }
        });
        let Asked {
            answer: Json(charge),
            may_be_done,
        } = asked
            .await
            .map_err(|error| unanswered(cause::NO_PAYMENT, cause::PAYMENT_INVALID, error))?;
        match charge {
            Charge::Charged { payment_id: id } => {
                let amount = Amount::from(self.order.total_cost);
                self.begun = vec![Undo::Payment(Payment { id, amount })];
                Ok(())
            }
            // An answer that contradicts the request may itself be wrong, so the undo asks again what was charged.
            Charge::OtherAmount(payment) => {
                let said = Some(payment);
                self.begun = vec![Undo::Charge { said }];
                Err(Stop::Cancelled(cause::OTHER_AMOUNT.to_owned()))
            }
            Charge::Declined { reason } => {
                self.begun.clear();
                Err(Stop::Rejected(format!("{}: {reason}", cause::DECLINED)))
            }
            Charge::Refused { reason } => {
                if !may_be_done {
                    self.begun.clear();
                }
                let reason = format!("{}: {reason}", cause::PAYMENT_REFUSED);
                Err(Stop::Cancelled(reason))
            }
        }
    }

    /// Step 4: has the restaurant cook the order. Returns the event of the restaurant's callback at the gateway, which resolves the
    /// awakeable.
    pub(crate) async fn prepare(&mut self) -> Result<Event<'a, Vec<u8>>, Stop> {
        let (awakeable_id, ready) = self.ctx.awakeable::<Vec<u8>>();
        self.begun.push(Undo::Preparation);
        let asked = self.ask(
            ["prepare", "prepare again"],
            self.limits.preparation,
            |asking| {
                let third_parties = self.third_parties.clone();
                let (order, awakeable_id) = (self.order.clone(), awakeable_id.clone());
                async move {
                    let prepared = third_parties.prepare(&order, &awakeable_id, asking);
                    prepared.await.map(Json)
                }
            },
        );
        let Asked {
            answer: Json(preparation),
            may_be_done,
        } = asked
            .await
            .map_err(|error| unanswered(cause::NO_RESTAURANT, cause::RESTAURANT_INVALID, error))?;
        match preparation {
            Preparation::Accepted => Ok(Box::pin(ready)),
            Preparation::Refused { reason } => {
                self.begun.pop();
                Err(Stop::Rejected(format!("{}: {reason}", cause::REFUSED)))
            }
            Preparation::NotTaken { reason } => {
                if !may_be_done {
                    self.begun.pop();
                }
                Err(Stop::Cancelled(format!("{}: {reason}", cause::NOT_TAKEN)))
            }
        }
    }

    /// Makes a request to a third party: once, as the first of the steps `names`, and then repeatedly, as the second, until `limit`
    /// is over.
    ///
    /// So the journal shows whether a refusal came after an earlier request, which may have to be undone.
    async fn ask<T, Fut>(
        &self,
        names: [&'static str; 2],
        limit: Duration,
        request: impl Fn(Asking) -> Fut,
    ) -> Result<Asked<T>, NotDone>
    where
        T: Serialize + Deserialize + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'a,
    {
        let ctx = self.ctx;
        let (first, again) = (request(Asking::First), request(Asking::Again));
        let once = retry::third_party().max_attempts(1);
        match step!(ctx, names[0], once, first) {
            Ok(answer) => Ok(Asked {
                answer,
                may_be_done: false,
            }),
            Err(NotDone::RetriesExhausted(_)) => {
                let retries = retry::third_party().max_duration(limit);
                let answer = step!(ctx, names[1], retries, again)?;
                Ok(Asked {
                    answer,
                    may_be_done: true,
                })
            }
            Err(cancelled) => Err(cancelled),
        }
    }
}

/// A third party's answer.
struct Asked<T> {
    answer: T,
    /// An earlier request had no valid answer, and may have been carried out nevertheless.
    may_be_done: bool,
}

/// The end of an order after a third party gave no valid answer. What it said is in the log.
fn unanswered(no_answer: &str, invalid: &str, error: NotDone) -> Stop {
    let last = match error {
        NotDone::Cancelled(cancelled) => return cancelled.into(),
        NotDone::RetriesExhausted(last) => last,
    };
    let reason = match Failure::what_was_invalid(&last) {
        Some(what) => format!("{invalid}: {what}"),
        None => no_answer.to_owned(),
    };
    tracing::warn!("{reason}: {last}");
    Stop::Cancelled(reason)
}
