//! Where the facts are read: the third parties' books, Kafka, the runtime's SQL.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::topic;
use kafka::{Connection, records};
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{Instant, sleep};
use upstream::{Addresses, Attempt, NoAddress, Repeat, Upstream, http};

use crate::check::left_behind;
use crate::drivers::holdings;
use crate::facts::{DeadLetter, Facts, Holding, Invocation, Look, Notes, StateEntry, Told};

/// How long one request may take; the runtime may hold thousands of orders.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer, in bytes: all that the runtime says of some ten thousand orders.
const LONGEST: usize = 512 << 20;
/// How many entries of a book to ask for at a time.
const PAGE: usize = 5_000;
/// The time between the two glances of a look: no delivery may stay that long with two drivers.
const BETWEEN_GLANCES: Duration = Duration::from_millis(500);

/// The time between two samples of what the runtime holds, and how long it may take until two of them are alike.
const BETWEEN_SAMPLES: Duration = Duration::from_millis(500);
const ALIKE_WITHIN: Duration = Duration::from_mins(1);

/// Why facts cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part does not answer, or not as expected.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// An answer or a record cannot be read.
    #[error("{what} cannot be read: {source}")]
    Unreadable {
        /// Which.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// How Kafka is reached cannot be read.
    #[error(transparent)]
    KafkaProperties(#[from] kafka::properties::Error),
    /// A topic cannot be read.
    #[error(transparent)]
    Kafka(#[from] records::Error),
    /// The broker has dropped records, so nothing can be proved.
    #[error(
        "topic {topic}: the broker has dropped its first {records} records; use one that keeps more"
    )]
    Forgotten {
        /// Of which topic.
        topic: String,
        /// How many.
        records: i64,
    },
    /// An address of Restate is none.
    #[error("Restate's admin API: {0}")]
    Restate(#[from] NoAddress),
    /// The list of addresses names no such part.
    #[error("no address of {0} is known")]
    NoAddress(&'static str),
    /// The list of addresses cannot be read.
    #[error("{path}: {source}")]
    Addresses {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Where facts are to be had.
#[derive(Debug, Clone)]
pub struct Sources {
    client: Client,
    kafka: Connection,
    /// Restate's admin API, at each of its nodes.
    restate: Upstream,
    payment_provider: String,
    restaurant_pos: String,
}

/// What the runtime holds at a moment.
struct Sample {
    /// Sorted, so that it can be compared.
    state: Vec<StateEntry>,
    invocations: Vec<Invocation>,
}

#[derive(Deserialize)]
struct Page<T> {
    entries: Vec<T>,
    next: Option<i64>,
}

#[derive(Deserialize)]
struct Rows<T> {
    rows: Vec<T>,
}

impl Sources {
    /// The parts that the file `endpoints.json` of a running `up` names.
    pub fn from_endpoints(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read(file).map_err(|source| Error::Addresses {
            path: file.display().to_string(),
            source,
        })?;
        let mut addresses: BTreeMap<String, String> = read(&text, || file.display().to_string())?;
        let kafka = Connection::from_endpoints(&addresses)?.ok_or(Error::NoAddress("kafka"))?;
        let restate = Addresses::named(&addresses, "restate-admin")?;
        let mut take = |name| addresses.remove(name).ok_or(Error::NoAddress(name));
        Ok(Self {
            client: http::client(TIMEOUT).build().map_err(http::Error::from)?,
            kafka,
            restate: Upstream::new(restate.ok_or(Error::NoAddress("restate-admin"))?, TIMEOUT),
            payment_provider: take("payment-provider")?,
            restaurant_pos: take("restaurant-pos")?,
        })
    }

    /// Reads everything. The system should be at rest: what changes meanwhile may be seen in two ways. The runtime, in which
    /// drivers' phones are never at rest, is given a minute for a moment in which nothing else goes on.
    pub async fn collect(&self, notes: Notes) -> Result<Facts, Error> {
        let statuses = self.topic(topic::ORDER_STATUS, |record| {
            Ok(Told {
                partition: record.partition,
                event: read(&record.value, || "a record of order-status".to_owned())?,
            })
        });
        let statuses = statuses.await?;
        self.collect_beside(notes, statuses).await
    }

    /// The same for someone who has read topic `order-status` all along, because the broker does not keep all of it.
    pub async fn collect_beside(&self, notes: Notes, statuses: Vec<Told>) -> Result<Facts, Error> {
        let dead_letters = self.topic(topic::ORDERS_DLQ, |record| {
            Ok(DeadLetter {
                reason: record.header("dlq-reason").to_owned(),
                value: String::from_utf8_lossy(&record.value).into_owned(),
            })
        });
        let [before, now] = self.runtime().await?;
        Ok(Facts {
            notes,
            ledger: self.book(&self.payment_provider, "ledger").await?,
            preparations: self.book(&self.restaurant_pos, "preparations").await?,
            statuses,
            dead_letters: dead_letters.await?,
            state: now.state,
            invocations: now.invocations,
            invocations_before: before.invocations,
        })
    }

    /// Two samples of the runtime, one after the other: the first two that hold the same state and between which no work
    /// stayed; the last two if there are none in time, so that what does not come to rest is found.
    async fn runtime(&self) -> Result<[Sample; 2], Error> {
        let deadline = Instant::now() + ALIKE_WITHIN;
        let mut before = self.sample().await?;
        loop {
            sleep(BETWEEN_SAMPLES).await;
            let now = self.sample().await?;
            let at_rest = before.state == now.state
                && left_behind(&before.invocations, &now.invocations).is_empty();
            if at_rest || Instant::now() >= deadline {
                return Ok([before, now]);
            }
            before = now;
        }
    }

    async fn sample(&self) -> Result<Sample, Error> {
        let mut state: Vec<StateEntry> = self.sql(STATE).await?;
        state.sort_unstable();
        let invocations = self.sql(INVOCATIONS).await?;
        Ok(Sample { state, invocations })
    }

    /// Looks twice at who holds what.
    pub async fn look(&self) -> Result<Look, Error> {
        let first = self.glance().await?;
        sleep(BETWEEN_GLANCES).await;
        let second = self.glance().await?;
        Ok(Look { first, second })
    }

    async fn glance(&self) -> Result<Vec<Holding>, Error> {
        let mut all = Vec::new();
        for entry in self.sql::<StateEntry>(HOLDINGS).await? {
            let held = holdings(&entry.object, &entry.value);
            all.extend(held.map_err(|source| Error::Unreadable {
                what: format!("what {} holds", entry.object),
                source,
            })?);
        }
        Ok(all)
    }

    /// What is under way in the runtime, beside what goes on for ever and drivers' reports in transit.
    pub async fn under_way(&self) -> Result<Vec<String>, Error> {
        let before: Vec<Invocation> = self.sql(INVOCATIONS).await?;
        sleep(BETWEEN_SAMPLES).await;
        let now: Vec<Invocation> = self.sql(INVOCATIONS).await?;
        Ok(left_behind(&before, &now))
    }

    /// Asks the runtime with SQL.
    pub async fn sql<T: DeserializeOwned>(&self, query: &str) -> Result<Vec<T>, Error> {
        let attempt = |Attempt { base, limit }| {
            let url = format!("{}/query", base.as_str().trim_end_matches('/'));
            let request = self.client.post(url).timeout(limit);
            let answer = request
                .header("accept", "application/json")
                .json(&json!({ "query": query }))
                .send();
            async { http::body(answer.await?.error_for_status()?, LONGEST).await }
        };
        let body = self.restate.ask(Repeat::Harmless, attempt).await?;
        let rows: Rows<T> = read(&body, || "the runtime's answer".to_owned())?;
        Ok(rows.rows)
    }

    /// A whole book of a third party, page by page.
    async fn book<T: DeserializeOwned>(&self, base: &str, name: &str) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut after = Some(0);
        while let Some(sequence) = after {
            let url = format!("{base}/{name}?after={sequence}&limit={PAGE}");
            let page: Page<T> = self.answer(self.client.get(url), name).await?;
            all.extend(page.entries);
            after = page.next;
        }
        Ok(all)
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        what: &str,
    ) -> Result<T, Error> {
        let response = request
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(http::Error::from)?;
        let body = http::body(response, LONGEST).await?;
        // Not through a JSON value: money is read from the digits as they stand.
        read(&body, || what.to_owned())
    }

    async fn topic<T: Send + 'static>(
        &self,
        topic: &'static str,
        make: impl Fn(&records::Record) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let kafka = self.kafka.clone();
        let read = tokio::task::spawn_blocking(move || records::read(&kafka, topic)).await;
        let read = match read {
            Ok(read) => read?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        if read.forgotten > 0 {
            return Err(Error::Forgotten {
                topic: topic.to_owned(),
                records: read.forgotten,
            });
        }
        read.records.iter().map(make).collect()
    }
}

/// The state entries that the invariants speak of.
const STATE: &str = "select service_name as service, service_key as object, key as name, value_utf8 as value from state \
    where (service_name = 'OrderStatusService' and key = 'order-status') \
    or service_name in ('DeliveryManager', 'DriverDeliveryMatcher', 'DispatchBacklog') \
    or (service_name in ('DriverDigitalTwin', 'DriverMobileAppSimulator') and key in ('assigned-delivery', 'driver-status'))";

const HOLDINGS: &str = "select service_name as service, service_key as object, key as name, value_utf8 as value from state \
    where service_name = 'DriverDigitalTwin' and key = 'assigned-delivery'";

const INVOCATIONS: &str = "select id, target, status, last_failure as \"lastFailure\" from sys_invocation where status != 'completed'";

fn read<T: DeserializeOwned>(json: &[u8], what: impl Fn() -> String) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|source| Error::Unreadable {
        what: what(),
        source,
    })
}
