//! The handlers of [`OrderStatusService`].
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]

use std::time::Duration;

use domain::{OrderId, Status, StatusEvent, topic};
use durable::clock::now_ms;
use durable::{Retryable, retry, step_despite_cancellation};
use kafka::Publisher;
use restate_sdk::prelude::*;
use telemetry::metrics::{self, Counters, Times};

use crate::cause;
use crate::record::{
    Change, Claimant, Granted, HistoryEntry, Holder, IdClaim, IdClaimAnswer, NewOrder, OrderStatus,
    Outcome, Record,
};

static ORDERS: Counters<2> = Counters::new(
    "orders",
    "Orders that got a status, by status and reason",
    ["status", "reason"],
);
static DELAYS: Counters<1> = Counters::new(
    "orders_delayed",
    "Orders that were marked as delayed, by status",
    ["status"],
);
static STAGES: Times<1> = Times::made_by(
    "order_stage_duration_seconds",
    "How long orders had a status before they got the next one",
    ["stage"],
    metrics::slow,
);

const STATUS: &str = "order-status";
const CONTENT: &str = "order-content";
const ETA: &str = "order-eta";
const HISTORY: &str = "order-history";

/// Holds an order's status, and decides which changes are allowed. Key: the order's id.
pub struct OrderStatusService {
    publisher: Publisher,
    retention: Duration,
}

impl OrderStatusService {
    /// The service. It publishes changes through `publisher` and keeps the history of an ended order for `retention`.
    #[must_use]
    pub fn new(publisher: Publisher, retention: Duration) -> Self {
        Self {
            publisher,
            retention,
        }
    }
}

#[restate_sdk::object(
    name = "OrderStatusService",
    journal_retention = "0s",
    idempotency_retention = "0s"
)]
impl OrderStatusService {
    /// Called by the gateway and by `OrderIntake` before an order is accepted. Gives the id to the first order that claims it,
    /// for ever, and returns whether it belongs to the claiming order. Changes no status and publishes nothing.
    #[handler]
    async fn claim(
        &self,
        ctx: ObjectContext<'_>,
        claim: Json<IdClaim>,
    ) -> Result<Json<IdClaimAnswer>, TerminalError> {
        order_id(ctx.key())?;
        let record = ctx.get::<Json<Record>>(STATUS).await?.map(Json::into_inner);
        let granted = hold(&ctx, record.as_ref(), claim.into_inner()).await?;
        Ok(Json(IdClaimAnswer { granted }))
    }

    /// Called by `OrderWorkflow/run` as its first step, with the order's content and price. Makes the order `CREATED` and returns
    /// `applied: true` if it is new. Leaves a known order alone, for ever, even after Restate has forgotten its workflow. If the id
    /// belongs to another order, returns `taken: true`. Workflows of earlier versions send no body.
    #[handler(ingress_private)]
    async fn create(
        &self,
        ctx: ObjectContext<'_>,
        order: Option<Json<NewOrder>>,
    ) -> Result<Json<Outcome>, TerminalError> {
        let Some(Json(NewOrder { content, price })) = order else {
            return self.change(&ctx, Change::created(None)).await;
        };
        let record = ctx.get::<Json<Record>>(STATUS).await?.map(Json::into_inner);
        let claimant = Claimant::Trusted;
        if !hold(&ctx, record.as_ref(), IdClaim { content, claimant }).await? {
            return Ok(Json(Outcome {
                taken: true,
                ..Record::outcome(record.as_ref(), false)
            }));
        }
        self.change(&ctx, Change::created(Some(price))).await
    }

    /// Sent by `OrderWorkflow` and `DeliveryManager` whenever the order gets a new status, by `OrderWorkflow` when everything about
    /// an ended order is undone, and by `OrderIntake` for an invalid event. Called by `OrderWorkflow` for a cancellation. Publishes
    /// and stores the change if it is allowed. A late, repeated or forbidden one changes nothing and returns `applied: false`.
    #[handler(name = "setStatus", ingress_private)]
    async fn set_status(
        &self,
        ctx: ObjectContext<'_>,
        change: Json<Change>,
    ) -> Result<Json<Outcome>, TerminalError> {
        self.change(&ctx, change.into_inner()).await
    }

