//! The end of an order that does not reach its customer.

use domain::Status;
use durable::despite_cancellation;
use order_status::{Change, cause};
use restate_sdk::prelude::*;

use crate::api::Ended;
use crate::scope::Scope;
use crate::under_way::{Stop, UnderWay};
use crate::undo::Undoing;

impl Stop {
    /// The final status of the order, the reason, and the error with which `run` ends.
    fn outcome(self) -> (Status, Option<String>, Option<TerminalError>) {
        match self {
            Self::Rejected(reason) => (Status::Rejected, Some(reason), None),
            Self::Cancelled(reason) => (Status::Cancelled, Some(reason), None),
            Self::Ended(status) => (status, None, None),
            Self::ByOperator(cancelled) => {
                let reason = cause::BY_OPERATOR.to_owned();
                (Status::Cancelled, Some(reason), Some(cancelled.into()))
            }
            Self::Failed(error) => {
                tracing::error!("{}: {error}", cause::FAILED);
                let told = TerminalError::new(cause::FAILED);
                (
                    Status::Cancelled,
                    Some(cause::FAILED.to_owned()),
                    Some(told),
                )
            }
        }
    }
}

impl UnderWay<'_> {
    /// Step 7: ends the order, then undoes what has begun, newest first.
    pub(crate) async fn end(self, stop: Stop) -> Result<Ended, TerminalError> {
        let (end, reason, mut failure) = stop.outcome();
        let ended = Change {
            reason: reason.clone(),
            is_settled: self.begun.is_empty(),
            ..Change::to(end)
        };
        if reason.is_some() {
            self.scope.send_change(ended.clone());
        }
        if !self.begun.is_empty() {
            let undoing = Undoing {
                scope: &self.scope,
                third_parties: self.third_parties,
                order_id: &self.order.order_id,
                price: self.order.total_cost,
                preparation: self.limits.preparation,
            };
            match undoing.undo(self.begun).await {
                Ok(()) => self.scope.send_change(ended.settled()),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(Ended::new(end, reason)), Err)
    }

    /// Ends the order, unless it has ended just now, or food is on its way. If this returns, the order continues.
    pub(crate) async fn call_off(&self, reason: &str) -> Result<(), Stop> {
        // An operator who cancels meanwhile wants the same.
        let Json(outcome) = despite_cancellation(|| {
            let change = Change::ended(Status::Cancelled, reason);
            self.scope
                .call(self.scope.status().set_status(Json(change)))
        })
        .await?;
        if outcome.applied || outcome.status.is_terminal() {
            return Err(Stop::Ended(outcome.status));
        }
        Ok(())
    }
}

/// Refuses an invalid event: the order becomes `REJECTED`, unless it was accepted before.
pub(crate) fn refused(scope: &Scope<'_>, invalid: String) -> TerminalError {
    let answer =
        format!("{invalid}. A workflow runs once: send the corrected order under a new orderId");
    scope.send_change(Change::refused_unread(invalid));
    TerminalError::new_with_code(400, answer)
}

/// Ends an order whose `create` was not answered. The order may exist by now, and needs an end; nothing has begun that must be
/// undone.
///
/// A `create` that is cancelled together with `run` either has not begun or completes nevertheless. A `create` that has failed was
/// killed, perhaps between publishing and storing.
pub(crate) fn uncreated(scope: &Scope<'_>, stop: impl Into<Stop>) -> TerminalError {
    let stop = stop.into();
    let may_be_killed = matches!(stop, Stop::Failed(_));
    let (end, reason, error) = stop.outcome();
    let reason = reason.unwrap_or_else(|| cause::FAILED.to_owned());
    for change in [
        Change::ended(end, reason.clone()).settled(),
        // Even if the order was not created, its provider must learn of the refusal.
        Change::refused_unread(reason.clone()),
    ] {
        scope.send_change(Change {
            is_repair: may_be_killed,
            ..change
        });
    }
    error.unwrap_or_else(|| TerminalError::new(reason))
}
