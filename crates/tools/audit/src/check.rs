//! The invariants, and the verdict on each. Pure functions from facts to verdicts, without I/O.

use std::collections::{BTreeMap, BTreeSet};

use domain::{DriverId, Money, OrderId, Status};
use serde::Serialize;

use crate::drivers::Drivers;
use crate::facts::{EntryKind, Facts, Holding, Invocation, PreparationStatus};
use crate::history::{History, histories};

macro_rules! invariants {
    ($($(#[$doc:meta])+ $name:ident: $sentence:literal,)+) => {
        /// A condition that must hold, whatever fails.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Invariant {
            $($(#[$doc])+ $name,)+
        }

        impl Invariant {
            /// All of them, in the order of the report.
            pub const ALL: [Self; [$($sentence),+].len()] = [$(Self::$name),+];

            /// The invariant as a sentence; `docs/chaos.md` lists them.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)+
                }
            }
        }
    };
}

invariants! {
    /// For the orders that were accepted.
    EndsOnce: "every accepted order ends in exactly one terminal status",
    /// See [`Status::may_become`].
    NeverBack: "a status never goes back",
    /// For each order.
    NoGap: "versions in order-status have no gap, and no version has two contents",
    /// For each order.
    PublishedAsStored: "the last published status is the one that the runtime holds",
    /// For the orders whose cancellation was accepted.
    CancellationKept: "a cancellation that was accepted ends in CANCELLED",
    /// According to the payment provider's ledger.
    ChargedOnce: "an order is charged at most once, and only if it was accepted",
    /// According to the payment provider's ledger.
    BooksBalance: "charged minus refunded is the price for DELIVERED, and nothing otherwise",
    /// According to the restaurants' books.
    NothingCooking: "every delivered order was cooked, and nothing else is left cooking",
    /// In each snapshot.
    OneDelivery: "a driver holds at most one delivery",
    /// In both snapshots of a sample.
    OneDriver: "no delivery is held by two drivers",
    /// According to the twins, the managers and the phones.
    NothingHeld: "no driver holds a delivery of an order that has ended",
    /// Every driver who waits for work is queued, once, and no other driver is.
    QueuesClean: "no delivery of an ended order is queued, and no waiting driver is forgotten",
    /// According to the records of topic `orders-dlq`.
    InvalidDeadLettered: "every invalid event is among the dead letters, and nothing else is",
    /// When the system is at rest.
    NothingUnderWay: "no invocation is left under way",
}

/// The result of checking one invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The invariant that was checked.
    pub invariant: Invariant,
    /// How many items were checked. If it is 0, nothing was proved.
    pub checked: usize,
    /// A sentence for each violation, with the ids involved.
    pub violations: Vec<String>,
}

impl Verdict {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Checks every invariant, in the order of [`Invariant::ALL`].
#[must_use]
pub fn check(facts: &Facts) -> Vec<Verdict> {
    let indexed = Indexed {
        facts,
        histories: histories(&facts.statuses),
        drivers: Drivers::of(facts),
        prices: facts
            .notes
            .accepted
            .iter()
            .map(|order| (&order.order_id, order.price))
            .collect(),
    };
    Invariant::ALL
        .into_iter()
        .map(|invariant| {
            let (checked, violations) = indexed.decide(invariant);
            Verdict {
                invariant,
                checked,
                violations,
            }
        })
        .collect()
}

/// How many items were checked, and the violations among them.
type Findings = (usize, Vec<String>);

/// The facts, indexed by order and by driver.
struct Indexed<'a> {
    facts: &'a Facts,
    histories: BTreeMap<&'a OrderId, History<'a>>,
    drivers: Drivers<'a>,
    prices: BTreeMap<&'a OrderId, Money>,
}

