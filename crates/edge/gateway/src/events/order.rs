//! One order, as far as the stream of its changes shows it.

use std::collections::VecDeque;

use domain::{DriverId, OrderId, Status, StatusEvent};

use crate::model;

/// How many of an order's last changes are kept for clients that reconnect.
pub(crate) const KEPT: usize = 32;

/// What is known of an order.
#[derive(Debug, Clone)]
pub(crate) struct Tracked {
    latest: Change,
    /// Every status it has had, oldest first, as far as known.
    history: Vec<model::HistoryEntry>,
    /// From this version on, nothing is missing from the history.
    known_from: u64,
    /// Whether it is known when the present status began.
    is_since_known: bool,
    /// The last changes, with consecutive versions, the latest last. Empty if the order is known only from Restate.
    log: VecDeque<Change>,
}

/// A change without the order's id, which is the same for all changes of an order.
#[derive(Debug, Clone)]
struct Change {
    status: Status,
    eta: Option<i64>,
    version: u64,
    at: i64,
    reason: Option<Box<str>>,
    driver_id: Option<DriverId>,
    delayed: bool,
}

impl Change {
    fn of(event: StatusEvent) -> Self {
        Self {
            status: event.status,
            eta: event.eta,
            version: event.version,
            at: event.at,
            reason: event.reason.map(String::into_boxed_str),
            driver_id: event.driver_id,
            delayed: event.delayed,
        }
    }

    fn event(&self, order_id: &OrderId) -> StatusEvent {
        StatusEvent {
            order_id: order_id.clone(),
            status: self.status,
            eta: self.eta,
            version: self.version,
            at: self.at,
            reason: self.reason.as_deref().map(str::to_owned),
            driver_id: self.driver_id.clone(),
            delayed: self.delayed,
        }
    }

    fn entry(&self) -> model::HistoryEntry {
        model::HistoryEntry {
            status: self.status,
            at: self.at,
            version: self.version,
            reason: self.reason.as_deref().map(str::to_owned),
        }
    }
}

/// A status that has ended, and how long it lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) status: Status,
    pub(crate) lasted_ms: i64,
}

impl Tracked {
    /// An order whose first known event is this one.
    pub(crate) fn first(event: StatusEvent) -> Self {
        let change = Change::of(event);
        Self {
            history: vec![change.entry()],
            known_from: change.version,
            is_since_known: change.version == 1,
            log: VecDeque::from([change.clone()]),
            latest: change,
        }
    }

    /// An order as Restate knows it.
    pub(crate) fn learned(order: order_status::OrderStatus) -> Self {
        let latest = Change {
            status: order.status,
            eta: order.eta,
            version: order.version,
            at: order.history.last().map_or(0, |entry| entry.at),
            reason: order.reason.map(String::into_boxed_str),
            driver_id: order.driver_id,
            delayed: order.delayed,
        };
        Self {
            latest,
            is_since_known: !order.history.is_empty(),
            history: order.history.into_iter().map(Into::into).collect(),
            known_from: 1,
            log: VecDeque::new(),
        }
    }

    /// Applies a later change. `Err` if it is not later: seen before, or older than what is known.
    pub(crate) fn apply(&mut self, event: StatusEvent) -> Result<Option<Stage>, ()> {
        if event.version <= self.latest.version {
            return Err(());
        }
        let change = Change::of(event);
        let is_next = change.version == self.latest.version + 1;
        if !is_next {
            self.log.clear();
            self.known_from = change.version;
        }
        let mut stage = None;
        if change.status != self.latest.status {
            let since = self.since();
            if is_next && self.is_since_known {
                stage = since.map(|since| Stage {
                    status: self.latest.status,
                    lasted_ms: (change.at - since).max(0),
                });
            }
            self.is_since_known = is_next;
            self.history.push(change.entry());
        }
        if self.log.len() == KEPT {
            self.log.pop_front();
        }
        self.log.push_back(change.clone());
        self.latest = change;
        Ok(stage)
    }

    /// Applies Restate's answer about the order.
    pub(crate) fn learn(&mut self, status: order_status::OrderStatus) {
        let learned = Self::learned(status);
        if learned.latest.version > self.latest.version {
            *self = learned;
        } else if learned.latest.version + 1 >= self.known_from && !self.is_whole() {
            let mut history = learned.history;
            for entry in self.history.drain(..) {
                let is_another = |last: &model::HistoryEntry| last.status != entry.status;
                if entry.version > learned.latest.version && history.last().is_none_or(is_another) {
                    history.push(entry);
                }
            }
            self.history = history;
            self.known_from = 1;
        }
    }

    /// Whether every status that the order has had is known.
    pub(crate) fn is_whole(&self) -> bool {
        self.known_from <= 1
    }

    pub(crate) fn status(&self) -> Status {
        self.latest.status
    }

    /// Whether the order is delayed, according to `OrderStatusService`.
    pub(crate) fn is_delayed(&self) -> bool {
        self.latest.delayed
    }

    pub(crate) fn version(&self) -> u64 {
        self.latest.version
    }

    /// When the last change was made, in ms since the epoch.
    pub(crate) fn changed_at(&self) -> i64 {
        self.latest.at
    }

    /// When it got its status, if known.
    pub(crate) fn since(&self) -> Option<i64> {
        self.history.last().map(|entry| entry.at)
    }

    /// The driver who has the order, while it has not ended.
    pub(crate) fn driver(&self) -> Option<&DriverId> {
        let is_live = !self.latest.status.is_terminal();
        self.latest.driver_id.as_ref().filter(|_| is_live)
    }

