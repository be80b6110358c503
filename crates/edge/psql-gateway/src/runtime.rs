//! The Restate runtime's query endpoint, `POST /query`, which answers with a stream of Arrow record batches.

use std::pin::Pin;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::SchemaRef;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use upstream::{Addresses, Attempt, Repeat, Upstream, http};

use crate::error::{Error, Result};

/// How long it may take to be connected. Together with what else there is to do, a runtime that is down is known in less than
/// two seconds.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// A node that has not begun to answer for so long is asked whether it is well: the query may be a long one.
const ASK_AFTER: Duration = Duration::from_secs(2);
/// How long it may take to say that it is: a busy one takes its time.
const WELL_WITHIN: Duration = Duration::from_secs(5);
/// Statements have limits of their own, so this one is beyond all of them.
const LIMIT: Duration = Duration::from_hours(24);

/// Rows as they come.
pub(crate) type Batches = Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>;

/// What a query is answered with.
pub(crate) struct Answer {
    /// The columns.
    pub(crate) schema: SchemaRef,
    /// The rows. Nothing is fetched before it is asked for.
    pub(crate) batches: Batches,
}

impl Answer {
    /// An answer that is known already.
    pub(crate) fn ready(batch: RecordBatch) -> Self {
        Self {
            schema: batch.schema(),
            batches: Box::pin(stream::iter([Ok(batch)])),
        }
    }
}

/// A client of the runtime.
#[derive(Debug, Clone)]
pub(crate) struct Runtime {
    http: Client,
    nodes: Upstream,
    /// The addresses of the admin API, for people.
    admin: String,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Runtime {
    pub(crate) fn new(admin: Addresses) -> std::result::Result<Self, reqwest::Error> {
        Ok(Self {
            // An answer may take as long as its reader; a node that falls ill meanwhile is noticed by `illness`.
            http: http::streaming_client()
                .connect_timeout(CONNECT_WITHIN)
                .build()?,
            admin: admin.to_string(),
            nodes: Upstream::new(admin, LIMIT),
        })
    }

    /// Runs a query of the runtime's own dialect, and waits until its columns are known.
    pub(crate) async fn query(&self, sql: &str) -> Result<Answer> {
        // On the heap, as it is part of what every statement waits for.
        Box::pin(self.ask(sql)).await
    }

    async fn ask(&self, sql: &str) -> Result<Answer> {
        let query = serde_json::json!({ "query": sql });
        let attempt = |Attempt { base, .. }| {
            let request = self.http.post(below(&base, "query"));
            let answer = request
                .header("accept", "application/vnd.apache.arrow.stream")
                // Restate 1.7.12 leaves Nagle's algorithm on, and answers in two writes. On a used connection, whose receiver delays its
                // acknowledgements, every fifth answer took 40 ms.
                .header("connection", "close")
                .json(&query)
                .send();
            async move {
                tokio::select! {
                    answer = answer => Ok((answer?, base.clone())),
                    error = self.illness(&base) => Err(error),
                }
            }
        };
        let asked = self.nodes.ask(Repeat::Harmless, attempt).await;
        let (response, node) =
            asked.map_err(|error| Error::unreachable(&self.admin, reason(&error)))?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let mut reading = Reading {
            runtime: self.clone(),
            node,
            body: Box::pin(response.bytes_stream().map_err(|error| reason(&error))),
            decoder: StreamDecoder::new().with_require_alignment(false),
            left: Buffer::from(&[]),
        };
        // The schema comes before the first batch, which may come with it.
        let first = loop {
            let step = reading.step()?;
            if let Some(schema) = reading.decoder.schema() {
                break (schema, step);
            }
            if !reading.fetch().await? {
                return Err(Error::new("XX000", "the runtime's answer has no columns"));
            }
        };
        let (schema, batch) = first;
        let rest = stream::try_unfold(reading, async |mut reading| {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        });
        Ok(Answer {
            schema,
            batches: Box::pin(stream::iter(batch.map(Ok)).chain(rest)),
        })
    }

    async fn refusal(&self, response: Response) -> Error {
        let status = response.status();
        let read = tokio::time::timeout(WELL_WITHIN, http::body(response, http::SHORT)).await;
        let body = read
            .ok()
            .and_then(std::result::Result::ok)
            .unwrap_or_default();
        match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) => Error::from_runtime(&refusal.message),
            Err(_) => Error::unreachable(&self.admin, format!("it answers {status}")),
        }
    }

    /// Waits until a node is not well, which it may never be.
    async fn illness(&self, node: &Url) -> reqwest::Error {
        loop {
            tokio::time::sleep(ASK_AFTER).await;
            if let Err(error) = self.health(node).await {
                return error;
            }
        }
    }

    async fn health(&self, node: &Url) -> reqwest::Result<Response> {
        let health = self.http.get(below(node, "health"));
        let answer = health.timeout(WELL_WITHIN).send().await?;
        answer.error_for_status()
    }

    /// Why an answer of `node` ended before its end. The runtime cannot tell: it just breaks off.
    async fn broken_off(&self, node: &Url, why: String) -> Error {
        match self.health(node).await {
            Ok(_) => Error::new(
                "XX000",
                "the query failed in the runtime after the first rows; the runtime's log says why",
            ),
            Err(_) => Error::unreachable(&self.admin, why),
        }
    }
}

fn below(node: &Url, path: &str) -> String {
    format!("{}/{path}", node.as_str().trim_end_matches('/'))
}

/// The innermost reason, which says more than "error sending request".
fn reason(error: &reqwest::Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.last().unwrap_or(first).to_string()
}

type Body = Pin<Box<dyn Stream<Item = std::result::Result<bytes::Bytes, String>> + Send>>;

/// An answer while it is read: at most a chunk of the body and a batch are in memory.
struct Reading {
    runtime: Runtime,
    /// The node that answers.
    node: Url,
    body: Body,
    decoder: StreamDecoder,
    left: Buffer,
}

impl Reading {
    /// Decodes what is there; a batch if one is complete.
    fn step(&mut self) -> Result<Option<RecordBatch>> {
        self.decoder.decode(&mut self.left).map_err(|error| {
            let message = format!("the runtime's answer cannot be read: {error}");
            Error::new("XX000", message)
        })
    }

    /// Fetches more; whether there was more.
    async fn fetch(&mut self) -> Result<bool> {
        match self.body.next().await {
            None => Ok(false),
            Some(Ok(chunk)) => {
                // Everything before has been decoded.
                self.left = Buffer::from(chunk);
                Ok(true)
            }
            Some(Err(why)) => Err(self.runtime.broken_off(&self.node, why).await),
        }
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.step()? {
                return Ok(Some(batch));
            }
            if !self.fetch().await? {
                return Ok(None);
            }
        }
    }
}
