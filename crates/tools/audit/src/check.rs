//! The invariants, and one verdict each. Pure: facts in, verdicts out.

use std::collections::{BTreeMap, BTreeSet};

use domain::{DriverId, Money, OrderId, Status};
use serde::Serialize;

use crate::drivers::Drivers;
use crate::facts::{EntryKind, Facts, Holding, Invocation, PreparationStatus};
use crate::told::{Story, stories};

/// Something that must hold whatever breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Invariant {
    /// Every accepted order ends in exactly one terminal status.
    EndsOnce,
    /// A status never goes back.
    NeverBack,
    /// The versions published for an order have no gap, and no version has two contents.
    NoGap,
    /// The last published status is the one that the runtime holds.
    ToldAsKept,
    /// A cancellation that was accepted ends in `CANCELLED`.
    CancelKept,
    /// An order is charged at most once, and only if it was accepted.
    ChargedOnce,
    /// Charged minus refunded is the price for `DELIVERED`, and nothing otherwise.
    BooksBalance,
    /// Every delivered order was cooked, and no other order is left cooking.
    NothingCooking,
    /// A driver holds at most one delivery.
    OneDelivery,
    /// No delivery is held by two drivers.
    OneDriver,
    /// No driver holds a delivery of an order that has ended.
    NothingHeld,
    /// No delivery of an ended order is queued. Every driver who waits for work is queued, once, and no other driver is.
    QueuesClean,
    /// Every invalid event is among the dead letters, and nothing else is.
    GarbageAside,
    /// No invocation is left under way.
    NothingUnderWay,
}

impl Invariant {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 14] = [
        Self::EndsOnce,
        Self::NeverBack,
        Self::NoGap,
        Self::ToldAsKept,
        Self::CancelKept,
        Self::ChargedOnce,
        Self::BooksBalance,
        Self::NothingCooking,
        Self::OneDelivery,
        Self::OneDriver,
        Self::NothingHeld,
        Self::QueuesClean,
        Self::GarbageAside,
        Self::NothingUnderWay,
    ];

    /// The invariant as a sentence; `docs/chaos.md` lists them.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::EndsOnce => "every accepted order ends in exactly one terminal status",
            Self::NeverBack => "a status never goes back",
            Self::NoGap => "versions in order-status have no gap, and no version has two contents",
            Self::ToldAsKept => "the last published status is the one that the runtime holds",
            Self::CancelKept => "a cancellation that was accepted ends in CANCELLED",
            Self::ChargedOnce => "an order is charged at most once, and only if it was accepted",
            Self::BooksBalance => {
                "charged minus refunded is the price for DELIVERED, and nothing otherwise"
            }
            Self::NothingCooking => {
                "every delivered order was cooked, and nothing else is left cooking"
            }
            Self::OneDelivery => "a driver holds at most one delivery",
            Self::OneDriver => "no delivery is held by two drivers",
            Self::NothingHeld => "no driver holds a delivery of an order that has ended",
            Self::QueuesClean => {
                "no delivery of an ended order is queued, and no waiting driver is forgotten"
            }
            Self::GarbageAside => {
                "every invalid event is among the dead letters, and nothing else is"
            }
            Self::NothingUnderWay => "no invocation is left under way",
        }
    }
}

/// What became of an invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which.
    pub invariant: Invariant,
    /// How many things were looked at: none means that nothing was proved.
    pub checked: usize,
    /// Each way in which it is broken, with who and what.
    pub violations: Vec<String>,
}

impl Verdict {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Decides every invariant.
#[must_use]
pub fn check(facts: &Facts) -> Vec<Verdict> {
    let known = Known {
        facts,
        stories: stories(&facts.statuses),
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
            let (checked, violations) = known.decide(invariant);
            Verdict {
                invariant,
                checked,
                violations,
            }
        })
        .collect()
}

/// How many things were looked at, and what is wrong with them.
type Found = (usize, Vec<String>);

