//! A cluster of three Restate nodes continues when one of them is lost.

use std::time::Duration;

use audit::{Accepted, Facts, HoldingsSample, Notes, check};
use domain::{Money, Status};
use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually, order,
};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::Value;

use crate::many_orders::{wait_for_all_delivered, wait_for_orders};

const NODES: [&str; 3] = ["restate-server", "restate-server-2", "restate-server-3"];
const NODE_ADDRESSES: [&str; 3] = ["restate-node", "restate-node-2", "restate-node-3"];

/// How long a partition may be without a leader after a node was lost. Without snapshots, the node that takes over replays the
/// partition's log from its beginning, which took 20 s for 35,000 records on a busy machine with two cores.
const TAKEOVER: Duration = Duration::from_mins(4);

fn options() -> Options {
    Options::default().drivers(8).with("--restate-nodes=3")
}

/// The orders of a test, with evidence for the audit.
#[derive(Default)]
struct Customers {
    ids: Vec<String>,
    looks: Vec<HoldingsSample>,
}

impl Customers {
    /// Publishes `count` orders at once.
    async fn order(&mut self, system: &System, count: usize) -> anyhow::Result<()> {
        let first = self.ids.len();
        let ids: Vec<String> = (first..first + count)
            .map(|n| format!("cluster-{n}"))
            .collect();
        let events: Vec<Value> = ids.iter().map(|id| order(id)).collect();
        system.publish_orders(&events).await?;
        self.ids.extend(ids);
        Ok(())
    }

