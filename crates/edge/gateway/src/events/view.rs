//! What the gateway knows of orders and drivers: a pure function of the records it has read.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use domain::driver::{Fix, Track, Verdict};
use domain::{DriverId, OrderId, Status, StatusEvent};
use serde::Serialize;

use super::bounded::Bounded;
use super::figures::Figures;
use super::order::Tracked;
use super::record::{DeadLetter, News, Plan};

/// How much is remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Open orders.
    pub(crate) live: usize,
    /// Ended orders.
    pub(crate) ended: usize,
    pub(crate) drivers: usize,
    pub(crate) dead_letters: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            live: 20_000,
            ended: 10_000,
            drivers: 10_000,
            dead_letters: 50,
        }
    }
}

/// What is known of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Driver {
    /// Evaluates reports by the same rule as the driver's twin.
    track: Track,
    /// Grows with each new place of any driver, so that a reader can tell whether this one is new.
    number: u64,
}

/// Where a driver is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) fix: Fix,
    /// When the driver was last heard from, in ms since the epoch. That report may have had no new place.
    pub(crate) heard_at: i64,
    /// The number of this place, as in [`Driver`].
    pub(crate) number: u64,
}

impl Driver {
    fn place(&self) -> Option<Place> {
        let fix = self.track.newest()?;
        Some(Place {
            fix,
            heard_at: self.track.heard_at().unwrap_or(fix.timestamp),
            number: self.number,
        })
    }
}

/// A driver's place, as clients get it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriverPlace {
    pub(crate) driver_id: DriverId,
    pub(crate) lon: f64,
    pub(crate) lat: f64,
    pub(crate) timestamp: i64,
}

impl DriverPlace {
    pub(crate) fn new(driver_id: DriverId, place: Place) -> Self {
        Self {
            driver_id,
            lon: place.fix.location.lon(),
            lat: place.fix.location.lat(),
            timestamp: place.fix.timestamp,
        }
    }
}

/// The newest orders, the drivers' last places, the newest dead letters.
pub(crate) struct View {
    limits: Limits,
    live: Bounded<OrderId, Tracked>,
    ended: Bounded<OrderId, Tracked>,
    /// Orders that have ended since the gateway began to read, by final status.
    pub(crate) ends: BTreeMap<Status, u64>,
    plans: Bounded<OrderId, Plan>,
    drivers: Bounded<DriverId, Driver>,
    updates: u64,
    /// The orders of a driver, the latest last. More than one only until the end of the earlier one arrives.
    carrying: HashMap<DriverId, Vec<Arc<OrderId>>>,
    dead_letters: VecDeque<Arc<DeadLetter>>,
    pub(crate) figures: Figures,
}

