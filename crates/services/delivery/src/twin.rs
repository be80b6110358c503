//! [`DriverDigitalTwin`]: what the system knows about one driver.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]

use std::time::Duration;

use domain::driver::Verdict;
use domain::geo::Speed;
use domain::{DriverId, Location, Region};
use durable::clock::now_ms;
use durable::record::source_of;
use durable::{Trace, Traced, Unparsed, retry};
use kafka::Publisher;
use kafka::dead_letter::{DeadLetter, Source};
use order_status::OrderStatusServiceClient;
use restate_sdk::prelude::*;
use telemetry::metrics::Counters;

use crate::dead_letter;
use crate::driver::{AssignedDelivery, DriverStatus, SilenceCheck, Watch, Whereabouts};
use crate::manager::DeliveryManagerClient;
use crate::matcher::DriverDeliveryMatcherClient;
use crate::report::{LocationReport, ReportContent};
use crate::types::{Availability, DeliveryJob, DeliveryRef, DriverRef, FreeDriver, JobAnswer};

const DRIVER_STATUS: &str = "driver-status";
const ASSIGNED_DELIVERY: &str = "assigned-delivery";
const DRIVER_LOCATION: &str = "driver-location";
/// State key of the driver as last offered to the matcher, so that the offer can be withdrawn.
const OFFERED: &str = "offered";

static REPORTS: Counters<1> = Counters::new(
    "driver_reports",
    "Location updates that drivers' twins have handled, by verdict",
    ["verdict"],
);

/// What the system knows about one driver. Key: the driver's id.
///
/// The driver's phone reports positions over Kafka, and calls these handlers for everything else.
pub struct DriverDigitalTwin {
    publisher: Publisher,
    speed: Speed,
    silence: Duration,
}

impl DriverDigitalTwin {
    /// The twin of a driver with the expected `speed`. After `silence` without a report, the driver loses a delivery that is not
    /// picked up. Dead letters are published through `publisher`.
    #[must_use]
    pub fn new(publisher: Publisher, speed: Speed, silence: Duration) -> Self {
        Self {
            publisher,
            speed,
            silence,
        }
    }
}

#[restate_sdk::object(
    name = "DriverDigitalTwin",
    journal_retention = "0s",
    idempotency_retention = "0s"
)]
impl DriverDigitalTwin {
    /// Sent by the driver's phone at the start of work and after each delivery. Asks the region's matcher for a delivery. Changes
    /// nothing if the driver waits for one already. Refused (409) while the driver has a delivery.
    #[handler(name = "setDriverAvailable", ingress_private)]
    async fn set_driver_available(
        &self,
        ctx: ObjectContext<'_>,
        availability: Json<Availability>,
    ) -> Result<(), TerminalError> {
        let Json(Availability { region, location }) = availability;
        match status(&ctx).await? {
            DriverStatus::WaitingForWork => Ok(()),
            DriverStatus::Delivering => Err(busy(&ctx)),
            DriverStatus::Idle => offer(&ctx, region, location),
            DriverStatus::Offline => {
                clear_offline_region(&ctx).await?;
                offer(&ctx, region, location)
            }
        }
    }

    /// Called by the driver's phone at the end of work. Withdraws the driver from the matcher. Refused (409) while the driver has a
    /// delivery, which has to be handed over first.
    #[handler(name = "setDriverUnavailable", ingress_private)]
    async fn set_driver_unavailable(&self, ctx: ObjectContext<'_>) -> Result<(), TerminalError> {
        match status(&ctx).await? {
            DriverStatus::Idle => {}
            DriverStatus::Delivering => return Err(busy(&ctx)),
            DriverStatus::WaitingForWork => {
                if let Some(Json(offered)) = ctx.get::<Json<FreeDriver>>(OFFERED).await? {
                    ctx.object_client::<DriverDeliveryMatcherClient>(offered.region.name())
                        .withdraw_driver(Json(offered))
                        .send();
                }
                ctx.clear(OFFERED);
                ctx.set(DRIVER_STATUS, Json(DriverStatus::Idle));
            }
            DriverStatus::Offline => {
                clear_offline_region(&ctx).await?;
                ctx.set(DRIVER_STATUS, Json(DriverStatus::Idle));
            }
        }
        Ok(())
    }