impl Indexed<'_> {
    fn decide(&self, invariant: Invariant) -> Findings {
        match invariant {
            Invariant::EndsOnce => self.ends_once(),
            Invariant::NeverBack => self.never_back(),
            Invariant::NoGap => self.no_gap(),
            Invariant::PublishedAsStored => self.published_as_stored(),
            Invariant::CancellationKept => self.cancellation_kept(),
            Invariant::ChargedOnce => self.charged_once(),
            Invariant::BooksBalance => self.books_balance(),
            Invariant::NothingCooking => self.nothing_cooking(),
            Invariant::OneDelivery => self.one_delivery(),
            Invariant::OneDriver => self.one_driver(),
            Invariant::NothingHeld => self.nothing_held(),
            Invariant::QueuesClean => self.queues_clean(),
            Invariant::InvalidDeadLettered => self.invalid_dead_lettered(),
            Invariant::NothingUnderWay => self.nothing_under_way(),
        }
    }

    /// The status that was published last.
    fn status(&self, order: &OrderId) -> Status {
        self.histories
            .get(order)
            .map_or(Status::New, History::status)
    }

    /// The status of an order whose id was read from state: `UNKNOWN` if the id is invalid.
    fn status_of(&self, order: &str) -> Status {
        order
            .parse()
            .map_or(Status::Unknown, |order: OrderId| self.status(&order))
    }

    fn ends_once(&self) -> Findings {
        let violations = self.prices.keys().filter_map(|order| {
            let history = self.histories.get(*order);
            let status = history.map_or(Status::New, History::status);
            match history.map_or(0, |history| history.transitions().ends) {
                1 if status.is_terminal() => None,
                0 => Some(format!("{order} is {status} and has not ended")),
                ends => Some(format!(
                    "{order} reached {ends} terminal statuses and is {status}"
                )),
            }
        });
        (self.prices.len(), violations.collect())
    }

    fn never_back(&self) -> Findings {
        let violations = self.histories.iter().flat_map(|(order, history)| {
            let forbidden = history.transitions().forbidden.into_iter();
            forbidden.map(move |change| format!("{order}: {change}"))
        });
        (self.histories.len(), violations.collect())
    }

    fn no_gap(&self) -> Findings {
        let violations = self.histories.iter().flat_map(|(order, history)| {
            let violations = history.violations.iter();
            violations.map(move |what| format!("{order}: {what}"))
        });
        (self.facts.statuses.len(), violations.collect())
    }

    fn published_as_stored(&self) -> Findings {
        let mut kept = BTreeMap::new();
        for entry in &self.facts.state {
            if entry.service == "OrderStatusService" && entry.name == "order-status" {
                let value: serde_json::Value =
                    serde_json::from_str(&entry.value).unwrap_or_default();
                let status = value["status"].as_str().unwrap_or_default().to_owned();
                let version = value["version"].as_u64().unwrap_or_default();
                kept.insert(entry.object.as_str(), (status, version));
            }
        }
        let mut violations = Vec::new();
        for (order, history) in &self.histories {
            let version = history.versions.last().map_or(0, |event| event.version);
            let told = (history.status().name().to_owned(), version);
            match kept.get(order.as_str()) {
                Some(kept) if *kept == told => {}
                other => violations.push(format!("{order}: published {told:?}, stored {other:?}")),
            }
        }
        for order in kept.keys() {
            if !order
                .parse()
                .is_ok_and(|order: OrderId| self.histories.contains_key(&order))
            {
                violations.push(format!("{order}: stored but never published"));
            }
        }
        (kept.len(), violations)
    }

    fn cancellation_kept(&self) -> Findings {
        let cancelled = &self.facts.notes.cancelled;
        let violations = cancelled.iter().filter_map(|order| {
            let status = self.status(order);
            (status != Status::Cancelled).then(|| format!("{order} is {status}"))
        });
        (cancelled.len(), violations.collect())
    }

    fn charged_once(&self) -> Findings {
        let mut charges = BTreeMap::<&OrderId, Vec<&str>>::new();
        for entry in &self.facts.ledger {
            if entry.kind == EntryKind::Charge {
                let keys = charges.entry(&entry.order_id).or_default();
                keys.push(&entry.idempotency_key);
            }
        }
        let violations = charges.iter().filter_map(|(order, keys)| {
            if !self.prices.contains_key(*order) {
                return Some(format!("{order} was charged but never accepted"));
            }
            (keys.len() > 1).then(|| {
                format!(
                    "{order} was charged {} times, under the keys {}",
                    keys.len(),
                    keys.join(", ")
                )
            })
        });
        (charges.len(), violations.collect())
    }

    fn books_balance(&self) -> Findings {
        let mut cents = BTreeMap::<&OrderId, i64>::new();
        for entry in &self.facts.ledger {
            let sign = match entry.kind {
                EntryKind::Charge => 1,
                EntryKind::Refund => -1,
            };
            *cents.entry(&entry.order_id).or_default() += sign * entry.amount.cents();
        }
        let orders: BTreeSet<&OrderId> = self.prices.keys().chain(cents.keys()).copied().collect();
        let violations = orders.iter().filter_map(|order| {
            let status = self.status(order);
            let due = match (status, self.prices.get(*order)) {
                (Status::Delivered, Some(price)) => price.cents(),
                _ => 0,
            };
            let paid = cents.get(*order).copied().unwrap_or(0);
            (paid != due).then(|| format!("{order} is {status}: paid {paid} cents, due {due}"))
        });
        (orders.len(), violations.collect())
    }

    fn nothing_cooking(&self) -> Findings {
        use PreparationStatus::{CalledBack, Failed, Preparing, Ready};
        let mut violations = Vec::new();
        let mut cooked = BTreeSet::new();
        for preparation in &self.facts.preparations {
            let order = &preparation.order_id;
            let status = self.status(order);
            match preparation.status {
                // Failed: the food was ready, and Restate had been told so by an earlier callback.
                CalledBack | Failed => {
                    cooked.insert(order);
                }
                Preparing | Ready if status != Status::Delivered => {
                    violations.push(format!("{order} is {status} and still being prepared"));
                }
                _ => {}
            }
        }
        for (order, history) in &self.histories {
            if history.status() == Status::Delivered && !cooked.contains(order) {
                violations.push(format!("{order} was delivered but never cooked"));
            }
        }
        (self.facts.preparations.len(), violations)
    }

    /// Every snapshot of the drivers' deliveries: those taken while orders were under way, and the final one.
    fn snapshots(&self) -> impl Iterator<Item = &[Holding]> {
        let looks = &self.facts.notes.looks;
        looks
            .iter()
            .flat_map(|look| [&look.first[..], &look.second[..]])
            .chain([&self.drivers.held[..]])
    }

    fn one_delivery(&self) -> Findings {
        let mut checked = 0;
        let mut violations = BTreeSet::new();
        for snapshot in self.snapshots() {
            let mut seen = BTreeMap::<&DriverId, &OrderId>::new();
            for Holding {
                driver_id,
                delivery_id,
            } in snapshot
            {
                checked += 1;
                if let Some(other) = seen.insert(driver_id, delivery_id) {
                    violations.insert(format!("{driver_id} held {other} and {delivery_id}"));
                }
            }
        }
        (checked, violations.into_iter().collect())
    }

    fn one_driver(&self) -> Findings {
        let looks = self.facts.notes.looks.iter();
        let pairs = looks
            .map(|look| (&look.first[..], &look.second[..]))
            .chain([(&self.drivers.held[..], &self.drivers.held[..])]);
        let mut checked = 0;
        let mut violations = BTreeSet::new();
        for (first, second) in pairs {
            let mut holders = BTreeMap::<&OrderId, BTreeSet<&DriverId>>::new();
            for holding in second.iter().filter(|holding| first.contains(holding)) {
                checked += 1;
                let drivers = holders.entry(&holding.delivery_id).or_default();
                drivers.insert(&holding.driver_id);
            }
            for (delivery, drivers) in holders {
                if drivers.len() > 1 {
                    let drivers: Vec<&str> = drivers.iter().map(|driver| driver.as_str()).collect();
                    violations.insert(format!("{delivery} was held by {}", drivers.join(" and ")));
                }
            }
        }
        (checked, violations.into_iter().collect())
    }

    fn nothing_held(&self) -> Findings {
        let held = self.drivers.held.iter();
        let held = held.map(|held| (held.driver_id.as_str(), held.delivery_id.to_string()));
        let under_way = self.drivers.under_way.iter().cloned();
        let violations = held.chain(under_way).filter_map(|(holder, order)| {
            let status = self.status_of(&order);
            status
                .is_terminal()
                .then(|| format!("{holder} still has {order}, which is {status}"))
        });
        let violations = violations.chain(self.drivers.unreadable.iter().cloned());
        (self.facts.state.len(), violations.collect())
    }

    fn queues_clean(&self) -> Findings {
        let Drivers {
            queued,
            free,
            waiting,
            ..
        } = &self.drivers;
        let queued_for_nobody = queued.iter().filter_map(|order| {
            let status = self.status_of(order);
            (status != Status::SchedulingDelivery)
                .then(|| format!("{order} is {status} but is queued for a driver"))
        });
        let free_twice = free.iter().filter_map(|(driver, times)| {
            if *times > 1 {
                return Some(format!("{driver} is queued {times} times"));
            }
            (!waiting.contains(driver.as_str()))
                .then(|| format!("{driver} is queued but does not wait for work"))
        });
        let forgotten = waiting
            .iter()
            .filter(|driver| !free.contains_key(**driver))
            .map(|driver| format!("{driver} waits for work but is not queued"));
        let violations = queued_for_nobody.chain(free_twice).chain(forgotten);
        (queued.len() + free.len(), violations.collect())
    }

    fn invalid_dead_lettered(&self) -> Findings {
        let aside: BTreeSet<&str> = self
            .facts
            .dead_letters
            .iter()
            .map(|letter| letter.value.as_str())
            .collect();
        let garbage: BTreeSet<&str> = self
            .facts
            .notes
            .garbage
            .iter()
            .map(String::as_str)
            .collect();
        let lost = garbage
            .difference(&aside)
            .map(|value| format!("lost: {value}"));
        let good = aside
            .difference(&garbage)
            .map(|value| format!("not garbage: {value}"));
        (garbage.len(), lost.chain(good).collect())
    }

    fn nothing_under_way(&self) -> Findings {
        let Facts {
            invocations,
            invocations_before,
            ..
        } = self.facts;
        let violations = left_behind(invocations_before, invocations);
        (invocations.len(), violations)
    }
}

