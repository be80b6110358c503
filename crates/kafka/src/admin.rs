//! Which cluster this is, and which topics it has.

use std::collections::HashSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use crate::Error;

const TIMEOUT: Duration = Duration::from_secs(5);

/// A Kafka cluster as its brokers describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its id: a broker that lost its log and starts anew has another one.
    pub id: String,
}

fn client(brokers: &str) -> Result<AdminClient<DefaultClientContext>, Error> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()
        .map_err(|source| Error::Client {
            brokers: brokers.to_owned(),
            source,
        })
}

impl Cluster {
    /// Asks the brokers who they are. Takes up to five seconds.
    pub async fn discover(brokers: &str) -> Result<Self, Error> {
        let admin = client(brokers)?;
        let id = tokio::task::spawn_blocking(move || admin.inner().fetch_cluster_id(TIMEOUT)).await;
        match id {
            Ok(Some(id)) => Ok(Self { id }),
            _ => Err(Error::Unreachable {
                brokers: brokers.to_owned(),
                reason: format!("no cluster id within {TIMEOUT:?}"),
            }),
        }
    }
}

/// Creates those of `topics` (name and partitions) that are missing, with the cluster's own replication factor.
///
/// Safe to call again and again; topics that exist are left as they are.
pub async fn ensure_topics(brokers: &str, topics: &[(&str, i32)]) -> Result<(), Error> {
    let unreachable = |reason: String| Error::Unreachable {
        brokers: brokers.to_owned(),
        reason,
    };
    let admin = client(brokers)?;
    let (admin, existing) = tokio::task::spawn_blocking(move || {
        let existing = admin.inner().fetch_metadata(None, TIMEOUT).map(|metadata| {
            metadata
                .topics()
                .iter()
                .map(|topic| topic.name().to_owned())
                .collect::<HashSet<_>>()
        });
        (admin, existing)
    })
    .await
    .map_err(|error| unreachable(error.to_string()))?;
    let existing = existing.map_err(|error| unreachable(error.to_string()))?;
    let missing: Vec<_> = topics
        .iter()
        .filter(|(name, _)| !existing.contains(*name))
        .map(|&(name, partitions)| {
            // -1: the cluster's own default.
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
            if name == domain::topic::DRIVER_UPDATES {
                // When a driver was heard from is not for the driver's phone to say.
                topic.set("message.timestamp.type", "LogAppendTime")
            } else {
                topic
            }
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let results = admin
        .create_topics(&missing, &options)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(unreachable(format!("creating topic {topic}: {code}")));
            }
        }
    }
    Ok(())
}