    /// Called by `DeliveryManager` when the matcher has chosen this driver. Accepts the job if the driver still waits for one, and
    /// returns the expected arrival at the customer.
    #[handler(name = "assignDeliveryJob", ingress_private)]
    async fn assign_delivery_job(
        &self,
        ctx: ObjectContext<'_>,
        job: Json<DeliveryJob>,
    ) -> Result<Json<JobAnswer>, TerminalError> {
        let Json(job) = job;
        let status = status(&ctx).await?;
        let mut whereabouts = whereabouts(&ctx).await?;
        if status == DriverStatus::Delivering {
            // The manager may call again after a crash. The same job gets the same answer.
            let held = whereabouts
                .route
                .filter(|route| route.delivery_id == job.delivery_id);
            return Ok(Json(held.map_or(JobAnswer::Refused, |route| {
                JobAnswer::Accepted {
                    eta: route.announced_eta,
                }
            })));
        }
        if status != DriverStatus::WaitingForWork {
            return Ok(Json(JobAnswer::Refused));
        }
        let now = ctx.run(async || Ok(now_ms())).name("now").await?;
        let eta = whereabouts.start_delivery(&job, now, self.speed);
        self.watch_for_silence(&ctx, &mut whereabouts, now);
        ctx.set(DRIVER_STATUS, Json(DriverStatus::Delivering));
        ctx.set(DRIVER_LOCATION, Json(whereabouts));
        let assigned = AssignedDelivery {
            trace: Trace::of(&ctx),
            ..AssignedDelivery::from(job)
        };
        ctx.set(ASSIGNED_DELIVERY, Json(assigned));
        Ok(Json(JobAnswer::Accepted { eta }))
    }

    /// Called by the driver's phone at the restaurant. Notifies the delivery's manager. Refused (409) if the driver does not hold
    /// this delivery (any more).
    #[handler(name = "notifyDeliveryPickup", ingress_private)]
    async fn notify_delivery_pickup(
        &self,
        ctx: ObjectContext<'_>,
        delivery: Json<DeliveryRef>,
    ) -> Result<(), TerminalError> {
        let mut held = self.held(&ctx, &delivery.0).await?;
        if !held.picked_up {
            held.picked_up = true;
            ctx.object_client::<DeliveryManagerClient>(held.delivery_id.as_str())
                .notify_delivery_pickup(Json(me(&ctx)?))
                .traced(Trace::of(&ctx))
                .send();
            ctx.set(ASSIGNED_DELIVERY, Json(held));
            let mut whereabouts = whereabouts(&ctx).await?;
            if let Some(route) = &mut whereabouts.route {
                route.restaurant = None;
                route.silence.end();
                ctx.set(DRIVER_LOCATION, Json(whereabouts));
            }
        }
        Ok(())
    }

    /// Called by the driver's phone at the customer's door. Notifies the delivery's manager; the driver is idle until the phone
    /// asks for work again. Refused (409) if the driver does not hold this delivery (any more), or has not picked it up.
    #[handler(name = "notifyDeliveryDelivered", ingress_private)]
    async fn notify_delivery_delivered(
        &self,
        ctx: ObjectContext<'_>,
        delivery: Json<DeliveryRef>,
    ) -> Result<(), TerminalError> {
        let held = self.held(&ctx, &delivery.0).await?;
        if !held.picked_up {
            let reason = format!("delivery {} was not picked up yet", held.delivery_id);
            return Err(TerminalError::new_with_code(409, reason));
        }
        ctx.object_client::<DeliveryManagerClient>(held.delivery_id.as_str())
            .notify_delivery_delivered(Json(me(&ctx)?))
            .traced(Trace::of(&ctx))
            .send();
        end_delivery(&ctx, whereabouts(&ctx).await?);
        ctx.set(DRIVER_STATUS, Json(DriverStatus::Idle));
        Ok(())
    }

    /// Called for each record of topic `driver-positions`, or, without a position filter, sent by `DriverUpdateIntake` for each report of
    /// the driver's phone. Keeps the position if it is the newest, and sends the
    /// order a new expected arrival if that has moved by more than two seconds. Any report counts as hearing from the driver, and makes
    /// a driver who was offline available again. The first of a series of impossible positions goes to topic `driver-updates-dlq`;
    /// all of them are counted.
    #[handler(name = "handleDriverLocationUpdateEvent", ingress_private)]
    async fn handle_driver_location_update_event(
        &self,
        ctx: ObjectContext<'_>,
        report: Unparsed<LocationReport>,
    ) -> Result<(), TerminalError> {
        let report = report.into_bytes();
        let sent = match LocationReport::of(&report, ctx.headers()) {
            Ok(report) => report,
            Err(refused) => {
                let letter =
                    refused.dead_letter(Some(ctx.key().into()), report, source_of(ctx.headers()));
                return self.publish_dead_letter(&ctx, letter).await;
            }
        };
        let mut whereabouts = whereabouts(&ctx).await?;
        let verdict = whereabouts.handle_report(&sent);
        // According to the record's time, no check for silence is due soon. `watch_for_silence` decides by the twin's own clock.
        if whereabouts.route.is_some()
            && !whereabouts.is_watched(sent.received.at, as_ms(self.silence).saturating_mul(2))
        {
            let now = ctx.run(async || Ok(now_ms())).name("now").await?;
            self.watch_for_silence(&ctx, &mut whereabouts, now);
        }
        if let Some(newest) = whereabouts.track.newest()
            && let Some(region) = whereabouts.offline_in.take()
        {
            offer(&ctx, region, newest.location)?;
        }
        let told = whereabouts.eta_to_announce(verdict, sent.received, self.speed);
        if let Some((order_id, eta)) = told {
            ctx.object_client::<OrderStatusServiceClient>(order_id.as_str())
                .set_eta(eta)
                .send();
        }
        ctx.set(DRIVER_LOCATION, Json(whereabouts));
        if let Verdict::Impossible { why, begins: true } = verdict {
            let source = Source {
                topic: sent.topic,
                partition: sent.partition.to_string(),
                offset: sent.received.offset.to_string(),
            };
            let (value, reason) = match sent.said {
                ReportContent::Update(update) => (update.to_json(), why.reason().to_owned()),
                ReportContent::Unusable { reason, value } => (value.into_bytes(), reason),
            };
            let letter = DeadLetter {
                key: Some(ctx.key().into()),
                value,
                source,
                reason,
                kind: why.kind(),
            };
            self.publish_dead_letter(&ctx, letter).await?;
        }
        REPORTS.inc([verdict.kind()]);
        Ok(())
    }

