//! When each order reached which status.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use domain::{OrderId, Status, StatusEvent};
use hdrhistogram::Histogram;
use serde::Serialize;

/// The orders of one run.
#[derive(Debug, Default)]
pub(crate) struct Timelines {
    orders: HashMap<OrderId, Timeline>,
}

#[derive(Debug)]
struct Timeline {
    /// When the order was published, in ms since the epoch.
    published: i64,
    /// When it reached each status, in ms since the epoch.
    reached: BTreeMap<Status, i64>,
}

/// How long orders took from one status to the next.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stage {
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) orders: u64,
    pub(crate) p50_ms: u64,
    pub(crate) p95_ms: u64,
    pub(crate) p99_ms: u64,
    pub(crate) max_ms: u64,
}

/// The name of the starting point of the first stage, in place of a status.
pub(crate) const PUBLISHED: &str = "published";

impl Timelines {
    /// Records that an order was published at `at` ms since the epoch.
    pub(crate) fn published(&mut self, id: OrderId, at: i64) {
        self.orders.insert(
            id,
            Timeline {
                published: at,
                reached: BTreeMap::new(),
            },
        );
    }

    /// Records a status. Returns whether the order belongs to this run and reaches the status for the first time.
    pub(crate) fn record_status(&mut self, event: &StatusEvent) -> bool {
        let Some(order) = self.orders.get_mut(&event.order_id) else {
            return false;
        };
        let is_new = !order.reached.contains_key(&event.status);
        order.reached.entry(event.status).or_insert(event.at);
        is_new
    }

    /// How many orders ended in each terminal status.
    pub(crate) fn ends(&self) -> BTreeMap<&'static str, u32> {
        let mut ends = BTreeMap::new();
        for status in self.orders.values().filter_map(Timeline::end) {
            *ends.entry(status.name()).or_default() += 1;
        }
        ends
    }

    /// The time from the first order's publication to the last end.
    pub(crate) fn span(&self) -> Duration {
        let first = self.orders.values().map(|order| order.published).min();
        let last = self
            .orders
            .values()
            .filter_map(|order| order.reached.get(&order.end()?))
            .max();
        let ms = first.zip(last).map_or(0, |(first, last)| last - first);
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    /// Up to five orders that have not ended, each with its last known status, as text.
    pub(crate) fn unfinished_examples(&self) -> String {
        let mut unfinished: Vec<String> = self
            .orders
            .iter()
            .filter(|(_, order)| order.end().is_none())
            .map(|(id, order)| {
                let last = order.reached.last_key_value();
                format!(
                    "{id} ({})",
                    last.map_or(PUBLISHED, |(status, _)| status.name())
                )
            })
            .collect();
        unfinished.sort_unstable();
        unfinished.truncate(5);
        unfinished.join(", ")
    }

    /// The times between consecutive statuses, in the sequence of the statuses, and finally the time from publication to delivery.
    pub(crate) fn stages(&self) -> Vec<Stage> {
        let mut times: BTreeMap<(Option<Status>, Status), Times> = BTreeMap::new();
        let mut whole = Times::new();
        for order in self.orders.values() {
            let mut before = (None, order.published);
            for (&status, &at) in &order.reached {
                times
                    .entry((before.0, status))
                    .or_insert_with(Times::new)
                    .record(at - before.1);
                before = (Some(status), at);
            }
            if order.end() == Some(Status::Delivered) {
                whole.record(before.1 - order.published);
            }
        }
        let name = |status: Option<Status>| status.map_or(PUBLISHED, Status::name);
        let mut stages: Vec<Stage> = times
            .iter()
            .map(|((from, to), times)| times.stage(name(*from), to.name()))
            .collect();
        stages.push(whole.stage(PUBLISHED, Status::Delivered.name()));
        stages
    }
}

