//! The Restate runtime's query endpoint, `POST /query`, which answers with a stream of Arrow record batches.

use std::pin::Pin;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::SchemaRef;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{Client, Response};
use serde::Deserialize;

use crate::error::{Error, Result};

/// How long it may take to be connected. Together with what else there is to do, a runtime that is down is known in less than
/// two seconds.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

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
    /// `http://host:port` of the admin API.
    admin: String,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Runtime {
    pub(crate) fn new(admin: &str) -> std::result::Result<Self, reqwest::Error> {
        let http = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            // The runtime is given by address; a proxy for the Internet has no business there.
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            admin: admin.trim_end_matches('/').to_owned(),
        })
    }

    /// Runs a query of the runtime's own dialect, and waits until its columns are known.
    pub(crate) async fn query(&self, sql: &str) -> Result<Answer> {
        let response = self
            .http
            .post(format!("{}/query", self.admin))
            .header("accept", "application/vnd.apache.arrow.stream")
            .json(&serde_json::json!({ "query": sql }))
            .send()
            .await
            .map_err(|error| Error::unreachable(&self.admin, reason(&error)))?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let mut reading = Reading {
            runtime: self.clone(),
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
        let body = response.text().await.unwrap_or_default();
        match serde_json::from_str::<Refusal>(&body) {
            Ok(refusal) => Error::from_runtime(&refusal.message),
            Err(_) => Error::unreachable(&self.admin, format!("it answers {status}")),
        }
    }

    /// Why an answer ended before its end. The runtime cannot tell: it just breaks off.
    async fn broken_off(&self, why: String) -> Error {
        let health = self.http.get(format!("{}/health", self.admin));
        match health.timeout(CONNECT_WITHIN).send().await {
            Ok(response) if response.status().is_success() => Error::new(
                "XX000",
                "the query failed in the runtime after the first rows; the runtime's log says why",
            ),
            _ => Error::unreachable(&self.admin, why),
        }
    }
}

/// The innermost reason, which says more than "error sending request".
fn reason(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

type Body = Pin<Box<dyn Stream<Item = std::result::Result<bytes::Bytes, String>> + Send>>;

/// An answer while it is read: at most a chunk of the body and a batch are in memory.
struct Reading {
    runtime: Runtime,
    body: Body,
    decoder: StreamDecoder,
    left: Buffer,
}

impl Reading {
    /// Decodes what is there; a batch if one is complete.
    fn step(&mut self) -> Result<Option<RecordBatch>> {
        self.decoder.decode(&mut self.left).map_err(|error| {
            Error::new(
                "XX000",
                format!("the runtime's answer cannot be read: {error}"),
            )
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
            Some(Err(why)) => Err(self.runtime.broken_off(why).await),
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