    /// Sent by `DeliveryManager` when the delivery is cancelled. Frees the driver for another one at once. The phone learns of it
    /// at its next call about the delivery. Changes nothing if the driver does not hold this delivery.
    #[handler(name = "unassignDelivery", ingress_private)]
    async fn unassign_delivery(
        &self,
        ctx: ObjectContext<'_>,
        delivery: Json<DeliveryRef>,
    ) -> Result<(), TerminalError> {
        let held = assigned(&ctx).await?;
        let Some(held) = held.filter(|held| held.delivery_id == delivery.0.delivery_id) else {
            return Ok(());
        };
        let whereabouts = whereabouts(&ctx).await?;
        let newest = whereabouts.track.newest();
        let location = newest.map_or(held.restaurant_location, |newest| newest.location);
        end_delivery(&ctx, whereabouts);
        offer(&ctx, held.region, location)
    }

    /// Sent by this object to itself, one at a time, while the driver has a delivery. If the driver has been silent for too long
    /// before the pickup, the driver loses the delivery and is `OFFLINE` until the next report. After the pickup no other driver can
    /// bring the food, so the order is marked as delayed.
    #[handler(name = "checkSilence", ingress_private)]
    async fn check_silence(
        &self,
        ctx: ObjectContext<'_>,
        planned: Option<Json<i64>>,
    ) -> Result<(), TerminalError> {
        let mut whereabouts = whereabouts(&ctx).await?;
        // Another check was scheduled in the meantime. Checks sent by earlier versions have no time.
        if planned.map(Json::into_inner) != whereabouts.next_check_at {
            return Ok(());
        }
        let now = ctx.run(async || Ok(now_ms())).name("now").await?;
        let limit = as_ms(self.silence);
        match whereabouts.check_silence_at(now, limit) {
            SilenceCheck::Idle => {}
            SilenceCheck::Again(after) => schedule_check(&ctx, &mut whereabouts, now, after),
            SilenceCheck::Delayed(after) => {
                self.notify_manager_of_silence(&ctx, &whereabouts)?;
                schedule_check(&ctx, &mut whereabouts, now, after);
            }
            SilenceCheck::Lost => {
                self.notify_manager_of_silence(&ctx, &whereabouts)?;
                whereabouts.offline_in = assigned(&ctx).await?.map(|held| held.region);
                ctx.set(DRIVER_STATUS, Json(DriverStatus::Offline));
                end_delivery(&ctx, whereabouts);
                return Ok(());
            }
        }
        ctx.set(DRIVER_LOCATION, Json(whereabouts));
        Ok(())
    }

    /// Polled by the driver's phone, and open to anyone. Returns the delivery that the driver holds, or null. Changes nothing,
    /// and is never queued behind a change.
    #[handler(name = "getAssignedDelivery")]
    async fn get_assigned_delivery(
        &self,
        ctx: SharedObjectContext<'_>,
    ) -> Result<Json<Option<AssignedDelivery>>, TerminalError> {
        let assigned = ctx.get::<Json<AssignedDelivery>>(ASSIGNED_DELIVERY);
        Ok(Json(assigned.await?.map(Json::into_inner)))
    }

    /// Notifies the delivery's manager that its driver is silent.
    fn notify_manager_of_silence(
        &self,
        ctx: &ObjectContext<'_>,
        whereabouts: &Whereabouts,
    ) -> Result<(), TerminalError> {
        if let Some(route) = &whereabouts.route {
            tracing::warn!(
                driver = ctx.key(),
                delivery = route.delivery_id.as_str(),
                "not heard from for {:?}",
                self.silence
            );
            ctx.object_client::<DeliveryManagerClient>(route.delivery_id.as_str())
                .notify_driver_silent(Json(me(ctx)?))
                .send();
        }
        Ok(())
    }

