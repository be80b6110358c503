//! The orders accepted most recently, which Restate may not know yet.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::OrderId;
use parking_lot::Mutex;

/// How many orders are remembered. With ids that the gateway has made, that is about 1.5 MB.
const CAPACITY: usize = 10_000;
/// How long an order is remembered. If Restate does not know an order by then, it is not merely late.
const MEMORY: Duration = Duration::from_mins(15);

/// Remembers the orders that this gateway has accepted recently.
///
/// Between the broker's confirmation and the start of the workflow, Restate says that the order was never created. A client whose
/// order has just been accepted must not be told that there is no such order.
#[derive(Default)]
pub(crate) struct RecentOrders(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    by_age: VecDeque<(Instant, Arc<OrderId>)>,
    ids: HashSet<Arc<OrderId>>,
}

impl RecentOrders {
    /// Remembers that the order was accepted `now`.
    pub(crate) fn remember(&self, id: &OrderId, now: Instant) {
        let mut memory = self.0.lock();
        memory.forget_old(now);
        if memory.ids.contains(id) {
            return;
        }
        while memory.by_age.len() >= CAPACITY {
            memory.forget_oldest();
        }
        let id = Arc::new(id.clone());
        memory.ids.insert(Arc::clone(&id));
        memory.by_age.push_back((now, id));
    }

    /// Whether the order was accepted recently.
    pub(crate) fn contains(&self, id: &OrderId, now: Instant) -> bool {
        let mut memory = self.0.lock();
        memory.forget_old(now);
        memory.ids.contains(id)
    }
}

impl Memory {
    fn forget_old(&mut self, now: Instant) {
        while self
            .by_age
            .front()
            .is_some_and(|(accepted, _)| now.duration_since(*accepted) > MEMORY)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.by_age.pop_front() {
            self.ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> OrderId {
        format!("order-{n}").parse().unwrap()
    }

    #[test]
    fn only_the_newest_orders_are_remembered() {
        let recent = RecentOrders::default();
        let now = Instant::now();
        for n in 0..=CAPACITY {
            recent.remember(&id(n), now);
        }
        assert!(!recent.contains(&id(0), now));
        assert!(recent.contains(&id(1), now));
        assert!(recent.contains(&id(CAPACITY), now));
    }

    #[test]
    fn an_order_is_forgotten_some_minutes_after_it_was_first_accepted() {
        let recent = RecentOrders::default();
        let start = Instant::now();
        recent.remember(&id(1), start);
        recent.remember(&id(1), start + MEMORY);
        assert!(recent.contains(&id(1), start + MEMORY));
        let later = start + MEMORY + Duration::from_millis(1);
        assert!(!recent.contains(&id(1), later));
        assert!(recent.0.lock().by_age.is_empty());
    }
}
