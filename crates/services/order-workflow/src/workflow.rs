//! [`OrderWorkflow`]: an order from payment to the customer's door.
#![expect(
    missing_docs,
    reason = "the SDK's macro makes client methods without any"
)]

use std::time::Duration;

use delivery::{DeliveryManagerClient, DeliveryRequest, Progress, STATUS_IS_SET};
use domain::{Location, Order, OrderId, Status, restaurant};
use durable::{Cancelled, NotDone, Trace, Traced, step, traceparent_in, unless_cancelled};
use order_status::{Change, NewOrder, OrderStatusServiceClient, Outcome, cause};
use restate_sdk::context::DurableFuture;
use restate_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clients::{Amount, Charge, Failure, Payment, Preparation, ThirdParties};
use crate::intake::id_taken;
use crate::undo::{self, Handler, Undo, Undone, until_done};

/// State key of the order the workflow works on.
const ORDER: &str = "order";
/// How long it takes at the most until the workflow hears of a delivery that is over.
const NEWS_WITHIN: Duration = Duration::from_secs(10);
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

/// The answer of `settle`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// The order's status now.
    pub status: Status,
    /// What there was to settle.
    pub settled: Settled,
}

impl Settlement {
    fn of(status: Status, settled: Settled) -> Self {
        Self { status, settled }
    }
}

/// What `settle` found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Settled {
    /// Nothing: it was settled before.
    Before,
    /// The order never came to be, so nothing was charged.
    NeverBegun,
    /// The driver was sent away, the kitchen stopped, the money given back.
    Undone,
    /// The customer has the food.
    Delivered,
    /// A driver has the food: the order is `DELIVERED` when it is handed over.
    OnItsWay,
    /// The price is not known any more: the money has to be given back by hand.
    PriceUnknown,
}

/// Why an order does not go on.
enum Stop {
    /// It ends in `REJECTED`.
    Rejected(String),
    /// It ends in `CANCELLED`, for this reason.
    Cancelled(String),
    /// It has ended already, in this status: cancelled by the customer.
    Ended(Status),
    /// An operator cancelled the invocation.
    ByOperator(Cancelled),
    /// A step of our own failed for good.
    Failed(TerminalError),
}

impl From<TerminalError> for Stop {
    fn from(error: TerminalError) -> Self {
        Self::Failed(error)
    }
}

