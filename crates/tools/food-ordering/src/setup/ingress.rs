//! What setup asks of Restate's ingress.

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

/// Restate's ingress, at each of its nodes.
#[derive(Debug)]
pub(super) struct Ingress {
    nodes: Addresses,
    client: Client,
}

impl Ingress {
    /// At `addresses`, separated by commas.
    pub(super) fn new(addresses: &str) -> anyhow::Result<Self> {
        Ok(Self {
            nodes: addresses.parse().context("Restate's ingress")?,
            client: http::client(LIMIT)?,
        })
    }

    /// Whether a node answers.
    pub(super) async fn is_served(&self) -> bool {
        let asked = (self.nodes.each()).map(|node| async move {
            let answer = self.client.get(format!("{node}/restate/health")).send();
            (answer.await).is_ok_and(|answer| answer.status().is_success())
        });
        asked.collect::<FuturesUnordered<_>>().any(ready).await
    }

    /// That every node that answers knows these services. The one where they were registered tells the others, which takes a
    /// moment, and until they have heard of it they refuse all calls.
    pub(super) async fn knows(&self, services: &BTreeSet<&str>) -> anyhow::Result<()> {
        for node in self.nodes.each() {
            for service in services {
                // No service has a handler of this name: nothing is called.
                let url = format!("{node}/{service}/setup/isThisServiceKnown");
                let Ok(answer) = self.client.post(url).send().await else {
                    // It is away, and asks the others when it comes back.
                    break;
                };
                let status = answer.status();
                let unknown = status == StatusCode::NOT_FOUND
                    && is_about_service(&text(answer, SHORT).await.unwrap_or_default());
                anyhow::ensure!(!unknown, "Restate at {node} has not heard of {service} yet");
            }
        }
        Ok(())
    }
}

/// Whether what is not found is the service, and not its handler.
fn is_about_service(body: &str) -> bool {
    #[derive(Deserialize)]
    struct NotFound {
        message: String,
    }
    serde_json::from_str(body).is_ok_and(|NotFound { message }| message.starts_with("service '"))
}
