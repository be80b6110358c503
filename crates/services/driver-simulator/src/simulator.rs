//! The handlers of [`DriverMobileAppSimulator`].
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]
#![expect(clippy::unused_async, reason = "the SDK's handlers are async")]

use std::time::Duration;

use delivery::{AssignedDelivery, Availability, DeliveryRef, DriverDigitalTwinClient};
use domain::driver::LocationUpdate;
use domain::{Location, Region, topic};
use durable::clock::now_ms;
use durable::{Traced, retry};
use kafka::Publisher;
use restate_sdk::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::drive::{legs, time_after};
use crate::options::Pace;

const CURRENT_LOCATION: &str = "current-location";
const ASSIGNED_DELIVERY: &str = "assigned-delivery";

/// How many deliveries one invocation of `pollForWork` drives, one after the other. More deliveries save invocations, but make the
/// journal longer that is replayed after a crash.
const DELIVERIES_PER_INVOCATION: usize = 8;
/// How often such an invocation polls for the next delivery. After that, the driver polls by delayed messages: a sleeping invocation
/// holds one of the runtime's slots, a delayed message does not.
const POLLS_PER_INVOCATION: usize = 3;
/// After this many polls without a delivery, a phone reports its position again, so that a twin that considered it silent learns
/// that it is back.
const IDLE_POLLS_PER_REPORT: u32 = 10;

/// The longest wait inside one durable step. A shutdown may be delayed by this much, and a crash repeats the wait.
const MAX_WAIT_STEP: Duration = Duration::from_secs(2);

/// A driver's phone, simulated. Key: the driver's id.
pub struct DriverMobileAppSimulator {
    publisher: Publisher,
    pace: Pace,
}

/// Input of `startDriver`. It may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// The region in which the driver works.
    #[serde(default)]
    pub region: Region,
}

/// Answer of `startDriver`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// Whether the driver was at work before.
    pub already: bool,
}

/// State key `current-location`: where the driver is, and the state of the polling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Whereabouts {
    #[serde(flatten)]
    location: Location,
    region: Region,
    /// The time of the last report, in ms since the epoch; the next one is later.
    reported: i64,
    /// How many polls in a row brought no delivery.
    #[serde(default)]
    idle_polls: u32,
    /// The driver is going home. The next poll is the last one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    going_home: bool,
    /// Counts the starts of the driver. Each start begins a new round of polls and ends the previous one. So a driver whose poll
    /// was killed polls again, and a driver who is polling does not poll twice.
    #[serde(default)]
    round: u64,
}

impl DriverMobileAppSimulator {
    pub(crate) fn new(publisher: Publisher, pace: Pace) -> Self {
        Self { publisher, pace }
    }
}

#[restate_sdk::object(
    name = "DriverMobileAppSimulator",
    journal_retention = "0s",
    idempotency_retention = "0s"
)]
impl DriverMobileAppSimulator {
    /// Called by setup, or by anyone with curl, to start a driver, in San Jose unless the body says `{"region":"…"}`. Calling it
    /// again restarts the polling of a driver who is at work, which helps if a poll was killed. Returns at once, even while the driver
    /// drives.
    #[handler(name = "startDriver")]
    async fn start_driver(
        &self,
        ctx: SharedObjectContext<'_>,
        start: Option<Json<Start>>,
    ) -> Result<Json<Started>, TerminalError> {
        let already = ctx
            .get::<Json<Whereabouts>>(CURRENT_LOCATION)
            .await?
            .is_some_and(|Json(driver)| !driver.going_home);
        ctx.object_client::<DriverMobileAppSimulatorClient>(ctx.key())
            .go_online(Json(start.map(Json::into_inner).unwrap_or_default()))
            .send();
        Ok(Json(Started { already }))
    }

    /// Called by anyone with curl to send a driver home. The driver finishes the present delivery, and can be started again.
    #[handler(name = "stopDriver")]
    async fn stop_driver(&self, ctx: SharedObjectContext<'_>) -> Result<(), TerminalError> {
        ctx.object_client::<DriverMobileAppSimulatorClient>(ctx.key())
            .go_offline()
            .send();
        Ok(())
    }

