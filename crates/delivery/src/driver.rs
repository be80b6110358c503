//! The rules of a driver's digital twin. No runtime needed.

use std::time::Duration;

use domain::geo::Speed;
use domain::{Location, OrderId, Region, RestaurantId};
use serde::{Deserialize, Serialize};

use crate::types::DeliveryJob;

/// How far the expected arrival must have moved before the customer is told of it.
const TELL_ETA_AFTER_MS: i64 = 2_000;
/// How long it takes at least from one word about the arrival to the next.
const TELL_ETA_EVERY_MS: i64 = 2_000;
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
    /// The expected arrival that the customer knows, in ms since the epoch.
    pub told_eta: i64,
    /// When the customer was told, in ms since the epoch.
    pub told_at: i64,
}

/// State key `driver-location`: where a driver was last seen.
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

impl AssignedDelivery {
    /// The job as a driver who is at `location` takes it at `now`.
    pub(crate) fn accept(
        job: DeliveryJob,
        location: Option<Location>,
        now: i64,
        speed: Speed,
    ) -> Self {
        let mut delivery = Self {
            delivery_id: job.delivery_id,
            region: job.region,
            restaurant_id: job.restaurant_id,
            restaurant_location: job.restaurant_location,
            customer_location: job.customer_location,
            picked_up: false,
            told_eta: 0,
            told_at: now,
        };
        delivery.told_eta = delivery.eta(location.unwrap_or(job.restaurant_location), now, speed);
        delivery
    }

    /// When a driver who is at `location` at `now` will be with the customer.
    pub(crate) fn eta(&self, location: Location, now: i64, speed: Speed) -> i64 {
        let way = if self.picked_up {
            location.distance(self.customer_location)
        } else {
            location.distance(self.restaurant_location)
                + self.restaurant_location.distance(self.customer_location)
        };
        now.saturating_add(millis(speed.time_for(way)))
    }

    /// What the customer is to be told when the driver is seen at `seen`: nothing while the driver keeps to plan.
    pub(crate) fn eta_to_tell(&self, seen: &Seen, speed: Speed) -> Option<i64> {
        let eta = self.eta(seen.location, seen.timestamp, speed);
        let moved = (eta - self.told_eta).abs() > TELL_ETA_AFTER_MS;
        let due = seen.timestamp - self.told_at >= TELL_ETA_EVERY_MS;
        (moved && due).then_some(eta)
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

    #[test]
    fn the_arrival_is_the_way_to_the_restaurant_and_on_to_the_customer() {
        let mut delivery =
            AssignedDelivery::accept(job(), Some(at(0.0, 0.5)), 1_000, Speed::DEFAULT);
        // 0.0675° and 0.0675° at 0.005° a second.
        assert_eq!(delivery.told_eta, 1_000 + 13_500 + 13_500);
        delivery.picked_up = true;
        assert_eq!(delivery.eta(at(0.5, 0.5), 20_000, Speed::DEFAULT), 33_500);
        assert_eq!(delivery.eta(at(1.0, 0.5), 40_000, Speed::DEFAULT), 40_000);
    }

    #[test]
    fn the_customer_hears_of_it_when_the_driver_is_late_but_not_all_the_time() {
        let delivery = AssignedDelivery::accept(job(), Some(at(0.0, 0.5)), 0, Speed::DEFAULT);
        let still_there = |timestamp| Seen {
            location: at(0.0, 0.5),
            timestamp,
        };
        assert_eq!(
            delivery.eta_to_tell(&still_there(2_000), Speed::DEFAULT),
            None
        );
        assert_eq!(
            delivery.eta_to_tell(&still_there(2_001), Speed::DEFAULT),
            Some(29_001)
        );
        // Twelve steps in an instant: far ahead of plan, but the customer was told a moment ago.
        let ahead = Seen {
            location: at(0.4, 0.5),
            timestamp: 12,
        };
        assert_eq!(delivery.eta_to_tell(&ahead, Speed::DEFAULT), None);
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
            let mut delivery = AssignedDelivery::accept(job(), Some(start), 0, Speed::DEFAULT);
            let mut place = start;
            let mut now = 0;
            for target in [delivery.restaurant_location, delivery.customer_location] {
                while place != target {
                    place = place.step_towards(target, 0.005);
                    now += 1_000;
                    let seen = Seen { location: place, timestamp: now };
                    prop_assert_eq!(delivery.eta_to_tell(&seen, Speed::DEFAULT), None);
                }
                delivery.picked_up = true;
            }
        }
    }
}
