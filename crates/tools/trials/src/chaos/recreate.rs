//! Deletes a topic and has setup create it again, while orders are under way.
//!
//! Records that Restate has not read are lost with their topic; no system could prevent that. The invariant that no accepted
//! order is lost must hold all the same, so `orders` is deleted only when Restate has committed every record, and the customers
//! place nothing meanwhile. `driver-updates` and `driver-positions` are deleted with whatever they hold: a driver's next position
//! follows soon, and no order may depend on a single one.

use std::fmt;
use std::time::Duration;

use anyhow::Context;
use domain::topic;
use kafka::Connection;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use tokio::time::{Instant, sleep, timeout};

use super::customers::Customers;
use super::tested_system::TestedSystem;
use food_ordering::up::drain;

/// How long to wait for all pending answers: longer than the time limits of Kafka and the gateway for one.
const HELD_WITHIN: Duration = Duration::from_secs(30);
/// How long Restate may take to read the remaining records, and how long deleting the topic and setting up again may take. Long,
/// because other faults happen at the same time.
const READ_WITHIN: Duration = Duration::from_mins(1);
const DONE_WITHIN: Duration = Duration::from_mins(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Whether the topic was recreated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was, and after this time setup had created it again, and Restate read it if it reads this topic.
    Done(Duration),
    /// The topic was left alone, for this reason: records in it would have been lost.
    NotRead(String),
}

impl Outcome {
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(took) => {
                write!(f, "deleted; set up again after {:.1} s", took.as_secs_f64())
            }
            Self::NotRead(why) => write!(f, "left alone: {why}"),
        }
    }
}

/// Deletes a topic and has setup create it again. Fails if Restate does not read the new topic in time.
pub(super) async fn topic(
    name: &'static str,
    stage: &TestedSystem,
    customers: &Customers,
) -> anyhow::Result<Outcome> {
    let kafka = stage.system.kafka()?;
    let held = if name == topic::ORDERS {
        let Ok(held) = timeout(HELD_WITHIN, customers.pause_publishing()).await else {
            let why = format!("a customer still waits for an answer after {HELD_WITHIN:?}");
            return Ok(Outcome::NotRead(why));
        };
        let admin = &stage.system.nodes("restate-admin")?.to_string();
        if let Err(why) = all_read(admin, &kafka, name, READ_WITHIN).await {
            return Ok(Outcome::NotRead(format!("{why:#}")));
        }
        Some(held)
    } else {
        None
    };
    let begin = Instant::now();
    let done = timeout(DONE_WITHIN, async {
        delete(&kafka, name).await;
        retry(async || {
            stage.set_up().await?;
            // The position filter reads this one, and notices by itself that it is another.
            if name == topic::DRIVER_UPDATES {
                return Ok(0);
            }
            // Succeeds only if Restate reads the topic that exists now.
            let admin = &stage.system.nodes("restate-admin")?.to_string();
            drain::topic(admin, &kafka, name, Duration::ZERO).await
        })
        .await;
    });
    done.await
        .with_context(|| format!("topic {name} was not set up again within {DONE_WITHIN:?}"))?;
    drop(held);
    Ok(Outcome::Done(begin.elapsed()))
}

/// Waits until Restate has committed every record of a topic. Fails after `limit`.
async fn all_read(
    admin: &str,
    kafka: &Connection,
    name: &'static str,
    limit: Duration,
) -> anyhow::Result<()> {
    let mut last = "no answer".to_owned();
    let read = timeout(limit, async {
        loop {
            match drain::topic(admin, kafka, name, Duration::ZERO).await {
                Ok(0) => return,
                Ok(left) => last = format!("{left} records are unread"),
                Err(error) => last = format!("{error:#}"),
            }
            sleep(AGAIN_AFTER).await;
        }
    });
    read.await
        .map_err(|_| anyhow::anyhow!("{last} after {limit:?}"))
}

/// Deletes a topic. Returns when it is gone, or when another topic of this name has taken its place.
async fn delete(kafka: &Connection, name: &'static str) {
    let id = retry(async || Ok(kafka::topic_ids(kafka, &[name]).await?.remove(name))).await;
    retry(async || {
        if id.is_none() || kafka::topic_ids(kafka, &[name]).await?.remove(name) != id {
            return Ok(());
        }
        let client: AdminClient<DefaultClientContext> = kafka.config().create()?;
        let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT));
        for deleted in client.delete_topics(&[name], &options).await? {
            match deleted {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => anyhow::bail!("deleting topic {name}: {code}"),
            }
        }
        anyhow::bail!("topic {name} is still there")
    })
    .await;
}

/// Retries until `act` succeeds. The caller limits the time.
async fn retry<T>(mut act: impl AsyncFnMut() -> anyhow::Result<T>) -> T {
    loop {
        match act().await {
            Ok(done) => return done,
            Err(error) => tracing::debug!("{error:#}"),
        }
        sleep(AGAIN_AFTER).await;
    }
}
