//! Invented facts: a good run, and variations that are also good.

mod broken;

use domain::{Money, OrderId, Status, StatusEvent};
use proptest::prelude::*;

use super::*;

/// A run of three orders: one delivered, one cancelled after the charge, and one whose first event was invalid and whose
/// corrected event was delivered.
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
    publish(&mut facts, "eaten", &way);
    publish(
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
    publish(&mut facts, "mended", &mended);
    publish(&mut facts, "nonsense", &[Status::Rejected]);
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
    facts.notes.looks.push(HoldingsSample {
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
        .invocations
        .push(invocation("DriverDigitalTwin/anna/checkSilence", "running"));
    facts.invocations_before = facts.invocations.clone();
    // A phone has just reported its position, as phones do for ever.
    facts.invocations.push(invocation(REPORT, "ready"));
    let intake = invocation("DriverUpdateIntake/receive", "ready");
    facts.invocations.push(intake);
    facts
}

const REPORT: &str = "DriverDigitalTwin/anna/handleDriverLocationUpdateEvent";

fn order(id: &str) -> OrderId {
    id.parse().unwrap()
}

/// The price of an order; different for each of them.
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

/// The id is derived from the target, so that the same invocation is recognised in two samples.
fn invocation(target: &str, status: &str) -> Invocation {
    Invocation {
        id: format!("inv_{target}"),
        target: target.to_owned(),
        status: status.to_owned(),
        last_failure: None,
    }
}

/// Publishes these statuses as versions 1, 2 and so on, and stores the last one in the runtime's state.
fn publish(facts: &mut Facts, id: &str, statuses: &[Status]) {
    for (version, status) in (1..).zip(statuses) {
        facts.statuses.push(record(id, version, *status));
    }
    let last = statuses.last().unwrap();
    let value = format!(r#"{{"status":"{last}","version":{}}}"#, statuses.len());
    facts
        .state
        .push(state("OrderStatusService", id, "order-status", &value));
}

pub(crate) fn record(id: &str, version: u64, status: Status) -> StatusRecord {
    StatusRecord {
        partition: 0,
        event: StatusEvent {
            order_id: order(id),
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

fn broken(facts: &Facts) -> Vec<Invariant> {
    check(facts)
        .into_iter()
        .filter(|verdict| !verdict.holds())
        .map(|verdict| verdict.invariant)
        .collect()
}

#[test]
fn every_invariant_holds_for_a_good_run_and_checks_at_least_one_item() {
    for verdict in check(&good()) {
        assert!(verdict.holds(), "{verdict:?}");
        assert!(verdict.checked > 0, "{verdict:?}");
    }
}

#[test]
fn a_delivery_on_its_way_from_one_driver_to_the_next_is_not_held_twice() {
    let mut facts = good();
    facts.notes.looks[0].first.push(holding("carl", "eaten"));
    assert_eq!(broken(&facts), []);
}

#[test]
fn facts_are_the_same_after_being_written_and_read_as_json() {
    let json = serde_json::to_vec(&good()).unwrap();
    assert_eq!(serde_json::from_slice::<Facts>(&json).unwrap(), good());
}

proptest! {
    /// For any valid sequence of statuses: repeated records, as after a crash, are harmless, and a lost one is found.
    #[test]
    fn repeated_records_are_harmless_and_a_lost_one_is_found(
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
        publish(&mut facts, "o", &course);
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
        facts.statuses.retain(|record| record.event.version != version);
        let found = broken(&facts);
        prop_assert!(found.contains(&Invariant::NoGap) || found.contains(&Invariant::PublishedAsStored), "{version} {found:?}");
    }
}

#[test]
fn the_documentation_lists_every_invariant() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/chaos.md");
    let text = std::fs::read_to_string(file).unwrap().replace('`', "");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| invariant |"))
        .skip(2);
    let documented: Vec<&str> = rows
        .map_while(|row| row.strip_prefix("| ")?.split(" | ").next())
        .collect();
    assert_eq!(documented, Invariant::ALL.map(Invariant::sentence));
}
