//! [`UnderWay`]: an order while it is being processed, how it waits, and why it stops.

use std::pin::Pin;
use std::time::Duration;

use domain::{Order, Status};
use durable::{Cancelled, unless_cancelled};
use order_status::{Change, OrderStatusServiceClient};
use restate_sdk::context::DurableFuture;
use restate_sdk::prelude::*;

use crate::clients::ThirdParties;
use crate::scope::{CANCELLED, Scope};
use crate::undo::Undo;

/// How long the workflow waits for each event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For the payment provider's answer.
    pub(crate) payment: Duration,
    /// For the food to be ready.
    pub(crate) preparation: Duration,
    /// For a driver.
    pub(crate) driver: Duration,
    /// For the pickup, and from then on between two checks of the delivery.
    pub(crate) delivery: Duration,
}

/// An order that `run` is processing.
pub(crate) struct UnderWay<'a> {
    pub(crate) ctx: &'a WorkflowContext<'a>,
    pub(crate) scope: Scope<'a>,
    pub(crate) order: &'a Order,
    pub(crate) third_parties: &'a ThirdParties,
    pub(crate) limits: Limits,
    /// What to undo if the order does not reach the customer.
    pub(crate) begun: Vec<Undo>,
}

impl UnderWay<'_> {
    /// Changes the order's status without waiting for the answer, because a call would hold one of the runtime's slots until then.
    /// If the order has been cancelled meanwhile, the workflow learns it from its promise, at the next wait at the latest.
    pub(crate) fn move_on(&self, to: Status) {
        self.scope.send_change(Change::to(to));
    }
}

/// Why the processing of an order stops.
pub(crate) enum Stop {
    /// It ends in `REJECTED`.
    Rejected(String),
    /// It ends in `CANCELLED`, for this reason.
    Cancelled(String),
    /// It has ended already, in this status: cancelled by the customer.
    Ended(Status),
    /// An operator cancelled the invocation.
    ByOperator(Cancelled),
    /// A step of this system failed for good.
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

/// Something that may happen to an order.
pub(crate) type Event<'a, T> =
    Pin<Box<dyn DurableFuture<Output = Result<T, TerminalError>> + Send + 'a>>;

/// A wait for an event, unless the order is cancelled.
pub(crate) struct Wait<'a, T> {
    ctx: &'a WorkflowContext<'a>,
    events: DurableFuturesUnordered<Event<'a, Woken<T>>>,
}

/// What ends a wait.
enum Woken<T> {
    Event(T),
    Customer,
    Timer,
}

impl<'a, T: 'a> Wait<'a, T> {
    pub(crate) fn new(ctx: &'a WorkflowContext<'a>, event: Event<'a, T>) -> Self {
        let cancelled = ctx.promise::<()>(CANCELLED);
        let mut events = DurableFuturesUnordered::<Event<'a, Woken<T>>>::new();
        events.push(Box::pin(event.map_ok(Woken::Event)));
        events.push(Box::pin(cancelled.map_ok(|()| Woken::Customer)));
        Self { ctx, events }
    }

    /// The value of the event, or `None` if `limit` is over first; the wait may then be repeated. A cancellation, by the customer
    /// or an operator, is an error.
    ///
    /// Restate's timers are points in time, so a clock that jumps ends a timer early. Therefore the limit is split into two timers,
    /// one after the other: a jump ends one of them, and the event still has the other.
    pub(crate) async fn within(&mut self, limit: Option<Duration>) -> Result<Option<T>, Stop> {
        let Some(limit) = limit else {
            return self.next().await;
        };
        let half = limit / 2;
        if let Some(brought) = self.next_within(half).await? {
            return Ok(Some(brought));
        }
        clocks_agree(self.ctx).await?;
        self.next_within(half).await
    }

    async fn next_within(&mut self, time: Duration) -> Result<Option<T>, Stop> {
        let timer = self.ctx.sleep(time);
        self.events.push(Box::pin(timer.map_ok(|()| Woken::Timer)));
        self.next().await
    }

    async fn next(&mut self) -> Result<Option<T>, Stop> {
        // `next` itself fails only if an operator cancels.
        let Ok(woken) = self.events.next().await else {
            return Err(Cancelled.into());
        };
        match woken.map(|(_, woken)| woken).transpose()? {
            Some(Woken::Event(brought)) => Ok(Some(brought)),
            Some(Woken::Customer) => Err(Stop::Ended(Status::Cancelled)),
            Some(Woken::Timer) | None => Ok(None),
        }
    }
}

/// Calls a service that answers at once. Services refuse requests whose signature is from another time than theirs, so after the
/// answer Restate's clock and the clock that sets timers agree.
async fn clocks_agree(ctx: &WorkflowContext<'_>) -> Result<(), Cancelled> {
    let status: OrderStatusServiceClient<'_> = ctx.object_client(ctx.key());
    let _any_answer = unless_cancelled(status.get().call()).await?;
    Ok(())
}
