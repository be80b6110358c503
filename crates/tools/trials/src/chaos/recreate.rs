//! Deleting a topic and creating it anew, while orders are under way.
//!
//! What Restate has not read of a topic is gone with it, and no system could bring it back. So that every accepted order must
//! arrive all the same, `orders` is deleted only when Restate has committed all that was accepted, and nobody places anything
//! meanwhile. `driver-updates` is deleted as it is: a driver's place is soon followed by the next one, and no order may depend
//! on it.

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
use super::stage::Stage;
use food_ordering::up::drain;

/// How long it may take until nobody waits for an answer any more: longer than Kafka and the gateway have for one.
const HELD_WITHIN: Duration = Duration::from_secs(30);
/// How long Restate may take to read the rest, and how long deleting and setting up again may take: others are killed meanwhile.
const READ_WITHIN: Duration = Duration::from_mins(1);
const DONE_WITHIN: Duration = Duration::from_mins(2);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Restate reads the new topic after this time.
    Done(Duration),
    /// The topic was left as it was: records in it would have been lost.
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
            Self::Done(took) => write!(
                f,
                "deleted; Restate reads the new one after {:.1} s",
                took.as_secs_f64()
            ),
            Self::NotRead(why) => write!(f, "left as it is: {why}"),
        }
    }
}

/// Deletes a topic and has setup create it anew. An error if Restate does not read the new one in time.
pub(super) async fn topic(
    name: &'static str,
    stage: &Stage,
    customers: &Customers,
) -> anyhow::Result<Outcome> {
    let kafka = stage.kafka()?;
    let held = if name == topic::ORDERS {
        let Ok(held) = timeout(HELD_WITHIN, customers.hold()).await else {
            let why = format!("someone waits for an answer after {HELD_WITHIN:?}");
            return Ok(Outcome::NotRead(why));
        };
        let left = all_read(stage.address("restate-admin")?, &kafka, name, READ_WITHIN).await;
        if let Err(why) = left {
            return Ok(Outcome::NotRead(format!("{why:#}")));
        }
        Some(held)
    } else {
        None
    };
    let begin = Instant::now();
    let done = timeout(DONE_WITHIN, async {
        delete(&kafka, name).await;
        again(async || {
            stage.set_up().await?;
            // Answers only if Restate reads the topic that there is now.
            let admin = stage.address("restate-admin")?;
            drain::topic(admin, &kafka, name, Duration::ZERO).await
        })
        .await;
    });
    done.await
        .with_context(|| format!("topic {name} is not set up again within {DONE_WITHIN:?}"))?;
    drop(held);
    Ok(Outcome::Done(begin.elapsed()))
}

/// Waits until Restate has committed every record of a topic; an error if it has not within `limit`.
async fn all_read(
    admin: &str,
    kafka: &Connection,
    name: &'static str,
    limit: Duration,
) -> anyhow::Result<()> {
    let mut last = "nobody answers".to_owned();
    let read = timeout(limit, async {
        loop {
            match drain::topic(admin, kafka, name, Duration::ZERO).await {
                Ok(0) => return,
                Ok(left) => last = format!("{left} records are not read"),
                Err(error) => last = format!("{error:#}"),
            }
            sleep(AGAIN_AFTER).await;
        }
    });
    read.await
        .map_err(|_| anyhow::anyhow!("{last} after {limit:?}"))
}

/// Deletes a topic; returns when it is gone, or another one has taken its place.
async fn delete(kafka: &Connection, name: &'static str) {
    let id = again(async || Ok(kafka::topic_ids(kafka, &[name]).await?.remove(name))).await;
    again(async || {
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

/// Tries until it works; whoever calls bounds the time.
async fn again<T>(mut act: impl AsyncFnMut() -> anyhow::Result<T>) -> T {
    loop {
        match act().await {
            Ok(done) => return done,
            Err(error) => tracing::debug!("{error:#}"),
        }
        sleep(AGAIN_AFTER).await;
    }
}