    /// The changes after `version`, or `None` if some of them are no longer (or not yet) known.
    pub(crate) fn after(
        &self,
        id: &OrderId,
        version: u64,
    ) -> Option<impl Iterator<Item = StatusEvent>> {
        let missed = usize::try_from(self.latest.version.checked_sub(version)?).ok()?;
        let skip = self.log.len().checked_sub(missed)?;
        Some(self.log.iter().skip(skip).map(|change| change.event(id)))
    }

    /// All that is known of the order.
    pub(crate) fn snapshot(&self, id: &OrderId, now: i64) -> model::OrderStatus {
        model::OrderStatus {
            order_id: id.clone(),
            status: self.latest.status,
            eta: self.latest.eta,
            version: self.latest.version,
            reason: self.latest.reason.as_deref().map(str::to_owned),
            driver_id: self.latest.driver_id.clone(),
            delayed: self.latest.delayed,
            history: self.history.clone(),
            order: None,
            now,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The change of `order-1` with this version, made at that many seconds.
    pub(crate) fn event(version: u64, status: Status) -> StatusEvent {
        StatusEvent {
            order_id: "order-1".parse().unwrap(),
            status,
            eta: None,
            version,
            at: i64::try_from(version).unwrap() * 1000,
            reason: None,
            driver_id: None,
            delayed: false,
        }
    }

    fn versions_after(order: &Tracked, after: u64) -> Option<Vec<u64>> {
        let id = "order-1".parse().unwrap();
        Some(
            order
                .after(&id, after)?
                .map(|event| event.version)
                .collect(),
        )
    }

    fn restate(version: u64, statuses: &[(u64, Status)]) -> order_status::OrderStatus {
        order_status::OrderStatus {
            order_id: "order-1".parse().unwrap(),
            status: statuses.last().unwrap().1,
            eta: None,
            version,
            reason: None,
            driver_id: None,
            delayed: false,
            history: (statuses.iter())
                .map(|&(version, status)| order_status::HistoryEntry {
                    status,
                    at: i64::try_from(version).unwrap() * 1000,
                    version,
                    reason: None,
                })
                .collect(),
        }
    }

    fn statuses(order: &Tracked) -> Vec<Status> {
        order.history.iter().map(|entry| entry.status).collect()
    }

    #[test]
    fn a_client_that_reconnects_gets_the_changes_it_missed_if_they_are_kept() {
        let mut order = Tracked::first(event(1, Status::Created));
        for version in 2..=40 {
            order.apply(event(version, Status::Scheduled)).unwrap();
        }
        assert_eq!(versions_after(&order, 38), Some(vec![39, 40]));
        assert_eq!(versions_after(&order, 40), Some(vec![]));
        assert_eq!(versions_after(&order, 8), Some((9..=40).collect()));
        assert_eq!(versions_after(&order, 7), None);
        assert_eq!(versions_after(&order, 41), None, "from the future");
        assert_eq!(versions_after(&order, u64::MAX), None);
    }

    #[test]
    fn after_a_gap_no_client_gets_an_incomplete_list_of_changes() {
        let mut order = Tracked::first(event(1, Status::Created));
        assert!(order.is_whole());
        order.apply(event(4, Status::InPreparation)).unwrap();
        assert!(!order.is_whole());
        assert_eq!(versions_after(&order, 1), None);
        assert_eq!(versions_after(&order, 3), Some(vec![4]));
    }

    #[test]
    fn restates_answer_completes_the_history_and_keeps_later_changes() {
        use Status::{Created, InPreparation, Scheduled};
        let mut order = Tracked::first(event(5, InPreparation));
        order.learn(restate(4, &[(1, Created), (2, Scheduled)]));
        assert!(order.is_whole());
        assert_eq!(statuses(&order), [Created, Scheduled, InPreparation]);
        assert_eq!(order.version(), 5);

        // Restate knows this status, and when it began.
        let mut order = Tracked::first(event(5, InPreparation));
        order.learn(restate(
            5,
            &[(1, Created), (2, Scheduled), (3, InPreparation)],
        ));
        assert_eq!(statuses(&order), [Created, Scheduled, InPreparation]);
        assert_eq!(order.since(), Some(3000));

        // Restate is ahead: a client that waits for the changes in between gets a new snapshot.
        order.learn(restate(9, &[(1, Created), (9, Scheduled)]));
        assert_eq!((order.version(), versions_after(&order, 5)), (9, None));
        order.apply(event(10, InPreparation)).unwrap();
        assert_eq!(versions_after(&order, 9), Some(vec![10]));
        assert!(order.is_whole());
    }

    #[test]
    fn how_long_a_status_lasted_is_known_only_if_its_beginning_was_seen() {
        let mut order = Tracked::first(event(3, Status::Scheduled));
        assert_eq!(order.apply(event(4, Status::InPreparation)), Ok(None));
        assert_eq!(order.apply(event(5, Status::InPreparation)), Ok(None));
        assert_eq!(
            order.apply(event(6, Status::SchedulingDelivery)),
            Ok(Some(Stage {
                status: Status::InPreparation,
                lasted_ms: 2000
            }))
        );
        assert_eq!(order.apply(event(6, Status::InDelivery)), Err(()));
        assert_eq!(order.apply(event(9, Status::InDelivery)), Ok(None));
        assert_eq!(order.apply(event(10, Status::Delivered)), Ok(None));
    }
}
