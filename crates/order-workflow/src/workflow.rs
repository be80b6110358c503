//! [`OrderWorkflow`]: an order from payment to the customer's door.
#![expect(
    missing_docs,
    reason = "the SDK's macro makes client methods without any"
)]

use std::time::Duration;

use delivery::{DeliveryManagerClient, DeliveryRequest, Progress};
use domain::{Location, Order, Status, restaurant};
use durable::{Trace, Traced, traceparent_in};
use order_status::{Change, OrderStatusServiceClient, Outcome, cause};
use restate_sdk::context::DurableFuture;
use restate_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clients::{Charge, Preparation, ThirdParties};
use crate::intake::id_taken;
use crate::undo::{Undo, until_done};

/// State key of the order the workflow works on.
const ORDER: &str = "order";
/// The code of the error with which Restate answers every wait of an invocation that an operator cancels.
pub(crate) const CANCELLED_BY_OPERATOR: u16 = 409;
/// The promise that is resolved when the order has been cancelled from outside.
const CANCELLED: &str = "cancelled";

/// Works an order off. Key: the order's id.
pub struct OrderWorkflow {
    third_parties: ThirdParties,
    limits: Limits,
}

/// How long the workflow waits for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For the payment provider to say yes or no.
    pub(crate) payment: Duration,
    /// For the restaurant to have the food ready.
    pub(crate) preparation: Duration,
    /// For a driver to be found.
    pub(crate) driver: Duration,
    /// For the driver to have picked the food up, and from then on for each look at where it is.
    pub(crate) delivery: Duration,
}

/// How an order ended: the answer of `run`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The status it has.
    status: Status,
    /// Why it was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The order was known already, so nothing was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
}

/// The answer of `cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelAnswer {
    /// Whether the order is cancelled.
    pub accepted: bool,
    /// The order's status now.
    pub status: Status,
    /// Why it cannot be cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why an order does not go on.
enum Stop {
    /// It ends in `REJECTED`.
    Rejected(String),
    /// It ends in `CANCELLED`, for this reason.
    TimedOut(String),
    /// It has ended already, in this status: cancelled by the customer.
    Ended(Status),
    /// An operator cancelled the invocation, or a step failed for good.
    Failed(TerminalError),
}

impl From<TerminalError> for Stop {
    fn from(error: TerminalError) -> Self {
        Self::Failed(error)
    }
}

impl OrderWorkflow {
    pub(crate) fn new(third_parties: ThirdParties, limits: Limits) -> Self {
        Self {
            third_parties,
            limits,
        }
    }
}