    /// Sent by `DriverDigitalTwin` when the expected arrival (ms since the epoch) has moved by more than two seconds. Publishes and
    /// stores it, unless the order has ended.
    #[handler(name = "setETA", ingress_private)]
    async fn set_eta(&self, ctx: ObjectContext<'_>, eta: i64) -> Result<(), TerminalError> {
        let record = ctx.get::<Json<Record>>(STATUS).await?.map(Json::into_inner);
        if let Some(next) = Record::after_new_eta(record.as_ref(), eta) {
            self.publish(&ctx, &next, None).await?;
            ctx.set(ETA, eta);
            ctx.set(STATUS, Json(next));
        }
        Ok(())
    }

    /// Sent by `DeliveryManager` when the driver has been silent for too long, and by `OrderWorkflow` when the delivery takes much
    /// longer than it should. Publishes and stores once that the order is delayed; the next change ends the delay.
    #[handler(name = "setDelayed", ingress_private)]
    async fn set_delayed(&self, ctx: ObjectContext<'_>) -> Result<(), TerminalError> {
        let record = ctx.get::<Json<Record>>(STATUS).await?.map(Json::into_inner);
        if let Some(next) = Record::after_delay(record.as_ref()) {
            self.publish(&ctx, &next, None).await?;
            ctx.set(STATUS, Json(next));
        }
        Ok(())
    }

    /// Called by the gateway and by `OrderWorkflow`, and open to anyone. Returns the status, its history and the expected arrival;
    /// `NEW` for an order that was never created. Changes nothing, and is never queued behind a change.
    #[handler]
    async fn get(&self, ctx: SharedObjectContext<'_>) -> Result<Json<OrderStatus>, TerminalError> {
        let order_id = order_id(ctx.key())?;
        let record = ctx.get::<Json<Record>>(STATUS).await?.map(Json::into_inner);
        let eta = ctx.get::<i64>(ETA).await?;
        let history = ctx.get::<Json<Vec<HistoryEntry>>>(HISTORY).await?;
        let (status, version, reason, driver_id, delayed) = match record {
            Some(record) => (
                record.status,
                record.version,
                record.reason,
                record.driver_id,
                record.delayed,
            ),
            None => (Status::New, 0, None, None, false),
        };
        Ok(Json(OrderStatus {
            order_id,
            status,
            eta,
            version,
            reason,
            driver_id,
            delayed,
            history: history.map(Json::into_inner).unwrap_or_default(),
        }))
    }

    /// Sent by this object to itself when the order ends, delayed by the retention. Deletes the history and the expected arrival.
    /// The last status and the order's fingerprint stay, about a hundred bytes, so that a repeated order, or another one with the
    /// same id, is recognised for ever.
    #[handler(ingress_private)]
    async fn expire(&self, ctx: ObjectContext<'_>) -> Result<(), TerminalError> {
        let record = ctx.get::<Json<Record>>(STATUS).await?;
        if record.is_some_and(|Json(record)| record.status.is_terminal()) {
            ctx.clear(HISTORY);
            ctx.clear(ETA);
        }
        Ok(())
    }

    async fn change(
        &self,
        ctx: &ObjectContext<'_>,
        change: Change,
    ) -> Result<Json<Outcome>, TerminalError> {
        let record = ctx.get::<Json<Record>>(STATUS).await?.map(Json::into_inner);
        let Some(next) = Record::after(record.as_ref(), &change) else {
            // The settlement of an ended order is stored, but not published.
            let settled = record.clone().filter(|_| change.is_settled);
            if let Some(settled) = settled.and_then(Record::once_settled) {
                ctx.set(STATUS, Json(settled));
            }
            return Ok(Json(Record::outcome(record.as_ref(), false)));
        };
        // A new order has no history. Not reading it saves a journal entry.
        let history = match &record {
            Some(_) => ctx.get::<Json<Vec<HistoryEntry>>>(HISTORY).await?,
            None => None,
        };
        let mut history = history.map(Json::into_inner).unwrap_or_default();
        let since = history.last().map(|entry| (entry.status, entry.at));
        // Another driver is a change, but not a new stage.
        let is_stage = since.is_none_or(|(status, _)| status != next.status);
        let stage = is_stage.then_some(StatusChange { since });
        let at = self.publish(ctx, &next, stage).await?;
        if is_stage {
            history.push(HistoryEntry {
                status: next.status,
                at,
                version: next.version,
                reason: next.reason.clone(),
            });
            ctx.set(HISTORY, Json(history));
        }
        match (record.and_then(|record| record.eta), next.eta) {
            (before, Some(eta)) if before != Some(eta) => ctx.set(ETA, eta),
            (Some(_), None) => ctx.clear(ETA),
            _ => {}
        }
        if next.status.is_terminal() {
            ctx.object_client::<OrderStatusServiceClient>(ctx.key())
                .expire()
                .send_after(self.retention);
        }
        let outcome = Record::outcome(Some(&next), true);
        ctx.set(STATUS, Json(next));
        Ok(Json(outcome))
    }

