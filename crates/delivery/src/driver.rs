//! The rules of a driver's digital twin. No runtime needed.

use std::time::Duration;

use domain::geo::Speed;
use domain::{Location, OrderId, Region, RestaurantId};
use durable::Trace;
use serde::{Deserialize, Serialize};

use crate::types::DeliveryJob;

/// How far the expected arrival must have moved before the customer is told of it.
const TELL_ETA_AFTER_MS: i64 = 2_000;
/// How long it takes at least from one word about the arrival to the next.
const TELL_ETA_EVERY_MS: i64 = 2_000;
/// By what part of the limit a driver is given a second chance before being taken for silent: after an outage of our own the
/// driver's words are still on their way.
const SECOND_CHANCE: i64 = 4;
/// How far a phone's clock may be ahead of the broker's before its time is not believed.
const CLOCK_AHEAD_MS: i64 = 60_000;

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
    /// Had a delivery and was not heard of for too long; available again with the next report of a place.
    Offline,
}

/// State key `assigned-delivery`, and the answer of `getAssignedDelivery`: what a driver is to deliver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// State key `driver-location`: where a driver was last seen, and on which way.
///
/// The way repeats some of [`AssignedDelivery`], so that a report of a place, by far the most frequent event of the system,
/// reads and writes one key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Whereabouts {
    #[serde(flatten)]
    pub(crate) seen: Option<Seen>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) way: Option<Way>,
    /// Whether a look at the driver's silence is under way.
    #[serde(default, skip_serializing_if = "Watch::is_off")]
    pub(crate) watch: Watch,
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
    /// When the driver was last heard of, or got the delivery, in ms since the epoch, by the clocks of our side.
    #[serde(default)]
    pub(crate) heard_at: i64,
    /// The customer has been told that the driver is silent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) delay_told: bool,
}

/// A place and when a driver was there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    #[serde(flatten)]
    pub(crate) location: Location,
    /// When, in ms since the epoch.
    pub(crate) timestamp: i64,
}

impl Seen {
    /// Whether this is news to someone who knows `last`. What is as old or older, or repeated, is not.
    pub(crate) fn is_newer_than(&self, last: Option<&Self>) -> bool {
        last.is_none_or(|last| self.timestamp > last.timestamp)
    }

    /// When a place was reported: the phone's time, unless there is none or it lies in the broker's future.
    pub(crate) fn time_of(phone: Option<i64>, record: i64) -> i64 {
        phone
            .filter(|phone| *phone <= record.saturating_add(CLOCK_AHEAD_MS))
            .unwrap_or(record)
    }
}

impl Whereabouts {
    /// Takes note of a place whose report reached us at `heard_at`, in ms since the epoch. Answers whether that is news; what is
    /// as old as the last one or older, or repeated, is not.
    pub(crate) fn note(&mut self, seen: Seen, heard_at: i64) -> bool {
        let news = seen.is_newer_than(self.seen.as_ref());
        if news {
            self.seen = Some(seen);
            if let Some(way) = &mut self.way {
                way.heard_at = way.heard_at.max(heard_at);
            }
            if self.watch == Watch::Suspicious {
                self.watch = Watch::On;
            }
        }
        news
    }

