//! Step 6: having the order delivered, and waiting until it is.

use std::time::Duration;

use delivery::{DeliveryRequest, Progress, STATUS_IS_SET};
use domain::{Status, restaurant};
use durable::unless_cancelled;
use order_status::cause;
use restate_sdk::prelude::*;

use crate::under_way::{Stop, UnderWay, Wait};
use crate::undo::Undo;

/// How long it takes at the most until the workflow hears of a delivery that is over.
const NEWS_WITHIN: Duration = Duration::from_secs(10);

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

impl UnderWay<'_> {
    /// Step 6: has a driver bring the order to the customer.
    pub(crate) async fn deliver(&mut self) -> Result<(), Stop> {
        let order = self.order;
        let (delivered, handed_over) = self.ctx.awakeable::<Vec<u8>>();
        self.begun.push(Undo::Delivery);
        let request = DeliveryRequest {
            region: order.region,
            restaurant_id: order.restaurant_id.clone(),
            restaurant_location: restaurant::location(&order.restaurant_id, order.region),
            customer_location: order.destination(),
            delivered,
        };
        self.scope.send(self.scope.delivery().start(Json(request)));

        let mut handed_over = Wait::new(self.ctx, Box::pin(handed_over));
        let mut patience = self.limits.driver;
        let mut look = Look::First;
        loop {
            match handed_over.within(Some(patience)).await {
                Ok(Some(word)) => {
                    // Former versions of `DeliveryManager` leave it to the workflow to say so.
                    if word != STATUS_IS_SET {
                        self.move_on(Status::Delivered);
                    }
                    return Ok(());
                }
                Ok(None) => {
                    look = self.look_after_delivery(look).await?;
                    patience = match look {
                        Look::Missing => NEWS_WITHIN,
                        Look::First | Look::Late => self.limits.delivery,
                    };
                }
                Err(Stop::ByOperator(_)) => self.call_off(cause::BY_OPERATOR).await?,
                Err(stop) => return Err(stop),
            }
        }
    }

    /// The delivery takes long. Ends the order if nobody has the food by now, and tells the customer if somebody has: it is late
    /// then, but it is not cooked or delivered a second time. If this returns, the wait goes on; what it returns is handed in
    /// next time.
    async fn look_after_delivery(&self, look: Look) -> Result<Look, Stop> {
        let scope = &self.scope;
        let asked = unless_cancelled(scope.call(scope.delivery().check_progress()));
        let Ok(progress) = asked.await else {
            // An operator's cancellation of a delivery is worth as much as the customer's, and no more: food on its way arrives.
            self.call_off(cause::BY_OPERATOR).await?;
            return Ok(Look::Late);
        };
        let Json(progress) = progress?;
        match progress {
            Progress::Searching => self.call_off(cause::NO_DRIVER).await?,
            Progress::Assigned { .. } if look != Look::First => {
                self.call_off(cause::NOT_PICKED_UP).await?;
            }
            Progress::PickedUp { .. } if look != Look::First => {
                scope.send(scope.status().set_delayed());
            }
            // A delivery that is over has said so before it was forgotten. Nothing was heard since, so an invocation of its
            // manager was killed, and nobody sees it through any more.
            Progress::None if look == Look::Missing => self.call_off(cause::DELIVERY_LOST).await?,
            Progress::None => return Ok(Look::Missing),
            Progress::Assigned { .. } | Progress::PickedUp { .. } => {}
        }
        Ok(Look::Late)
    }
}
