//! Each invariant, broken on purpose.

use super::*;

/// What is wrong, how the facts come to say so, and the invariant that is broken by it.
type Case = (&'static str, fn(&mut Facts), Invariant);

#[test]
fn each_thing_that_is_broken_on_purpose_is_found() {
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
            "an idempotency key made random",
            |facts| {
                facts
                    .ledger
                    .push(entry(EntryKind::Charge, "eaten", "random"));
            },
            Invariant::ChargedOnce,
        ),
        (
            "somebody charged who ordered nothing",
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
            "delivered and never charged",
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
    ]
}

fn food_and_drivers() -> Vec<Case> {
    vec![
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
                    .push(state("DeliveryManager", "off", "delivery-info", "{}"));
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
                    .retain(|entry| entry.service != "DriverDeliveryMatcher");
            },
            Invariant::QueuesClean,
        ),
    ]
}

fn the_rest() -> Vec<Case> {
    vec![
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
                    .push(invocation("OrderWorkflow/off/run", "suspended"));
            },
            Invariant::NothingUnderWay,
        ),
        (
            "a driver's report that is never taken in",
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
