//! Setup's checks of Restate's ingress.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use futures::StreamExt;
use futures::future::ready;
use futures::stream::FuturesUnordered;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use upstream::Addresses;
use upstream::http::{SHORT, text};

use crate::http;

/// How long a node may take to answer.
const LIMIT: Duration = Duration::from_secs(1);

/// Restate's ingress, at all of its nodes.
#[derive(Debug)]
pub(super) struct Ingress {
    nodes: Addresses,
    client: Client,
}

impl Ingress {
    /// The ingress at `addresses`, one for each node, separated by commas.
    pub(super) fn new(addresses: &str) -> anyhow::Result<Self> {
        Ok(Self {
            nodes: addresses.parse().context("Restate's ingress")?,
            client: http::client(LIMIT)?,
        })
    }

    /// Whether any node answers.
    pub(super) async fn is_served(&self) -> bool {
        let asked = (self.nodes.each()).map(|node| async move {
            let answer = self.client.get(format!("{node}/restate/health")).send();
            (answer.await).is_ok_and(|answer| answer.status().is_success())
        });
        asked.collect::<FuturesUnordered<_>>().any(ready).await
    }

    /// Checks that every node that answers knows these services. The node where they were registered informs the others, which
    /// takes a moment; until then the others refuse all calls.
    pub(super) async fn knows(&self, services: &BTreeSet<&str>) -> anyhow::Result<()> {
        for node in self.nodes.each() {
            for service in services {
                // No service has a handler of this name, so nothing is called.
                let url = format!("{node}/{service}/setup/isThisServiceKnown");
                let Ok(answer) = self.client.post(url).send().await else {
                    // The node is down, and learns of the services when it comes back.
                    break;
                };
                let status = answer.status();
                let unknown = status == StatusCode::NOT_FOUND
                    && is_about_service(&text(answer, SHORT).await.unwrap_or_default());
                anyhow::ensure!(!unknown, "Restate at {node} does not know {service} yet");
            }
        }
        Ok(())
    }
}

/// Whether a 404 response is about the service, not about the handler.
fn is_about_service(body: &str) -> bool {
    #[derive(Deserialize)]
    struct NotFound {
        message: String,
    }
    serde_json::from_str(body).is_ok_and(|NotFound { message }| message.starts_with("service '"))
}