    /// Looks at `now` whether the driver has been silent for `limit` ms.
    pub(crate) fn look(&mut self, now: i64, limit: i64) -> Look {
        let Some(way) = &mut self.way else {
            self.watch = Watch::Off;
            return Look::Idle;
        };
        let left = way.heard_at.saturating_add(limit).saturating_sub(now);
        if left > 0 {
            self.watch = Watch::On;
            return Look::Again(left);
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

    /// Sets out on a delivery at `now`. Answers the expected arrival.
    pub(crate) fn set_out(&mut self, job: &DeliveryJob, now: i64, speed: Speed) -> i64 {
        let mut way = Way {
            delivery_id: job.delivery_id.clone(),
            restaurant: Some(job.restaurant_location),
            customer: job.customer_location,
            told_eta: 0,
            told_at: now,
            heard_at: now,
            delay_told: false,
        };
        let from = self
            .seen
            .map_or(job.restaurant_location, |seen| seen.location);
        way.told_eta = way.eta(from, now, speed);
        let eta = way.told_eta;
        self.way = Some(way);
        eta
    }

    /// The delivery's id and the expected arrival, if it has moved so far from what the customer knows that it is to be told.
    /// Nothing while the driver keeps to plan.
    pub(crate) fn eta_to_tell(&mut self, speed: Speed) -> Option<(OrderId, i64)> {
        let seen = self.seen?;
        let way = self.way.as_mut()?;
        let eta = way.eta(seen.location, seen.timestamp, speed);
        let moved = (eta - way.told_eta).abs() > TELL_ETA_AFTER_MS;
        let due = seen.timestamp - way.told_at >= TELL_ETA_EVERY_MS;
        // Who was told of a delay hears of the driver's first word.
        if !(moved && due || way.delay_told) {
            return None;
        }
        way.delay_told = false;
        way.told_eta = eta;
        way.told_at = seen.timestamp;
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

    fn seen_at(x: f64, timestamp: i64) -> Seen {
        Seen {
            location: at(x, 0.5),
            timestamp,
        }
    }

    fn driver(x: f64) -> Whereabouts {
        Whereabouts {
            seen: Some(seen_at(x, 0)),
            ..Whereabouts::default()
        }
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
        assert!(driver.note(seen_at(0.0, 2_000), 2_000));
        assert_eq!(driver.eta_to_tell(Speed::DEFAULT), None);
        assert!(driver.note(seen_at(0.0, 2_001), 2_001));
        let told = ("order-1".parse().unwrap(), 29_001);
        assert_eq!(driver.eta_to_tell(Speed::DEFAULT), Some(told));
        // Twelve steps in an instant: far ahead of plan, but the customer was told a moment ago.
        assert!(driver.note(seen_at(0.4, 2_013), 2_013));
        assert_eq!(driver.eta_to_tell(Speed::DEFAULT), None);
    }

    #[test]
    fn a_driver_without_a_delivery_has_nothing_to_tell() {
        let mut driver = driver(0.0);
        assert!(driver.note(seen_at(0.9, 60_000), 60_000));
        assert_eq!(driver.eta_to_tell(Speed::DEFAULT), None);
    }

    #[test]
    fn a_driver_who_reports_in_time_is_never_taken_for_silent() {
        let mut driver = driver(0.0);
        driver.set_out(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.look(40, 60), Look::Again(20));
        assert!(driver.note(seen_at(0.1, 50), 50));
        assert_eq!(driver.look(60, 60), Look::Again(50));
        // A repeated report is no sign of life, and an old one in a late record neither makes the driver silent.
        assert!(!driver.note(seen_at(0.1, 50), 90));
        assert_eq!(driver.look(100, 60), Look::Again(10));
        driver.way = None;
        assert_eq!(driver.look(1_000, 60), Look::Idle);
        assert_eq!(driver.watch, Watch::Off);
    }

    #[test]
    fn a_silent_driver_gets_a_second_chance_and_then_loses_what_is_not_picked_up() {
        let mut driver = driver(0.0);
        driver.set_out(&job(), 0, Speed::DEFAULT);
        assert_eq!(driver.look(60, 60), Look::Again(15));
        let mut heard = driver.clone();
        assert!(heard.note(seen_at(0.1, 70), 70));
        assert_eq!(heard.look(75, 60), Look::Again(55));
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
        assert!(driver.note(seen_at(0.1, 140), 140));
        assert!(driver.eta_to_tell(Speed::DEFAULT).is_some());
        assert_eq!(driver.eta_to_tell(Speed::DEFAULT), None);
        assert_eq!(driver.look(200, 60), Look::Again(15));
        assert_eq!(driver.look(215, 60), Look::Delayed(60));
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

    #[test]
    fn stale_and_repeated_places_are_no_news_and_a_clock_from_the_future_is_not_believed() {
        let seen = |timestamp| Seen {
            location: at(0.0, 0.0),
            timestamp,
        };
        assert!(seen(5).is_newer_than(None));
        assert!(seen(5).is_newer_than(Some(&seen(4))));
        assert!(!seen(5).is_newer_than(Some(&seen(5))));
        assert!(!seen(4).is_newer_than(Some(&seen(5))));
        assert_eq!(Seen::time_of(Some(7), 9), 7);
        assert_eq!(Seen::time_of(None, 9), 9);
        assert_eq!(Seen::time_of(Some(i64::MAX), 9), 9);
    }

    proptest! {
        #[test]
        fn while_a_driver_keeps_to_plan_the_arrival_stands_still(x in 0.0..1.0_f64, y in 0.0..1.0_f64) {
            let start = at(x, y);
            let mut driver = Whereabouts { seen: Some(Seen { location: start, timestamp: 0 }), ..Whereabouts::default() };
            driver.set_out(&job(), 0, Speed::DEFAULT);
            let mut place = start;
            let mut now = 0;
            for target in [job().restaurant_location, job().customer_location] {
                while place != target {
                    place = place.step_towards(target, 0.005);
                    now += 1_000;
                    let news = driver.note(Seen { location: place, timestamp: now }, now);
                    prop_assert!(news);
                    prop_assert_eq!(driver.eta_to_tell(Speed::DEFAULT), None);
                }
                if let Some(way) = &mut driver.way {
                    way.restaurant = None;
                }
            }
        }
    }
}