/// A histogram of times in ms. Its size does not depend on how many are recorded.
#[derive(Debug)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    pub(crate) fn new() -> Self {
        // Three significant digits: the error is at most a thousandth. The range grows with the recorded values.
        #[expect(clippy::expect_used, reason = "three digits are always allowed")]
        Self(Histogram::new(3).expect("three digits"))
    }

    pub(crate) fn record(&mut self, ms: i64) {
        // A time can be negative if the clocks of two machines differ.
        let ms = u64::try_from(ms).unwrap_or(0);
        // Fails only for times of several years.
        let _ = self.0.record(ms);
    }

    pub(crate) fn stage(&self, from: &'static str, to: &'static str) -> Stage {
        Stage {
            from,
            to,
            orders: self.0.len(),
            p50_ms: self.0.value_at_quantile(0.5),
            p95_ms: self.0.value_at_quantile(0.95),
            p99_ms: self.0.value_at_quantile(0.99),
            max_ms: self.0.max(),
        }
    }
}

impl Timeline {
    fn end(&self) -> Option<Status> {
        let (last, _) = self.reached.last_key_value()?;
        last.is_terminal().then_some(*last)
    }
}

/// Renders the stages as a text table.
pub(crate) fn table(stages: &[Stage]) -> String {
    let head = row("stage (ms)", &["orders", "p50", "p95", "p99", "max"]);
    let rows = stages.iter().map(|stage| {
        let name = format!("{} → {}", stage.from, stage.to);
        let Stage {
            orders,
            p50_ms,
            p95_ms,
            p99_ms,
            max_ms,
            ..
        } = stage;
        row(&name, &[orders, p50_ms, p95_ms, p99_ms, max_ms])
    });
    std::iter::once(head).chain(rows).collect()
}

fn row<T: std::fmt::Display>(name: &str, [orders, times @ ..]: &[T; 5]) -> String {
    let [p50, p95, p99, max] = times;
    format!("  {name:<42}{orders:>8}{p50:>10}{p95:>10}{p99:>10}{max:>10}\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// An event saying that order `id` reached `status` at `at`, in ms since the epoch.
    pub(crate) fn event(id: &str, status: Status, at: i64) -> StatusEvent {
        let event = json!({"orderId": id, "status": status, "eta": null, "version": 1, "at": at});
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn stages_ends_and_unfinished_orders_are_derived_from_the_events() {
        let mut orders = Timelines::default();
        for id in ["a", "b", "c"] {
            orders.published(id.parse().unwrap(), 1000);
        }
        assert!(orders.record_status(&event("a", Status::Created, 1010)));
        assert!(
            !orders.record_status(&event("a", Status::Created, 1500)),
            "a new arrival time, not a new status"
        );
        assert!(!orders.record_status(&event("stranger", Status::Created, 1010)));
        assert!(orders.record_status(&event("a", Status::Delivered, 1110)));
        assert!(orders.record_status(&event("b", Status::Rejected, 1030)));
        assert!(orders.record_status(&event("c", Status::Created, 1020)));

        assert_eq!(
            orders.ends(),
            BTreeMap::from([("DELIVERED", 1), ("REJECTED", 1)])
        );
        assert_eq!(orders.span(), Duration::from_millis(110));
        assert_eq!(orders.unfinished_examples(), "c (CREATED)");
        let stages: Vec<_> = orders
            .stages()
            .into_iter()
            .map(|stage| {
                (
                    stage.from,
                    stage.to,
                    stage.orders,
                    stage.p50_ms,
                    stage.max_ms,
                )
            })
            .collect();
        assert_eq!(
            stages,
            [
                ("published", "CREATED", 2, 10, 20),
                ("published", "REJECTED", 1, 30, 30),
                ("CREATED", "DELIVERED", 1, 100, 100),
                ("published", "DELIVERED", 1, 110, 110),
            ]
        );
    }

    #[test]
    fn percentiles_are_those_of_the_times() {
        let mut orders = Timelines::default();
        for ms in 1..=100 {
            let id = format!("order-{ms}");
            orders.published(id.parse().unwrap(), 0);
            orders.record_status(&event(&id, Status::Created, ms));
        }
        let stage = &orders.stages()[0];
        assert_eq!(
            (stage.p50_ms, stage.p95_ms, stage.p99_ms, stage.max_ms),
            (50, 95, 99, 100)
        );
        assert!(table(&orders.stages()).contains("published → CREATED"));
    }
}
