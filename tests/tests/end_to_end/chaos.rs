//! A short `trials chaos`, and its verdicts on facts that are falsified afterwards.

use audit::{EntryKind, Facts, Holding, HoldingsSample, Invariant, check};
use domain::Status;
use end_to_end_tests::run_trials;

/// A seed whose few faults include kills, pauses, outages, failing third parties, nonsense, repetitions, cancellations, paused
/// invocations and invalid records. `trials chaos --seed=306 … --dry-run` lists them.
const SEED: &str = "--seed=306";
const SIZE: [&str; 5] = [
    "--orders=80",
    "--faults=14",
    "--drivers=5",
    "--in-flight=20",
    "--kafka=in-memory",
];

fn broken(facts: &Facts) -> Vec<Invariant> {
    let verdicts = check(facts).into_iter();
    verdicts
        .filter(|verdict| !verdict.holds())
        .map(|verdict| verdict.invariant)
        .collect()
}

#[tokio::test]
async fn every_invariant_holds_under_faults_and_falsified_facts_are_reported() -> anyhow::Result<()>
{
    let directory = tempfile::tempdir()?;
    let path = directory.path().to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        let data = format!("--data-dir={}", path.display());
        let arguments = ["chaos", SEED, &data].into_iter().chain(SIZE);
        run_trials(arguments)
    })
    .await??;
    assert!(ran.success, "{}", ran.output);
    for verdict in Invariant::ALL {
        let line = format!("holds   {}", verdict.sentence());
        assert!(ran.output.contains(&line), "{line}\n{}", ran.output);
    }

    let file = directory.path().join("facts.json");
    let facts: Facts = serde_json::from_slice(&std::fs::read(&file)?)?;
    assert_eq!(facts.notes.accepted.len(), 80);
    assert_eq!(broken(&facts), []);
    for (what, bend, invariant) in SABOTAGES {
        let mut bent = facts.clone();
        bend(&mut bent);
        let broken = broken(&bent);
        assert!(broken.contains(&invariant), "{what}: only {broken:?}");
    }

    // The command reports the same for the file.
    let mut bent = facts;
    let (_, sabotage, invariant) = SABOTAGES[0];
    sabotage(&mut bent);
    std::fs::write(&file, serde_json::to_vec(&bent)?)?;
    let ran = run_trials(["chaos".into(), "--facts".into(), file.into_os_string()])?;
    let line = format!("BROKEN  {}", invariant.sentence());
    assert!(!ran.success && ran.output.contains(&line), "{}", ran.output);
    Ok(())
}

type Bend = fn(&mut Facts);

/// Falsifications that make the facts look as if a real run had gone wrong in this way.
const SABOTAGES: [(&str, Bend, Invariant); 7] = [
    (
        "an accepted order that was lost with its topic",
        |facts| {
            let lost = facts.notes.accepted[0].order_id.clone();
            facts.ledger.retain(|entry| entry.order_id != lost);
            facts.preparations.retain(|entry| entry.order_id != lost);
            facts
                .statuses
                .retain(|record| record.event.order_id != lost);
            facts.state.retain(|entry| entry.object != lost.as_str());
        },
        Invariant::EndsOnce,
    ),
    (
        "a random idempotency key",
        |facts| {
            let mut again = facts.ledger[0].clone();
            again.idempotency_key.push_str("-random");
            facts.ledger.push(again);
        },
        Invariant::ChargedOnce,
    ),
    (
        "a refund skipped",
        |facts| facts.ledger.retain(|entry| entry.kind == EntryKind::Charge),
        Invariant::BooksBalance,
    ),
    (
        "a status that goes back",
        |facts| {
            let statuses = &mut facts.statuses;
            let last = statuses
                .iter()
                .rposition(|record| record.event.status == Status::InDelivery);
            let mut back = statuses[last.expect("a delivery")].clone();
            let order = &back.event.order_id;
            let versions = statuses
                .iter()
                .filter(|record| record.event.order_id == *order);
            back.event.version = versions
                .map(|record| record.event.version)
                .max()
                .unwrap_or(0)
                + 1;
            statuses.push(back);
        },
        Invariant::NeverBack,
    ),
    (
        "a change that was never published",
        |facts| {
            let order = facts.statuses[0].event.order_id.clone();
            facts
                .statuses
                .retain(|record| record.event.order_id != order || record.event.version != 2);
        },
        Invariant::NoGap,
    ),
    (
        "a delivery held by two drivers",
        |facts| {
            let delivery = facts.notes.accepted[0].order_id.clone();
            let held: Vec<Holding> = ["driver-1", "driver-2"]
                .map(|driver| Holding {
                    driver_id: driver.parse().expect("a driver id"),
                    delivery_id: delivery.clone(),
                })
                .to_vec();
            facts.notes.looks.push(HoldingsSample {
                first: held.clone(),
                second: held,
            });
        },
        Invariant::OneDriver,
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
];
