//! What a client that watches an order has received, and what it gets next.

use domain::{OrderId, StatusEvent};

use super::view::{DriverPlace, View};
use crate::model;

/// News for a client.
#[derive(Debug)]
pub(crate) enum Update {
    /// The order's status and history.
    Snapshot(Box<model::OrderStatus>),
    /// A change.
    Status(Box<StatusEvent>),
    /// The driver's place.
    Driver(DriverPlace),
}

/// The view does not know enough of the order: Restate must be asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// Remembers what a client has received. It only reads the view, so followers are cheap.
#[derive(Debug)]
pub(crate) struct Follower {
    /// The version that was sent last; `None` before the first snapshot.
    version: Option<u64>,
    /// The number of the driver's place that was sent last.
    place: u64,
}

impl Follower {
    /// For a client that has received `version` on an earlier connection, or nothing yet.
    pub(crate) fn after(version: Option<u64>) -> Self {
        Self { version, place: 0 }
    }

    /// Forgets what was sent, so that a snapshot is next.
    pub(crate) fn start_over(&mut self) {
        *self = Self::after(None);
    }

    /// The news to send now. The driver's place is left for later unless `with_driver`.
    pub(crate) fn news(
        &mut self,
        view: &View,
        id: &OrderId,
        now: i64,
        with_driver: bool,
    ) -> Result<Vec<Update>, Unknown> {
        let Some(order) = view.order(id) else {
            // A client that knows that processing has not started is up to date.
            return if self.version == Some(0) {
                Ok(Vec::new())
            } else {
                Err(Unknown)
            };
        };
        let mut news: Vec<Update> = match self.version {
            Some(version) if version > order.version() => return Err(Unknown),
            Some(version) if version == order.version() => Vec::new(),
            version => match version.and_then(|version| order.after(id, version)) {
                Some(missed) => missed
                    .map(|event| Update::Status(Box::new(event)))
                    .collect(),
                None if order.is_whole() => {
                    vec![Update::Snapshot(Box::new(order.snapshot(id, now)))]
                }
                None => return Err(Unknown),
            },
        };
        self.version = Some(order.version());
        if with_driver
            && let Some(driver) = order.driver()
            && let Some(place) = view.place(driver)
            && place.number > self.place
        {
            self.place = place.number;
            news.push(Update::Driver(DriverPlace::new(driver.clone(), place)));
        }
        Ok(news)
    }

