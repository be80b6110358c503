//! Reads the facts from the third parties' books, from Kafka, and from the runtime by SQL.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::{Order, topic};
use kafka::{Connection, records};
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::{Instant, sleep};
use upstream::{Addresses, Attempt, InvalidAddress, Repeat, Upstream, http};

use crate::check::left_behind;
use crate::drivers::holdings;
use crate::facts::{
    Accepted, DeadLetter, Facts, Holding, HoldingsSample, Invocation, Notes, StateEntry,
    StatusRecord,
};

/// How long one request may take; the runtime may hold thousands of orders.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer to accept, in bytes. The runtime's state for about ten thousand orders fits.
const MAX_ANSWER: usize = 512 << 20;
/// How many entries of a book to request at a time.
const PAGE: usize = 5_000;
/// The time between the two snapshots of a sample. No delivery may be held by two drivers for that long.
const BETWEEN_SNAPSHOTS: Duration = Duration::from_millis(500);

/// The time between two samples of the runtime's state, and how long to wait for two equal samples in a row.
const BETWEEN_SAMPLES: Duration = Duration::from_millis(500);
const STABLE_WITHIN: Duration = Duration::from_mins(1);

/// Why the facts could not be collected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part did not answer, or gave an unexpected answer.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// An answer or a record cannot be read.
    #[error("{what} cannot be read: {source}")]
    Unreadable {
        /// Where the text came from, such as `a record of order-status`.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The properties for connecting to Kafka cannot be used.
    #[error(transparent)]
    KafkaProperties(#[from] kafka::properties::Error),
    /// A topic cannot be read.
    #[error(transparent)]
    Kafka(#[from] records::Error),
    /// The broker has dropped records, so nothing can be proved from the rest.
    #[error(
        "topic {topic}: the broker has dropped its first {records} records; use a broker that keeps more"
    )]
    Forgotten {
        /// The topic.
        topic: String,
        /// The number of records that were dropped.
        records: i64,
    },
    /// An address of Restate is not a valid URL.
    #[error("Restate's admin API: {0}")]
    Restate(#[from] InvalidAddress),
    /// `endpoints.json` has no address for a part.
    #[error("endpoints.json has no address for {0}")]
    NoAddress(&'static str),
    /// `endpoints.json` cannot be read.
    #[error("{path}: {source}")]
    Addresses {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// Connections to everything that the facts are read from.
#[derive(Debug, Clone)]
pub struct Sources {
    client: Client,
    kafka: Connection,
    /// Restate's admin API, at each of its nodes.
    restate: Upstream,
    payment_provider: String,
    restaurant_pos: String,
}

/// The runtime's state and invocations at one moment.
struct Sample {
    /// Sorted, so that two samples can be compared.
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
    /// Takes the addresses from `file`, the `endpoints.json` of a running `up`.
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

    /// Reads all facts. The system should be at rest, because changes during the reading make the facts inconsistent. Drivers'
    /// phones are never at rest, so this waits up to a minute for a moment in which nothing else is going on.
    pub async fn collect(&self, notes: Notes) -> Result<Facts, Error> {
        let statuses = self.topic(topic::ORDER_STATUS, |record| {
            Ok(StatusRecord {
                partition: record.partition,
                event: read(&record.value, || "a record of order-status".to_owned())?,
            })
        });
        let statuses = statuses.await?;
        self.collect_with_statuses(notes, statuses).await
    }

    /// What topic `orders` says instead of the senders' notes, for a system whose senders kept none: Kafka has confirmed all its
    /// records, so its valid events were accepted, and the others have to be among the dead letters: those without the order's id as
    /// their key too, and another order under the id of an earlier one. It does not say which cancellations were accepted.
    pub async fn notes(&self) -> Result<Notes, Error> {
        let records = self.topic(topic::ORDERS, |record| {
            Ok((record.key.clone(), record.value.clone()))
        });
        let (mut accepted, mut garbage) = (BTreeMap::new(), Vec::new());
        for (key, event) in records.await? {
            let order = Order::parse(&event).ok();
            let order =
                order.filter(|order| key.as_deref() == Some(order.order_id.as_str().as_bytes()));
            let is_accepted = order.is_some_and(|order| {
                let content = order.content();
                let first = accepted.entry(order.order_id);
                first.or_insert((content.clone(), order.total_cost)).0 == content
            });
            if !is_accepted && event != topic::PROBE {
                garbage.push(String::from_utf8_lossy(&event).into_owned());
            }
        }
        let accepted = accepted.into_iter();
        Ok(Notes {
            accepted: accepted
                .map(|(order_id, (_, price))| Accepted { order_id, price })
                .collect(),
            garbage,
            ..Notes::default()
        })
    }

    /// Like [`collect`](Self::collect), for a caller that has read topic `order-status` from the start, because the broker does
    /// not keep all of it.
    pub async fn collect_with_statuses(
        &self,
        notes: Notes,
        statuses: Vec<StatusRecord>,
    ) -> Result<Facts, Error> {
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
            preparations: self.preparations().await?,
            statuses,
            dead_letters: dead_letters.await?,
            state: now.state,
            invocations: now.invocations,
            invocations_before: before.invocations,
        })
    }

    /// Two consecutive samples of the runtime: the first two with equal state and no invocation left behind. If no two are equal
    /// before the deadline, the last two, so that the audit reports what did not come to rest.
    async fn runtime(&self) -> Result<[Sample; 2], Error> {
        let deadline = Instant::now() + STABLE_WITHIN;
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

    /// Takes two snapshots, half a second apart, of which driver holds which delivery.
    pub async fn sample_holdings(&self) -> Result<HoldingsSample, Error> {
        let first = self.snapshot().await?;
        sleep(BETWEEN_SNAPSHOTS).await;
        let second = self.snapshot().await?;
        Ok(HoldingsSample { first, second })
    }

    async fn snapshot(&self) -> Result<Vec<Holding>, Error> {
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

    /// Describes the invocations under way, except recurring ones and drivers' reports in transit.
    pub async fn under_way(&self) -> Result<Vec<String>, Error> {
        let before: Vec<Invocation> = self.sql(INVOCATIONS).await?;
        sleep(BETWEEN_SAMPLES).await;
        let now: Vec<Invocation> = self.sql(INVOCATIONS).await?;
        Ok(left_behind(&before, &now))
    }

    /// Runs an SQL query on the runtime's tables.
    pub async fn sql<T: DeserializeOwned>(&self, query: &str) -> Result<Vec<T>, Error> {
        let attempt = |Attempt { base, limit }| {
            let url = format!("{}/query", base.as_str().trim_end_matches('/'));
            let request = self.client.post(url).timeout(limit);
            let answer = request
                .header("accept", "application/json")
                .json(&json!({ "query": query }))
                .send();
            async { http::body(answer.await?.error_for_status()?, MAX_ANSWER).await }
        };
        let body = self.restate.ask(Repeat::Harmless, attempt).await?;
        let rows: Rows<T> = read(&body, || "the runtime's answer".to_owned())?;
        Ok(rows.rows)
    }

    /// The restaurants' books.
    pub async fn preparations<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        self.book(&self.restaurant_pos, "preparations").await
    }

    /// Reads a whole book of a third party, page by page.
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
        let body = http::body(response, MAX_ANSWER).await?;
        // Parsed straight into the type: a detour through a JSON value would turn amounts of money into floats.
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

/// The state entries that the invariants are about.
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
