//! Each invariant, broken on purpose.

use domain::{Money, OrderId, Status, StatusEvent};
use proptest::prelude::*;

use super::*;

/// A run of three orders: one delivered, one cancelled after the charge, one refused as garbage first and delivered then.
fn good() -> Facts {
    let mut facts = Facts::default();
    for id in ["eaten", "off", "mended"] {
        facts.notes.accepted.push(Accepted {
            order_id: order(id),
            price: dollars(id),
        });
        facts.ledger.push(entry(EntryKind::Charge, id, "charge"));
    }
    facts.notes.cancelled.push(order("off"));
    facts.ledger.push(entry(EntryKind::Refund, "off", "refund"));
    let way = [
        Status::Created,
        Status::Scheduled,
        Status::InPreparation,
        Status::SchedulingDelivery,
        Status::WaitingForDriver,
        Status::InDelivery,
        Status::Delivered,
    ];
    tell(&mut facts, "eaten", &way);
    tell(
        &mut facts,
        "off",
        &[
            Status::Created,
            Status::Scheduled,
            Status::InPreparation,
            Status::Cancelled,
        ],
    );
    let mut mended = vec![Status::Rejected];
    mended.extend(way);
    tell(&mut facts, "mended", &mended);
    tell(&mut facts, "nonsense", &[Status::Rejected]);
    for (id, status) in [
        ("eaten", PreparationStatus::CalledBack),
        ("off", PreparationStatus::Cancelled),
        ("mended", PreparationStatus::CalledBack),
    ] {
        facts.preparations.push(Preparation {
            order_id: order(id),
            status,
        });
    }
    facts.notes.garbage.push("nonsense".to_owned());
    facts.dead_letters.push(DeadLetter {
        value: "nonsense".to_owned(),
        reason: "no order".to_owned(),
    });
    let held = vec![holding("anna", "eaten"), holding("ben", "mended")];
    facts.notes.looks.push(Look {
        first: held.clone(),
        second: held,
    });
    for driver in ["anna", "ben"] {
        facts.state.push(state(
            "DriverDigitalTwin",
            driver,
            "driver-status",
            "\"WAITING_FOR_WORK\"",
        ));
    }
    facts.state.push(state(
        "DriverDeliveryMatcher",
        "San Jose (CA)",
        "available-drivers/872834700ffffff",
        r#"{"head":["anna","ben"],"middle":{"start":0,"end":0},"tail":[],"away":0}"#,
    ));
    facts.invocations.push(invocation(
        "DriverMobileAppSimulator/anna/pollForWork",
        "scheduled",
    ));
    facts
}

fn order(id: &str) -> OrderId {
    id.parse().unwrap()
}

/// What an order costs: every order something else.
fn dollars(id: &str) -> Money {
    Money::from_cents(u32::try_from(id.len()).unwrap() * 100).unwrap()
}

fn entry(kind: EntryKind, id: &str, key: &str) -> Entry {
    Entry {
        kind,
        order_id: order(id),
        amount: dollars(id),
        idempotency_key: format!("{key}-{id}"),
    }
}

fn holding(driver: &str, id: &str) -> Holding {
    Holding {
        driver_id: driver.parse().unwrap(),
        delivery_id: order(id),
    }
}

