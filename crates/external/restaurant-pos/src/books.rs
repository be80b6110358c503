//! The books: every order that the restaurant was asked to prepare, and its state.

use std::path::Path;
use std::str::FromStr;

use domain::json::{Fields, FromJson, Value};
use domain::order::MAX_PRODUCTS;
use domain::{OrderId, Product, RestaurantId};
use rusqlite::{OptionalExtension, Row, named_params};
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stub_kit::clock;
use stub_kit::database::{self, Database, Schema, invalid, parsed};
use stub_kit::extract::{Page, Paged};

use crate::callback::{Address, Callback, InvalidSecret};
use crate::faults::Verdict;

const SCHEMA: Schema = Schema {
    version: 2,
    sql: "
        CREATE TABLE preparations (
            sequence INTEGER PRIMARY KEY,
            order_id TEXT NOT NULL UNIQUE,
            restaurant_id TEXT NOT NULL,
            callback_url TEXT NOT NULL,
            callback_secret TEXT NOT NULL,
            products TEXT NOT NULL,
            -- PENDING is shown as PREPARING or READY, by the clock.
            state TEXT NOT NULL CHECK (state IN ('PENDING', 'CALLED_BACK', 'CANCELLED', 'REFUSED', 'FAILED')),
            -- How often to call back: 0 and 2 are faults.
            callbacks INTEGER NOT NULL,
            accepted_at INTEGER NOT NULL,
            ready_at INTEGER,
            ended_at INTEGER,
            -- The last answer to the callback, if it was a refusal.
            answer TEXT
        ) STRICT;
        CREATE INDEX preparations_by_state ON preparations (state, sequence);
    ",
};

/// A request to prepare an order.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) order_id: OrderId,
    pub(crate) restaurant_id: RestaurantId,
    pub(crate) products: Vec<Product>,
    pub(crate) callback: Callback,
}

impl FromJson for Ticket {
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let order_id = fields.required("orderId", Value::parsed);
        let restaurant_id = fields.required("restaurantId", Value::parsed);
        let products = fields.list("products", 1..=MAX_PRODUCTS, Product::from_fields);
        let callback = fields.required_object("callback", |fields| {
            let url = fields.required("url", Value::parsed);
            // The message must not quote the secret.
            let secret = fields.required("secret", |value| {
                value
                    .parsed()
                    .map_err(|_: String| InvalidSecret.to_string())
            });
            Some(Callback {
                url: url?,
                secret: secret?,
            })
        });
        Some(Self {
            order_id: order_id?,
            restaurant_id: restaurant_id?,
            products: products?,
            callback: callback?,
        })
    }
}

/// The answer to a request to prepare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Cooking {
        ready_at: i64,
    },
    Refused,
    /// The order is stored with another callback address.
    OtherCallback,
}

/// An order whose callback is still to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) sequence: i64,
    pub(crate) ready_at: i64,
}

/// What a callback says, and how often it is sent.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) order_id: OrderId,
    pub(crate) callback: Callback,
    pub(crate) ready_at: i64,
    pub(crate) callbacks: u8,
}

/// How the callback of an order ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    CalledBack,
    Failed { answer: String },
}

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    /// Cooking.
    Preparing,
    /// Cooked; the callback was not accepted yet.
    Ready,
    /// The callback was accepted.
    CalledBack,
    /// Cancelled before the callback.
    Cancelled,
    /// Not accepted by the restaurant.
    Refused,
    /// The callback was refused for good.
    Failed,
}

/// The error for a text that is not a [`Status`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("must be PREPARING, READY, CALLED_BACK, CANCELLED, REFUSED or FAILED")]
pub(crate) struct InvalidStatus;

impl FromStr for Status {
    type Err = InvalidStatus;

    fn from_str(name: &str) -> Result<Self, InvalidStatus> {
        let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        Self::deserialize(name).map_err(|_| InvalidStatus)
    }
}

impl Status {
    /// The value of the column `state` for this status.
    fn state(self) -> &'static str {
        match self {
            Self::Preparing | Self::Ready => "PENDING",
            Self::CalledBack => "CALLED_BACK",
            Self::Cancelled => "CANCELLED",
            Self::Refused => "REFUSED",
            Self::Failed => "FAILED",
        }
    }

    fn read(row: &Row<'_>, now: i64) -> rusqlite::Result<Self> {
        let state: String = row.get("state")?;
        if state != "PENDING" {
            return state.parse().map_err(invalid);
        }
        let is_ready = row.get::<_, i64>("ready_at")? <= now;
        Ok(if is_ready {
            Self::Ready
        } else {
            Self::Preparing
        })
    }
}