    /// Sent by `stopDriver`, and by this handler to itself while the driver has a delivery. Makes the twin unavailable, and ends
    /// the polling.
    #[handler(name = "goOffline", ingress_private)]
    async fn go_offline(&self, ctx: ObjectContext<'_>) -> Result<(), TerminalError> {
        match twin(&ctx).set_driver_unavailable().call().await {
            Ok(()) => {
                // The next poll ends the polling.
                if let Some(Json(mut driver)) =
                    ctx.get::<Json<Whereabouts>>(CURRENT_LOCATION).await?
                {
                    driver.going_home = true;
                    ctx.set(CURRENT_LOCATION, Json(driver));
                }
                Ok(())
            }
            Err(busy) if busy.code() == 409 => {
                ctx.object_client::<DriverMobileAppSimulatorClient>(ctx.key())
                    .go_offline()
                    .send_after(self.pace.poll_interval);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Sent by `startDriver`. Puts the driver at a random position in the region, reports it, asks for work and begins to poll.
    #[handler(name = "goOnline", ingress_private)]
    async fn go_online(
        &self,
        mut ctx: ObjectContext<'_>,
        start: Json<Start>,
    ) -> Result<(), TerminalError> {
        if let Some(Json(mut driver)) = ctx.get::<Json<Whereabouts>>(CURRENT_LOCATION).await? {
            if driver.going_home {
                driver.going_home = false;
                ask_for_work(&ctx, &driver);
            }
            driver.round += 1;
            self.poll_later(&ctx, driver.round);
            ctx.set(CURRENT_LOCATION, Json(driver));
            return Ok(());
        }
        let Json(Start { region }) = start;
        let (x, y) = (ctx.rand().random(), ctx.rand().random());
        let mut driver = Whereabouts {
            location: region.at(x, y),
            region,
            reported: 0,
            idle_polls: 0,
            going_home: false,
            round: 0,
        };
        let home = driver.location;
        self.report(&ctx, &mut driver, vec![home]).await?;
        ask_for_work(&ctx, &driver);
        self.poll_later(&ctx, driver.round);
        Ok(())
    }

    /// Sent by this object to itself, once per interval while there is no work. Asks the twin for a delivery, drives to the
    /// restaurant and the customer, and continues with the next deliveries while they come quickly. If a delivery is withdrawn on
    /// the way, the driver gives it up.
    #[handler(name = "pollForWork", ingress_private)]
    async fn poll_for_work(
        &self,
        ctx: ObjectContext<'_>,
        round: Option<Json<u64>>,
    ) -> Result<(), TerminalError> {
        let Some(Json(mut driver)) = ctx.get::<Json<Whereabouts>>(CURRENT_LOCATION).await? else {
            return Ok(());
        };
        // Polls sent by versions without rounds have no number.
        if round.map_or(0, Json::into_inner) != driver.round {
            return Ok(());
        }
        if driver.going_home {
            ctx.clear(CURRENT_LOCATION);
            return Ok(());
        }
        let Json(mut assigned) = twin(&ctx).get_assigned_delivery().call().await?;
        if assigned.is_none() {
            driver.idle_polls = driver.idle_polls.wrapping_add(1);
            if driver.idle_polls.is_multiple_of(IDLE_POLLS_PER_REPORT) {
                let here = driver.location;
                self.report(&ctx, &mut driver, vec![here]).await?;
            } else {
                ctx.set(CURRENT_LOCATION, Json(driver));
            }
        }
        for _ in 0..DELIVERIES_PER_INVOCATION {
            let Some(delivery) = assigned else { break };
            self.deliver(&ctx, &mut driver, delivery).await?;
            ask_for_work(&ctx, &driver);
            assigned = self.next_delivery(&ctx).await?;
        }
        self.poll_later(&ctx, driver.round);
        Ok(())
    }

    /// Polls the twin a few times for the next delivery. The first poll comes soon, because a driver who becomes free gets a delivery at
    /// once if any are waiting.
    async fn next_delivery(
        &self,
        ctx: &ObjectContext<'_>,
    ) -> Result<Option<AssignedDelivery>, TerminalError> {
        let mut wait = self.pace.poll_interval / 2;
        for _ in 0..POLLS_PER_INVOCATION {
            wait_locally(ctx, wait).await?;
            let Json(assigned) = twin(ctx).get_assigned_delivery().call().await?;
            if assigned.is_some() {
                return Ok(assigned);
            }
            wait = self.pace.poll_interval;
        }
        Ok(None)
    }

    async fn deliver(
        &self,
        ctx: &ObjectContext<'_>,
        driver: &mut Whereabouts,
        delivery: AssignedDelivery,
    ) -> Result<(), TerminalError> {
        ctx.set(ASSIGNED_DELIVERY, Json(delivery.clone()));
        match self.drive(ctx, driver, &delivery).await {
            Ok(()) => wait_locally(ctx, self.pace.pause).await?,
            Err(withdrawn) if withdrawn.code() == 409 => {
                tracing::info!(
                    driver = ctx.key(),
                    "delivery given up: {}",
                    withdrawn.message()
                );
            }
            Err(error) => return Err(error),
        }
        ctx.clear(ASSIGNED_DELIVERY);
        Ok(())
    }

    /// Drives to the restaurant and on to the customer, and notifies the twin of the pickup and the delivery.
    async fn drive(
        &self,
        ctx: &ObjectContext<'_>,
        driver: &mut Whereabouts,
        delivery: &AssignedDelivery,
    ) -> Result<(), TerminalError> {
        let reference = || {
            Json(DeliveryRef {
                delivery_id: delivery.delivery_id.clone(),
            })
        };
        if !delivery.picked_up {
            self.drive_to(ctx, driver, delivery.restaurant_location)
                .await?;
            twin(ctx)
                .notify_delivery_pickup(reference())
                .traced(delivery.trace)
                .call()
                .await?;
        }
        self.drive_to(ctx, driver, delivery.customer_location)
            .await?;
        twin(ctx)
            .notify_delivery_delivered(reference())
            .traced(delivery.trace)
            .call()
            .await
    }

    async fn drive_to(
        &self,
        ctx: &ObjectContext<'_>,
        driver: &mut Whereabouts,
        target: Location,
    ) -> Result<(), TerminalError> {
        for leg in legs(
            driver.location,
            target,
            self.pace.step,
            self.pace.move_interval,
        ) {
            let steps = u32::try_from(leg.len()).unwrap_or(u32::MAX);
            wait_locally(ctx, self.pace.move_interval.saturating_mul(steps)).await?;
            self.report(ctx, driver, leg).await?;
        }
        Ok(())
    }

    /// Reports `places` as the driver's positions, in this sequence. The last one becomes the present position.
    async fn report(
        &self,
        ctx: &ObjectContext<'_>,
        driver: &mut Whereabouts,
        places: Vec<Location>,
    ) -> Result<(), TerminalError> {
        let Some(last) = places.last().copied() else {
            return Ok(());
        };
        let publisher = self.publisher.clone();
        let key = ctx.key().to_owned();
        let reported = driver.reported;
        driver.reported = ctx
            .run(move || async move {
                let mut time = time_after(reported, now_ms()) - 1;
                let updates = places
                    .into_iter()
                    .map(|place| {
                        time += 1;
                        LocationUpdate::at(place, time).to_json()
                    })
                    .collect::<Vec<_>>();
                publisher
                    .publish_all(topic::DRIVER_UPDATES, key.as_bytes(), updates)
                    .await?;
                Ok(time)
            })
            .name("report place")
            .retry_policy(retry::kafka())
            .await?;
        driver.location = last;
        ctx.set(CURRENT_LOCATION, Json(*driver));
        Ok(())
    }

    fn poll_later(&self, ctx: &ObjectContext<'_>, round: u64) {
        ctx.object_client::<DriverMobileAppSimulatorClient>(ctx.key())
            .poll_for_work(Some(Json(round)))
            .send_after(self.pace.poll_interval);
    }
}

/// Waits by the process's own clock instead of a Restate timer. Restate's timers are points in time: if its clock were set back by an
/// hour, a waiting driver would stand still for an hour.
async fn wait_locally(ctx: &ObjectContext<'_>, time: Duration) -> Result<(), TerminalError> {
    let mut left = time;
    while !left.is_zero() {
        let step = left.min(MAX_WAIT_STEP);
        left -= step;
        ctx.run(move || async move {
            tokio::time::sleep(step).await;
            Ok(())
        })
        .name("pass time")
        .await?;
    }
    Ok(())
}

fn twin<'ctx>(ctx: &ObjectContext<'ctx>) -> DriverDigitalTwinClient<'ctx> {
    ctx.object_client(ctx.key())
}

fn ask_for_work(ctx: &ObjectContext<'_>, driver: &Whereabouts) {
    twin(ctx)
        .set_driver_available(Json(Availability {
            region: driver.region,
            location: driver.location,
        }))
        .send();
}
