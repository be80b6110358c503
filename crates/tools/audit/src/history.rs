//! The history of each order, as seen by a reader of topic `order-status` who ignores repeated versions.

use std::collections::BTreeMap;

use domain::{OrderId, Status, StatusEvent};

use crate::facts::StatusRecord;

/// The published history of one order.
#[derive(Debug, Default)]
pub(crate) struct History<'a> {
    /// The first record of each version.
    pub(crate) versions: Vec<&'a StatusEvent>,
    /// Violations: gaps, and versions that were published with two contents.
    pub(crate) violations: Vec<String>,
    partition: Option<i32>,
}

/// The published history of each order.
pub(crate) fn histories(statuses: &[StatusRecord]) -> BTreeMap<&OrderId, History<'_>> {
    let mut histories = BTreeMap::<&OrderId, History<'_>>::new();
    for record in statuses {
        histories
            .entry(&record.event.order_id)
            .or_default()
            .add(record.partition, &record.event);
    }
    histories
}

impl<'a> History<'a> {
    fn add(&mut self, partition: i32, event: &'a StatusEvent) {
        if *self.partition.get_or_insert(partition) != partition {
            self.violations.push(
                "published in two partitions, so the order of its records is undefined".to_owned(),
            );
        }
        let StatusEvent {
            version, status, ..
        } = event;
        let last = self.versions.last().map_or(0, |event| event.version);
        if *version > last {
            if *version > last + 1 {
                self.violations
                    .push(format!("version {version} follows version {last}"));
            }
            self.versions.push(event);
            return;
        }
        let before = self.versions.iter().find(|event| event.version == *version);
        match before.map(|event| event.status) {
            Some(before) if before != *status => self.violations.push(format!(
                "version {version} was published as {before} and as {status}"
            )),
            Some(_) => {}
            None => self
                .violations
                .push(format!("version {version} came after version {last}")),
        }
    }

    /// The latest status.
    pub(crate) fn status(&self) -> Status {
        self.versions
            .last()
            .map_or(Status::New, |event| event.status)
    }

    /// Counts the terminal statuses and finds the forbidden changes. A `REJECTED` before `CREATED` does not count as an end: an
    /// invalid event may be followed by a corrected one.
    pub(crate) fn transitions(&self) -> Transitions {
        let refused = self
            .versions
            .iter()
            .take_while(|event| event.status == Status::Rejected)
            .count();
        let accepted_later = self
            .versions
            .get(refused)
            .is_some_and(|event| event.status == Status::Created);
        let transitions = if accepted_later {
            &self.versions[refused..]
        } else {
            &self.versions[..]
        };
        let ends = transitions
            .iter()
            .filter(|event| event.status.is_terminal())
            .count();
        let mut last = Status::New;
        let mut forbidden = Vec::new();
        for event in transitions {
            // A new arrival time is a new version with the same status.
            let same = last == event.status && !last.is_terminal();
            if !same && !last.may_become(event.status) {
                forbidden.push(format!(
                    "{last} became {} (version {})",
                    event.status, event.version
                ));
            }
            last = event.status;
        }
        Transitions { ends, forbidden }
    }
}

/// The terminal statuses and forbidden changes in an order's sequence of statuses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Transitions {
    /// How many of the statuses were terminal.
    pub(crate) ends: usize,
    /// Forbidden changes.
    pub(crate) forbidden: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::record;

    fn one(records: &[(u64, Status)]) -> (Vec<String>, Transitions) {
        let records: Vec<StatusRecord> = records.iter().map(|&(v, s)| record("o", v, s)).collect();
        let histories = histories(&records);
        let history = histories.values().next().unwrap();
        (history.violations.clone(), history.transitions())
    }

    use Status::{Cancelled, Created, InDelivery, Rejected, Scheduled, WaitingForDriver};

    #[test]
    fn a_repeated_version_is_ignored_and_a_missing_or_contradictory_one_is_a_violation() {
        let good = [(1, Created), (2, Scheduled), (2, Scheduled), (3, Cancelled)];
        let (violations, transitions) = one(&good);
        assert_eq!(
            (
                violations.len(),
                transitions.ends,
                transitions.forbidden.len()
            ),
            (0, 1, 0)
        );

        assert_eq!(one(&[(1, Created), (3, Cancelled)]).0.len(), 1);
        assert_eq!(one(&[(2, Created)]).0.len(), 1);
        let contradicted = one(&[(1, Created), (2, Scheduled), (2, Cancelled)]).0;
        assert!(contradicted[0].contains("SCHEDULED and as CANCELLED"));
    }

    #[test]
    fn a_status_that_goes_back_or_on_after_the_end_is_found() {
        let forbidden = one(&[(1, Created), (2, InDelivery), (3, WaitingForDriver)]).1;
        assert_eq!(
            forbidden.forbidden,
            ["IN_DELIVERY became WAITING_FOR_DRIVER (version 3)"]
        );
        let twice = one(&[(1, Created), (2, Cancelled), (3, Cancelled)]).1;
        assert_eq!((twice.ends, twice.forbidden.len()), (2, 1));
        let arrival = one(&[(1, Created), (2, WaitingForDriver), (3, WaitingForDriver)]).1;
        assert_eq!(arrival.forbidden.len(), 0);
    }

    #[test]
    fn a_corrected_event_may_follow_a_rejected_one() {
        let transitions = one(&[(1, Rejected), (2, Created), (3, Cancelled)]).1;
        assert_eq!((transitions.ends, transitions.forbidden.len()), (1, 0));
        assert_eq!(one(&[(1, Rejected)]).1.ends, 1);
        assert_eq!(
            one(&[(1, Created), (2, Rejected), (3, Created)])
                .1
                .forbidden
                .len(),
            1
        );
    }
}
