//! [`DeliveryManager`]: runs one delivery.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]

use domain::{OrderId, Status};
use durable::{Trace, Traced};
use order_status::{Change, OrderStatusServiceClient};
use restate_sdk::prelude::*;
use tracing::Instrument;

use crate::delivery::{Delivery, Progress};
use crate::matcher::DriverDeliveryMatcherClient;
use crate::twin::DriverDigitalTwinClient;
use crate::types::{
    DeliveryJob, DeliveryRef, DeliveryRequest, DriverRef, DriverRequest, FreeDriver, JobAnswer,
};

const DELIVERY_INFO: &str = "delivery-info";

/// The value with which the awakeable `delivered` is resolved once the order is `DELIVERED`. Earlier versions resolved it with an
/// empty value, and the order's workflow then made the order `DELIVERED`. The workflow still does so if the value is empty.
pub const STATUS_IS_SET: &[u8] = b"status-is-set";

/// Runs one delivery, from the cooked meal to the customer's door. Key: the order's id.
///
/// It never waits for anything outside the system: every event arrives as a call of a handler. So a cancellation is never queued behind
/// a wait.
pub struct DeliveryManager;

#[restate_sdk::object(name = "DeliveryManager", journal_retention = "0s")]
impl DeliveryManager {
    /// Sent by `OrderWorkflow/run` when the food is cooked. Asks the region's matcher for a driver.
    #[handler(ingress_private)]
    async fn start(
        &self,
        ctx: ObjectContext<'_>,
        request: Json<DeliveryRequest>,
    ) -> Result<(), TerminalError> {
        if load(&ctx).await?.is_some() {
            return Ok(());
        }
        let Json(request) = request;
        let delivery = Delivery {
            request,
            progress: Progress::Searching,
            trace: Trace::of(&ctx),
        };
        request_driver(&ctx, &delivery)?;
        ctx.set(DELIVERY_INFO, Json(delivery));
        Ok(())
    }

    /// Sent by `DriverDeliveryMatcher` when it has a driver for this delivery. Asks the driver's twin to take the job, and makes the
    /// order `WAITING_FOR_DRIVER`. If the driver turns out not to be free, asks the matcher for another one. If the delivery needs no
    /// driver any more, returns the driver to the matcher.
    #[handler(name = "assignDriver", ingress_private)]
    async fn assign_driver(
        &self,
        ctx: ObjectContext<'_>,
        driver: Json<FreeDriver>,
    ) -> Result<(), TerminalError> {
        let Json(driver) = driver;
        let delivery = load(&ctx).await?;
        let Some(delivery) = delivery.filter(|it| it.progress.wants_driver()) else {
            ctx.object_client::<DriverDeliveryMatcherClient>(driver.region.name())
                .set_driver_available(Json(driver))
                .send();
            return Ok(());
        };
        // The matcher may send this because another driver's delivery ended, so the trace is that of the delivery, not of the message.
        let (trace, span) = delivery.trace.join(&ctx, "DeliveryManager/assignDriver");
        let giving = give_to(&ctx, trace, delivery, driver);
        giving.instrument(span).await
    }

    /// Sent by `DriverDigitalTwin` when its driver has the food. Makes the order `IN_DELIVERY`.
    #[handler(name = "notifyDeliveryPickup", ingress_private)]
    async fn notify_delivery_pickup(
        &self,
        ctx: ObjectContext<'_>,
        driver: Json<DriverRef>,
    ) -> Result<(), TerminalError> {
        let Some(mut delivery) = load(&ctx).await? else {
            return Ok(());
        };
        if let Some(progress) = delivery.progress.after_pickup_by(&driver.0.driver_id) {
            delivery.progress = progress;
            ctx.set(DELIVERY_INFO, Json(delivery));
            ctx.object_client::<OrderStatusServiceClient>(ctx.key())
                .set_status(Json(Change::to(Status::InDelivery)))
                .traced(Trace::of(&ctx))
                .send();
        }
        Ok(())
    }

    /// Sent by `DriverDigitalTwin` when its driver has handed over the food. Makes the order `DELIVERED`, notifies the order's
    /// workflow, and ends the delivery. An order whose workflow was killed while the food was on its way becomes `DELIVERED` too.
    #[handler(name = "notifyDeliveryDelivered", ingress_private)]
    async fn notify_delivery_delivered(
        &self,
        ctx: ObjectContext<'_>,
        driver: Json<DriverRef>,
    ) -> Result<(), TerminalError> {
        let Some(delivery) = load(&ctx).await? else {
            return Ok(());
        };
        if delivery.progress.driver() == Some(&driver.0.driver_id) {
            hand_over(&ctx, Trace::of(&ctx), &delivery);
        }
        Ok(())
    }

    /// Sent by `DriverDigitalTwin` when its driver has been silent for too long. Marks the order as delayed. Before the pickup,
    /// the twin has dropped the delivery, so this asks for another driver. After the pickup, no other driver can bring the food.
    #[handler(name = "notifyDriverSilent", ingress_private)]
    async fn notify_driver_silent(
        &self,
        ctx: ObjectContext<'_>,
        driver: Json<DriverRef>,
    ) -> Result<(), TerminalError> {
        let Some(mut delivery) = load(&ctx).await? else {
            return Ok(());
        };
        if delivery.progress.driver() != Some(&driver.0.driver_id) {
            return Ok(());
        }
        ctx.object_client::<OrderStatusServiceClient>(ctx.key())
            .set_delayed()
            .traced(delivery.trace)
            .send();
        if let Progress::Assigned { .. } = delivery.progress {
            request_driver(&ctx, &delivery)?;
            delivery.progress = Progress::Searching;
            ctx.set(DELIVERY_INFO, Json(delivery));
        }
        Ok(())
    }

