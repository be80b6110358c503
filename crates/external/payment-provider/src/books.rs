//! The books: all charges and refunds, and the answer given under each idempotency key.
//!
//! An answer and its ledger entry are written in one transaction, and transactions run one after the other. So a request is booked
//! once, however often and concurrently it arrives.

use std::path::Path;
use std::str::FromStr;

use axum::http::StatusCode;
use domain::{Money, OrderId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, named_params};
use serde::{Deserialize, Serialize, Serializer, ser};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use stub_kit::clock;
use stub_kit::database::{self, Database, Schema, invalid, named, parsed};
use stub_kit::extract::{Page, Paged};
use stub_kit::problem::{kinds, problem};
use uuid::Uuid;

kinds! {
    DECLINED: PAYMENT_REQUIRED, "declined", "Payment declined";
}

const SCHEMA: Schema = Schema {
    version: 1,
    sql: "
        -- The answers given. A request is stored as its method, path and body in a canonical form.
        CREATE TABLE answers (
            idempotency_key TEXT PRIMARY KEY,
            request TEXT NOT NULL,
            status INTEGER NOT NULL,
            body TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE ledger (
            sequence INTEGER PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('CHARGE', 'REFUND')),
            payment_id TEXT NOT NULL,
            refund_id TEXT,
            order_id TEXT NOT NULL,
            cents INTEGER NOT NULL CHECK (cents >= 0),
            idempotency_key TEXT NOT NULL UNIQUE,
            at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX ledger_by_payment ON ledger (payment_id);
        CREATE INDEX ledger_by_order ON ledger (order_id, sequence);

        -- Running totals, so that the summary costs the same however long the ledger is.
        CREATE TABLE totals (
            kind TEXT PRIMARY KEY,
            count INTEGER NOT NULL,
            cents INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO totals VALUES ('CHARGE', 0, 0), ('REFUND', 0, 0);
        CREATE TRIGGER ledger_totals AFTER INSERT ON ledger BEGIN
            UPDATE totals SET count = count + 1, cents = cents + NEW.cents WHERE kind = NEW.kind;
        END;
    ",
};

/// Why a request was not carried out. Nothing is stored, so the same key may be used for a corrected request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "this key was used for another request: send the same request again, or a new one under a new key"
    )]
    KeyReused,
    #[error("there is no such payment: use the paymentId from the answer to the charge")]
    UnknownPayment,
    #[error("only {left} of this payment is left to refund")]
    TooMuch { left: Money },
    #[error(transparent)]
    Database(#[from] database::Error),
}

/// A request to charge an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Charge {
    pub(crate) order_id: OrderId,
    pub(crate) amount: Money,
}

/// The only supported currency, which is the default if a request names none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) enum Currency {
    #[default]
    #[serde(rename = "USD")]
    Usd,
}

/// The error for a currency that is not supported.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("must be {}", Money::CURRENCY)]
pub(crate) struct UnsupportedCurrency;

impl FromStr for Currency {
    type Err = UnsupportedCurrency;

    fn from_str(text: &str) -> Result<Self, UnsupportedCurrency> {
        let is_usd = text == Money::CURRENCY;
        is_usd.then_some(Self::Usd).ok_or(UnsupportedCurrency)
    }
}

/// A request to refund all or part of a payment.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) payment_id: String,
    pub(crate) amount: Money,
}

/// The answer to a request, which is the same whenever the request is repeated.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    /// Whether it was given before.
    pub(crate) replayed: bool,
}

impl Answer {
    /// Whether this request, and not an earlier one under the same key, changed the ledger.
    pub(crate) fn is_new_booking(&self) -> bool {
        self.status == StatusCode::CREATED && !self.replayed
    }

    /// The same answer with another amount and currency, if it contains an amount.
    pub(crate) fn with_another_amount(mut self) -> Self {
        if let Ok(Value::Object(mut receipt)) = serde_json::from_str(&self.body)
            && receipt.contains_key("amount")
        {
            receipt.insert("amount".to_owned(), json!(1.00));
            receipt.insert("currency".to_owned(), json!("JPY"));
            self.body = Value::Object(receipt).to_string();
        }
        self
    }

    fn new(status: StatusCode, body: &impl Serialize) -> rusqlite::Result<Self> {
        Ok(Self {
            status,
            body: serde_json::to_string(body).map_err(invalid)?,
            replayed: false,
        })
    }
}

/// The two kinds of ledger entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Kind {
    Charge,
    Refund,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Charge => "CHARGE",
            Self::Refund => "REFUND",
        }
    }
}

