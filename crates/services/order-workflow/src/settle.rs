//! `OrderWorkflow/settle`: settles an order whose `run` was killed.

use std::time::Duration;

use delivery::Progress;
use domain::{Order, OrderId, Status};
use order_status::{Change, Outcome, cause};
use restate_sdk::prelude::*;

use crate::api::{Settled, Settlement};
use crate::clients::ThirdParties;
use crate::scope::{CANCELLED, ORDER, Scope};
use crate::undo::{Undo, Undoing};

/// Ends the order depending on where its food is. `preparation` is how long the restaurant has to confirm the cancellation.
pub(crate) async fn settle(
    ctx: &SharedWorkflowContext<'_>,
    third_parties: &ThirdParties,
    preparation: Duration,
) -> Result<Settlement, TerminalError> {
    let scope = Scope::of_settle(ctx);
    let cancel = Change::ended(Status::Cancelled, cause::STOPPED);
    let cancelled = scope.change_after_kill(cancel).await?;
    let end = match cancelled.status {
        Status::New => {
            // Nothing had begun before the order was created.
            let refuse = Change::refused_unread(cause::STOPPED);
            let outcome = scope.change_after_kill(refuse).await?;
            return Ok(Settlement::of(outcome.status, Settled::NeverBegun));
        }
        Status::InDelivery => return scope.in_delivery().await,
        end @ (Status::Cancelled | Status::Rejected) => end,
        end => return Ok(Settlement::of(end, Settled::Before)),
    };
    let price = match cancelled.unsettled {
        Some(price) => price,
        None if !cancelled.applied => return Ok(Settlement::of(end, Settled::Before)),
        // The record is from a version without the price; the workflow's own state still has the order for a while.
        None => match ctx.get::<Json<Order>>(ORDER).await? {
            Some(Json(order)) => order.total_cost,
            None => return Ok(Settlement::of(end, Settled::PriceUnknown)),
        },
    };
    let order_id: OrderId = ctx.key().parse().map_err(|error| {
        TerminalError::new_with_code(400, format!("order id {:?} {error}", ctx.key()))
    })?;
    // If `run` is still active, it undoes the order too. This notifies it.
    if end == Status::Cancelled {
        ctx.resolve_promise(CANCELLED, ());
    }
    let undoing = Undoing {
        scope: &scope,
        third_parties,
        order_id: &order_id,
        price,
        preparation,
    };
    let begun = vec![
        Undo::Charge { said: None },
        Undo::Preparation,
        Undo::Delivery,
    ];
    undoing.undo(begun).await?;
    let settle = Change::ended(end, cause::STOPPED).settled();
    scope.change_after_kill(settle).await?;
    Ok(Settlement::of(end, Settled::Undone))
}

impl Scope<'_> {
    /// Changes the status of an order whose workflow was killed.
    async fn change_after_kill(&self, change: Change) -> Result<Outcome, TerminalError> {
        let change = Json(change.after_kill());
        let Json(outcome) = self.call(self.status().set_status(change)).await?;
        Ok(outcome)
    }

    /// Settles an order whose food is on its way, or was by its last status: nothing is undone, because the driver delivers it.
    async fn in_delivery(&self) -> Result<Settlement, TerminalError> {
        let Json(progress) = self.call(self.delivery().check_progress()).await?;
        if progress != Progress::None {
            return Ok(Settlement::of(Status::InDelivery, Settled::OnItsWay));
        }
        let delivered = Change::to(Status::Delivered);
        let outcome = self.change_after_kill(delivered).await?;
        Ok(Settlement::of(outcome.status, Settled::Delivered))
    }
}