fn state(service: &str, object: &str, name: &str, value: &str) -> StateEntry {
    StateEntry {
        service: service.to_owned(),
        object: object.to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn invocation(target: &str, status: &str) -> Invocation {
    Invocation {
        target: target.to_owned(),
        status: status.to_owned(),
        last_failure: None,
    }
}

/// Tells these statuses one after the other, and has the runtime hold the last one.
fn tell(facts: &mut Facts, id: &str, statuses: &[Status]) {
    for (version, status) in (1..).zip(statuses) {
        facts.statuses.push(told(id, version, *status));
    }
    let last = statuses.last().unwrap();
    let value = format!(r#"{{"status":"{last}","version":{}}}"#, statuses.len());
    facts
        .state
        .push(state("OrderStatusService", id, "order-status", &value));
}

fn told(id: &str, version: u64, status: Status) -> Told {
    Told {
        partition: 0,
        event: StatusEvent {
            order_id: order(id),
            status,
            eta: None,
            version,
            at: 0,
            reason: None,
            driver_id: None,
        },
    }
}

fn broken(facts: &Facts) -> Vec<Invariant> {
    check(facts)
        .into_iter()
        .filter(|verdict| !verdict.holds())
        .map(|verdict| verdict.invariant)
        .collect()
}

#[test]
fn a_good_run_holds_and_every_invariant_looks_at_something() {
    for verdict in check(&good()) {
        assert!(verdict.holds(), "{verdict:?}");
        assert!(verdict.checked > 0, "{verdict:?}");
    }
}

type Sabotage = fn(&mut Facts);

#[test]
fn each_thing_that_is_broken_on_purpose_is_found() {
    let cases: Vec<(&str, Sabotage, Invariant)> = vec![
        (
            "an idempotency key made random",
            |facts| {
                facts
                    .ledger
                    .push(entry(EntryKind::Charge, "eaten", "random"))
            },
            Invariant::ChargedOnce,
        ),
        (
            "somebody charged who ordered nothing",
            |facts| {
                facts
                    .ledger
                    .push(entry(EntryKind::Charge, "nonsense", "charge"))
            },
            Invariant::ChargedOnce,
        ),
        (
            "a refund skipped",
            |facts| facts.ledger.retain(|entry| entry.kind == EntryKind::Charge),
            Invariant::BooksBalance,
        ),
        (
            "a refund twice",
            |facts| facts.ledger.push(entry(EntryKind::Refund, "off", "random")),
            Invariant::BooksBalance,
        ),
        (
            "delivered and never charged",
            |facts| {
                facts
                    .ledger
                    .retain(|entry| entry.order_id != order("eaten"))
            },
            Invariant::BooksBalance,
        ),
        (
            "an order that was accepted and is never heard of",
            |facts| {
                facts.notes.accepted.push(Accepted {
                    order_id: order("lost"),
                    price: Money::ZERO,
                });
            },
            Invariant::EndsOnce,
        ),
        (
            "an order that does not end",
            |facts| {
                facts
                    .statuses
                    .retain(|told| told.event.status != Status::Cancelled);
            },
            Invariant::EndsOnce,
        ),
        (
            "a second end",
            |facts| facts.statuses.push(told("eaten", 8, Status::Cancelled)),
            Invariant::EndsOnce,
        ),
        (
            "a status that goes back",
            |facts| facts.statuses.push(told("off", 5, Status::Scheduled)),
            Invariant::NeverBack,
        ),
        (
            "a change that nobody was told of",
            |facts| facts.statuses.retain(|told| told.event.version != 2),
            Invariant::NoGap,
        ),
        (
            "a version told in two ways",
            |facts| facts.statuses.push(told("off", 4, Status::InDelivery)),
            Invariant::NoGap,
        ),
        (
            "an order told in two partitions",
            |facts| facts.statuses[1].partition = 1,
            Invariant::NoGap,
        ),
        (
            "a change that was told and is not kept",
            |facts| facts.state.retain(|entry| entry.object != "eaten"),
            Invariant::ToldAsKept,
        ),
        (
            "a change that is kept and was not told",
            |facts| {
                facts.state.push(state(
                    "OrderStatusService",
                    "silent",
                    "order-status",
                    r#"{"status":"CREATED","version":1}"#,
                ));
            },
            Invariant::ToldAsKept,
        ),
        (
            "an accepted cancellation that is forgotten",
            |facts| facts.notes.cancelled.push(order("eaten")),
            Invariant::CancelKept,
        ),
        (
            "a meal that cooks for nobody",
            |facts| facts.preparations[1].status = PreparationStatus::Preparing,
            Invariant::NothingCooking,
        ),
        (
            "delivered and never cooked",
            |facts| facts.preparations[0].status = PreparationStatus::Refused,
            Invariant::NothingCooking,
        ),
        (
            "a driver with two deliveries",
            |facts| facts.notes.looks[0].first.push(holding("anna", "mended")),
            Invariant::OneDelivery,
        ),
        (
            "a delivery held twice",
            |facts| {
                let look = &mut facts.notes.looks[0];
                look.first.push(holding("carl", "eaten"));
                look.second.push(holding("carl", "eaten"));
            },
            Invariant::OneDriver,
        ),
        (
            "a delivery that is kept after its end",
            |facts| {
                facts.state.push(state(
                    "DriverDigitalTwin",
                    "carl",
                    "assigned-delivery",
                    r#"{"deliveryId":"eaten"}"#,
                ));
            },
            Invariant::NothingHeld,
        ),
        (
            "a delivery under way after its end",
            |facts| {
                facts
                    .state
                    .push(state("DeliveryManager", "off", "delivery-info", "{}"))
            },
            Invariant::NothingHeld,
        ),
        (
            "a delivery that queues for nobody",
            |facts| {
                facts.state.push(state(
                    "DispatchBacklog",
                    "San Jose (CA)",
                    "segment/pending-deliveries/3",
                    r#"["off"]"#,
                ));
            },
            Invariant::QueuesClean,
        ),
        (
            "a driver who queues twice",
            |facts| {
                facts.state.push(state(
                    "DispatchBacklog",
                    "San Jose (CA)",
                    "segment/available-drivers/872834700ffffff/0",
                    r#"["anna"]"#,
                ));
            },
            Invariant::QueuesClean,
        ),
        (
            "a driver who queues and has gone home",
            |facts| facts.state.retain(|entry| entry.object != "ben"),
            Invariant::QueuesClean,
        ),
        (
            "a driver who waits and is forgotten",
            |facts| {
                facts
                    .state
                    .retain(|entry| entry.service != "DriverDeliveryMatcher")
            },
            Invariant::QueuesClean,
        ),
        (
            "garbage that vanishes",
            |facts| facts.dead_letters.clear(),
            Invariant::GarbageAside,
        ),
        (
            "a good order among the dead letters",
            |facts| {
                facts.dead_letters.push(DeadLetter {
                    value: "a good order".to_owned(),
                    reason: "why not".to_owned(),
                });
            },
            Invariant::GarbageAside,
        ),
        (
            "an invocation that never ends",
            |facts| {
                facts
                    .invocations
                    .push(invocation("OrderWorkflow/off/run", "suspended"))
            },
            Invariant::NothingUnderWay,
        ),
        (
            "a phone that fails for ever",
            |facts| facts.invocations[0].last_failure = Some("no".to_owned()),
            Invariant::NothingUnderWay,
        ),
    ];
    for invariant in Invariant::ALL {
        assert!(
            cases.iter().any(|case| case.2 == invariant),
            "{invariant:?}"
        );
    }
    for (what, sabotage, invariant) in cases {
        let mut facts = good();
        sabotage(&mut facts);
        let broken = broken(&facts);
        assert!(broken.contains(&invariant), "{what}: only {broken:?}");
    }
}

#[test]
fn a_delivery_on_its_way_from_one_driver_to_the_next_is_not_held_twice() {
    let mut facts = good();
    facts.notes.looks[0].first.push(holding("carl", "eaten"));
    assert_eq!(broken(&facts), []);
}

#[test]
fn facts_survive_the_way_through_a_file() {
    let json = serde_json::to_vec(&good()).unwrap();
    assert_eq!(serde_json::from_slice::<Facts>(&json).unwrap(), good());
}

proptest! {
    /// What the status service tells in whatever life of an order, with any records repeated after a crash.
    #[test]
    fn repeated_records_break_nothing_and_a_lost_one_is_found(
        wishes in proptest::collection::vec(proptest::sample::select(&Status::ALL[..]), 0..30),
        repeats in proptest::collection::vec(0.0..1.0, 0..5),
        lost in 0.0..1.0,
    ) {
        let mut course = vec![Status::Created];
        for next in wishes {
            if course.last().unwrap().may_become(next) {
                course.push(next);
            }
        }
        let mut facts = Facts::default();
        tell(&mut facts, "o", &course);
        facts.preparations.push(Preparation {
            order_id: order("o"),
            status: PreparationStatus::CalledBack,
        });
        let at = |share: f64, len: usize| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
            let index = (share * len as f64) as usize;
            index
        };
        for share in repeats {
            let index = at(share, facts.statuses.len());
            let record = facts.statuses[index].clone();
            facts.statuses.insert(index + 1, record);
        }
        prop_assert_eq!(broken(&facts), []);

        let version = at(lost, course.len()) as u64 + 1;
        facts.statuses.retain(|told| told.event.version != version);
        let found = broken(&facts);
        prop_assert!(found.contains(&Invariant::NoGap) || found.contains(&Invariant::ToldAsKept), "{version} {found:?}");
    }
}
