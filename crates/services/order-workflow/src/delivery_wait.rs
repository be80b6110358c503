//! Step 6: having the order delivered, and waiting until it is.

use std::time::Duration;

use delivery::{DeliveryRequest, Progress, STATUS_IS_SET};
use domain::{Status, restaurant};
use durable::unless_cancelled;
use order_status::cause;
use restate_sdk::prelude::*;

use crate::under_way::{Stop, UnderWay, Wait};
use crate::undo::Undo;

/// The longest time until the workflow learns that a delivery is over.
const NEWS_WITHIN: Duration = Duration::from_secs(10);

/// The last check of a delivery that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// There was no check yet.
    First,
    /// There was a check.
    Late,
    /// The delivery did not exist at the last check.
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
                    // Former versions of `DeliveryManager` leave this change to the workflow.
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

    /// Checks a delivery that takes long. Ends the order if nobody has picked the food up by now. If a driver has the food, marks
    /// the order as delayed: it is late, but is not cooked or delivered a second time. If this returns, the wait continues, and the
    /// next check gets the result.
    async fn look_after_delivery(&self, look: Look) -> Result<Look, Stop> {
        let scope = &self.scope;
        let asked = unless_cancelled(scope.call(scope.delivery().check_progress()));
        let Ok(progress) = asked.await else {
            // An operator can cancel no more of a delivery than the customer can: food on its way is delivered.
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
            // A delivery that has ended notifies the workflow before it is forgotten. No notification came, so an invocation of its
            // manager was killed, and nobody will complete the delivery.
            Progress::None if look == Look::Missing => self.call_off(cause::DELIVERY_LOST).await?,
            Progress::None => return Ok(Look::Missing),
            Progress::Assigned { .. } | Progress::PickedUp { .. } => {}
        }
        Ok(Look::Late)
    }
}