    /// Schedules a check for silence, unless one is scheduled already.
    fn watch_for_silence(&self, ctx: &ObjectContext<'_>, whereabouts: &mut Whereabouts, now: i64) {
        let limit = as_ms(self.silence);
        if !whereabouts.is_watched(now, limit) {
            whereabouts.watch = Watch::On;
            schedule_check(ctx, whereabouts, now, limit);
        }
    }

    async fn publish_dead_letter(
        &self,
        ctx: &ObjectContext<'_>,
        letter: DeadLetter,
    ) -> Result<(), TerminalError> {
        let publisher = self.publisher.clone();
        ctx.run(move || dead_letter::publish(letter, publisher))
            .name(dead_letter::STEP)
            .retry_policy(retry::kafka())
            .await
    }

    /// The delivery the driver holds, if it is `delivery`.
    async fn held(
        &self,
        ctx: &ObjectContext<'_>,
        delivery: &DeliveryRef,
    ) -> Result<AssignedDelivery, TerminalError> {
        let id = &delivery.delivery_id;
        let held = assigned(ctx).await?.filter(|held| held.delivery_id == *id);
        held.ok_or_else(|| {
            let reason = format!(
                "driver {} does not hold delivery {id} (any more)",
                ctx.key()
            );
            TerminalError::new_with_code(409, reason)
        })
    }
}

fn busy(ctx: &ObjectContext<'_>) -> TerminalError {
    let reason = format!("driver {} has a delivery; hand it over first", ctx.key());
    TerminalError::new_with_code(409, reason)
}

/// Asks the matcher for a delivery for this driver.
fn offer(ctx: &ObjectContext<'_>, region: Region, location: Location) -> Result<(), TerminalError> {
    let driver = FreeDriver {
        driver_id: me(ctx)?.driver_id,
        region,
        cell: location.cell(),
    };
    ctx.set(OFFERED, Json(driver.clone()));
    ctx.object_client::<DriverDeliveryMatcherClient>(region.name())
        .set_driver_available(Json(driver))
        .send();
    ctx.set(DRIVER_STATUS, Json(DriverStatus::WaitingForWork));
    Ok(())
}

/// Records that the driver need not be made available at the next report.
async fn clear_offline_region(ctx: &ObjectContext<'_>) -> Result<(), TerminalError> {
    let mut whereabouts = whereabouts(ctx).await?;
    whereabouts.offline_in = None;
    ctx.set(DRIVER_LOCATION, Json(whereabouts));
    Ok(())
}

/// Schedules a check for silence `after` ms from `now`.
fn schedule_check(ctx: &ObjectContext<'_>, whereabouts: &mut Whereabouts, now: i64, after: i64) {
    let at = now.saturating_add(after);
    whereabouts.next_check_at = Some(at);
    ctx.object_client::<DriverDigitalTwinClient>(ctx.key())
        .check_silence(Some(Json(at)))
        .send_after(Duration::from_millis(after.unsigned_abs()));
}

fn as_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn me(ctx: &ObjectContext<'_>) -> Result<DriverRef, TerminalError> {
    let driver_id: DriverId = ctx.key().parse().map_err(|error| {
        TerminalError::new_with_code(400, format!("driver id {:?} {error}", ctx.key()))
    })?;
    Ok(DriverRef { driver_id })
}

async fn status(ctx: &ObjectContext<'_>) -> Result<DriverStatus, TerminalError> {
    let status = ctx.get::<Json<DriverStatus>>(DRIVER_STATUS).await?;
    Ok(status.map(Json::into_inner).unwrap_or_default())
}

async fn assigned(ctx: &ObjectContext<'_>) -> Result<Option<AssignedDelivery>, TerminalError> {
    let assigned = ctx.get::<Json<AssignedDelivery>>(ASSIGNED_DELIVERY);
    Ok(assigned.await?.map(Json::into_inner))
}

async fn whereabouts(ctx: &ObjectContext<'_>) -> Result<Whereabouts, TerminalError> {
    let whereabouts = ctx.get::<Json<Whereabouts>>(DRIVER_LOCATION).await?;
    Ok(whereabouts.map(Json::into_inner).unwrap_or_default())
}

/// Clears the delivery and its route.
fn end_delivery(ctx: &ObjectContext<'_>, mut whereabouts: Whereabouts) {
    ctx.clear(ASSIGNED_DELIVERY);
    whereabouts.route = None;
    ctx.set(DRIVER_LOCATION, Json(whereabouts));
}
