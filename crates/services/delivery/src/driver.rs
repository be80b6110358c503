//! The rules of a driver's digital twin. Pure code, without the runtime.

use std::time::Duration;

use domain::driver::{Received, Silence, Track, Verdict};
use domain::geo::Speed;
use domain::{Location, OrderId, Region, RestaurantId};
use durable::Trace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::LocationReport;
use crate::types::DeliveryJob;

/// The customer is told of a new expected arrival only if it has moved by more than this.
const ANNOUNCE_ETA_AFTER_MS: u64 = 2_000;
/// The minimum time between two new arrivals that the customer is told of.
const ANNOUNCE_ETA_EVERY_MS: u64 = 2_000;
/// How many times per limit the twin checks whether the driver is silent. More checks notice silence sooner, but each costs an
/// invocation.
const CHECKS_PER_LIMIT: i64 = 2;
/// A driver who seems silent gets another limit / `SECOND_CHANCE` to report, because after an outage of this system the driver's
/// reports are still in Kafka.
const SECOND_CHANCE: i64 = 4;

/// State key `driver-status`: what a driver is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DriverStatus {
    /// Not asking for work.
    #[default]
    Idle,
    /// Queued at the matcher.
    WaitingForWork,
    /// Has a delivery.
    Delivering,
    /// Lost a delivery after being silent for too long. Available again with the next report.
    Offline,
}

/// State key `assigned-delivery`, and the answer of `getAssignedDelivery`: the delivery that a driver holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssignedDelivery {
    /// The delivery's id, which is the id of its order.
    pub delivery_id: OrderId,
    /// The region of the delivery.
    pub region: Region,
    /// The restaurant that has the food.
    pub restaurant_id: RestaurantId,
    /// The location of the restaurant.
    pub restaurant_location: Location,
    /// The location of the customer.
    pub customer_location: Location,
    /// Whether the driver has the food.
    pub picked_up: bool,
    /// The trace it belongs to, for the calls that the driver's phone makes about it.
    #[serde(default, skip_serializing_if = "Trace::is_none")]
    #[schemars(with = "Option<String>")]
    pub trace: Trace,
}

impl From<DeliveryJob> for AssignedDelivery {
    fn from(job: DeliveryJob) -> Self {
        Self {
            delivery_id: job.delivery_id,
            region: job.region,
            restaurant_id: job.restaurant_id,
            restaurant_location: job.restaurant_location,
            customer_location: job.customer_location,
            picked_up: false,
            trace: Trace::default(),
        }
    }
}

/// State key `driver-location`: what the driver's phone has reported, and the route of the current delivery.
///
/// The route repeats parts of [`AssignedDelivery`], so that a report, by far the most frequent event of the system, reads and
/// writes a single key. Some names in JSON are those of earlier versions, because the state outlives a version.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Whereabouts {
    #[serde(flatten)]
    pub(crate) track: Track,
    #[serde(rename = "way", default, skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<Route>,
    /// Whether a check for silence is scheduled.
    #[serde(default, skip_serializing_if = "Watch::is_off")]
    pub(crate) watch: Watch,
    /// When that check is due, by the twin's clock, in ms since the epoch. Checks with another time are outdated and ignored.
    #[serde(rename = "look_at", default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_check_at: Option<i64>,
    /// The region of a driver who is `OFFLINE`, to work in again after the next report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offline_in: Option<Region>,
}

/// Whether a check for silence is scheduled. Each driver has at most one at a time, whatever the number of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Watch {
    /// None is scheduled.
    #[default]
    Off,
    /// One is scheduled.
    On,
    /// One is scheduled, and the last one found the driver silent.
    Suspicious,
}

impl Watch {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// The result of a check for silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SilenceCheck {
    /// The driver has no delivery, so no further check is needed.
    Idle,
    /// Check again after this many ms.
    Again(i64),
    /// The driver is silent and has not picked the food up: another driver gets the delivery.
    Lost,
    /// The driver is silent and has the food: the order is delayed. Check again after this many ms.
    Delayed(i64),
}