/// An entry of the ledger: a charge or a refund.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) sequence: i64,
    pub(crate) kind: Kind,
    pub(crate) payment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refund_id: Option<String>,
    pub(crate) order_id: OrderId,
    pub(crate) amount: Money,
    pub(crate) idempotency_key: String,
    pub(crate) at: i64,
}

impl Entry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            sequence: row.get("sequence")?,
            kind: named(row, "kind")?,
            payment_id: row.get("payment_id")?,
            refund_id: row.get("refund_id")?,
            order_id: parsed(row, "order_id")?,
            amount: money(row.get("cents")?)?,
            idempotency_key: row.get("idempotency_key")?,
            at: row.get("at")?,
        })
    }

    /// Writes the entry; its sequence number is the next one, whatever it says.
    fn write(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        tx.prepare_cached(
            "INSERT INTO ledger (kind, payment_id, refund_id, order_id, cents, idempotency_key, at)
             VALUES (:kind, :payment, :refund, :order, :cents, :key, :at)",
        )?
        .execute(named_params! {
            ":kind": self.kind.name(),
            ":payment": self.payment_id,
            ":refund": self.refund_id,
            ":order": self.order_id.as_str(),
            ":cents": self.amount.cents(),
            ":key": self.idempotency_key,
            ":at": self.at,
        })
        .map(drop)
    }
}

/// How much has moved in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) charges: Total,
    pub(crate) refunds: Total,
    /// Charges minus refunds.
    pub(crate) net: Sum,
}

/// How many entries of a kind there are, and their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Total {
    pub(crate) count: i64,
    pub(crate) amount: Sum,
}

/// A sum of amounts in cents. Unlike [`Money`], it has no limit. In JSON it has the same format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum(pub(crate) i64);

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(cents) = self;
        let sign = if *cents < 0 { "-" } else { "" };
        let cents = cents.unsigned_abs();
        RawValue::from_string(format!("{sign}{}.{:02}", cents / 100, cents % 100))
            .map_err(ser::Error::custom)?
            .serialize(serializer)
    }
}

/// The books of the payment provider; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Books {
    pub(crate) database: Database,
}

impl Books {
    pub(crate) async fn open(path: &Path) -> Result<Self, database::Error> {
        let database = Database::open(path, SCHEMA).await?;
        Ok(Self { database })
    }

    /// Charges an order, or stores that the charge was declined. If `key` was used before, returns the earlier answer.
    pub(crate) async fn charge(
        &self,
        key: String,
        charge: Charge,
        declined: bool,
    ) -> Result<Answer, Error> {
        let request = format!("POST /payments {} {}", charge.order_id, charge.amount);
        self.once(key, request, move |tx, key| {
            if declined {
                let detail = "the customer's bank declined the payment: ask the customer for another way to pay";
                let problem = problem(DECLINED, detail).with("orderId", &charge.order_id);
                return Ok(Ok(Answer::new(problem.kind().status, &problem)?));
            }
            let entry = Entry {
                sequence: 0,
                kind: Kind::Charge,
                payment_id: format!("pay_{}", Uuid::now_v7().simple()),
                refund_id: None,
                order_id: charge.order_id,
                amount: charge.amount,
                idempotency_key: key.to_owned(),
                at: clock::now_ms(),
            };
            entry.write(tx)?;
            Ok(Ok(Answer::new(StatusCode::CREATED, &Receipt::of(&entry))?))
        })
        .await
    }

    /// Refunds all or part of a payment. If `key` was used before, returns the earlier answer.
    pub(crate) async fn refund(&self, key: String, refund: Refund) -> Result<Answer, Error> {
        let Refund { payment_id, amount } = refund;
        let request = format!("POST /payments/{payment_id}/refunds {amount}");
        self.once(key, request, move |tx, key| {
            let Some((order_id, left)) = payment(tx, &payment_id)? else {
                return Ok(Err(Error::UnknownPayment));
            };
            if amount > left {
                return Ok(Err(Error::TooMuch { left }));
            }
            let entry = Entry {
                sequence: 0,
                kind: Kind::Refund,
                payment_id,
                refund_id: Some(format!("ref_{}", Uuid::now_v7().simple())),
                order_id,
                amount,
                idempotency_key: key.to_owned(),
                at: clock::now_ms(),
            };
            entry.write(tx)?;
            Ok(Ok(Answer::new(StatusCode::CREATED, &Receipt::of(&entry))?))
        })
        .await
    }