#[restate_sdk::workflow(name = "OrderWorkflow", inactivity_timeout = "1s")]
impl OrderWorkflow {
    /// Sent by `OrderIntake/receive` for each order event; anyone may also call it with an order event as body. Works the order
    /// off: payment, waiting for the time wished for, preparation, delivery. Answers how it ended. An event that is no order is
    /// refused with 400 and what is wrong; an order that was there before is left alone.
    #[handler]
    async fn run(
        &self,
        ctx: WorkflowContext<'_>,
        event: Vec<u8>,
    ) -> Result<Json<Ended>, TerminalError> {
        let order = checked(&ctx, &event)?;
        let trace = Trace::of_order(&ctx, order.traceparent.as_deref());
        // 1. Say that there is such an order, unless there was one before.
        let created = match status(&ctx)
            .create(Some(Json(order.content())))
            .traced(trace)
            .call()
            .await
        {
            Ok(Json(created)) => created,
            Err(error) => {
                // Cancelled by an operator in this very moment: there may be an order by now, and it needs an end.
                status(&ctx)
                    .set_status(Json(Change::ended(Status::Cancelled, error.message())))
                    .traced(trace)
                    .send();
                return Err(error);
            }
        };
        if created.taken {
            return Err(TerminalError::new_with_code(409, id_taken(&order.order_id)));
        }
        if !created.applied {
            return Ok(Json(Ended {
                status: created.status,
                reason: None,
                repeated: true,
            }));
        }

        ctx.set(ORDER, Json(order.clone()));
        let mut begun = Vec::new();
        let stop = match self.steps(&ctx, trace, &order, &mut begun).await {
            Ok(()) => {
                return Ok(Json(Ended {
                    status: Status::Delivered,
                    reason: None,
                    repeated: false,
                }));
            }
            Err(stop) => stop,
        };

        // 7. Any other end: say so, then undo what was begun, newest first.
        let (end, reason, failure) = match stop {
            Stop::Rejected(reason) => (Status::Rejected, Some(reason), None),
            Stop::TimedOut(reason) => (Status::Cancelled, Some(reason), None),
            Stop::Ended(status) => (status, None, None),
            Stop::Failed(error) if error.code() == CANCELLED_BY_OPERATOR => (
                Status::Cancelled,
                Some(cause::BY_OPERATOR.to_owned()),
                Some(error),
            ),
            Stop::Failed(error) => (
                Status::Cancelled,
                Some(error.message().to_owned()),
                Some(error),
            ),
        };
        if let Some(reason) = &reason {
            status(&ctx)
                .set_status(Json(Change::ended(end, reason)))
                .traced(trace)
                .send();
        }
        let mut failure = failure;
        for step in begun.into_iter().rev() {
            // A step that cannot be undone is no reason to leave the others undone.
            if let Err(error) = step.run(&ctx, trace, &self.third_parties, &order).await {
                failure = Some(error);
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(Json(Ended {
                status: end,
                reason,
                repeated: false,
            })),
        }
    }

    /// Called by the gateway for the customer, or by anyone with curl. Cancels the order while nobody has picked it up, and
    /// says at once whether it did; the money follows. Unknown order: 404.
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
        let reason = match status {
            Status::Cancelled => None,
            Status::New => {
                return Err(TerminalError::new_with_code(
                    404,
                    format!("there is no order {}", ctx.key()),
                ));
            }
            Status::InDelivery => Some("the driver has picked it up".to_owned()),
            Status::Delivered => Some("it is delivered".to_owned()),
            status => Some(format!("it is {status}")),
        };
        Ok(Json(CancelAnswer {
            accepted: reason.is_none(),
            status,
            reason,
        }))
    }

