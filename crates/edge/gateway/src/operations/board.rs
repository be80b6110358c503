//! The state of the system for operators, computed once a second for all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::{DriverId, OrderId, Region, Status, region};
use durable::clock::now_ms;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::events::record::DeadLetter;
use crate::events::view::View;
use crate::events::{Hub, StageTimes, Throughput};
use crate::model::Place;

/// How often operators get an update.
const EVERY: Duration = Duration::from_secs(1);
/// The most deliveries and stuck orders in an update.
const DELIVERIES: usize = 500;
const STUCK: usize = 100;
/// A driver who has been silent for this long, in ms, has gone home.
const QUIET_MS: i64 = 30 * 60 * 1000;
/// How many ticks an operator's connection may be behind before it is given a new snapshot.
const BEHIND: usize = 8;

/// The state of the system.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    now: i64,
    drivers: HashMap<Arc<DriverId>, Driver>,
    parts: Parts,
}

/// What is sent as a whole when it has changed.
#[derive(Debug, Clone, PartialEq, Default)]
struct Parts {
    orders: Orders,
    deliveries: Vec<Delivery>,
    stuck: Vec<Stuck>,
    dead_letters: Vec<Arc<DeadLetter>>,
    stages: Vec<StageTimes>,
    throughput: Vec<Throughput>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    #[serde(rename = "driverId")]
    id: DriverId,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
    #[serde(flatten)]
    place: Place,
    /// When the driver was last heard from, in ms since the epoch.
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<OrderId>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Orders {
    by_status: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    order_id: OrderId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_id: Option<DriverId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restaurant_location: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_location: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stuck {
    order_id: OrderId,
    status: Status,
    since: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegionOnTheMap {
    region: Region,
    centre: Place,
    half_extent: f64,
}

/// A frame as JSON: all of it, or the changes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FrameJson<'a> {
    now: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    regions: Option<[RegionOnTheMap; Region::ALL.len()]>,
    drivers: Vec<&'a Driver>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    drivers_gone: Vec<&'a DriverId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<&'a Orders>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deliveries: Option<&'a [Delivery]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stuck: Option<&'a [Stuck]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letters: Option<Vec<&'a DeadLetter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<&'a [StageTimes]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<&'a [Throughput]>,
}

/// How long an order may have a status before it counts as stuck, in ms; `wait` is how long the customer asked it to wait.
fn patience(status: Status, wait: Option<i64>) -> Option<i64> {
    const SECOND: i64 = 1000;
    match status {
        Status::Created => Some(30 * SECOND),
        // Without knowing how long the order should wait, nobody can say that it waits too long.
        Status::Scheduled => wait.map(|wait| wait.saturating_add(30 * SECOND)),
        Status::InPreparation | Status::SchedulingDelivery => Some(60 * SECOND),
        // A driver takes up to half a minute for the whole width of a region.
        Status::WaitingForDriver | Status::InDelivery => Some(120 * SECOND),
        _ => None,
    }
}

impl Frame {
    /// The state of the system at `now`.
    pub(crate) fn of(view: &View, now: i64) -> Self {
        let mut parts = Parts {
            dead_letters: view.dead_letters().cloned().collect(),
            stages: view.figures.stages(now),
            throughput: view.figures.throughput(now),
            ..Parts::default()
        };
        parts.dead_letters.sort_by_key(|letter| -letter.at);
        let by_status = &mut parts.orders.by_status;
        for (status, count) in &view.ends {
            by_status.insert(status.name(), *count);
        }
        for (id, order) in view.live() {
            let status = order.status();
            *by_status.entry(status.name()).or_default() += 1;
            let plan = view.plan(id);
            let since = order.since().unwrap_or(now);
            let patience = patience(status, plan.map(|plan| plan.wait_ms));
            if order.is_delayed() || patience.is_some_and(|patience| now - since > patience) {
                parts.stuck.push(Stuck {
                    order_id: OrderId::clone(id),
                    status,
                    since,
                });
            }
            let is_delivery = matches!(
                status,
                Status::SchedulingDelivery | Status::WaitingForDriver | Status::InDelivery
            );
            if is_delivery && parts.deliveries.len() < DELIVERIES {
                parts.deliveries.push(Delivery {
                    order_id: OrderId::clone(id),
                    status,
                    driver_id: order.driver().cloned(),
                    restaurant_location: plan.map(|plan| plan.restaurant.into()),
                    customer_location: plan.map(|plan| plan.customer.into()),
                });
            }
        }
        parts.stuck.sort_by_key(|stuck| stuck.since);
        parts.stuck.truncate(STUCK);
        let drivers = (view.drivers())
            .filter(|(_, place)| place.heard_at > now - QUIET_MS)
            .map(|(id, place)| {
                let driver = Driver {
                    id: DriverId::clone(id),
                    region: region_of(place.fix.location),
                    place: place.fix.location.into(),
                    // The clock of the record's writer may be ahead.
                    timestamp: place.heard_at.min(now),
                    delivery_id: view.carried_by(id).map(|id| OrderId::clone(id)),
                };
                (Arc::clone(id), driver)
            })
            .collect();
        Self {
            now,
            drivers,
            parts,
        }
    }

    /// All of it as JSON.
    fn whole(&self) -> String {
        let parts = &self.parts;
        write(&FrameJson {
            now: self.now,
            regions: Some(Region::ALL.map(|region| RegionOnTheMap {
                region,
                centre: region.centre().into(),
                half_extent: region::HALF_EXTENT,
            })),
            drivers: self.drivers.values().collect(),
            drivers_gone: Vec::new(),
            orders: Some(&parts.orders),
            deliveries: Some(&parts.deliveries),
            stuck: Some(&parts.stuck),
            dead_letters: Some(letters(&parts.dead_letters)),
            stages: Some(&parts.stages),
            throughput: Some(&parts.throughput),
        })
    }

    /// What has changed since the frame before, as JSON.
    fn changes(&self, before: &Self) -> String {
        let (new, old) = (&self.parts, &before.parts);
        write(&FrameJson {
            now: self.now,
            regions: None,
            drivers: (self.drivers.iter())
                .filter(|(id, driver)| before.drivers.get(*id) != Some(driver))
                .map(|(_, driver)| driver)
                .collect(),
            drivers_gone: (before.drivers.keys())
                .filter(|id| !self.drivers.contains_key(*id))
                .map(|id| &**id)
                .collect(),
            orders: changed(&new.orders, &old.orders),
            deliveries: changed(new.deliveries.as_slice(), &old.deliveries),
            stuck: changed(new.stuck.as_slice(), &old.stuck),
            dead_letters: changed(&new.dead_letters, &old.dead_letters).map(|all| letters(all)),
            stages: changed(new.stages.as_slice(), &old.stages),
            throughput: changed(new.throughput.as_slice(), &old.throughput),
        })
    }
}

fn changed<'a, T: PartialEq + ?Sized>(new: &'a T, old: &T) -> Option<&'a T> {
    (new != old).then_some(new)
}