/// The route of a driver who has a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Route {
    pub(crate) delivery_id: OrderId,
    /// The location of the restaurant; `None` once the driver has the food.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restaurant: Option<Location>,
    pub(crate) customer: Location,
    /// The expected arrival that the customer was last told of, in ms since the epoch.
    #[serde(rename = "toldEta")]
    pub(crate) announced_eta: i64,
    /// When the customer was told that, in ms since the epoch.
    #[serde(rename = "toldAt")]
    pub(crate) announced_at: i64,
    /// Since when the driver has not been heard from.
    #[serde(flatten)]
    pub(crate) silence: Silence,
    /// Whether the customer has been told that the order is delayed because the driver is silent.
    #[serde(
        rename = "delayTold",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub(crate) delay_announced: bool,
}

impl Whereabouts {
    /// Processes a report. The driver was heard from, whatever the report's content.
    pub(crate) fn handle_report(&mut self, report: &LocationReport) -> Verdict {
        if let Some(route) = &mut self.route {
            route.silence.end();
        }
        self.track.take(report.said.update(), report.received)
    }

    /// Checks at `now` whether the driver has been silent for `limit` ms.
    pub(crate) fn check_silence_at(&mut self, now: i64, limit: i64) -> SilenceCheck {
        let Some(route) = &mut self.route else {
            self.watch = Watch::Off;
            return SilenceCheck::Idle;
        };
        let left = route.silence.left(now, limit);
        if left > 0 {
            self.watch = Watch::On;
            return SilenceCheck::Again(left.min(limit / CHECKS_PER_LIMIT).max(1));
        }
        if self.watch != Watch::Suspicious {
            self.watch = Watch::Suspicious;
            return SilenceCheck::Again((limit / SECOND_CHANCE).max(1));
        }
        if route.restaurant.is_some() {
            self.watch = Watch::Off;
            return SilenceCheck::Lost;
        }
        if route.delay_announced {
            return SilenceCheck::Again(limit);
        }
        route.delay_announced = true;
        SilenceCheck::Delayed(limit)
    }

    /// Whether a check for silence is due within `limit` ms of `now`. `false` if its invocation was killed, or if the clock was
    /// set back after it was scheduled.
    pub(crate) fn is_watched(&self, now: i64, limit: i64) -> bool {
        let is_near = |at: i64| at.abs_diff(now) <= limit.unsigned_abs();
        self.watch != Watch::Off && self.next_check_at.is_some_and(is_near)
    }

    /// Starts a delivery at `now`. Returns the expected arrival in ms since the epoch.
    pub(crate) fn start_delivery(&mut self, job: &DeliveryJob, now: i64, speed: Speed) -> i64 {
        let mut route = Route {
            delivery_id: job.delivery_id.clone(),
            restaurant: Some(job.restaurant_location),
            customer: job.customer_location,
            announced_eta: 0,
            announced_at: now,
            silence: Silence::since(now),
            delay_announced: false,
        };
        let from = self
            .track
            .newest()
            .map_or(job.restaurant_location, |newest| newest.location);
        route.announced_eta = route.eta(from, now, speed);
        let eta = route.announced_eta;
        self.route = Some(route);
        eta
    }

