//! The rules of a driver's digital twin. No runtime needed.

use std::time::Duration;

use domain::driver::{Received, Silence, Track, Verdict};
use domain::geo::Speed;
use domain::{Location, OrderId, Region, RestaurantId};
use durable::Trace;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::LocationReport;
use crate::types::DeliveryJob;

/// How far the expected arrival must have moved before the customer is told of it.
const TELL_ETA_AFTER_MS: u64 = 2_000;
/// How long it takes at least from one word about the arrival to the next.
const TELL_ETA_EVERY_MS: u64 = 2_000;
/// How many times in the limit the twin looks whether the driver is silent. More looks find it sooner, and cost an invocation each.
const LOOKS: i64 = 2;
/// By what part of the limit a driver is given a second chance before being taken for silent: after an outage of our own the
/// driver's words are still on their way.
const SECOND_CHANCE: i64 = 4;

/// State key `driver-status`: what a driver is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DriverStatus {
    /// Not asking for work.
    #[default]
    Idle,
    /// Known to the matcher.
    WaitingForWork,
    /// Has a delivery.
    Delivering,
    /// Had a delivery and was not heard of for too long; available again with the next report.
    Offline,
}

/// State key `assigned-delivery`, and the answer of `getAssignedDelivery`: what a driver is to deliver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssignedDelivery {
    /// The delivery, by the id of its order.
    pub delivery_id: OrderId,
    /// The region it is in.
    pub region: Region,
    /// Where to fetch it.
    pub restaurant_id: RestaurantId,
    /// Where that is.
    pub restaurant_location: Location,
    /// Where to bring it.
    pub customer_location: Location,
    /// Whether the driver has it.
    pub picked_up: bool,
    /// The trace it belongs to, for what the driver's phone says about it.
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

/// State key `driver-location`: what the driver's phone has reported, and on which way the driver is.
///
/// The way repeats some of [`AssignedDelivery`], so that a report, by far the most frequent event of the system,
/// reads and writes one key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Whereabouts {
    #[serde(flatten)]
    pub(crate) track: Track,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) way: Option<Way>,
    /// Whether a look at the driver's silence is under way.
    #[serde(default, skip_serializing_if = "Watch::is_off")]
    pub(crate) watch: Watch,
    /// When that look is due, by the twin's clock, in ms since 1970. Other looks than this one are of no account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) look_at: Option<i64>,
    /// The region to work in again, for a driver who was taken for offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offline_in: Option<Region>,
}

/// Whether somebody will look whether the driver is silent. There is one look a driver at a time, whatever the deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Watch {
    /// Nobody will.
    #[default]
    Off,
    /// Somebody will.
    On,
    /// Somebody will, and has found the driver silent the last time.
    Suspicious,
}

impl Watch {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// What a look at a driver's silence finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The driver has no delivery: nobody needs to look any more.
    Idle,
    /// Look again after this many ms.
    Again(i64),
    /// The driver is silent and has not picked the delivery up: it is to be taken away.
    Lost,
    /// The driver is silent and has the food: the customer is to be told. Look again after this many ms.
    Delayed(i64),
}

/// The way of a driver who has a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Way {
    pub(crate) delivery_id: OrderId,
    /// Where the food is; nothing once the driver has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restaurant: Option<Location>,
    pub(crate) customer: Location,
    /// The expected arrival that the customer knows, in ms since the epoch.
    pub(crate) told_eta: i64,
    /// When the customer was told, in ms since the epoch.
    pub(crate) told_at: i64,
    /// For how long nothing has been heard from the driver.
    #[serde(flatten)]
    pub(crate) silence: Silence,
    /// The customer has been told that the driver is silent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) delay_told: bool,
}

impl Whereabouts {
    /// Takes a report in. The driver was heard from, whatever it is worth.
    pub(crate) fn hear(&mut self, report: &LocationReport) -> Verdict {
        if let Some(way) = &mut self.way {
            way.silence.end();
        }
        self.track.take(report.said.update(), report.received)
    }

