//! [`OrderWorkflow`]: an order from payment to the customer's door.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]

use domain::{Order, Status};
use durable::{Trace, Traced, Unparsed, traceparent_in, unless_cancelled};
use order_status::{Change, NewOrder, OrderStatusServiceClient, Outcome, cause};
use restate_sdk::prelude::*;

use crate::api::{CancelAnswer, Ended, Settlement};
use crate::clients::ThirdParties;
use crate::event::{self, id_taken};
use crate::scope::{CANCELLED, ORDER, Scope};
use crate::under_way::{Limits, Stop, UnderWay, Wait};
use crate::{ending, settle};

/// Runs one order from payment to delivery. Key: the order's id.
pub struct OrderWorkflow {
    third_parties: ThirdParties,
    limits: Limits,
}

impl OrderWorkflow {
    pub(crate) fn new(third_parties: ThirdParties, limits: Limits) -> Self {
        Self {
            third_parties,
            limits,
        }
    }
}

impl UnderWay<'_> {
    /// Steps 2 to 6. An error says how the order ends instead.
    async fn steps(&mut self) -> Result<(), Stop> {
        // 2. Payment, with an idempotency key derived from the order's id.
        self.charge().await?;

        // 3. Wait for the time the customer wishes.
        self.move_on(Status::Scheduled);
        self.wait_for_requested_time().await?;

        // 4. Preparation: the restaurant accepts, and calls back when the food is ready.
        let ready = self.prepare().await?;
        self.move_on(Status::InPreparation);
        let limit = Some(self.limits.preparation);
        let cooked = Wait::new(self.ctx, ready).within(limit).await?;
        cooked.ok_or_else(|| Stop::Cancelled(cause::NOT_COOKED.to_owned()))?;

        // 5. Cooked.
        self.move_on(Status::SchedulingDelivery);

        // 6. Delivery: a driver is found, picks the food up and hands it over.
        self.deliver().await
    }

    async fn wait_for_requested_time(&self) -> Result<(), Stop> {
        let delay = self.order.delivery_delay;
        if !delay.is_zero() {
            let time = Box::pin(self.ctx.sleep(delay));
            Wait::new(self.ctx, time).within(None).await?;
        }
        Ok(())
    }
}

#[restate_sdk::workflow(name = "OrderWorkflow")]
impl OrderWorkflow {
    /// Sent by `OrderIntake/receive` for each order event; anyone may also call it with an order event as body. Runs the order:
    /// payment, waiting until the requested time, preparation, delivery. Returns how it ended. Refuses an invalid event with 400 and
    /// the faults. Leaves an order alone that existed before.
    #[handler]
    async fn run(
        &self,
        ctx: WorkflowContext<'_>,
        event: Unparsed<Order>,
    ) -> Result<Json<Ended>, TerminalError> {
        let event = event.into_bytes();
        let order = event::sent_to(ctx.key(), &event).map_err(|invalid| {
            let trace = Trace::of_order(&ctx, traceparent_in(&event).as_deref());
            ending::refused(&Scope::of_run(&ctx, trace), invalid)
        })?;
        let trace = Trace::of_order(&ctx, order.traceparent.as_deref());
        let scope = Scope::of_run(&ctx, trace);

        // 1. Create the order, unless it exists already.
        let new = NewOrder {
            content: order.content(),
            price: order.total_cost,
        };
        let create = scope.call(scope.status().create(Some(Json(new))));
        let created = match unless_cancelled(create).await {
            Ok(Ok(Json(created))) => created,
            Ok(Err(error)) => return Err(ending::uncreated(&scope, error)),
            Err(cancelled) => return Err(ending::uncreated(&scope, cancelled)),
        };
        if created.taken {
            return Err(TerminalError::new_with_code(409, id_taken(&order.order_id)));
        }
        if !created.applied {
            return Ok(Json(Ended::repeated(created.status)));
        }

        ctx.set(ORDER, Json(order.clone()));
        let mut under_way = UnderWay {
            ctx: &ctx,
            scope,
            order: &order,
            third_parties: &self.third_parties,
            limits: self.limits,
            begun: Vec::new(),
        };
        match under_way.steps().await {
            Ok(()) => Ok(Json(Ended::new(Status::Delivered, None))),
            // 7. Any other end: undo what has begun, newest first.
            Err(stop) => under_way.end(stop).await.map(Json),
        }
    }

    /// Called by the gateway for the customer, or by anyone with curl. Cancels the order unless a driver has picked it up. Returns
    /// at once whether it did; the refund follows. Unknown order: 404.
    #[handler(journal_retention = "0s", idempotency_retention = "0s")]
    async fn cancel(
        &self,
        ctx: SharedWorkflowContext<'_>,
    ) -> Result<Json<CancelAnswer>, TerminalError> {
        let Json(Outcome {
            applied, status, ..
        }) = ctx
            .object_client::<OrderStatusServiceClient>(ctx.key())
            .set_status(Json(Change::ended(Status::Cancelled, cause::BY_CUSTOMER)))
            .traced(Trace::of(&ctx))
            .call()
            .await?;
        if applied {
            ctx.resolve_promise(CANCELLED, ());
        }
        CancelAnswer::of(status).map(Json).ok_or_else(|| {
            TerminalError::new_with_code(404, format!("there is no order {}", ctx.key()))
        })
    }

    /// Called by `food-ordering settle` for an order whose `run` was killed. Depending on where the food is, undoes and refunds the
    /// order, or leaves it to the driver who has it. Changes nothing if it is settled. If `run` is still active, this acts like a
    /// cancellation by an operator.
    #[handler(journal_retention = "0s", idempotency_retention = "0s")]
    async fn settle(
        &self,
        ctx: SharedWorkflowContext<'_>,
    ) -> Result<Json<Settlement>, TerminalError> {
        settle::settle(&ctx, &self.third_parties, self.limits.preparation)
            .await
            .map(Json)
    }

    /// Open to anyone. Returns the order as it was accepted; 404 if it is unknown or ended long ago.
    #[handler(
        name = "getOrder",
        journal_retention = "0s",
        idempotency_retention = "0s"
    )]
    async fn get_order(
        &self,
        ctx: SharedWorkflowContext<'_>,
    ) -> Result<Json<Order>, TerminalError> {
        ctx.get::<Json<Order>>(ORDER).await?.ok_or_else(|| {
            TerminalError::new_with_code(
                404,
                format!("order {} is unknown or ended long ago", ctx.key()),
            )
        })
    }
}