/// A stored order. Times are in ms since the epoch.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preparation {
    pub(crate) sequence: i64,
    order_id: OrderId,
    restaurant_id: RestaurantId,
    callback_url: Address,
    products: Box<RawValue>,
    status: Status,
    /// How often to call back: once, unless a fault made it 0 (silence) or 2 (duplicate).
    callbacks: u8,
    accepted_at: i64,
    ready_at: Option<i64>,
    ended_at: Option<i64>,
    /// The last answer to the callback, if it was a refusal.
    answer: Option<String>,
}

impl Preparation {
    fn read(row: &Row<'_>, now: i64) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get("sequence")?,
            order_id: parsed(row, "order_id")?,
            restaurant_id: parsed(row, "restaurant_id")?,
            callback_url: parsed(row, "callback_url")?,
            products: RawValue::from_string(row.get("products")?).map_err(invalid)?,
            status: Status::read(row, now)?,
            callbacks: row.get("callbacks")?,
            accepted_at: row.get("accepted_at")?,
            ready_at: row.get("ready_at")?,
            ended_at: row.get("ended_at")?,
            answer: row.get("answer")?,
        })
    }
}

/// The books of the restaurant; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    pub(crate) database: Database,
}

impl Books {
    pub(crate) async fn open(path: &Path) -> Result<Self, database::Error> {
        let database = Database::open(path, SCHEMA).await?;
        Ok(Self { database })
    }

    /// Stores a new order according to `verdict`. For a known order, returns the earlier answer.
    ///
    /// `schedule` is called for an order with a callback, inside the transaction, so that it is called even if the client hangs
    /// up: a stored order that is not scheduled would wait for the next start of the process. It must not read the order from
    /// the database itself, because the transaction is not committed yet; work that is queued later may.
    pub(crate) async fn accept(
        &self,
        ticket: Ticket,
        verdict: Verdict,
        preparation_ms: i64,
        schedule: impl FnOnce(Pending) + Send + 'static,
    ) -> Result<Answer, database::Error> {
        self.database
            .write(move |tx| {
                let known = tx
                    .prepare_cached(
                        "SELECT state, callback_url, ready_at FROM preparations WHERE order_id = ?1",
                    )?
                    .query_row([ticket.order_id.as_str()], |row| {
                        Ok(if row.get_ref("state")?.as_str()? == Status::Refused.state() {
                            Answer::Refused
                        } else if row.get_ref("callback_url")?.as_str()? != ticket.callback.url.as_str() {
                            Answer::OtherCallback
                        } else {
                            Answer::Cooking {
                                ready_at: row.get("ready_at")?,
                            }
                        })
                    })
                    .optional()?;
                if let Some(answer) = known {
                    return Ok(answer);
                }

                let now = clock::now_ms();
                let ready = now.saturating_add(preparation_ms);
                let (status, callbacks, ready_at, ended_at) = match verdict {
                    Verdict::Refuse => (Status::Refused, 0, None, Some(now)),
                    Verdict::Cook { callbacks } => (Status::Preparing, callbacks, Some(ready), None),
                };
                tx.prepare_cached(
                    "INSERT INTO preparations
                        (order_id, restaurant_id, callback_url, callback_secret, products, state, callbacks, accepted_at,
                         ready_at, ended_at)
                     VALUES
                        (:order, :restaurant, :url, :secret, :products, :state, :callbacks, :now, :ready_at, :ended_at)",
                )?
                .execute(named_params! {
                    ":order": ticket.order_id.as_str(),
                    ":restaurant": ticket.restaurant_id.as_str(),
                    ":url": ticket.callback.url.as_str(),
                    ":secret": ticket.callback.secret.as_str(),
                    ":products": serde_json::to_string(&ticket.products).map_err(invalid)?,
                    ":state": status.state(),
                    ":callbacks": callbacks,
                    ":now": now,
                    ":ready_at": ready_at,
                    ":ended_at": ended_at,
                })?;
                Ok(match ready_at {
                    None => Answer::Refused,
                    Some(ready_at) => {
                        if callbacks > 0 {
                            schedule(Pending {
                                sequence: tx.last_insert_rowid(),
                                ready_at,
                            });
                        }
                        Answer::Cooking { ready_at }
                    }
                })
            })
            .await
    }