    /// Looks at `now` whether the driver has been silent for `limit` ms.
    pub(crate) fn look(&mut self, now: i64, limit: i64) -> Look {
        let Some(way) = &mut self.way else {
            self.watch = Watch::Off;
            return Look::Idle;
        };
        let left = way.silence.left(now, limit);
        if left > 0 {
            self.watch = Watch::On;
            return Look::Again(left.min(limit / LOOKS).max(1));
        }
        if self.watch != Watch::Suspicious {
            self.watch = Watch::Suspicious;
            return Look::Again((limit / SECOND_CHANCE).max(1));
        }
        if way.restaurant.is_some() {
            self.watch = Watch::Off;
            return Look::Lost;
        }
        if way.delay_told {
            return Look::Again(limit);
        }
        way.delay_told = true;
        Look::Delayed(limit)
    }

    /// Whether somebody will look within `limit`, as far as one can tell at `now`: nobody will if the look was killed, and too late
    /// if the clock was set back since it was planned.
    pub(crate) fn is_watched(&self, now: i64, limit: i64) -> bool {
        let is_near = |at: i64| at.abs_diff(now) <= limit.unsigned_abs();
        self.watch != Watch::Off && self.look_at.is_some_and(is_near)
    }

    /// Sets out on a delivery at `now`. Answers the expected arrival.
    pub(crate) fn set_out(&mut self, job: &DeliveryJob, now: i64, speed: Speed) -> i64 {
        let mut way = Way {
            delivery_id: job.delivery_id.clone(),
            restaurant: Some(job.restaurant_location),
            customer: job.customer_location,
            told_eta: 0,
            told_at: now,
            silence: Silence::since(now),
            delay_told: false,
        };
        let from = self
            .track
            .newest()
            .map_or(job.restaurant_location, |newest| newest.location);
        way.told_eta = way.eta(from, now, speed);
        let eta = way.told_eta;
        self.way = Some(way);
        eta
    }

    /// The delivery's id and the expected arrival after a report that was `received`, if it has moved so far from what the
    /// customer knows that it is to be told. Nothing while the driver keeps to plan.
    pub(crate) fn eta_to_tell(
        &mut self,
        verdict: Verdict,
        received: Received,
        speed: Speed,
    ) -> Option<(OrderId, i64)> {
        let newest = self.track.newest()?;
        let way = self.way.as_mut()?;
        if verdict != Verdict::Newest && !way.delay_told {
            return None;
        }
        // Old positions may say that the driver should be there by now.
        let eta = way
            .eta(newest.location, newest.timestamp, speed)
            .max(received.at);
        let moved = eta.abs_diff(way.told_eta) > TELL_ETA_AFTER_MS;
        let due = received.at.abs_diff(way.told_at) >= TELL_ETA_EVERY_MS;
        // Who was told of a delay hears of the driver's first word.
        if !(moved && due || way.delay_told) {
            return None;
        }
        way.delay_told = false;
        way.told_eta = eta;
        way.told_at = received.at;
        Some((way.delivery_id.clone(), eta))
    }
}