    /// Runs `act` and stores its answer under `key`. If there is an answer under `key` already, returns that one.
    async fn once<F>(&self, key: String, request: String, act: F) -> Result<Answer, Error>
    where
        F: FnOnce(&Transaction<'_>, &str) -> rusqlite::Result<Result<Answer, Error>>
            + Send
            + 'static,
    {
        self.database
            .write(move |tx| {
                if let Some((remembered, answer)) = remembered(tx, &key)? {
                    let is_same = remembered == request;
                    return Ok(is_same.then_some(answer).ok_or(Error::KeyReused));
                }
                let answer = act(tx, &key)?;
                if let Ok(answer) = &answer {
                    tx.prepare_cached("INSERT INTO answers VALUES (?1, ?2, ?3, ?4)")?
                        .execute((key, request, answer.status.as_u16(), &answer.body))?;
                }
                Ok(answer)
            })
            .await?
    }

    /// A page of the ledger, for all orders or for one.
    pub(crate) async fn ledger(
        &self,
        order: Option<OrderId>,
        page: Page,
    ) -> Result<Paged<Entry>, database::Error> {
        self.database
            .read(move |connection| {
                // Two statements, because each uses another index.
                let sql = match order {
                    Some(_) => {
                        "SELECT * FROM ledger WHERE order_id = ?3 AND sequence > ?1 ORDER BY sequence LIMIT ?2"
                    }
                    None => {
                        "SELECT * FROM ledger WHERE ?3 IS NULL AND sequence > ?1 ORDER BY sequence LIMIT ?2"
                    }
                };
                let order = order.as_ref().map(OrderId::as_str);
                let mut statement = connection.prepare_cached(sql)?;
                let entries = statement.query_map((page.after, page.fetch(), order), Entry::read)?;
                Ok(page.cut(entries.collect::<Result<_, _>>()?, |entry: &Entry| entry.sequence))
            })
            .await
    }

    pub(crate) async fn summary(&self) -> Result<Summary, database::Error> {
        self.database
            .read(|connection| {
                let total = |kind: Kind| {
                    connection
                        .prepare_cached("SELECT count, cents FROM totals WHERE kind = ?1")?
                        .query_row([kind.name()], |row| {
                            Ok(Total {
                                count: row.get("count")?,
                                amount: Sum(row.get("cents")?),
                            })
                        })
                };
                let (charges, refunds) = (total(Kind::Charge)?, total(Kind::Refund)?);
                Ok(Summary {
                    charges,
                    refunds,
                    net: Sum(charges.amount.0 - refunds.amount.0),
                })
            })
            .await
    }
}

/// The body of the answer to a charge or refund.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Receipt<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<&'a str>,
    payment_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a OrderId>,
    amount: Money,
    currency: Currency,
    status: &'static str,
}

impl<'a> Receipt<'a> {
    fn of(entry: &'a Entry) -> Self {
        let (order_id, status) = match entry.kind {
            Kind::Charge => (Some(&entry.order_id), "CHARGED"),
            Kind::Refund => (None, "REFUNDED"),
        };
        Self {
            refund_id: entry.refund_id.as_deref(),
            payment_id: &entry.payment_id,
            order_id,
            amount: entry.amount,
            currency: Currency::Usd,
            status,
        }
    }
}

/// The request that was made under `key`, and its answer. Adds the currency to answers stored by earlier versions.
fn remembered(connection: &Connection, key: &str) -> rusqlite::Result<Option<(String, Answer)>> {
    connection
        .prepare_cached(
            "SELECT request, status,
                    iif(status = 201, json_insert(body, '$.currency', 'USD'), body) AS body
             FROM answers WHERE idempotency_key = ?1",
        )?
        .query_row([key], |row| {
            let answer = Answer {
                status: StatusCode::from_u16(row.get("status")?).map_err(invalid)?,
                body: row.get("body")?,
                replayed: true,
            };
            Ok((row.get("request")?, answer))
        })
        .optional()
}

/// The order of a payment, and how much of the payment is left to refund.
fn payment(connection: &Connection, id: &str) -> rusqlite::Result<Option<(OrderId, Money)>> {
    let mut left = 0;
    let mut order = None;
    let mut statement = connection.prepare_cached("SELECT * FROM ledger WHERE payment_id = ?1")?;
    for entry in statement.query_map([id], Entry::read)? {
        let entry = entry?;
        match entry.kind {
            Kind::Charge => {
                left += entry.amount.cents();
                order = Some(entry.order_id);
            }
            Kind::Refund => left -= entry.amount.cents(),
        }
    }
    order.map(|order| Ok((order, money(left)?))).transpose()
}

/// An amount from the books.
fn money(cents: i64) -> rusqlite::Result<Money> {
    Money::from_cents(u32::try_from(cents).map_err(invalid)?).map_err(invalid)
}