    /// Publishes the change. Returns its time, in ms since the epoch.
    ///
    /// Retries until the broker has confirmed the record, because providers must receive every change. After a crash, the same
    /// version may be published again.
    async fn publish(
        &self,
        ctx: &ObjectContext<'_>,
        record: &Record,
        stage: Option<StatusChange>,
    ) -> Result<i64, TerminalError> {
        let order_id = order_id(ctx.key())?;
        let publish = || {
            let mut event = record.event(order_id.clone(), 0);
            let publisher = self.publisher.clone();
            async move {
                event.at = now_ms();
                let value = serde_json::to_vec(&event)?;
                publisher
                    .publish(
                        topic::ORDER_STATUS,
                        Some(event.order_id.as_str().as_bytes()),
                        &value,
                        &[],
                    )
                    .await?;
                // Counted inside the step, because a replay does not run it again.
                if let Some(stage) = stage {
                    stage.count(&event);
                }
                if event.delayed {
                    DELAYS.inc([event.status.name()]);
                }
                Ok::<_, Retryable>(event.at)
            }
        };
        // If an operator cancels the invocation during this step, the event may have been published already, so it has to be stored.
        step_despite_cancellation!(ctx, "publish order-status", retry::kafka(), publish())
            .map_err(TerminalError::new)
    }
}

/// Gives the id to the order of `claim` if it is free. Returns whether it belongs to that order.
async fn hold(
    ctx: &ObjectContext<'_>,
    record: Option<&Record>,
    claim: IdClaim,
) -> Result<bool, TerminalError> {
    let holder = ctx
        .get::<Json<Holder>>(CONTENT)
        .await?
        .map(Json::into_inner);
    let granted = Holder::after(record, holder.as_ref(), claim);
    if let Some(Granted::To(holder)) = &granted {
        ctx.set(CONTENT, Json(holder.clone()));
    }
    Ok(granted.is_some())
}

/// A change of status, as opposed to one that changes only the arrival or the driver.
#[derive(Clone, Copy)]
struct StatusChange {
    /// The previous status, and since when the order had it, in ms since the epoch.
    since: Option<(Status, i64)>,
}

impl StatusChange {
    /// Counts a published change: once, or twice if the process ends before Restate has stored the step's result.
    fn count(&self, event: &StatusEvent) {
        ORDERS.inc([event.status.name(), cause::label(event.reason.as_deref())]);
        if let Some((status, since)) = self.since {
            let lasted = u64::try_from(event.at - since).unwrap_or(0);
            STAGES.observe([status.name()], Duration::from_millis(lasted));
        }
    }
}

fn order_id(key: &str) -> Result<OrderId, TerminalError> {
    key.parse()
        .map_err(|error| TerminalError::new_with_code(400, format!("order id {key:?} {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use restate_sdk::service::Discoverable;

    #[test]
    fn names_on_the_wire_are_pinned() {
        assert_eq!(
            durable::testing::wire_names(&OrderStatusService::discover()),
            [
                "OrderStatusService",
                "claim",
                "create (private)",
                "setStatus (private)",
                "setETA (private)",
                "setDelayed (private)",
                "get",
                "expire (private)",
            ]
        );
    }
}