    /// After a report that was `received`: the delivery's id and the new expected arrival, if the customer should be told. `None`
    /// while the driver is on schedule.
    pub(crate) fn eta_to_announce(
        &mut self,
        verdict: Verdict,
        received: Received,
        speed: Speed,
    ) -> Option<(OrderId, i64)> {
        let newest = self.track.newest()?;
        let route = self.route.as_mut()?;
        if verdict != Verdict::Newest && !route.delay_announced {
            return None;
        }
        // Computed from an old position, the arrival may be in the past.
        let eta = route
            .eta(newest.location, newest.timestamp, speed)
            .max(received.at);
        let moved = eta.abs_diff(route.announced_eta) > ANNOUNCE_ETA_AFTER_MS;
        let due = received.at.abs_diff(route.announced_at) >= ANNOUNCE_ETA_EVERY_MS;
        // A customer who was told of a delay is told of the new arrival at the driver's next report.
        if !(moved && due || route.delay_announced) {
            return None;
        }
        route.delay_announced = false;
        route.announced_eta = eta;
        route.announced_at = received.at;
        Some((route.delivery_id.clone(), eta))
    }
}

impl Route {
    /// When a driver who is at `location` at `now` will reach the customer, in ms since the epoch.
    fn eta(&self, location: Location, now: i64, speed: Speed) -> i64 {
        let distance = match self.restaurant {
            Some(restaurant) => location.distance(restaurant) + restaurant.distance(self.customer),
            None => location.distance(self.customer),
        };
        now.saturating_add(millis(speed.time_for(distance)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ReportContent;
    use domain::driver::LocationUpdate;
    use proptest::prelude::*;

    fn at(x: f64, y: f64) -> Location {
        Region::SanJose.at(x, y)
    }

    fn job() -> DeliveryJob {
        DeliveryJob {
            delivery_id: "order-1".parse().unwrap(),
            region: Region::SanJose,
            restaurant_id: "la-piazza".parse().unwrap(),
            restaurant_location: at(0.5, 0.5),
            customer_location: at(1.0, 0.5),
        }
    }

    /// A report from a phone whose clock is right.
    fn report(location: Location, at: i64) -> LocationReport {
        LocationReport {
            said: ReportContent::Update(LocationUpdate::at(location, at)),
            received: Received { at, offset: at },
            topic: domain::topic::DRIVER_UPDATES.to_owned(),
            partition: 0,
        }
    }

    impl Whereabouts {
        fn report_position(&mut self, x: f64, now: i64) -> Verdict {
            self.handle_report(&report(at(x, 0.5), now))
        }

        /// What the customer is told after a report at `now`.
        fn tell_customer(&mut self, now: i64) -> Option<(OrderId, i64)> {
            let received = report(at(0.5, 0.5), now).received;
            self.eta_to_announce(Verdict::Newest, received, Speed::DEFAULT)
        }
    }

    fn driver(x: f64) -> Whereabouts {
        let mut driver = Whereabouts::default();
        assert_eq!(driver.report_position(x, 0), Verdict::Newest);
        driver
    }

    #[test]
    fn the_arrival_covers_the_route_to_the_restaurant_and_on_to_the_customer() {
        let mut driver = driver(0.0);
        // 0.0675° and 0.0675° at 0.005° a second.
        assert_eq!(
            driver.start_delivery(&job(), 1_000, Speed::DEFAULT),
            1_000 + 13_500 + 13_500
        );
        let mut route = driver.route.unwrap();
        route.restaurant = None;
        assert_eq!(route.eta(at(0.5, 0.5), 20_000, Speed::DEFAULT), 33_500);
        assert_eq!(route.eta(at(1.0, 0.5), 40_000, Speed::DEFAULT), 40_000);
    }

    #[test]
    fn the_customer_is_told_of_a_new_arrival_but_not_too_often() {
        let mut driver = driver(0.0);
        driver.start_delivery(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.report_position(0.0, 2_000), Verdict::Newest);
        assert_eq!(driver.tell_customer(2_000), None);
        assert_eq!(driver.report_position(0.0, 2_001), Verdict::Newest);
        let told = ("order-1".parse().unwrap(), 29_001);
        assert_eq!(driver.tell_customer(2_001), Some(told));
        // Far ahead of schedule after twelve steps in 12 ms, but the customer was told of an arrival just before.
        assert_eq!(driver.report_position(0.4, 2_013), Verdict::Newest);
        assert_eq!(driver.tell_customer(2_013), None);
    }

    #[test]
    fn the_customer_is_never_told_an_arrival_in_the_past() {
        let mut driver = driver(0.5);
        driver.start_delivery(&job(), 0, Speed::DEFAULT);
        // A report that the phone had stored: the driver was at the door an hour ago.
        let mut late = report(at(1.0, 0.5), 1_000);
        driver.route.as_mut().unwrap().restaurant = None;
        late.received = Received {
            at: 3_600_000,
            offset: 3_600_000,
        };
        assert_eq!(driver.handle_report(&late), Verdict::Newest);
        assert_eq!(
            driver.tell_customer(3_600_000),
            Some(("order-1".parse().unwrap(), 3_600_000))
        );
    }

    #[test]
    fn without_a_delivery_there_is_no_arrival_to_tell() {
        let mut driver = driver(0.0);
        assert_eq!(driver.report_position(0.9, 60_000), Verdict::Newest);
        assert_eq!(driver.tell_customer(60_000), None);
    }

    #[test]
    fn a_driver_who_reports_in_time_is_never_taken_for_silent() {
        let mut driver = driver(0.0);
        driver.start_delivery(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.check_silence_at(40, 60), SilenceCheck::Again(20));
        assert_eq!(driver.report_position(0.1, 50), Verdict::Newest);
        // The driver has reported since the last check; the next one follows after half the limit.
        assert_eq!(driver.check_silence_at(60, 60), SilenceCheck::Again(30));
        assert_eq!(driver.check_silence_at(100, 60), SilenceCheck::Again(20));
        driver.route = None;
        assert_eq!(driver.check_silence_at(1_000, 60), SilenceCheck::Idle);
        assert_eq!(driver.watch, Watch::Off);
    }

    #[test]
    fn any_report_ends_the_silence_whatever_its_content() {
        let day_ago = |now| {
            let mut update = LocationUpdate::at(at(0.1, 0.5), now);
            update.timestamp = Some(now - 86_400_000);
            LocationReport {
                said: ReportContent::Update(update),
                ..report(at(0.1, 0.5), now)
            }
        };
        let lost = |now| LocationReport {
            said: ReportContent::Unusable {
                reason: "lon is required".to_owned(),
                value: "{}".to_owned(),
            },
            ..report(at(0.1, 0.5), now)
        };
        let nowhere = |now| report(Location::new(0.0, 0.0).unwrap(), now);
        let repeated = |now| LocationReport {
            received: Received {
                at: now,
                offset: now,
            },
            ..report(at(0.0, 0.5), 0)
        };
        // The record's own time is wrong too, by the broker's or the producer's clock.
        let long_ago = |now| LocationReport {
            received: Received {
                at: -86_400_000,
                offset: now,
            },
            ..report(at(0.0, 0.5), 0)
        };
        for unusable in [
            day_ago as fn(i64) -> LocationReport,
            nowhere,
            lost,
            repeated,
            long_ago,
        ] {
            let mut driver = driver(0.0);
            driver.start_delivery(&job(), 0, Speed::DEFAULT);
            for now in (20..1_000).step_by(20) {
                assert_ne!(driver.handle_report(&unusable(now)), Verdict::Newest);
                let check = driver.check_silence_at(now + 10, 60);
                assert_eq!(check, SilenceCheck::Again(30), "{:?}", unusable(now));
                assert_eq!(driver.watch, Watch::On);
            }
        }
    }

    #[test]
    fn a_check_that_was_killed_or_scheduled_before_the_clock_was_set_back_does_not_count() {
        let mut driver = driver(0.0);
        driver.start_delivery(&job(), 100, Speed::DEFAULT);
        assert_eq!(driver.check_silence_at(100, 60), SilenceCheck::Again(30));
        driver.next_check_at = Some(130);
        assert!(driver.is_watched(110, 60));
        assert!(!driver.is_watched(191, 60));
        assert!(!driver.is_watched(69, 60));
        driver.watch = Watch::Off;
        assert!(!driver.is_watched(110, 60));
    }

    #[test]
    fn a_silent_driver_gets_a_second_chance_and_then_loses_a_delivery_not_picked_up() {
        let mut driver = driver(0.0);
        driver.start_delivery(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.check_silence_at(60, 60), SilenceCheck::Again(15));
        let mut heard = driver.clone();
        assert_eq!(heard.report_position(0.1, 70), Verdict::Newest);
        assert_eq!(heard.check_silence_at(75, 60), SilenceCheck::Again(30));
        assert_eq!(heard.watch, Watch::On);
        assert_eq!(driver.check_silence_at(75, 60), SilenceCheck::Lost);
        assert_eq!(driver.watch, Watch::Off);
    }

    #[test]
    fn a_silent_driver_with_the_food_is_reported_once_until_the_next_report() {
        let mut driver = driver(0.0);
        driver.start_delivery(&job(), 0, Speed::DEFAULT);
        driver.route.as_mut().unwrap().restaurant = None;
        assert_eq!(driver.check_silence_at(60, 60), SilenceCheck::Again(15));
        assert_eq!(driver.check_silence_at(75, 60), SilenceCheck::Delayed(60));
        assert_eq!(driver.check_silence_at(135, 60), SilenceCheck::Again(60));
        // A stale report ends the silence too.
        let stale = driver.report_position(0.0, 0);
        let received = report(at(0.0, 0.5), 140).received;
        assert!(
            driver
                .eta_to_announce(stale, received, Speed::DEFAULT)
                .is_some()
        );
        assert_eq!(driver.tell_customer(140), None);
        assert_eq!(driver.check_silence_at(195, 60), SilenceCheck::Again(30));
        assert_eq!(driver.check_silence_at(255, 60), SilenceCheck::Again(15));
        assert_eq!(driver.check_silence_at(270, 60), SilenceCheck::Delayed(60));
    }

    #[test]
    fn the_state_of_earlier_versions_can_be_read() {
        let earlier = r#"{"lon":-121.9,"lat":37.3,"timestamp":1700000000000,"watch":"ON","way":{"deliveryId":"order-1",
            "customer":{"lon":-121.8,"lat":37.3},"toldEta":7,"toldAt":6,"heardAt":5}}"#;
        let driver: Whereabouts = serde_json::from_str(earlier).unwrap();
        assert_eq!(driver.track.heard_at(), Some(1_700_000_000_000));
        assert_eq!(driver.route.unwrap().silence, Silence::since(5));
    }

    #[test]
    fn the_state_is_the_same_after_json_with_and_without_a_position_and_a_route() {
        let mut on_the_way = driver(0.3);
        on_the_way.start_delivery(&job(), 5, Speed::DEFAULT);
        for whereabouts in [Whereabouts::default(), driver(0.3), on_the_way] {
            let json = serde_json::to_string(&whereabouts).unwrap();
            assert_eq!(
                serde_json::from_str::<Whereabouts>(&json).unwrap(),
                whereabouts,
                "{json}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_arrival_does_not_change_while_a_driver_keeps_to_plan(x in 0.0..1.0_f64, y in 0.0..1.0_f64) {
            let start = at(x, y);
            let mut driver = Whereabouts::default();
            driver.handle_report(&report(start, 0));
            driver.start_delivery(&job(), 0, Speed::DEFAULT);
            let mut place = start;
            let mut now = 0;
            for target in [job().restaurant_location, job().customer_location] {
                while place != target {
                    place = place.step_towards(target, 0.005);
                    now += 1_000;
                    prop_assert_eq!(driver.handle_report(&report(place, now)), Verdict::Newest);
                    prop_assert_eq!(driver.tell_customer(now), None);
                }
                if let Some(route) = &mut driver.route {
                    route.restaurant = None;
                }
            }
        }
    }
}
