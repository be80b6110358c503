//! The orders under way, and how long each stage took. Ended orders are only counted, so that memory does not grow.

use std::collections::{BTreeMap, HashMap};

use domain::{OrderId, Status, StatusEvent};

use crate::load::timeline::{PUBLISHED, Stage, Times};

/// An order that has not ended.
#[derive(Debug)]
struct Order {
    /// When it was published, in ms since the epoch.
    published: i64,
    /// Its last known status, and when it reached it.
    last: Option<(Status, i64)>,
}

/// Orders under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    orders: HashMap<OrderId, Order>,
    ends: BTreeMap<&'static str, u64>,
    /// Since the last call of [`UnderWay::recent`].
    recent: Stages,
    /// Since the warm-up.
    all: Stages,
}

/// How many orders are under way at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) under_way: usize,
    /// Those whose food is ready and that have no driver yet.
    pub(super) without_driver: usize,
}

impl UnderWay {
    pub(super) fn new() -> Self {
        Self {
            orders: HashMap::new(),
            ends: BTreeMap::new(),
            recent: Stages::new(),
            all: Stages::new(),
        }
    }

    /// Records that an order was published at `at` ms since the epoch.
    pub(super) fn published(&mut self, id: OrderId, at: i64) {
        self.orders.insert(
            id,
            Order {
                published: at,
                last: None,
            },
        );
    }

    /// Removes an order that Kafka did not accept.
    pub(super) fn refused(&mut self, id: &OrderId) {
        self.orders.remove(id);
    }

    /// Records a status.
    pub(super) fn record_status(&mut self, event: &StatusEvent) {
        let Some(order) = self.orders.get_mut(&event.order_id) else {
            return;
        };
        let since = match order.last {
            Some((status, _)) if status == event.status => return,
            Some((_, since)) => since,
            None => order.published,
        };
        let from = order.last.map(|(status, _)| status);
        for stages in [&mut self.recent, &mut self.all] {
            stages.record((from, event.status), event.at - since);
            if event.status == Status::Delivered {
                stages.whole.record(event.at - order.published);
            }
        }
        order.last = Some((event.status, event.at));
        if event.status.is_terminal() {
            self.orders.remove(&event.order_id);
            *self.ends.entry(event.status.name()).or_default() += 1;
        }
    }

    /// Ends the warm-up: discards the times recorded so far.
    pub(super) fn end_warm_up(&mut self) {
        self.all = Stages::new();
    }

    /// The times since the last call.
    pub(super) fn recent(&mut self) -> Vec<Stage> {
        std::mem::replace(&mut self.recent, Stages::new()).summarize()
    }

    /// The times since the warm-up.
    pub(super) fn all(&self) -> Vec<Stage> {
        self.all.summarize()
    }

    pub(super) fn waiting(&self) -> Waiting {
        let cooked = |order: &&Order| {
            order
                .last
                .is_some_and(|(status, _)| status == Status::SchedulingDelivery)
        };
        Waiting {
            under_way: self.orders.len(),
            without_driver: self.orders.values().filter(cooked).count(),
        }
    }

    /// How many orders ended in each terminal status.
    pub(super) fn ends(&self) -> &BTreeMap<&'static str, u64> {
        &self.ends
    }

    pub(super) fn ended(&self) -> u64 {
        self.ends.values().sum()
    }

    /// Up to five orders that have not ended, each with its last known status, as text.
    pub(super) fn unfinished_examples(&self) -> String {
        let mut unfinished_examples: Vec<String> = self
            .orders
            .iter()
            .map(|(id, order)| {
                let last = order.last.map_or(PUBLISHED, |(status, _)| status.name());
                format!("{id} ({last})")
            })
            .collect();
        unfinished_examples.sort_unstable();
        unfinished_examples.truncate(5);
        unfinished_examples.join(", ")
    }
}

/// The times of each stage.
#[derive(Debug)]
struct Stages {
    each: BTreeMap<(Option<Status>, Status), Times>,
    whole: Times,
}

impl Stages {
    fn new() -> Self {
        Self {
            each: BTreeMap::new(),
            whole: Times::new(),
        }
    }

    fn record(&mut self, stage: (Option<Status>, Status), ms: i64) {
        self.each.entry(stage).or_insert_with(Times::new).record(ms);
    }

    /// The stages in the sequence of the statuses, and finally the one from publication to delivery.
    fn summarize(&self) -> Vec<Stage> {
        let name = |status: Option<Status>| status.map_or(PUBLISHED, Status::name);
        self.each
            .iter()
            .map(|((from, to), times)| times.stage(name(*from), to.name()))
            .chain([self.whole.stage(PUBLISHED, Status::Delivered.name())])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::timeline::tests::event;

    #[test]
    fn ended_orders_are_counted_and_their_times_are_kept() {
        let mut orders = UnderWay::new();
        for id in ["a", "b", "c"] {
            orders.published(id.parse().unwrap(), 1000);
        }
        orders.record_status(&event("a", Status::Created, 1010));
        orders.record_status(&event("a", Status::Created, 1500));
        orders.record_status(&event("a", Status::Delivered, 1110));
        orders.record_status(&event("b", Status::SchedulingDelivery, 1200));
        orders.record_status(&event("stranger", Status::Delivered, 1200));
        orders.refused(&"c".parse().unwrap());

        assert_eq!(orders.ends(), &BTreeMap::from([("DELIVERED", 1)]));
        let waiting = orders.waiting();
        assert_eq!((waiting.under_way, waiting.without_driver), (1, 1));
        assert_eq!(orders.unfinished_examples(), "b (SCHEDULING_DELIVERY)");
        let stages = |summary: Vec<Stage>| -> Vec<_> {
            summary
                .into_iter()
                .map(|stage| (stage.from, stage.to, stage.orders, stage.max_ms))
                .collect()
        };
        let expected = [
            ("published", "CREATED", 1, 10),
            ("published", "SCHEDULING_DELIVERY", 1, 200),
            ("CREATED", "DELIVERED", 1, 100),
            ("published", "DELIVERED", 1, 110),
        ];
        assert_eq!(stages(orders.recent()), expected);
        assert_eq!(stages(orders.recent()), [("published", "DELIVERED", 0, 0)]);
        assert_eq!(stages(orders.all()), expected);
        orders.end_warm_up();
        assert_eq!(stages(orders.all()), [("published", "DELIVERED", 0, 0)]);
    }
}