    /// Called by `OrderWorkflow/run` when it undoes an order. Takes the delivery out of the queue or away from its driver, and
    /// ends it. Cancelling a delivery that has ended, or never began, changes nothing.
    #[handler(ingress_private)]
    async fn cancel(&self, ctx: ObjectContext<'_>) -> Result<(), TerminalError> {
        let Some(delivery) = load(&ctx).await? else {
            return Ok(());
        };
        match delivery.progress.driver() {
            Some(driver_id) => {
                let delivery_id = order_id(&ctx)?;
                ctx.object_client::<DriverDigitalTwinClient>(driver_id.as_str())
                    .unassign_delivery(Json(DeliveryRef { delivery_id }))
                    .traced(Trace::of(&ctx))
                    .send();
            }
            None => {
                ctx.object_client::<DriverDeliveryMatcherClient>(delivery.request.region.name())
                    .withdraw_delivery(ctx.key().to_owned())
                    .traced(Trace::of(&ctx))
                    .send();
            }
        }
        ctx.clear(DELIVERY_INFO);
        Ok(())
    }

    /// Called by `OrderWorkflow/run` when the delivery takes longer than it should, and by `OrderWorkflow/settle`. Returns the
    /// delivery's progress. If it was picked up and the driver's twin no longer holds it, it was delivered, and the message about
    /// that was lost because its invocation was killed. Then this makes the order `DELIVERED`.
    #[handler(name = "checkProgress", ingress_private)]
    async fn check_progress(
        &self,
        ctx: ObjectContext<'_>,
    ) -> Result<Json<Progress>, TerminalError> {
        let Some(delivery) = load(&ctx).await? else {
            return Ok(Json(Progress::None));
        };
        if let Progress::PickedUp { driver_id } = &delivery.progress {
            let Json(held) = ctx
                .object_client::<DriverDigitalTwinClient>(driver_id.as_str())
                .get_assigned_delivery()
                .call()
                .await?;
            if held.is_none_or(|held| held.delivery_id.as_str() != ctx.key()) {
                hand_over(&ctx, delivery.trace, &delivery);
                return Ok(Json(Progress::None));
            }
        }
        Ok(Json(delivery.progress))
    }
}

/// Makes the order `DELIVERED`, notifies its workflow, and ends the delivery.
fn hand_over(ctx: &ObjectContext<'_>, trace: Trace, delivery: &Delivery) {
    ctx.object_client::<OrderStatusServiceClient>(ctx.key())
        .set_status(Json(Change::to(Status::Delivered)))
        .traced(trace)
        .send();
    ctx.resolve_awakeable(&delivery.request.delivered, STATUS_IS_SET.to_vec());
    ctx.clear(DELIVERY_INFO);
}

/// Asks the driver's twin to take the delivery. If it refuses, asks the matcher for another driver.
async fn give_to(
    ctx: &ObjectContext<'_>,
    trace: Trace,
    mut delivery: Delivery,
    driver: FreeDriver,
) -> Result<(), TerminalError> {
    let request = delivery.request.clone();
    let Json(answer) = ctx
        .object_client::<DriverDigitalTwinClient>(driver.driver_id.as_str())
        .assign_delivery_job(Json(DeliveryJob {
            delivery_id: order_id(ctx)?,
            region: request.region,
            restaurant_id: request.restaurant_id,
            restaurant_location: request.restaurant_location,
            customer_location: request.customer_location,
        }))
        .traced(trace)
        .call()
        .await?;
    match answer {
        JobAnswer::Refused => request_driver(ctx, &delivery)?,
        JobAnswer::Accepted { eta } => {
            ctx.object_client::<OrderStatusServiceClient>(ctx.key())
                .set_status(Json(Change {
                    eta: Some(eta),
                    driver_id: Some(driver.driver_id.clone()),
                    ..Change::to(Status::WaitingForDriver)
                }))
                .traced(trace)
                .send();
            delivery.progress = Progress::Assigned {
                driver_id: driver.driver_id,
            };
            ctx.set(DELIVERY_INFO, Json(delivery));
        }
    }
    Ok(())
}

async fn load(ctx: &ObjectContext<'_>) -> Result<Option<Delivery>, TerminalError> {
    let delivery = ctx.get::<Json<Delivery>>(DELIVERY_INFO).await?;
    Ok(delivery.map(Json::into_inner))
}

fn order_id(ctx: &ObjectContext<'_>) -> Result<OrderId, TerminalError> {
    ctx.key().parse().map_err(|error| {
        TerminalError::new_with_code(400, format!("delivery id {:?} {error}", ctx.key()))
    })
}

fn request_driver(ctx: &ObjectContext<'_>, delivery: &Delivery) -> Result<(), TerminalError> {
    ctx.object_client::<DriverDeliveryMatcherClient>(delivery.request.region.name())
        .request_driver_for_delivery(Json(DriverRequest {
            delivery_id: order_id(ctx)?,
            cell: delivery.request.restaurant_location.cell(),
        }))
        .traced(delivery.trace)
        .send();
    Ok(())
}