    /// Called by anyone who wants to know. Answers the order as it was accepted; 404 for one that is unknown or long ended.
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
            TerminalError::new_with_code(404, format!("there is no order {} under way", ctx.key()))
        })
    }

    /// Steps 2 to 6. `begun` is what to undo when they do not come to an end.
    async fn steps(
        &self,
        ctx: &WorkflowContext<'_>,
        trace: Trace,
        order: &Order,
        begun: &mut Vec<Undo>,
    ) -> Result<(), Stop> {
        // 2. Payment. Its token follows from the order's id.
        begun.push(Undo::Payment);
        let charge = {
            let third_parties = self.third_parties.clone();
            let (order_id, amount) = (order.order_id.clone(), order.total_cost);
            ctx.run(move || async move { third_parties.charge(order_id, amount).await })
                .name("charge")
                .retry_policy(until_done().max_duration(self.limits.payment))
                .await
        };
        let Json(charge) = charge.map_err(|error| gave_up(cause::NO_PAYMENT, error))?;
        if let Charge::Declined { reason } = charge {
            begun.clear();
            return Err(Stop::Rejected(format!("{}: {reason}", cause::DECLINED)));
        }

        // 3. Wait for the time the customer wishes.
        move_on(ctx, trace, Status::Scheduled);
        if !order.delivery_delay.is_zero() {
            restate_sdk::select! {
                timer = ctx.sleep(order.delivery_delay) => { timer?; },
                cancelled = ctx.promise::<()>(CANCELLED) => {
                    cancelled?;
                    return Err(Stop::Ended(Status::Cancelled));
                }
            }
        }

        // 4. Preparation: the restaurant calls back at the gateway, which resolves the awakeable.
        let (awakeable_id, ready) = ctx.awakeable::<Vec<u8>>();
        begun.push(Undo::Preparation);
        let preparation = {
            let third_parties = self.third_parties.clone();
            let order = order.clone();
            ctx.run(move || async move { third_parties.prepare(order, awakeable_id).await })
                .name("prepare")
                .retry_policy(until_done().max_duration(self.limits.preparation))
                .await
        };
        let Json(preparation) =
            preparation.map_err(|error| gave_up(cause::NO_RESTAURANT, error))?;
        if let Preparation::Refused { reason } = preparation {
            begun.pop();
            return Err(Stop::Rejected(format!("{}: {reason}", cause::REFUSED)));
        }
        move_on(ctx, trace, Status::InPreparation);
        restate_sdk::select! {
            callback = ready => { callback?; },
            cancelled = ctx.promise::<()>(CANCELLED) => {
                cancelled?;
                return Err(Stop::Ended(Status::Cancelled));
            },
            timer = ctx.sleep(self.limits.preparation) => {
                timer?;
                return Err(Stop::TimedOut(cause::NOT_COOKED.to_owned()));
            }
        }

        // 5. Cooked.
        move_on(ctx, trace, Status::SchedulingDelivery);

        // 6. Delivery.
        self.deliver(ctx, trace, order, begun).await?;
        move_on(ctx, trace, Status::Delivered);
        Ok(())
    }

    /// Step 6: has the order delivered and waits until it is.
    async fn deliver(
        &self,
        ctx: &WorkflowContext<'_>,
        trace: Trace,
        order: &Order,
        begun: &mut Vec<Undo>,
    ) -> Result<(), Stop> {
        let (delivered, handed_over) = ctx.awakeable::<()>();
        begun.push(Undo::Delivery);
        let manager = || ctx.object_client::<DeliveryManagerClient>(ctx.key());
        manager()
            .start(Json(DeliveryRequest {
                region: order.region,
                restaurant_id: order.restaurant_id.clone(),
                restaurant_location: restaurant::location(&order.restaurant_id, order.region),
                customer_location: customer_location(order),
                delivered,
            }))
            .traced(trace)
            .send();

        let mut events = DurableFuturesUnordered::<DeliveryEvent<'_>>::new();
        events.push(Box::pin(DurableFuture::map_ok(handed_over, |()| {
            DeliveryNews::Delivered
        })));
        events.push(Box::pin(DurableFuture::map_ok(
            ctx.promise::<()>(CANCELLED),
            |()| DeliveryNews::Cancelled,
        )));
        let mut patience = self.limits.driver;
        let mut late = false;
        loop {
            events.push(Box::pin(DurableFuture::map_ok(ctx.sleep(patience), |()| {
                DeliveryNews::TooLong
            })));
            let news = match events.next().await {
                Ok(news) => news.map(|(_, news)| news).transpose(),
                Err(error) => Err(error),
            };
            match news {
                Ok(Some(DeliveryNews::Delivered)) => return Ok(()),
                Ok(Some(DeliveryNews::Cancelled)) => return Err(Stop::Ended(Status::Cancelled)),
                Ok(Some(DeliveryNews::TooLong) | None) => {
                    look_after(ctx, trace, late).await?;
                    patience = self.limits.delivery;
                    late = true;
                }
                Err(error) => by_operator(ctx, trace, error).await?,
            }
        }
    }
}

/// The delivery takes long. Ends the order if nobody has the food by now, and tells the customer if somebody has: it is late then,
/// but it is not cooked or delivered a second time. `late` if this is not the first look.
async fn look_after(ctx: &WorkflowContext<'_>, trace: Trace, late: bool) -> Result<(), Stop> {
    let manager = ctx.object_client::<DeliveryManagerClient>(ctx.key());
    let progress = match manager.check_progress().traced(trace).call().await {
        Ok(Json(progress)) => progress,
        Err(error) => return by_operator(ctx, trace, error).await,
    };
    match progress {
        Progress::Searching => give_up(ctx, trace, cause::NO_DRIVER).await,
        Progress::Assigned { .. } if late => give_up(ctx, trace, cause::NOT_PICKED_UP).await,
        Progress::PickedUp { .. } if late => {
            status(ctx).set_delayed().traced(trace).send();
            Ok(())
        }
        Progress::Assigned { .. } | Progress::PickedUp { .. } | Progress::None => Ok(()),
    }
}