fn letters(letters: &[Arc<DeadLetter>]) -> Vec<&DeadLetter> {
    letters.iter().map(|letter| &**letter).collect()
}

fn write(told: &FrameJson<'_>) -> String {
    // It contains only strings, numbers and lists, so writing it as JSON cannot fail.
    serde_json::to_string(told).unwrap_or_default()
}

/// The region in which a driver works: the nearest one that serves the driver's place.
fn region_of(place: domain::Location) -> Option<Region> {
    let distance = |region: &Region| region.centre().distance(place);
    (Region::ALL.into_iter())
        .filter(|region| region.serves(place))
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// Sends each second's changes to all operators.
pub(crate) struct Board {
    hub: Arc<Hub>,
    state: Mutex<State>,
}

struct State {
    /// The frame that the watchers have; `None` while nobody watches.
    last: Option<Frame>,
    ticks: broadcast::Sender<Arc<str>>,
}

impl Board {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self {
            hub,
            state: Mutex::new(State {
                last: None,
                ticks: broadcast::Sender::new(BEHIND),
            }),
        }
    }

    /// The state that those who watch already have, and the changes from then on.
    pub(crate) fn join(self: &Arc<Self>) -> (String, broadcast::Receiver<Arc<str>>) {
        let mut state = self.state.lock();
        let ticks = state.ticks.subscribe();
        if let Some(frame) = &state.last {
            return (frame.whole(), ticks);
        }
        // The first one to watch starts the clock.
        let frame = self.frame();
        let snapshot = frame.whole();
        state.last = Some(frame);
        tokio::spawn(Arc::clone(self).tick());
        (snapshot, ticks)
    }

    /// Sends the changes each second, until nobody watches any more.
    async fn tick(self: Arc<Self>) {
        let mut seconds = interval_at(Instant::now() + EVERY, EVERY);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            seconds.tick().await;
            let frame = self.frame();
            let mut state = self.state.lock();
            if state.ticks.receiver_count() == 0 {
                state.last = None;
                return;
            }
            if let Some(last) = &state.last {
                // A watcher who has just left gets nothing.
                let _ = state.ticks.send(frame.changes(last).into());
            }
            state.last = Some(frame);
        }
    }

    fn frame(&self) -> Frame {
        let now = now_ms();
        self.hub.read(|view| Frame::of(view, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::record::{News, Plan};
    use crate::events::view::Limits;
    use domain::{Location, StatusEvent};
    use serde_json::{Value, json};

    const NOW: i64 = 1_700_000_000_000;

    fn status(order: &str, version: u64, status: Status, at: i64) -> News {
        News::Status(StatusEvent {
            order_id: order.parse().unwrap(),
            status,
            eta: None,
            version,
            at,
            reason: None,
            driver_id: (status >= Status::WaitingForDriver).then(|| "d".parse().unwrap()),
            delayed: false,
        })
    }

    fn place(driver: &str, lon: f64, at: i64) -> News {
        News::report(driver, lon, at)
    }

    fn view(news: impl IntoIterator<Item = News>) -> View {
        let mut view = View::new(Limits::default());
        for news in news {
            view.apply(news, |_| {});
        }
        view
    }

    fn parse(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_snapshot_contains_everything() {
        let plan = Plan {
            restaurant: Location::new(-121.9, 37.3).unwrap(),
            customer: Location::new(-121.8, 37.4).unwrap(),
            wait_ms: 15_000,
        };
        let view = view([
            News::Plan("a".parse().unwrap(), plan),
            status("a", 1, Status::WaitingForDriver, NOW - 5_000),
            status("b", 1, Status::InDelivery, NOW - 9_000),
            status("b", 2, Status::Delivered, NOW - 1_500),
            place("d", -121.9, NOW - 100),
            place("gone", -121.9, NOW - QUIET_MS),
            place("far", -121.6, NOW),
            News::DeadLetter(DeadLetter::test(4)),
        ]);
        let mut told = parse(&Frame::of(&view, NOW).whole());
        let regions = told["regions"].take();
        assert_eq!(
            regions[0],
            json!({"region": "San Jose (CA)", "centre": {"lon": -121.8863, "lat": 37.3382}, "halfExtent": 0.0675})
        );
        let throughput = told["throughput"].take();
        assert_eq!(throughput[58], json!({"at": NOW - 2000, "perSecond": 1}));
        told["drivers"]
            .as_array_mut()
            .unwrap()
            .sort_by_key(|driver| driver["driverId"].to_string());
        assert_eq!(
            told,
            json!({
                "now": NOW,
                "regions": null,
                "drivers": [
                    {"driverId": "d", "region": "San Jose (CA)", "lon": -121.9, "lat": 37.3, "timestamp": NOW - 100, "deliveryId": "a"},
                    {"driverId": "far", "lon": -121.6, "lat": 37.3, "timestamp": NOW},
                ],
                "orders": {"byStatus": {"WAITING_FOR_DRIVER": 1, "DELIVERED": 1}},
                "deliveries": [{
                    "orderId": "a", "status": "WAITING_FOR_DRIVER", "driverId": "d",
                    "restaurantLocation": {"lon": -121.9, "lat": 37.3}, "customerLocation": {"lon": -121.8, "lat": 37.4},
                }],
                "stuck": [],
                "deadLetters": [{
                    "topic": "orders-dlq", "partition": 0, "offset": 4, "key": "order-1", "reason": "not JSON",
                    "value": "pizza", "truncated": false, "at": 7,
                }],
                "stages": [{"stage": "IN_DELIVERY", "p50Ms": 7500, "p95Ms": 7500}],
                "throughput": null,
            })
        );
    }

    #[test]
    fn a_tick_contains_only_what_has_changed() {
        let mut view = view([
            status("a", 1, Status::WaitingForDriver, NOW),
            place("d", -121.9, NOW),
            place("e", -121.9, NOW - QUIET_MS + 500),
        ]);
        let before = Frame::of(&view, NOW);
        view.apply(place("d", -121.8, NOW + 900), |_| {});
        let after = Frame::of(&view, NOW + 900);
        assert_eq!(
            parse(&after.changes(&before)),
            json!({
                "now": NOW + 900,
                "drivers": [{"driverId": "d", "region": "San Jose (CA)", "lon": -121.8, "lat": 37.3, "timestamp": NOW + 900, "deliveryId": "a"}],
                "driversGone": ["e"],
            })
        );
        let told = parse(&after.changes(&after));
        assert_eq!(told, json!({"now": NOW + 900, "drivers": []}));
    }

    #[test]
    fn an_order_is_stuck_if_it_stays_longer_than_it_should_and_than_its_customer_asked() {
        let plan = |wait_ms| Plan {
            restaurant: Location::new(0.0, 0.0).unwrap(),
            customer: Location::new(0.0, 0.0).unwrap(),
            wait_ms,
        };
        let view = view([
            News::Plan("waits".parse().unwrap(), plan(3_600_000)),
            News::Plan("late".parse().unwrap(), plan(5_000)),
            status("waits", 1, Status::Scheduled, NOW - 60_000),
            status("late", 1, Status::Scheduled, NOW - 60_000),
            status("nobody-knows", 1, Status::Scheduled, NOW - 60_000),
            status("cooks", 1, Status::InPreparation, NOW - 60_000),
            status("burnt", 1, Status::InPreparation, NOW - 60_001),
        ]);
        let stuck: Vec<_> = (Frame::of(&view, NOW).parts.stuck.into_iter())
            .map(|stuck| stuck.order_id.to_string())
            .collect();
        assert_eq!(stuck, ["burnt", "late"]);
    }

    #[test]
    fn an_order_whose_driver_is_silent_is_stuck_until_the_next_word() {
        let silent = |version, delayed| match status("silent", version, Status::InDelivery, NOW) {
            News::Status(event) => News::Status(StatusEvent { delayed, ..event }),
            other => other,
        };
        for (told, stuck) in [(vec![true], 1), (vec![true, false], 0)] {
            let news = told.into_iter().zip(1..);
            let view = view(news.map(|(delayed, version)| silent(version, delayed)));
            assert_eq!(Frame::of(&view, NOW).parts.stuck.len(), stuck);
        }
    }

    #[test]
    fn where_two_regions_serve_the_driver_works_in_the_nearer_one() {
        for region in Region::ALL {
            assert_eq!(region_of(region.centre()), Some(region));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn operators_who_come_later_get_what_the_others_have() {
        let hub = Arc::new(Hub::default());
        let board = Arc::new(Board::new(Arc::clone(&hub)));
        let (first, mut ticks) = board.join();
        assert_eq!(parse(&first)["drivers"], json!([]));
        hub.apply(place("d", -121.9, now_ms()));
        // Between two ticks: the state that the others have, so that the next tick fits for all.
        let (second, mut later) = board.join();
        assert_eq!(parse(&second)["drivers"], json!([]));
        for ticks in [&mut ticks, &mut later] {
            let tick = parse(&ticks.recv().await.unwrap());
            assert_eq!(tick["drivers"][0]["driverId"], "d");
        }
        // When the last watcher has left, the clock stops.
        drop((ticks, later));
        tokio::time::sleep(EVERY * 2).await;
        assert!(board.state.lock().last.is_none());
        let (again, _ticks) = board.join();
        assert_eq!(parse(&again)["drivers"][0]["driverId"], "d");
    }
}