    /// Places an order through the gateway, and waits up to [`TAKEOVER`] until the gateway learns its status from Restate.
    async fn order_by_gateway(&mut self, system: &System) -> anyhow::Result<()> {
        let id = format!("cluster-{}", self.ids.len());
        let (code, answer) = system.post("/api/orders", &order(&id)).await?;
        assert_eq!(code, StatusCode::ACCEPTED, "{answer}");
        eventually("the gateway to know the order", TAKEOVER, async || {
            let asked = system.get(&format!("/api/orders/{id}")).await;
            match asked {
                Ok((StatusCode::OK, answer)) if answer["status"] != "NEW" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        self.ids.push(id);
        Ok(())
    }

    /// Samples which driver holds which delivery, while orders are under way.
    async fn look(&mut self, system: &System) -> anyhow::Result<()> {
        self.looks.push(system.sources()?.sample_holdings().await?);
        Ok(())
    }

    async fn all_served(&self, system: &System) {
        wait_for_all_delivered(system, self.ids.len()).await;
        assert_books_balance(system, &self.ids, 2350).await;
        assert_nothing_left_behind(system).await;
    }

    /// Audits the books, the topics and the runtime's state.
    async fn audited(&self, system: &System) -> anyhow::Result<Facts> {
        let accepted = (self.ids.iter())
            .map(|id| {
                Ok(Accepted {
                    order_id: id.parse()?,
                    price: Money::from_cents(2350)?,
                })
            })
            .collect::<anyhow::Result<_>>()?;
        let notes = Notes {
            accepted,
            looks: self.looks.clone(),
            ..Notes::default()
        };
        let facts = system.sources()?.collect(notes).await?;
        for verdict in check(&facts) {
            assert!(verdict.holds(), "{verdict:?}");
        }
        Ok(facts)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test uses wall-clock time")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

/// How many ms after the moment `after` the next order was delivered.
fn next_delivery(facts: &Facts, after: i64) -> Option<i64> {
    let delivered = (facts.statuses.iter())
        .filter(|record| record.event.status == Status::Delivered && record.event.at > after);
    delivered.map(|record| record.event.at - after).min()
}

/// The node that leads most partitions.
async fn leader(system: &System) -> anyhow::Result<&'static str> {
    let mut most = (0.0, NODES[0]);
    for (node, address) in NODES.into_iter().zip(NODE_ADDRESSES) {
        let metrics = system.text(address, "/metrics").await?;
        let led = (metrics.lines())
            .filter(|line| line.starts_with("restate_num_active_partition_leaders"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum::<f64>();
        if led > most.0 {
            most = (led, node);
        }
    }
    assert!(most.0 > 0.0, "no node leads a partition");
    Ok(most.1)
}

/// Waits until `doctor` finds exactly these subjects wrong.
async fn doctor_finds(system: &System, wrong: &[&str]) {
    eventually(&format!("doctor to find {wrong:?}"), SOON, async || {
        let (_, said) = system
            .doctor(&[])
            .await
            .map_err(|error| error.to_string())?;
        let marked = said.lines().filter(|line| line.starts_with("WRONG"));
        let found: Vec<&str> = marked
            .filter_map(|line| line.split_whitespace().nth(1))
            .collect();
        if found == wrong { Ok(()) } else { Err(said) }
    })
    .await;
}

#[tokio::test]
async fn no_order_is_lost_when_a_node_is_killed_and_the_node_returns_with_the_next_start()
-> anyhow::Result<()> {
    let mut system = System::start(options().with("--restart-delay=1h")).await?;
    doctor_finds(&system, &[]).await;
    let mut customers = Customers::default();
    customers.order(&system, 40).await?;
    wait_for_orders(&system, 1, "IN_DELIVERY", SOON).await;

    let victim = leader(&system).await?;
    let killed = now();
    system.signal(victim, Signal::SIGKILL)?;
    customers.order(&system, 20).await?;
    customers.order_by_gateway(&system).await?;
    customers.look(&system).await?;
    customers.all_served(&system).await;

    let facts = customers.audited(&system).await?;
    let next = next_delivery(&facts, killed);
    eprintln!(
        "{victim}, which led most partitions, was killed: the next order was delivered after {next:?} ms"
    );
    assert!(
        system.signal(victim, Signal::SIGKILL).is_err(),
        "it came back"
    );
    doctor_finds(&system, &[victim]).await;

    system.stop().await?;
    system.start_again().await?;
    // No second audit, because the topics were lost with the broker in memory.
    customers.order(&system, 10).await?;
    customers.all_served(&system).await;
    doctor_finds(&system, &[]).await;
    Ok(())
}

#[tokio::test]
async fn a_silent_node_is_skipped_and_after_its_return_another_node_may_be_lost()
-> anyhow::Result<()> {
    let system = System::start(options()).await?;
    let mut customers = Customers::default();
    customers.order(&system, 20).await?;
    wait_for_orders(&system, 1, "IN_DELIVERY", SOON).await;

    // All clients use the first node. Its connections stay open.
    let stopped = now();
    system.signal(NODES[0], Signal::SIGSTOP)?;
    customers.order_by_gateway(&system).await?;
    customers.order(&system, 10).await?;
    customers.all_served(&system).await;

    // The node has missed all of that, and is now needed.
    system.kill_and_wait_for_return(NODES[0]).await?;
    doctor_finds(&system, &[]).await;
    system.signal(NODES[2], Signal::SIGSTOP)?;
    customers.order_by_gateway(&system).await?;
    customers.order(&system, 10).await?;
    customers.all_served(&system).await;
    system.signal(NODES[2], Signal::SIGCONT)?;

    let facts = customers.audited(&system).await?;
    let next = next_delivery(&facts, stopped);
    eprintln!(
        "{} was stopped: the next order was delivered after {next:?} ms",
        NODES[0]
    );
    doctor_finds(&system, &[]).await;
    Ok(())
}

#[tokio::test]
async fn a_cluster_cannot_use_the_data_of_a_single_node_or_vice_versa() -> anyhow::Result<()> {
    for (there, flags, advice) in [
        (
            "local",
            &["--restate-nodes=3"][..],
            "start it without --restate-nodes",
        ),
        ("node-1", &[], "start it with --restate-nodes 3"),
    ] {
        let directory = tempfile::tempdir()?;
        std::fs::create_dir_all(directory.path().join("restate").join(there))?;
        let data = format!("--data-dir={}", directory.path().display());
        let up = ["up", "--free-ports", &data];
        let ran = end_to_end_tests::run(up.into_iter().chain(flags.iter().copied()), "")?;
        assert!(
            !ran.success && ran.output.contains(advice),
            "{}",
            ran.output
        );
    }
    Ok(())
}