/// An operator's cancellation of a delivery is worth as much as the customer's, and no more: food on its way arrives. Whoever
/// calls goes on if it returns; other errors are passed on.
async fn by_operator(
    ctx: &WorkflowContext<'_>,
    trace: Trace,
    error: TerminalError,
) -> Result<(), Stop> {
    if error.code() == CANCELLED_BY_OPERATOR {
        give_up(ctx, trace, cause::BY_OPERATOR).await
    } else {
        Err(error.into())
    }
}

/// Why a step with a third party was given up: an operator's cancellation stays one, anything else is told without the insides
/// of the system, which are in the log.
fn gave_up(reason: &str, error: TerminalError) -> Stop {
    if error.code() == CANCELLED_BY_OPERATOR {
        return Stop::Failed(error);
    }
    tracing::warn!("{reason}: {}", error.message());
    Stop::TimedOut(reason.to_owned())
}

/// What may happen while an order is being delivered.
enum DeliveryNews {
    Delivered,
    Cancelled,
    TooLong,
}

type DeliveryEvent<'a> =
    std::pin::Pin<Box<dyn DurableFuture<Output = Result<DeliveryNews, TerminalError>> + Send + 'a>>;

fn status<'ctx>(ctx: &WorkflowContext<'ctx>) -> OrderStatusServiceClient<'ctx> {
    ctx.object_client(ctx.key())
}

/// Where the order goes. Orders that do not say so get a place that follows from their id, as restaurants do.
fn customer_location(order: &Order) -> Location {
    order
        .customer_location
        .unwrap_or_else(|| restaurant::place_for(order.order_id.as_str(), order.region))
}

/// The order in `event`, if it is one and the one that this workflow is named after; else it is `REJECTED`.
fn checked(ctx: &WorkflowContext<'_>, event: &[u8]) -> Result<Order, TerminalError> {
    let invalid = match Order::parse(event) {
        Ok(order) if order.order_id.as_str() == ctx.key() => return Ok(order),
        Ok(order) => format!(
            "invalid order: orderId must be {:?}, the key it was sent to, but is {:?}",
            ctx.key(),
            order.order_id.as_str(),
        ),
        Err(invalid) => invalid.to_string(),
    };
    status(ctx)
        .set_status(Json(Change::refused_unread(invalid.clone())))
        .traced(Trace::of_order(ctx, traceparent_in(event).as_deref()))
        .send();
    Err(TerminalError::new_with_code(
        400,
        format!("{invalid}. A workflow runs once: send the corrected order under a new orderId"),
    ))
}

/// Ends the order, unless it has moved on in this very moment, or food is on its way. Whoever calls goes on if it returns.
async fn give_up(ctx: &WorkflowContext<'_>, trace: Trace, reason: &str) -> Result<(), Stop> {
    let outcome = loop {
        let change = Json(Change::ended(Status::Cancelled, reason));
        match status(ctx).set_status(change).traced(trace).call().await {
            Ok(Json(outcome)) => break outcome,
            // Cancelled by an operator meanwhile, who wants the same.
            Err(error) if error.code() == CANCELLED_BY_OPERATOR => {}
            Err(error) => return Err(error.into()),
        }
    };
    if outcome.applied || outcome.status.is_terminal() {
        return Err(Stop::Ended(outcome.status));
    }
    Ok(())
}

/// Moves the order on. Nobody waits for the answer: a call would hold one of the runtime's slots until it comes, and of an order
/// that was cancelled meanwhile the workflow hears by its promise, at the latest at the next wait.
fn move_on(ctx: &WorkflowContext<'_>, trace: Trace, to: Status) {
    status(ctx)
        .set_status(Json(Change::to(to)))
        .traced(trace)
        .send();
}