/// Describes the invocations that should not exist when the system is at rest.
///
/// Drivers' phones report their positions whether there are orders or not, so at any moment a report may be on its way from
/// Kafka through the intake to its twin. Such an invocation counts as left behind only if it is in both samples.
pub(crate) fn left_behind(before: &[Invocation], now: &[Invocation]) -> Vec<String> {
    let before: BTreeSet<&str> = before.iter().map(|it| it.id.as_str()).collect();
    let is_in_transit = |invocation: &Invocation| {
        let target = &invocation.target;
        let is_report = target == "DriverUpdateIntake/receive"
            || target.starts_with("DriverDigitalTwin/")
                && target.ends_with("/handleDriverLocationUpdateEvent");
        is_report && invocation.last_failure.is_none() && !before.contains(invocation.id.as_str())
    };
    now.iter()
        .filter(|invocation| !is_in_transit(invocation))
        .filter_map(under_way)
        .collect()
}

fn under_way(invocation: &Invocation) -> Option<String> {
    let Invocation {
        id,
        target,
        status,
        last_failure,
    } = invocation;
    // Drivers' phones poll for ever, twins check for silence until some time after the last delivery, and a scheduled
    // invocation has not started.
    let recurs = target.starts_with("DriverMobileAppSimulator/")
        || target.ends_with("/getAssignedDelivery")
        || target.ends_with("/checkSilence");
    match last_failure {
        Some(failure) => Some(format!("{target} ({id}) fails: {failure}")),
        None if recurs || status == "scheduled" => None,
        None => Some(format!("{target} ({id}) is {status}")),
    }
}
