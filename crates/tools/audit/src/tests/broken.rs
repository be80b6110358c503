//! Breaks each invariant on purpose and checks that the audit finds it.

use super::*;

/// A description, a function that falsifies the facts, and the invariant that this breaks.
type Case = (&'static str, fn(&mut Facts), Invariant);

#[test]
fn every_violation_made_on_purpose_is_found() {
    let cases = [money(), statuses(), food_and_drivers(), the_rest()].concat();
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

fn money() -> Vec<Case> {
    vec![
        (
            "a random idempotency key",
            |facts| {
                facts
                    .ledger
                    .push(entry(EntryKind::Charge, "eaten", "random"));
            },
            Invariant::ChargedOnce,
        ),
        (
            "a charge without an order",
            |facts| {
                facts
                    .ledger
                    .push(entry(EntryKind::Charge, "nonsense", "charge"));
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
            "delivered but never charged",
            |facts| {
                facts
                    .ledger
                    .retain(|entry| entry.order_id != order("eaten"));
            },
            Invariant::BooksBalance,
        ),
    ]
}

fn statuses() -> Vec<Case> {
    vec![
        (
            "an accepted order without any status",
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
                    .retain(|record| record.event.status != Status::Cancelled);
            },
            Invariant::EndsOnce,
        ),
        (
            "a second terminal status",
            |facts| facts.statuses.push(record("eaten", 8, Status::Cancelled)),
            Invariant::EndsOnce,
        ),
        (
            "a status that goes back",
            |facts| facts.statuses.push(record("off", 5, Status::Scheduled)),
            Invariant::NeverBack,
        ),
        (
            "a change that was never published",
            |facts| facts.statuses.retain(|record| record.event.version != 2),
            Invariant::NoGap,
        ),
        (
            "a version published with two contents",
            |facts| facts.statuses.push(record("off", 4, Status::InDelivery)),
            Invariant::NoGap,
        ),
        (
            "an order published in two partitions",
            |facts| facts.statuses[1].partition = 1,
            Invariant::NoGap,
        ),
        (
            "a change that was published but not stored",
            |facts| facts.state.retain(|entry| entry.object != "eaten"),
            Invariant::PublishedAsStored,
        ),
        (
            "a change that was stored but not published",
            |facts| {
                facts.state.push(state(
                    "OrderStatusService",
                    "silent",
                    "order-status",
                    r#"{"status":"CREATED","version":1}"#,
                ));
            },
            Invariant::PublishedAsStored,
        ),
        (
            "an accepted cancellation that is forgotten",
            |facts| facts.notes.cancelled.push(order("eaten")),
            Invariant::CancellationKept,
        ),
    ]
}

fn food_and_drivers() -> Vec<Case> {
    vec![
        (
            "a meal that is cooked for a cancelled order",
            |facts| facts.preparations[1].status = PreparationStatus::Preparing,
            Invariant::NothingCooking,
        ),
        (
            "delivered but never cooked",
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
            "a delivery that a driver holds after its end",
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
                    .push(state("DeliveryManager", "off", "delivery-info", "{}"));
            },
            Invariant::NothingHeld,
        ),
        (
            "a cancelled delivery that is still queued",
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
            "a driver who is queued twice",
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
            "a driver who is queued but has gone home",
            |facts| facts.state.retain(|entry| entry.object != "ben"),
            Invariant::QueuesClean,
        ),
        (
            "a driver who waits for work but is not queued",
            |facts| {
                facts
                    .state
                    .retain(|entry| entry.service != "DriverDeliveryMatcher");
            },
            Invariant::QueuesClean,
        ),
    ]
}

fn the_rest() -> Vec<Case> {
    vec![
        (
            "an invalid event that vanishes",
            |facts| facts.dead_letters.clear(),
            Invariant::InvalidDeadLettered,
        ),
        (
            "a good order among the dead letters",
            |facts| {
                facts.dead_letters.push(DeadLetter {
                    value: "a good order".to_owned(),
                    reason: "why not".to_owned(),
                });
            },
            Invariant::InvalidDeadLettered,
        ),
        (
            "an invocation that never ends",
            |facts| {
                facts
                    .invocations
                    .push(invocation("OrderWorkflow/off/run", "suspended"));
            },
            Invariant::NothingUnderWay,
        ),
        (
            "a driver's report that is never processed",
            |facts| {
                let report = invocation(REPORT, "ready");
                facts.invocations_before.push(report);
            },
            Invariant::NothingUnderWay,
        ),
        (
            "a driver's report that fails",
            |facts| {
                let mut report = invocation(REPORT, "backing-off");
                report.last_failure = Some("no".to_owned());
                facts.invocations = vec![report];
            },
            Invariant::NothingUnderWay,
        ),
        (
            "a phone that fails for ever",
            |facts| facts.invocations[0].last_failure = Some("no".to_owned()),
            Invariant::NothingUnderWay,
        ),
    ]
}