    /// All orders whose callback is still to be sent.
    pub(crate) async fn pending(&self) -> Result<Vec<Pending>, database::Error> {
        self.database
            .read(|connection| {
                const PENDING: &str = "SELECT sequence, ready_at FROM preparations
                                       WHERE state = 'PENDING' AND callbacks > 0";
                let mut pending = connection.prepare(PENDING)?;
                let pending = pending.query_map([], |row| {
                    Ok(Pending {
                        sequence: row.get("sequence")?,
                        ready_at: row.get("ready_at")?,
                    })
                })?;
                pending.collect()
            })
            .await
    }

    /// The callback of an order that is due; `None` if it is no longer due.
    pub(crate) async fn call(&self, sequence: i64) -> Result<Option<Call>, database::Error> {
        self.database
            .read(move |connection| {
                connection
                    .prepare_cached(
                        "SELECT order_id, callback_url, callback_secret, ready_at, callbacks FROM preparations
                         WHERE sequence = ?1 AND state = 'PENDING'",
                    )?
                    .query_row([sequence], |row| {
                        Ok(Call {
                            order_id: parsed(row, "order_id")?,
                            callback: Callback {
                                url: parsed(row, "callback_url")?,
                                secret: parsed(row, "callback_secret")?,
                            },
                            ready_at: row.get("ready_at")?,
                            callbacks: row.get("callbacks")?,
                        })
                    })
                    .optional()
            })
            .await
    }

    /// Stores how the callback of a pending order ended. An order that was cancelled in the meantime stays cancelled.
    pub(crate) async fn end(&self, sequence: i64, end: End) -> Result<(), database::Error> {
        let (status, answer) = match end {
            End::CalledBack => (Status::CalledBack, None),
            End::Failed { answer } => (Status::Failed, Some(answer)),
        };
        self.database
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE preparations SET state = ?2, answer = ?3, ended_at = ?4
                     WHERE sequence = ?1 AND state = 'PENDING'",
                )?
                .execute((sequence, status.state(), answer, clock::now_ms()))
                .map(drop)
            })
            .await
    }

    /// Cancels an order if it is still pending. Returns its status after that; `None` for an unknown order.
    pub(crate) async fn cancel(&self, order: OrderId) -> Result<Option<Status>, database::Error> {
        self.database
            .write(move |tx| {
                let now = clock::now_ms();
                tx.prepare_cached(
                    "UPDATE preparations SET state = 'CANCELLED', ended_at = ?2
                     WHERE order_id = ?1 AND state = 'PENDING'",
                )?
                .execute((order.as_str(), now))?;
                tx.prepare_cached("SELECT state, ready_at FROM preparations WHERE order_id = ?1")?
                    .query_row([order.as_str()], |row| Status::read(row, now))
                    .optional()
            })
            .await
    }

    /// One order.
    pub(crate) async fn preparation(
        &self,
        order: OrderId,
    ) -> Result<Option<Preparation>, database::Error> {
        self.database
            .read(move |connection| {
                let now = clock::now_ms();
                connection
                    .prepare_cached("SELECT * FROM preparations WHERE order_id = ?1")?
                    .query_row([order.as_str()], |row| Preparation::read(row, now))
                    .optional()
            })
            .await
    }

    /// A page of all orders, or of those with one status.
    pub(crate) async fn preparations(
        &self,
        status: Option<Status>,
        page: Page,
    ) -> Result<Paged<Preparation>, database::Error> {
        self.database
            .read(move |connection| {
                let filter = match status {
                    None => "?3 IS NULL AND ?4 IS NOT NULL",
                    Some(Status::Preparing) => "state = ?3 AND ready_at > ?4",
                    Some(Status::Ready) => "state = ?3 AND ready_at <= ?4",
                    Some(_) => "state = ?3 AND ?4 IS NOT NULL",
                };
                let now = clock::now_ms();
                let entries = connection
                    .prepare_cached(&format!(
                        "SELECT * FROM preparations WHERE sequence > ?1 AND {filter} ORDER BY sequence LIMIT ?2"
                    ))?
                    .query_map(
                        (page.after, page.fetch(), status.map(Status::state), now),
                        |row| Preparation::read(row, now),
                    )?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(page.cut(entries, |entry: &Preparation| entry.sequence))
            })
            .await
    }
}