/// The facts, arranged by what they are about.
struct Known<'a> {
    facts: &'a Facts,
    stories: BTreeMap<&'a OrderId, Story<'a>>,
    drivers: Drivers<'a>,
    prices: BTreeMap<&'a OrderId, Money>,
}

impl Known<'_> {
    fn decide(&self, invariant: Invariant) -> Found {
        match invariant {
            Invariant::EndsOnce => self.ends_once(),
            Invariant::NeverBack => self.never_back(),
            Invariant::NoGap => self.no_gap(),
            Invariant::ToldAsKept => self.told_as_kept(),
            Invariant::CancelKept => self.cancel_kept(),
            Invariant::ChargedOnce => self.charged_once(),
            Invariant::BooksBalance => self.books_balance(),
            Invariant::NothingCooking => self.nothing_cooking(),
            Invariant::OneDelivery => self.one_delivery(),
            Invariant::OneDriver => self.one_driver(),
            Invariant::NothingHeld => self.nothing_held(),
            Invariant::QueuesClean => self.queues_clean(),
            Invariant::GarbageAside => self.garbage_aside(),
            Invariant::NothingUnderWay => self.nothing_under_way(),
        }
    }

    /// The status that was told last.
    fn status(&self, order: &OrderId) -> Status {
        self.stories.get(order).map_or(Status::New, Story::status)
    }

    /// The status of an order that is named by a text, which may be no order at all.
    fn status_of(&self, order: &str) -> Status {
        order
            .parse()
            .map_or(Status::Unknown, |order: OrderId| self.status(&order))
    }

    fn ends_once(&self) -> Found {
        let violations = self.prices.keys().filter_map(|order| {
            let story = self.stories.get(*order);
            let status = story.map_or(Status::New, Story::status);
            match story.map_or(0, |story| story.course().ends) {
                1 if status.is_terminal() => None,
                0 => Some(format!("{order} is {status} and has not ended")),
                ends => Some(format!("{order} came to {ends} ends and is {status}")),
            }
        });
        (self.prices.len(), violations.collect())
    }

    fn never_back(&self) -> Found {
        let violations = self.stories.iter().flat_map(|(order, story)| {
            let back = story.course().back.into_iter();
            back.map(move |change| format!("{order}: {change}"))
        });
        (self.stories.len(), violations.collect())
    }

    fn no_gap(&self) -> Found {
        let violations = self.stories.iter().flat_map(|(order, story)| {
            let wrong = story.wrong.iter();
            wrong.map(move |what| format!("{order}: {what}"))
        });
        (self.facts.statuses.len(), violations.collect())
    }

    fn told_as_kept(&self) -> Found {
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
        for (order, story) in &self.stories {
            let version = story.fresh.last().map_or(0, |event| event.version);
            let told = (story.status().name().to_owned(), version);
            match kept.get(order.as_str()) {
                Some(kept) if *kept == told => {}
                other => violations.push(format!("{order}: told {told:?}, kept {other:?}")),
            }
        }
        for order in kept.keys() {
            if !order
                .parse()
                .is_ok_and(|order: OrderId| self.stories.contains_key(&order))
            {
                violations.push(format!("{order}: kept, and nobody was told"));
            }
        }
        (kept.len(), violations)
    }

    fn cancel_kept(&self) -> Found {
        let cancelled = &self.facts.notes.cancelled;
        let violations = cancelled.iter().filter_map(|order| {
            let status = self.status(order);
            (status != Status::Cancelled).then(|| format!("{order} is {status}"))
        });
        (cancelled.len(), violations.collect())
    }

    fn charged_once(&self) -> Found {
        let mut charges = BTreeMap::<&OrderId, Vec<&str>>::new();
        for entry in &self.facts.ledger {
            if entry.kind == EntryKind::Charge {
                let keys = charges.entry(&entry.order_id).or_default();
                keys.push(&entry.idempotency_key);
            }
        }
        let violations = charges.iter().filter_map(|(order, keys)| {
            if !self.prices.contains_key(*order) {
                return Some(format!("{order} was charged and never accepted"));
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

    fn books_balance(&self) -> Found {
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

    fn nothing_cooking(&self) -> Found {
        use PreparationStatus::{CalledBack, Failed, Preparing, Ready};
        let mut violations = Vec::new();
        let mut cooked = BTreeSet::new();
        for preparation in &self.facts.preparations {
            let order = &preparation.order_id;
            let status = self.status(order);
            match preparation.status {
                // Failed: it was ready, and Restate had heard so before.
                CalledBack | Failed => {
                    cooked.insert(order);
                }
                Preparing | Ready if status != Status::Delivered => {
                    violations.push(format!("{order} is {status} and still being prepared"));
                }
                _ => {}
            }
        }
        for (order, story) in &self.stories {
            if story.status() == Status::Delivered && !cooked.contains(order) {
                violations.push(format!("{order} was delivered and never cooked"));
            }
        }
        (self.facts.preparations.len(), violations)
    }

    /// Every glance: those while orders were under way, and the last one.
    fn glances(&self) -> impl Iterator<Item = &[Holding]> {
        let looks = &self.facts.notes.looks;
        looks
            .iter()
            .flat_map(|look| [&look.first[..], &look.second[..]])
            .chain([&self.drivers.held[..]])
    }

    fn one_delivery(&self) -> Found {
        let mut checked = 0;
        let mut violations = BTreeSet::new();
        for glance in self.glances() {
            let mut seen = BTreeMap::<&DriverId, &OrderId>::new();
            for Holding {
                driver_id,
                delivery_id,
            } in glance
            {
                checked += 1;
                if let Some(other) = seen.insert(driver_id, delivery_id) {
                    violations.insert(format!("{driver_id} held {other} and {delivery_id}"));
                }
            }
        }
        (checked, violations.into_iter().collect())
    }

    fn one_driver(&self) -> Found {
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

    fn nothing_held(&self) -> Found {
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

    fn queues_clean(&self) -> Found {
        let Drivers {
            queued,
            free,
            waiting,
            ..
        } = &self.drivers;
        let queued_for_nobody = queued.iter().filter_map(|order| {
            let status = self.status_of(order);
            (status != Status::SchedulingDelivery)
                .then(|| format!("{order} is {status} and queues for a driver"))
        });
        let free_twice = free.iter().filter_map(|(driver, times)| {
            if *times > 1 {
                return Some(format!("{driver} queues {times} times"));
            }
            (!waiting.contains(driver.as_str()))
                .then(|| format!("{driver} queues and does not wait for work"))
        });
        let forgotten = waiting
            .iter()
            .filter(|driver| !free.contains_key(**driver))
            .map(|driver| format!("{driver} waits for work and is in no queue"));
        let violations = queued_for_nobody.chain(free_twice).chain(forgotten);
        (queued.len() + free.len(), violations.collect())
    }

    fn garbage_aside(&self) -> Found {
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

    fn nothing_under_way(&self) -> Found {
        let Facts {
            invocations,
            invocations_before,
            ..
        } = self.facts;
        let violations = left_behind(invocations_before, invocations);
        (invocations.len(), violations)
    }
}

/// What is to be said of the invocations that should not be there when everything is at rest.
///
/// Drivers' phones report their places whether there are orders or not, so at any moment one of these reports may be on its way
/// from Kafka by the intake to its twin. It is left behind if it was there a moment before, too.
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
    // Drivers' phones poll for ever, twins look after their drivers' silence some time after the last delivery, and what is
    // planned for later is not under way.
    let recurs = target.starts_with("DriverMobileAppSimulator/")
        || target.ends_with("/getAssignedDelivery")
        || target.ends_with("/checkSilence");
    match last_failure {
        Some(failure) => Some(format!("{target} ({id}) fails: {failure}")),
        None if recurs || status == "scheduled" => None,
        None => Some(format!("{target} ({id}) is {status}")),
    }
}
