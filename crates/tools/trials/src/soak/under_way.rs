//! The orders under way, and the times of those that got on. What has ended leaves only a count: memory does not grow with it.

use std::collections::{BTreeMap, HashMap};

use domain::{OrderId, Status, StatusEvent};

use crate::load::timeline::{PUBLISHED, Stage, Times};

/// An order that has not ended.
#[derive(Debug)]
struct Order {
    /// When it was published, in ms since the epoch.
    published: i64,
    /// The status it was last seen in, and since when.
    last: Option<(Status, i64)>,
}

/// Orders under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    orders: HashMap<OrderId, Order>,
    ends: BTreeMap<&'static str, u64>,
    /// Since the last look.
    recent: Stages,
    /// Since the warm-up.
    all: Stages,
}

/// How the orders are at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) under_way: usize,
    /// Those that are cooked and have no driver yet.
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

    /// Notes that an order is published at `at` ms since the epoch.
    pub(super) fn published(&mut self, id: OrderId, at: i64) {
        self.orders.insert(
            id,
            Order {
                published: at,
                last: None,
            },
        );
    }

    /// Notes that Kafka has not taken an order.
    pub(super) fn refused(&mut self, id: &OrderId) {
        self.orders.remove(id);
    }

    /// Notes a status.
    pub(super) fn saw(&mut self, event: &StatusEvent) {
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

    /// Forgets the times so far: what follows is measured.
    pub(super) fn warmed_up(&mut self) {
        self.all = Stages::new();
    }

    /// The times since the last call.
    pub(super) fn recent(&mut self) -> Vec<Stage> {
        std::mem::replace(&mut self.recent, Stages::new()).told()
    }

    /// The times since the warm-up.
    pub(super) fn all(&self) -> Vec<Stage> {
        self.all.told()
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

    /// How many orders ended how.
    pub(super) fn ends(&self) -> &BTreeMap<&'static str, u64> {
        &self.ends
    }

    pub(super) fn ended(&self) -> u64 {
        self.ends.values().sum()
    }

    /// Some that have not ended, for people.
    pub(super) fn some(&self) -> String {
        let mut some: Vec<String> = self
            .orders
            .iter()
            .map(|(id, order)| {
                let last = order.last.map_or(PUBLISHED, |(status, _)| status.name());
                format!("{id} ({last})")
            })
            .collect();
        some.sort_unstable();
        some.truncate(5);
        some.join(", ")
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

    /// In the order of an order's life, and the whole way at the end.
    fn told(&self) -> Vec<Stage> {
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
    fn what_has_ended_leaves_a_count_and_its_times() {
        let mut orders = UnderWay::new();
        for id in ["a", "b", "c"] {
            orders.published(id.parse().unwrap(), 1000);
        }
        orders.saw(&event("a", Status::Created, 1010));
        orders.saw(&event("a", Status::Created, 1500));
        orders.saw(&event("a", Status::Delivered, 1110));
        orders.saw(&event("b", Status::SchedulingDelivery, 1200));
        orders.saw(&event("stranger", Status::Delivered, 1200));
        orders.refused(&"c".parse().unwrap());

        assert_eq!(orders.ends(), &BTreeMap::from([("DELIVERED", 1)]));
        let waiting = orders.waiting();
        assert_eq!((waiting.under_way, waiting.without_driver), (1, 1));
        assert_eq!(orders.some(), "b (SCHEDULING_DELIVERY)");
        let stages = |told: Vec<Stage>| -> Vec<_> {
            told.into_iter()
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
        orders.warmed_up();
        assert_eq!(stages(orders.all()), [("published", "DELIVERED", 0, 0)]);
    }
}
