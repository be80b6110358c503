//! What a reader of topic `order-status` makes of its records: one that ignores versions it has seen.

use std::collections::BTreeMap;

use domain::{OrderId, Status, StatusEvent};

use crate::facts::Told;

/// What was told of one order.
#[derive(Debug, Default)]
pub(crate) struct Story<'a> {
    /// Each version as it was told first.
    pub(crate) fresh: Vec<&'a StatusEvent>,
    /// What cannot be: gaps, and versions that were told in two ways.
    pub(crate) wrong: Vec<String>,
    partition: Option<i32>,
}

/// What was told of each order.
pub(crate) fn stories(statuses: &[Told]) -> BTreeMap<&OrderId, Story<'_>> {
    let mut stories = BTreeMap::<&OrderId, Story<'_>>::new();
    for told in statuses {
        stories
            .entry(&told.event.order_id)
            .or_default()
            .hear(told.partition, &told.event);
    }
    stories
}

impl<'a> Story<'a> {
    fn hear(&mut self, partition: i32, event: &'a StatusEvent) {
        if *self.partition.get_or_insert(partition) != partition {
            self.wrong
                .push("told in two partitions, so in no order".to_owned());
        }
        let StatusEvent {
            version, status, ..
        } = event;
        let last = self.fresh.last().map_or(0, |event| event.version);
        if *version > last {
            if *version > last + 1 {
                self.wrong
                    .push(format!("version {version} follows version {last}"));
            }
            self.fresh.push(event);
            return;
        }
        let before = self.fresh.iter().find(|event| event.version == *version);
        match before.map(|event| event.status) {
            Some(before) if before != *status => self.wrong.push(format!(
                "version {version} was told as {before} and as {status}"
            )),
            Some(_) => {}
            None => self
                .wrong
                .push(format!("version {version} came after version {last}")),
        }
    }

    /// How the order stands.
    pub(crate) fn status(&self) -> Status {
        self.fresh.last().map_or(Status::New, |event| event.status)
    }

    /// The ends the order came to, and each change that a status cannot make. A refusal before there was an order is no end: a
    /// corrected event may follow.
    pub(crate) fn course(&self) -> Course {
        let refused = self
            .fresh
            .iter()
            .take_while(|event| event.status == Status::Rejected)
            .count();
        let accepted_later = self
            .fresh
            .get(refused)
            .is_some_and(|event| event.status == Status::Created);
        let course = if accepted_later {
            &self.fresh[refused..]
        } else {
            &self.fresh[..]
        };
        let ends = course
            .iter()
            .filter(|event| event.status.is_terminal())
            .count();
        let mut last = Status::New;
        let mut back = Vec::new();
        for event in course {
            // A new arrival is a change too, and leaves the status as it is.
            let same = last == event.status && !last.is_terminal();
            if !same && !last.may_become(event.status) {
                back.push(format!(
                    "{last} became {} (version {})",
                    event.status, event.version
                ));
            }
            last = event.status;
        }
        Course { ends, back }
    }
}

/// The statuses of an order, judged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Course {
    /// How many of them were ends.
    pub(crate) ends: usize,
    /// Changes that may not be.
    pub(crate) back: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(version: u64, status: Status) -> Told {
        Told {
            partition: 0,
            event: StatusEvent {
                order_id: "o".parse().unwrap(),
                status,
                eta: None,
                version,
                at: 0,
                reason: None,
                driver_id: None,
                delayed: false,
            },
        }
    }

    fn one(records: &[(u64, Status)]) -> (Vec<String>, Course) {
        let told: Vec<Told> = records.iter().map(|&(v, s)| told(v, s)).collect();
        let stories = stories(&told);
        let story = stories.values().next().unwrap();
        (story.wrong.clone(), story.course())
    }

    use Status::{Cancelled, Created, InDelivery, Rejected, Scheduled, WaitingForDriver};

    #[test]
    fn a_version_told_twice_is_no_news_but_a_missing_or_contradicted_one_is_wrong() {
        let good = [(1, Created), (2, Scheduled), (2, Scheduled), (3, Cancelled)];
        let (wrong, course) = one(&good);
        assert_eq!((wrong.len(), course.ends, course.back.len()), (0, 1, 0));

        assert_eq!(one(&[(1, Created), (3, Cancelled)]).0.len(), 1);
        assert_eq!(one(&[(2, Created)]).0.len(), 1);
        let contradicted = one(&[(1, Created), (2, Scheduled), (2, Cancelled)]).0;
        assert!(contradicted[0].contains("SCHEDULED and as CANCELLED"));
    }

    #[test]
    fn a_status_that_goes_back_or_on_after_the_end_is_found() {
        let back = one(&[(1, Created), (2, InDelivery), (3, WaitingForDriver)]).1;
        assert_eq!(
            back.back,
            ["IN_DELIVERY became WAITING_FOR_DRIVER (version 3)"]
        );
        let twice = one(&[(1, Created), (2, Cancelled), (3, Cancelled)]).1;
        assert_eq!((twice.ends, twice.back.len()), (2, 1));
        let arrival = one(&[(1, Created), (2, WaitingForDriver), (3, WaitingForDriver)]).1;
        assert_eq!(arrival.back.len(), 0);
    }

    #[test]
    fn a_refusal_before_there_was_an_order_may_be_followed_by_the_order() {
        let course = one(&[(1, Rejected), (2, Created), (3, Cancelled)]).1;
        assert_eq!((course.ends, course.back.len()), (1, 0));
        assert_eq!(one(&[(1, Rejected)]).1.ends, 1);
        assert_eq!(
            one(&[(1, Created), (2, Rejected), (3, Created)])
                .1
                .back
                .len(),
            1
        );
    }
}