impl From<Cancelled> for Stop {
    fn from(cancelled: Cancelled) -> Self {
        Self::ByOperator(cancelled)
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
        let new = NewOrder {
            content: order.content(),
            price: order.total_cost,
        };
        let create = status(&ctx).create(Some(Json(new)));
        let created = match unless_cancelled(create.traced(trace).call()).await {
            Ok(Ok(Json(created))) => created,
            Ok(Err(error)) => return Err(uncreated(&ctx, trace, error.into())),
            Err(cancelled) => return Err(uncreated(&ctx, trace, cancelled.into())),
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
        let (end, reason, mut failure) = stop.told();
        let ended = Change {
            reason: reason.clone(),
            is_settled: begun.is_empty(),
            ..Change::to(end)
        };
        if reason.is_some() {
            status(&ctx)
                .set_status(Json(ended.clone()))
                .traced(trace)
                .send();
        }
        if !begun.is_empty() {
            let undone = Undone {
                order_id: order.order_id.clone(),
                price: order.total_cost,
                trace,
            };
            let preparation = self.limits.preparation;
            match undo::all(
                Handler::Run(&ctx),
                &self.third_parties,
                &undone,
                begun,
                preparation,
            )
            .await
            {
                Ok(()) => {
                    let settled = Json(ended.settled());
                    status(&ctx).set_status(settled).traced(trace).send();
                }
                Err(error) => failure = Some(error),
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

    /// Called by `food-ordering settle` for an order whose `run` was killed. Ends it as its food demands: undone and paid back, or
    /// left to the driver who has it. Changes nothing of one that is settled. Should `run` be at work all the same, this is
    /// what a cancellation by an operator is.
    #[handler(journal_retention = "0s", idempotency_retention = "0s")]
    async fn settle(
        &self,
        ctx: SharedWorkflowContext<'_>,
    ) -> Result<Json<Settlement>, TerminalError> {
        let trace = Trace::of(&ctx);
        let cancel = Change::ended(Status::Cancelled, cause::STOPPED);
        let cancelled = change_after_kill(&ctx, trace, cancel).await?;
        let end = match cancelled.status {
            Status::New => {
                // Nothing was begun before there was an order.
                let refuse = Change::refused_unread(cause::STOPPED);
                let outcome = change_after_kill(&ctx, trace, refuse).await?;
                return Ok(Json(Settlement::of(outcome.status, Settled::NeverBegun)));
            }
            Status::InDelivery => return in_delivery(&ctx, trace).await.map(Json),
            end @ (Status::Cancelled | Status::Rejected) => end,
            end => return Ok(Json(Settlement::of(end, Settled::Before))),
        };
        let price = match cancelled.unsettled {
            Some(price) => price,
            None if !cancelled.applied => {
                return Ok(Json(Settlement::of(end, Settled::Before)));
            }
            // An order of a version that did not say: the workflow's own state has it for a while.
            None => match ctx.get::<Json<Order>>(ORDER).await? {
                Some(Json(order)) => order.total_cost,
                None => return Ok(Json(Settlement::of(end, Settled::PriceUnknown))),
            },
        };
        let order_id: OrderId = (ctx.key().parse()).map_err(|error| {
            TerminalError::new_with_code(400, format!("order id {:?} {error}", ctx.key()))
        })?;
        let undone = Undone {
            order_id,
            price,
            trace,
        };
        // Should `run` be at work all the same, it undoes too, and hears of it by this.
        if end == Status::Cancelled {
            ctx.resolve_promise(CANCELLED, ());
        }
        let begun = vec![Undo::Payment(None), Undo::Preparation, Undo::Delivery];
        let preparation = self.limits.preparation;
        undo::all(
            Handler::Settle(&ctx),
            &self.third_parties,
            &undone,
            begun,
            preparation,
        )
        .await?;
        let settle = Change::ended(end, cause::STOPPED).settled();
        change_after_kill(&ctx, trace, settle).await?;
        Ok(Json(Settlement::of(end, Settled::Undone)))
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
        begun.push(Undo::Payment(None));
        let asked = ask(ctx, ["charge", "charge again"], self.limits.payment, || {
            let third_parties = self.third_parties.clone();
            let (order_id, amount) = (order.order_id.clone(), order.total_cost);
            async move { third_parties.charge(&order_id, amount).await.map(Json) }
        });
        let Asked {
            answer: Json(charge),
            may_be_done,
        } = asked
            .await
            .map_err(|error| gave_up(cause::NO_PAYMENT, cause::PAYMENT_INVALID, error))?;
        match charge {
            Charge::Charged { payment_id } => {
                begun.clear();
                begun.push(Undo::Payment(Some(Payment {
                    id: payment_id,
                    amount: Amount::from(order.total_cost),
                })));
            }
            Charge::OtherAmount(payment) => {
                begun.clear();
                begun.push(Undo::Payment(Some(payment)));
                return Err(Stop::Cancelled(cause::OTHER_AMOUNT.to_owned()));
            }
            Charge::Declined { reason } => {
                begun.clear();
                return Err(Stop::Rejected(format!("{}: {reason}", cause::DECLINED)));
            }
            Charge::Refused { reason } => {
                if !may_be_done {
                    begun.clear();
                }
                return Err(Stop::Cancelled(format!(
                    "{}: {reason}",
                    cause::PAYMENT_REFUSED
                )));
            }
        }

        // 3. Wait for the time the customer wishes.
        move_on(ctx, trace, Status::Scheduled);
        if !order.delivery_delay.is_zero() {
            restate_sdk::select! {
                timer = ctx.sleep(order.delivery_delay) => { timer?; },
                cancelled = ctx.promise::<()>(CANCELLED) => {
                    cancelled?;
                    return Err(Stop::Ended(Status::Cancelled));
                },
                on_cancel => { return Err(Cancelled.into()); }
            }
        }

        // 4. Preparation: the restaurant calls back at the gateway, which resolves the awakeable.
        let (awakeable_id, ready) = ctx.awakeable::<Vec<u8>>();
        begun.push(Undo::Preparation);
        let asked = ask(
            ctx,
            ["prepare", "prepare again"],
            self.limits.preparation,
            || {
                let third_parties = self.third_parties.clone();
                let (order, awakeable_id) = (order.clone(), awakeable_id.clone());
                async move { third_parties.prepare(&order, &awakeable_id).await.map(Json) }
            },
        );
        let Asked {
            answer: Json(preparation),
            may_be_done,
        } = asked
            .await
            .map_err(|error| gave_up(cause::NO_RESTAURANT, cause::RESTAURANT_INVALID, error))?;
        match preparation {
            Preparation::Accepted => {}
            Preparation::Refused { reason } => {
                begun.pop();
                return Err(Stop::Rejected(format!("{}: {reason}", cause::REFUSED)));
            }
            Preparation::NotTaken { reason } => {
                if !may_be_done {
                    begun.pop();
                }
                return Err(Stop::Cancelled(format!("{}: {reason}", cause::NOT_TAKEN)));
            }
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
                return Err(Stop::Cancelled(cause::NOT_COOKED.to_owned()));
            },
            on_cancel => { return Err(Cancelled.into()); }
        }

        // 5. Cooked.
        move_on(ctx, trace, Status::SchedulingDelivery);

        // 6. Delivery.
        self.deliver(ctx, trace, order, begun).await
    }

    /// Step 6: has the order delivered and waits until it is.
    async fn deliver(
        &self,
        ctx: &WorkflowContext<'_>,
        trace: Trace,
        order: &Order,
        begun: &mut Vec<Undo>,
    ) -> Result<(), Stop> {
        let (delivered, handed_over) = ctx.awakeable::<Vec<u8>>();
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
        events.push(Box::pin(DurableFuture::map_ok(handed_over, |word| {
            DeliveryNews::Delivered {
                is_told: word == STATUS_IS_SET,
            }
        })));
        events.push(Box::pin(DurableFuture::map_ok(
            ctx.promise::<()>(CANCELLED),
            |()| DeliveryNews::Cancelled,
        )));
        let mut patience = self.limits.driver;
        let mut look = Look::First;
        loop {
            events.push(Box::pin(DurableFuture::map_ok(ctx.sleep(patience), |()| {
                DeliveryNews::TooLong
            })));
            // An error of `next` itself is an operator's cancellation, and nothing else is.
            let Ok(news) = events.next().await else {
                give_up(ctx, trace, cause::BY_OPERATOR).await?;
                continue;
            };
            match news.map(|(_, news)| news).transpose()? {
                Some(DeliveryNews::Delivered { is_told }) => {
                    if !is_told {
                        move_on(ctx, trace, Status::Delivered);
                    }
                    return Ok(());
                }
                Some(DeliveryNews::Cancelled) => return Err(Stop::Ended(Status::Cancelled)),
                Some(DeliveryNews::TooLong) | None => {
                    look = look_after(ctx, trace, look).await?;
                    patience = match look {
                        Look::Missing => NEWS_WITHIN,
                        Look::First | Look::Late => self.limits.delivery,
                    };
                }
            }
        }
    }
}

impl Stop {
    /// The status that the order comes to have, why, and the error with which `run` ends.
    fn told(self) -> (Status, Option<String>, Option<TerminalError>) {
        match self {
            Self::Rejected(reason) => (Status::Rejected, Some(reason), None),
            Self::Cancelled(reason) => (Status::Cancelled, Some(reason), None),
            Self::Ended(status) => (status, None, None),
            Self::ByOperator(cancelled) => (
                Status::Cancelled,
                Some(cause::BY_OPERATOR.to_owned()),
                Some(cancelled.into()),
            ),
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

/// What a third party answered.
struct Asked<T> {
    answer: T,
    /// An earlier request had no answer that counts, and may have been carried out all the same.
    may_be_done: bool,
}

/// Makes a request of a third party: once, as the first of the steps `names`, and then, as the second, until `limit` is over.
///
/// So the journal knows of a refusal whether anything was asked before, which may have to be undone.
async fn ask<'ctx, T, Fut>(
    ctx: &WorkflowContext<'ctx>,
    names: [&'static str; 2],
    limit: Duration,
    request: impl Fn() -> Fut,
) -> Result<Asked<T>, NotDone>
where
    T: restate_sdk::serde::Serialize + restate_sdk::serde::Deserialize + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'ctx,
{
    let (first, again) = (request(), request());
    let once = until_done().max_attempts(1);
    match step!(ctx, names[0], once, first) {
        Ok(answer) => Ok(Asked {
            answer,
            may_be_done: false,
        }),
        Err(NotDone::GaveUp(_)) => {
            let retries = until_done().max_duration(limit);
            let answer = step!(ctx, names[1], retries, again)?;
            Ok(Asked {
                answer,
                may_be_done: true,
            })
        }
        Err(cancelled) => Err(cancelled),
    }
}

/// `create` was not answered. There may be an order by now, and it needs an end; nothing was begun that has to be undone.
fn uncreated(ctx: &WorkflowContext<'_>, trace: Trace, stop: Stop) -> TerminalError {
    let (end, reason, error) = stop.told();
    let reason = reason.unwrap_or_else(|| cause::FAILED.to_owned());
    for change in [
        Change::ended(end, reason.clone()).settled(),
        // Where there is none, its provider has to hear of it all the same.
        Change::refused_unread(reason.clone()),
    ] {
        let change = Json(change.after_kill());
        status(ctx).set_status(change).traced(trace).send();
    }
    error.unwrap_or_else(|| TerminalError::new(reason))
}

/// What the workflow has seen of a delivery that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Nothing yet: it looks for the first time.
    First,
    /// It has looked before.
    Late,
    /// There was no such delivery when it looked last.
    Missing,
}

/// The delivery takes long. Ends the order if nobody has the food by now, and tells the customer if somebody has: it is late then,
/// but it is not cooked or delivered a second time. Whoever calls goes on if it returns, and hands in what it returns next time.
async fn look_after(ctx: &WorkflowContext<'_>, trace: Trace, look: Look) -> Result<Look, Stop> {
    let manager = ctx.object_client::<DeliveryManagerClient>(ctx.key());
    let asked = unless_cancelled(manager.check_progress().traced(trace).call());
    let Ok(progress) = asked.await else {
        // An operator's cancellation of a delivery is worth as much as the customer's, and no more: food on its way arrives.
        give_up(ctx, trace, cause::BY_OPERATOR).await?;
        return Ok(Look::Late);
    };
    let Json(progress) = progress?;
    match progress {
        Progress::Searching => give_up(ctx, trace, cause::NO_DRIVER).await?,
        Progress::Assigned { .. } if look != Look::First => {
            give_up(ctx, trace, cause::NOT_PICKED_UP).await?;
        }
        Progress::PickedUp { .. } if look != Look::First => {
            status(ctx).set_delayed().traced(trace).send();
        }
        // A delivery that is over has said so before it was forgotten. Nothing was heard since, so an invocation of its manager
        // was killed, and nobody sees it through any more.
        Progress::None if look == Look::Missing => {
            give_up(ctx, trace, cause::DELIVERY_LOST).await?;
        }
        Progress::None => return Ok(Look::Missing),
        Progress::Assigned { .. } | Progress::PickedUp { .. } => {}
    }
    Ok(Look::Late)
}

/// Why an order ends after a step with a third party was given up. What the third party said is in the log.
fn gave_up(no_answer: &str, invalid: &str, error: NotDone) -> Stop {
    let last = match error {
        NotDone::Cancelled(cancelled) => return cancelled.into(),
        NotDone::GaveUp(last) => last,
    };
    let reason = match Failure::what_was_invalid(&last) {
        Some(what) => format!("{invalid}: {what}"),
        None => no_answer.to_owned(),
    };
    tracing::warn!("{reason}: {last}");
    Stop::Cancelled(reason)
}

/// Changes the status of an order whose workflow was killed.
async fn change_after_kill(
    ctx: &SharedWorkflowContext<'_>,
    trace: Trace,
    change: Change,
) -> Result<Outcome, TerminalError> {
    let status = ctx.object_client::<OrderStatusServiceClient>(ctx.key());
    let change = Json(change.after_kill());
    let Json(outcome) = status.set_status(change).traced(trace).call().await?;
    Ok(outcome)
}

/// Settles an order whose food is on its way, or was when its status was told last: nothing is undone, as the driver brings it.
async fn in_delivery(
    ctx: &SharedWorkflowContext<'_>,
    trace: Trace,
) -> Result<Settlement, TerminalError> {
    let manager = ctx.object_client::<DeliveryManagerClient>(ctx.key());
    let Json(progress) = manager.check_progress().traced(trace).call().await?;
    if progress != Progress::None {
        return Ok(Settlement::of(Status::InDelivery, Settled::OnItsWay));
    }
    let outcome = change_after_kill(ctx, trace, Change::to(Status::Delivered)).await?;
    Ok(Settlement::of(outcome.status, Settled::Delivered))
}

/// What may happen while an order is being delivered.
enum DeliveryNews {
    /// The customer has the food. Former versions of `DeliveryManager` leave it to the workflow to tell so.
    Delivered {
        is_told: bool,
    },
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
        let set = status(ctx).set_status(change).traced(trace).call();
        match unless_cancelled(set).await {
            Ok(Ok(Json(outcome))) => break outcome,
            Ok(Err(error)) => return Err(error.into()),
            // By an operator meanwhile, who wants the same.
            Err(Cancelled) => {}
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
