//! Reading server-sent events.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use futures::StreamExt;
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(30);

/// An event as it was received.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) event: String,
    pub(super) id: Option<String>,
    pub(super) data: Value,
}

impl Seen {
    /// Name and version, as in `status 3`.
    pub(super) fn short(&self) -> String {
        match &self.data["version"] {
            Value::Null => self.event.clone(),
            version => format!("{} {version}", self.event),
        }
    }
}

/// An open stream of events.
pub(super) struct Events {
    body: BodyDataStream,
    text: String,
    /// How many comments came between events.
    pub(super) comments: usize,
}

impl Events {
    pub(super) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let caching: Vec<_> = response.headers().get_all("cache-control").iter().collect();
        assert_eq!(caching, ["no-store, no-transform"]);
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Self::new(response.into_body())
    }

    pub(super) fn new(body: Body) -> Self {
        Self {
            body: body.into_data_stream(),
            text: String::new(),
            comments: 0,
        }
    }

    /// The next event, or `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<Seen> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| {
                block.lines().find_map(|line| {
                    line.strip_prefix(name)?
                        .strip_prefix(':')
                        .map(|value| value.trim_start().to_owned())
                })
            };
            if let Some(data) = field("data") {
                return Some(Seen {
                    event: field("event").unwrap(),
                    id: field("id"),
                    data: serde_json::from_str(&data).unwrap(),
                });
            }
            self.comments += 1;
        }
    }

    /// The next event or comment.
    pub(super) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                return Some(self.text.drain(..end + 2).collect());
            }
            let chunk = tokio::time::timeout(DEADLINE, self.body.next()).await;
            let chunk = chunk.expect("an event in time")?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next events, in short.
    pub(super) async fn short(&mut self, count: usize) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..count {
            seen.push(self.next().await.expect("the stream continues").short());
        }
        seen
    }
}