impl View {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            live: Bounded::new(limits.live),
            ended: Bounded::new(limits.ended),
            ends: BTreeMap::new(),
            plans: Bounded::new(limits.live + limits.ended),
            drivers: Bounded::new(limits.drivers),
            updates: 0,
            carrying: HashMap::new(),
            dead_letters: VecDeque::new(),
            figures: Figures::default(),
        }
    }

    /// Applies a record; calls `touch` with each order that has news.
    pub(crate) fn apply(&mut self, news: News, mut touch: impl FnMut(&OrderId)) {
        match news {
            News::Status(event) => {
                if let Some(id) = self.status(event) {
                    touch(&id);
                }
            }
            News::Report(driver_id, update, received) => {
                let mut driver = self.drivers.get(&driver_id).copied().unwrap_or_default();
                if driver.track.take(update, received) == Verdict::Newest {
                    self.updates += 1;
                    driver.number = self.updates;
                    for id in self.carrying.get(&driver_id).into_iter().flatten() {
                        touch(id);
                    }
                }
                self.drivers.put(Arc::new(driver_id), driver);
            }
            News::Plan(id, plan) => {
                // Of several orders with the same id, only the first counts.
                if self.plans.get(&id).is_none() {
                    self.plans.put(Arc::new(id), plan);
                }
            }
            News::DeadLetter(letter) => {
                if self.dead_letters.iter().any(|known| known.is(&letter)) {
                    return;
                }
                if self.dead_letters.len() == self.limits.dead_letters {
                    self.dead_letters.pop_front();
                }
                self.dead_letters.push_back(Arc::new(letter));
            }
        }
    }

    /// Applies Restate's answer about an order.
    pub(crate) fn learn(&mut self, status: order_status::OrderStatus) {
        let id = Arc::new(status.order_id.clone());
        let order = match self.take(&id) {
            Some(mut order) => {
                order.learn(status);
                order
            }
            None => Tracked::learned(status),
        };
        self.keep(id, order);
    }

    pub(crate) fn order(&self, id: &OrderId) -> Option<&Tracked> {
        self.live.get(id).or_else(|| self.ended.get(id))
    }

    pub(crate) fn place(&self, driver: &DriverId) -> Option<Place> {
        self.drivers.get(driver)?.place()
    }

    /// The open orders, the latest change first.
    pub(crate) fn live(&self) -> impl Iterator<Item = (&Arc<OrderId>, &Tracked)> {
        self.live.newest_first()
    }

    pub(crate) fn plan(&self, id: &OrderId) -> Option<&Plan> {
        self.plans.get(id)
    }

    /// The drivers with their places, the latest report first.
    pub(crate) fn drivers(&self) -> impl Iterator<Item = (&Arc<DriverId>, Place)> {
        let drivers = self.drivers.newest_first();
        drivers.filter_map(|(id, driver)| Some((id, driver.place()?)))
    }

    /// The order that a driver has.
    pub(crate) fn carried_by(&self, driver: &DriverId) -> Option<&Arc<OrderId>> {
        self.carrying.get(driver)?.last()
    }

    /// The newest events that could not be used, oldest first.
    pub(crate) fn dead_letters(&self) -> impl Iterator<Item = &Arc<DeadLetter>> {
        self.dead_letters.iter()
    }

    /// Applies a change; returns the order if anything changed.
    fn status(&mut self, event: StatusEvent) -> Option<Arc<OrderId>> {
        if (self.order(&event.order_id)).is_some_and(|known| event.version <= known.version()) {
            return None;
        }
        let id = Arc::new(event.order_id.clone());
        let (status, at) = (event.status, event.at);
        let (before, order) = match self.take(&id) {
            Some(mut order) => {
                let before = order.status();
                if let Ok(Some(stage)) = order.apply(event) {
                    self.figures.ended(stage, at);
                }
                (Some(before), order)
            }
            None => (None, Tracked::first(event)),
        };
        if before != Some(status) {
            if let Some(count) = before.and_then(|before| self.ends.get_mut(&before)) {
                // A rejected order that was corrected and sent again.
                *count = count.saturating_sub(1);
            }
            if status.is_terminal() {
                *self.ends.entry(status).or_default() += 1;
            }
            if status == Status::Delivered {
                self.figures.delivered(at);
            }
        }
        self.keep(Arc::clone(&id), order);
        Some(id)
    }

    /// Removes an order.
    fn take(&mut self, id: &OrderId) -> Option<Tracked> {
        let order = self.live.remove(id).or_else(|| self.ended.remove(id))?;
        self.put_down(id, &order);
        Some(order)
    }

    /// Adds an order as the one that changed last.
    fn keep(&mut self, id: Arc<OrderId>, order: Tracked) {
        if let Some(driver) = order.driver() {
            let carried = self.carrying.entry(driver.clone()).or_default();
            carried.push(Arc::clone(&id));
        }
        let orders = if order.status().is_terminal() {
            &mut self.ended
        } else {
            &mut self.live
        };
        if let Some((id, forgotten)) = orders.put(id, order) {
            self.put_down(&id, &forgotten);
        }
    }

    fn put_down(&mut self, id: &OrderId, order: &Tracked) {
        let Some(driver) = order.driver() else { return };
        if let Some(carried) = self.carrying.get_mut(driver) {
            carried.retain(|carried| **carried != *id);
            if carried.is_empty() {
                self.carrying.remove(driver);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::tests::event;
    use super::*;
    use domain::Region;
    use domain::driver::{LocationUpdate, Received};
    use proptest::prelude::*;

    const NOW: i64 = 1_700_000_000_000;
    const SMALL: Limits = Limits {
        live: 3,
        ended: 2,
        drivers: 2,
        dead_letters: 2,
    };

    fn of(order: &str, version: u64, status: Status, driver: Option<&str>) -> News {
        News::Status(StatusEvent {
            order_id: order.parse().unwrap(),
            driver_id: driver.map(|id| id.parse().unwrap()),
            ..event(version, status)
        })
    }

    fn at(driver: &str, moment: i64) -> News {
        reported(driver, moment, moment)
    }

    /// A report of a driver who has moved a little with each moment, by the phone's clock.
    fn reported(driver: &str, moment: i64, phone: i64) -> News {
        let x = f64::from(i32::try_from(moment).unwrap()) / 100.0;
        let received = Received {
            at: NOW + moment,
            offset: moment,
        };
        let update = LocationUpdate::at(Region::SanJose.at(x, 0.5), NOW + phone);
        News::Report(driver.parse().unwrap(), Some(update), received)
    }

    fn apply(view: &mut View, news: News) -> Vec<String> {
        let mut touched = Vec::new();
        view.apply(news, |id| touched.push(id.to_string()));
        touched
    }

    fn live(view: &View) -> Vec<String> {
        view.live().map(|(id, _)| id.to_string()).collect()
    }

    #[test]
    fn a_change_seen_twice_is_reported_once() {
        let mut view = View::new(SMALL);
        let news = || of("a", 1, Status::Created, None);
        assert_eq!(apply(&mut view, news()), ["a"]);
        assert_eq!(apply(&mut view, news()), Vec::<String>::new());
    }

    #[test]
    fn a_drivers_place_concerns_the_order_in_hand_until_it_ends() {
        let mut view = View::new(SMALL);
        apply(&mut view, of("a", 1, Status::WaitingForDriver, Some("d")));
        assert_eq!(apply(&mut view, at("d", 1)), ["a"]);
        assert_eq!(apply(&mut view, at("other", 1)), Vec::<String>::new());
        // The next order may be known before the end of the first, which comes on another partition.
        apply(&mut view, of("b", 1, Status::WaitingForDriver, Some("d")));
        assert_eq!(apply(&mut view, at("d", 2)), ["a", "b"]);
        apply(&mut view, of("a", 2, Status::Delivered, Some("d")));
        assert_eq!(apply(&mut view, at("d", 3)), ["b"]);
        assert_eq!(
            view.carried_by(&"d".parse().unwrap()).unwrap().as_str(),
            "b"
        );
        // Another driver takes over.
        apply(
            &mut view,
            of("b", 2, Status::WaitingForDriver, Some("other")),
        );
        assert_eq!(apply(&mut view, at("d", 4)), Vec::<String>::new());
        assert_eq!(apply(&mut view, at("other", 4)), ["b"]);
    }

    #[test]
    fn positions_that_the_twin_refuses_are_not_shown_and_block_none_that_follow() {
        const DAY: i64 = 86_400_000;
        let mut view = View::new(SMALL);
        apply(&mut view, of("a", 1, Status::WaitingForDriver, Some("d")));
        let driver = "d".parse().unwrap();
        let place = |view: &View| view.place(&driver).unwrap();
        assert_eq!(apply(&mut view, at("d", 1)), ["a"]);
        let nowhere = News::Report(
            driver.clone(),
            Some(LocationUpdate::at(
                domain::Location::new(0.0, 0.0).unwrap(),
                NOW + 7,
            )),
            Received {
                at: NOW + 7,
                offset: 7,
            },
        );
        let lost = News::Report(
            driver.clone(),
            None,
            Received {
                at: NOW + 8,
                offset: 8,
            },
        );
        let told = place(&view);
        for refused in [
            reported("d", 2, 1),
            reported("d", 3, -DAY),
            reported("d", 4, DAY),
            reported("d", 5, i64::MAX - NOW),
            reported("d", 6, -3_600_000),
            nowhere,
            lost,
        ] {
            assert_eq!(apply(&mut view, refused), Vec::<String>::new());
            assert_eq!(
                (place(&view).fix, place(&view).number),
                (told.fix, told.number)
            );
        }
        // The driver was heard from nevertheless.
        assert_eq!(place(&view).heard_at, NOW + 8);
        assert_eq!(apply(&mut view, at("d", 9)), ["a"]);
        assert_eq!(place(&view).fix.timestamp, NOW + 9);
    }

    #[test]
    fn a_driver_without_a_valid_position_is_not_on_the_map() {
        let mut view = View::new(SMALL);
        apply(&mut view, reported("d", 1, 86_400_000));
        assert_eq!(view.drivers().count(), 0);
        assert!(view.place(&"d".parse().unwrap()).is_none());
    }

    #[test]
    fn ended_orders_make_room_for_ended_ones_and_live_for_live() {
        let mut view = View::new(SMALL);
        for order in ["a", "b", "c"] {
            apply(&mut view, of(order, 1, Status::Created, None));
        }
        for order in ["x", "y", "z"] {
            apply(&mut view, of(order, 1, Status::Rejected, None));
        }
        assert_eq!(live(&view), ["c", "b", "a"]);
        assert!(view.order(&"x".parse().unwrap()).is_none());
        assert!(view.order(&"y".parse().unwrap()).is_some());
        apply(&mut view, of("a", 2, Status::Scheduled, Some("d")));
        apply(&mut view, of("d", 1, Status::Created, None));
        assert_eq!(live(&view), ["d", "a", "c"]);
        // A forgotten order has no driver.
        for order in ["e", "f", "g"] {
            apply(&mut view, of(order, 1, Status::Created, None));
        }
        assert!(view.carrying.is_empty());
    }

    #[test]
    fn a_rejected_order_that_is_corrected_lives_again() {
        let mut view = View::new(SMALL);
        apply(&mut view, of("a", 1, Status::Rejected, None));
        assert_eq!(view.ends[&Status::Rejected], 1);
        apply(&mut view, of("a", 2, Status::Created, None));
        assert_eq!(view.ends[&Status::Rejected], 0);
        assert_eq!(live(&view), ["a"]);
    }

    #[test]
    fn only_the_newest_drivers_and_dead_letters_are_remembered() {
        let mut view = View::new(SMALL);
        for (driver, moment) in [("a", 1), ("b", 1), ("a", 2), ("c", 1)] {
            apply(&mut view, at(driver, moment));
        }
        let drivers: Vec<_> = view.drivers().map(|(id, _)| id.to_string()).collect();
        assert_eq!(drivers, ["c", "a"]);
        for offset in [1, 2, 2, 3] {
            apply(&mut view, News::DeadLetter(DeadLetter::test(offset)));
        }
        let offsets: Vec<_> = view.dead_letters().map(|letter| letter.offset).collect();
        assert_eq!(offsets, [2, 3]);
    }

    proptest! {
        /// In whatever order and however often records arrive, the memory is bounded, the latest version counts, and the index from
        /// drivers to orders agrees with the orders.
        #[test]
        fn the_view_is_consistent_and_bounded(
            records in proptest::collection::vec((0..8_usize, 1..12_u64, 0..Status::ALL.len(), 0..4_usize), 0..120)
        ) {
            let mut view = View::new(SMALL);
            for (order, version, status, driver) in records {
                let driver = ["p", "q", "r"].get(driver).copied();
                let order = ["a", "b", "c", "d", "e", "f", "g", "h"][order];
                let id: OrderId = order.parse().unwrap();
                let before = view.order(&id).map(Tracked::version);
                let touched = apply(&mut view, of(order, version, Status::ALL[status], driver));
                prop_assert_eq!(touched.len() == 1, before.is_none_or(|before| version > before));
                prop_assert!(view.order(&id).is_some_and(|order| order.version() >= version));
                prop_assert!(view.live().count() <= SMALL.live);
                prop_assert!(view.ended.newest_first().count() <= SMALL.ended);
                let mut carried: Vec<_> = view.live()
                    .filter_map(|(id, order)| Some((order.driver()?.to_string(), id.to_string())))
                    .collect();
                let mut index: Vec<_> = (view.carrying.iter())
                    .flat_map(|(driver, ids)| ids.iter().map(|id| (driver.to_string(), id.to_string())))
                    .collect();
                carried.sort();
                index.sort();
                prop_assert_eq!(carried, index);
            }
        }
    }
}