impl Way {
    /// When a driver who is at `location` at `now` will be with the customer.
    fn eta(&self, location: Location, now: i64, speed: Speed) -> i64 {
        let way = match self.restaurant {
            Some(restaurant) => location.distance(restaurant) + restaurant.distance(self.customer),
            None => location.distance(self.customer),
        };
        now.saturating_add(millis(speed.time_for(way)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Said;
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

    /// A report of a phone whose clock is right.
    fn report(location: Location, at: i64) -> LocationReport {
        LocationReport {
            said: Said::Update(LocationUpdate::at(location, at)),
            received: Received { at, offset: at },
            partition: 0,
        }
    }

    impl Whereabouts {
        fn reports(&mut self, x: f64, now: i64) -> Verdict {
            self.hear(&report(at(x, 0.5), now))
        }

        /// What the customer is told after a report at `now`.
        fn tells(&mut self, now: i64) -> Option<(OrderId, i64)> {
            let received = report(at(0.5, 0.5), now).received;
            self.eta_to_tell(Verdict::Newest, received, Speed::DEFAULT)
        }
    }

    fn driver(x: f64) -> Whereabouts {
        let mut driver = Whereabouts::default();
        assert_eq!(driver.reports(x, 0), Verdict::Newest);
        driver
    }

    #[test]
    fn the_arrival_is_the_way_to_the_restaurant_and_on_to_the_customer() {
        let mut driver = driver(0.0);
        // 0.0675° and 0.0675° at 0.005° a second.
        assert_eq!(
            driver.set_out(&job(), 1_000, Speed::DEFAULT),
            1_000 + 13_500 + 13_500
        );
        let mut way = driver.way.unwrap();
        way.restaurant = None;
        assert_eq!(way.eta(at(0.5, 0.5), 20_000, Speed::DEFAULT), 33_500);
        assert_eq!(way.eta(at(1.0, 0.5), 40_000, Speed::DEFAULT), 40_000);
    }

    #[test]
    fn the_customer_hears_of_it_when_the_driver_is_late_but_not_all_the_time() {
        let mut driver = driver(0.0);
        driver.set_out(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.reports(0.0, 2_000), Verdict::Newest);
        assert_eq!(driver.tells(2_000), None);
        assert_eq!(driver.reports(0.0, 2_001), Verdict::Newest);
        let told = ("order-1".parse().unwrap(), 29_001);
        assert_eq!(driver.tells(2_001), Some(told));
        // Twelve steps in an instant: far ahead of plan, but the customer was told a moment ago.
        assert_eq!(driver.reports(0.4, 2_013), Verdict::Newest);
        assert_eq!(driver.tells(2_013), None);
    }

    #[test]
    fn the_customer_is_not_told_of_an_arrival_in_the_past() {
        let mut driver = driver(0.5);
        driver.set_out(&job(), 0, Speed::DEFAULT);
        // What the phone has kept: it was at the door an hour ago.
        let mut late = report(at(1.0, 0.5), 1_000);
        driver.way.as_mut().unwrap().restaurant = None;
        late.received = Received {
            at: 3_600_000,
            offset: 3_600_000,
        };
        assert_eq!(driver.hear(&late), Verdict::Newest);
        assert_eq!(
            driver.tells(3_600_000),
            Some(("order-1".parse().unwrap(), 3_600_000))
        );
    }

    #[test]
    fn a_driver_without_a_delivery_has_nothing_to_tell() {
        let mut driver = driver(0.0);
        assert_eq!(driver.reports(0.9, 60_000), Verdict::Newest);
        assert_eq!(driver.tells(60_000), None);
    }

    #[test]
    fn a_driver_who_reports_in_time_is_never_taken_for_silent() {
        let mut driver = driver(0.0);
        driver.set_out(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.look(40, 60), Look::Again(20));
        assert_eq!(driver.reports(0.1, 50), Verdict::Newest);
        // The driver was heard before the first look; the next one follows after half the limit.
        assert_eq!(driver.look(60, 60), Look::Again(30));
        assert_eq!(driver.look(100, 60), Look::Again(20));
        driver.way = None;
        assert_eq!(driver.look(1_000, 60), Look::Idle);
        assert_eq!(driver.watch, Watch::Off);
    }

    #[test]
    fn a_report_is_a_sign_of_life_whatever_it_is_worth() {
        let day_ago = |now| {
            let mut update = LocationUpdate::at(at(0.1, 0.5), now);
            update.timestamp = Some(now - 86_400_000);
            LocationReport {
                said: Said::Update(update),
                ..report(at(0.1, 0.5), now)
            }
        };
        let lost = |now| LocationReport {
            said: Said::Unusable {
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
        // By the broker's clock, or by that of a producer who is wrong too.
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
            driver.set_out(&job(), 0, Speed::DEFAULT);
            for now in (20..1_000).step_by(20) {
                assert_ne!(driver.hear(&unusable(now)), Verdict::Newest);
                let look = driver.look(now + 10, 60);
                assert_eq!(look, Look::Again(30), "{:?}", unusable(now));
                assert_eq!(driver.watch, Watch::On);
            }
        }
    }

    #[test]
    fn a_look_that_was_killed_or_planned_by_a_clock_that_was_set_back_is_no_watch() {
        let mut driver = driver(0.0);
        driver.set_out(&job(), 100, Speed::DEFAULT);
        assert_eq!(driver.look(100, 60), Look::Again(30));
        driver.look_at = Some(130);
        assert!(driver.is_watched(110, 60));
        assert!(!driver.is_watched(191, 60));
        assert!(!driver.is_watched(69, 60));
        driver.watch = Watch::Off;
        assert!(!driver.is_watched(110, 60));
    }

    #[test]
    fn a_silent_driver_gets_a_second_chance_and_then_loses_what_is_not_picked_up() {
        let mut driver = driver(0.0);
        driver.set_out(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.look(60, 60), Look::Again(15));
        let mut heard = driver.clone();
        assert_eq!(heard.reports(0.1, 70), Verdict::Newest);
        assert_eq!(heard.look(75, 60), Look::Again(30));
        assert_eq!(heard.watch, Watch::On);
        assert_eq!(driver.look(75, 60), Look::Lost);
        assert_eq!(driver.watch, Watch::Off);
    }

    #[test]
    fn a_silent_driver_with_the_food_is_told_of_once_and_again_after_the_next_word() {
        let mut driver = driver(0.0);
        driver.set_out(&job(), 0, Speed::DEFAULT);
        driver.way.as_mut().unwrap().restaurant = None;
        assert_eq!(driver.look(60, 60), Look::Again(15));
        assert_eq!(driver.look(75, 60), Look::Delayed(60));
        assert_eq!(driver.look(135, 60), Look::Again(60));
        // Whatever the report is worth.
        let stale = driver.reports(0.0, 0);
        let received = report(at(0.0, 0.5), 140).received;
        assert!(
            driver
                .eta_to_tell(stale, received, Speed::DEFAULT)
                .is_some()
        );
        assert_eq!(driver.tells(140), None);
        assert_eq!(driver.look(195, 60), Look::Again(30));
        assert_eq!(driver.look(255, 60), Look::Again(15));
        assert_eq!(driver.look(270, 60), Look::Delayed(60));
    }

    #[test]
    fn the_state_of_earlier_versions_is_read() {
        let earlier = r#"{"lon":-121.9,"lat":37.3,"timestamp":1700000000000,"watch":"ON","way":{"deliveryId":"order-1",
            "customer":{"lon":-121.8,"lat":37.3},"toldEta":7,"toldAt":6,"heardAt":5}}"#;
        let driver: Whereabouts = serde_json::from_str(earlier).unwrap();
        assert_eq!(driver.track.heard_at(), Some(1_700_000_000_000));
        assert_eq!(driver.way.unwrap().silence, Silence::since(5));
    }

    #[test]
    fn the_state_survives_json_with_and_without_a_place_and_a_way() {
        let mut on_the_way = driver(0.3);
        on_the_way.set_out(&job(), 5, Speed::DEFAULT);
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
        fn while_a_driver_keeps_to_plan_the_arrival_stands_still(x in 0.0..1.0_f64, y in 0.0..1.0_f64) {
            let start = at(x, y);
            let mut driver = Whereabouts::default();
            driver.hear(&report(start, 0));
            driver.set_out(&job(), 0, Speed::DEFAULT);
            let mut place = start;
            let mut now = 0;
            for target in [job().restaurant_location, job().customer_location] {
                while place != target {
                    place = place.step_towards(target, 0.005);
                    now += 1_000;
                    prop_assert_eq!(driver.hear(&report(place, now)), Verdict::Newest);
                    prop_assert_eq!(driver.tells(now), None);
                }
                if let Some(way) = &mut driver.way {
                    way.restaurant = None;
                }
            }
        }
    }
}