    /// Whether the driver has a place that was not sent.
    pub(crate) fn is_behind_driver(&self, view: &View, id: &OrderId) -> bool {
        (view.order(id).and_then(|order| order.driver()))
            .and_then(|driver| view.place(driver))
            .is_some_and(|place| place.number > self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::tests::event;
    use super::super::record::News;
    use super::super::view::Limits;
    use super::*;
    use domain::Status;
    use proptest::prelude::*;

    fn id() -> OrderId {
        "order-1".parse().unwrap()
    }

    fn view(versions: impl IntoIterator<Item = u64>) -> View {
        let mut view = View::new(Limits::default());
        for version in versions {
            view.apply(News::Status(event(version, Status::Created)), |_| {});
        }
        view
    }

    fn names(news: &[Update]) -> Vec<String> {
        (news.iter())
            .map(|told| match told {
                Update::Snapshot(snapshot) => format!("snapshot {}", snapshot.version),
                Update::Status(event) => format!("status {}", event.version),
                Update::Driver(place) => format!("driver {}", place.lon),
            })
            .collect()
    }

    fn updates(follower: &mut Follower, view: &View) -> Vec<String> {
        names(&follower.news(view, &id(), 0, true).unwrap())
    }

    #[test]
    fn a_snapshot_comes_first_then_each_change() {
        let mut view = view(1..=3);
        let mut follower = Follower::after(None);
        assert_eq!(updates(&mut follower, &view), ["snapshot 3"]);
        assert_eq!(updates(&mut follower, &view), Vec::<String>::new());
        for version in 4..=5 {
            view.apply(News::Status(event(version, Status::Scheduled)), |_| {});
        }
        assert_eq!(updates(&mut follower, &view), ["status 4", "status 5"]);
    }

    #[test]
    fn a_client_that_reconnects_gets_what_it_missed_and_a_snapshot_only_if_that_is_gone() {
        let view = view(1..=50);
        assert_eq!(
            updates(&mut Follower::after(Some(48)), &view),
            ["status 49", "status 50"]
        );
        assert_eq!(
            updates(&mut Follower::after(Some(50)), &view),
            Vec::<String>::new()
        );
        assert_eq!(
            updates(&mut Follower::after(Some(2)), &view),
            ["snapshot 50"]
        );
    }

    #[test]
    fn restate_is_asked_if_the_view_does_not_know_enough() {
        let news = |follower: &mut Follower, view: &View| {
            follower.news(view, &id(), 0, true).map(|news| names(&news))
        };
        let empty = view([]);
        assert_eq!(news(&mut Follower::after(None), &empty), Err(Unknown));
        assert_eq!(news(&mut Follower::after(Some(3)), &empty), Err(Unknown));
        // Accepted, but processing has not started.
        assert_eq!(news(&mut Follower::after(Some(0)), &empty), Ok(vec![]));
        // The beginning is missing, or this gateway is behind the one that the client was connected to before.
        assert_eq!(news(&mut Follower::after(None), &view([7])), Err(Unknown));
        assert_eq!(
            news(&mut Follower::after(Some(8)), &view([7])),
            Err(Unknown)
        );
        assert_eq!(
            news(&mut Follower::after(Some(6)), &view([7])),
            Ok(vec!["status 7".to_owned()])
        );
    }

    #[test]
    fn the_drivers_place_is_sent_once_and_the_latest_counts() {
        let mut view = view([1]);
        let mut assigned = event(2, Status::WaitingForDriver);
        assigned.driver_id = Some("d".parse().unwrap());
        let drive = |view: &mut View, step: i32| {
            let lon = f64::from(step) / 100.0 - 122.0;
            view.apply(News::report("d", lon, step.into()), |_| {});
        };
        drive(&mut view, 1);
        view.apply(News::Status(assigned), |_| {});
        let mut follower = Follower::after(Some(1));
        assert_eq!(
            updates(&mut follower, &view),
            ["status 2", "driver -121.99"]
        );
        assert!(!follower.is_behind_driver(&view, &id()));
        drive(&mut view, 2);
        drive(&mut view, 3);
        assert!(follower.news(&view, &id(), 0, false).unwrap().is_empty());
        assert!(follower.is_behind_driver(&view, &id()));
        assert_eq!(updates(&mut follower, &view), ["driver -121.97"]);
        let mut delivered = event(3, Status::Delivered);
        delivered.driver_id = Some("d".parse().unwrap());
        view.apply(News::Status(delivered), |_| {});
        drive(&mut view, 4);
        assert_eq!(updates(&mut follower, &view), ["status 3"]);
    }

    proptest! {
        /// However records are repeated, and however often and whenever the connection breaks, a client that remembers the last id
        /// gets every version once and in order, or a snapshot in place of those that it cannot get.
        #[test]
        fn no_change_is_lost_or_sent_twice(
            steps in proptest::collection::vec((0..4_u64, any::<bool>(), any::<bool>()), 0..120)
        ) {
            let mut view = view([1]);
            let mut newest = 1;
            let mut seen = 0;
            let mut follower = Follower::after(None);
            for (back, is_new, reconnects) in steps {
                newest += u64::from(is_new);
                let version = if is_new { newest } else { newest.saturating_sub(back).max(1) };
                view.apply(News::Status(event(version, Status::Created)), |_| {});
                if reconnects {
                    follower = Follower::after((seen > 0).then_some(seen));
                }
                if back == 0 {
                    continue;
                }
                for told in follower.news(&view, &id(), 0, true).unwrap() {
                    match told {
                        Update::Snapshot(snapshot) => {
                            prop_assert!(seen == 0 || snapshot.version > seen + 32);
                            seen = snapshot.version;
                        }
                        Update::Status(event) => {
                            prop_assert_eq!(event.version, seen + 1);
                            seen = event.version;
                        }
                        Update::Driver(_) => unreachable!(),
                    }
                }
                prop_assert_eq!(seen, newest);
            }
        }
    }
}
