//! A client of the parts of Restate's admin API that the launcher needs (<https://docs.restate.dev/admin-api>).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use upstream::{Attempt, Repeat, Upstream};

use crate::http;

/// How long one request may take. Registering a deployment calls that deployment.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of the admin API, which every node of Restate has.
#[derive(Debug, Clone)]
pub struct Admin {
    client: Client,
    nodes: Upstream,
}

/// A deployment: an address at which Restate calls services.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    /// Absent for functions in a cloud.
    #[serde(default)]
    pub(crate) uri: String,
    /// When it was registered, as RFC 3339.
    #[serde(default)]
    pub(crate) created_at: String,
    pub(crate) services: Vec<Service>,
}

/// A service of a deployment. Lists of deployments contain only names, discoveries all details.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// All other fields: kind, handlers, retention and so on.
    #[serde(flatten)]
    pub(crate) details: BTreeMap<String, Value>,
}

/// A Kafka cluster that subscriptions can refer to.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KafkaCluster {
    pub(crate) name: String,
    pub(crate) properties: BTreeMap<String, String>,
}

/// A subscription: each record of a topic calls a handler.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    /// `kafka://<cluster>/<topic>`
    pub(crate) source: String,
    /// `service://<service>/<handler>`
    pub(crate) sink: String,
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
}

impl Admin {
    /// The API at `addresses`, one URL for each node, separated by commas.
    pub fn new(addresses: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: http::client(TIMEOUT)?,
            nodes: http::upstream("Restate's admin API", addresses, TIMEOUT)?,
        })
    }

    /// Whether a node reports that it is healthy.
    pub async fn is_healthy(&self) -> bool {
        let asked = self.send(Repeat::Harmless, Method::GET, "health", None);
        asked.await.is_ok()
    }

    pub(crate) async fn deployments(&self) -> anyhow::Result<Vec<Deployment>> {
        list(self.get("deployments").await?, "deployments")
    }

    /// A deployment with all details of its services.
    pub(crate) async fn deployment(&self, id: &str) -> anyhow::Result<Deployment> {
        let path = format!("deployments/{}", http::encoded(id));
        self.get(&path).await
    }

    /// The newest deployment of each service, by the service's name.
    pub(crate) async fn newest_of_services(&self) -> anyhow::Result<BTreeMap<String, String>> {
        #[derive(Deserialize)]
        struct Newest {
            name: String,
            deployment_id: String,
        }
        let newest: Vec<Newest> = list(self.get("services").await?, "services")?;
        let newest = newest.into_iter();
        Ok(newest.map(|of| (of.name, of.deployment_id)).collect())
    }

    /// Removes a deployment, whatever is under way there.
    pub(crate) async fn remove_deployment(&self, id: &str) -> anyhow::Result<()> {
        // Restate can only remove by force, so the caller has to check that it is drained.
        let path = format!("deployments/{}?force=true", http::encoded(id));
        self.delete(&path).await
    }

    /// Discovers the services at `uri` without registering them.
    pub(crate) async fn discover(&self, uri: &str) -> anyhow::Result<Vec<Service>> {
        let request = json!({"uri": uri, "dry_run": true, "force": true});
        let discovered = self.json(Method::POST, "deployments", Some(&request)).await;
        discovered
            .and_then(|discovered| list(discovered, "services"))
            .with_context(|| format!("discovering the services at {uri}"))
    }

    /// Registers the services at `uri`. With `force`, they replace those already registered for this deployment.
    pub(crate) async fn register(&self, uri: &str, force: bool) -> anyhow::Result<()> {
        let request = json!({"uri": uri, "force": force});
        // Harmless to repeat: the second time it is registered already.
        let registered = self.post(Repeat::Harmless, "deployments", &request).await;
        registered.with_context(|| format!("registering the services at {uri}"))
    }

    /// Changes the address of a deployment to `uri`. Its invocations under way continue there.
    pub(crate) async fn move_deployment(&self, id: &str, uri: &str) -> anyhow::Result<()> {
        let request = json!({"uri": uri, "overwrite": true});
        let path = format!("deployments/{}", http::encoded(id));
        let moved = self.patch(&path, Some(&request)).await;
        moved.with_context(|| format!("moving deployment {id} to {uri}"))
    }

    /// Resumes a paused or suspended invocation, on the deployment it began on or, with `on_newest`, on the newest deployment
    /// of its service.
    pub(crate) async fn resume(&self, id: &str, on_newest: bool) -> anyhow::Result<()> {
        let deployment = if on_newest { "latest" } else { "keep" };
        let path = format!("invocations/{id}/resume?deployment={deployment}");
        self.patch(&path, None).await
    }

    /// Asks Restate to pause an invocation that is being retried. It is paused a moment later.
    pub(crate) async fn pause(&self, id: &str) -> anyhow::Result<()> {
        self.patch(&format!("invocations/{id}/pause"), None).await
    }

    pub(crate) async fn kafka_clusters(&self) -> anyhow::Result<Vec<KafkaCluster>> {
        list(self.get("kafka-clusters").await?, "clusters")
    }

    pub(crate) async fn create_kafka_cluster(
        &self,
        name: &str,
        properties: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let request = json!({"name": name, "properties": properties});
        self.post(Repeat::Never, "kafka-clusters", &request).await
    }

    /// Changes the properties of a cluster. Its subscriptions use them at once, and continue where they are.
    pub(crate) async fn update_kafka_cluster(
        &self,
        name: &str,
        properties: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let request = json!({"properties": properties});
        let path = format!("kafka-clusters/{}", http::encoded(name));
        self.patch(&path, Some(&request)).await
    }

    pub(crate) async fn delete_kafka_cluster(&self, name: &str) -> anyhow::Result<()> {
        let path = format!("kafka-clusters/{}", http::encoded(name));
        self.delete(&path).await
    }

    pub(crate) async fn subscriptions(&self) -> anyhow::Result<Vec<Subscription>> {
        list(self.get("subscriptions").await?, "subscriptions")
    }

    pub(crate) async fn create_subscription(
        &self,
        source: &str,
        sink: &str,
        options: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let request = json!({"source": source, "sink": sink, "options": options});
        // A repetition would create a second subscription, and every record would be handled twice.
        self.post(Repeat::Never, "subscriptions", &request).await
    }

    pub(crate) async fn delete_subscription(&self, id: &str) -> anyhow::Result<()> {
        let path = format!("subscriptions/{}", http::encoded(id));
        self.delete(&path).await
    }

    /// The rows of an SQL query's result.
    pub async fn query<T: DeserializeOwned>(&self, query: &str) -> anyhow::Result<Vec<T>> {
        #[derive(Deserialize)]
        struct Found<T> {
            rows: Vec<T>,
        }
        let request = json!({"query": query});
        let found: anyhow::Result<Found<T>> =
            self.json(Method::POST, "query", Some(&request)).await;
        let found = found.with_context(|| format!("querying Restate: {query}"))?;
        Ok(found.rows)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let got = self.json(Method::GET, path, None).await;
        got.with_context(|| format!("requesting {path} from Restate's admin API"))
    }

    async fn post(&self, repeat: Repeat, path: &str, body: &Value) -> anyhow::Result<()> {
        let posted = self.send(repeat, Method::POST, path, Some(body));
        posted.await.map(drop)
    }

    /// Changes something, which is harmless to repeat.
    async fn patch(&self, path: &str, body: Option<&Value>) -> anyhow::Result<()> {
        let patched = self.send(Repeat::Harmless, Method::PATCH, path, body);
        patched.await.map(drop)
    }

    async fn delete(&self, path: &str) -> anyhow::Result<()> {
        let deleted = self.send(Repeat::Never, Method::DELETE, path, None);
        deleted.await.map(drop)
    }

    /// Sends a request that is harmless to repeat, and parses the response.
    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        let response = self.send(Repeat::Harmless, method, path, body).await?;
        http::read(response).await
    }

    async fn send(
        &self,
        repeat: Repeat,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response> {
        let attempt = |Attempt { base, limit }| {
            let url = http::below(&base, path);
            let mut request = self.client.request(method.clone(), url).timeout(limit);
            if path == "query" {
                request = request.header("accept", "application/json");
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            request.send()
        };
        http::check(self.nodes.ask(repeat, attempt).await?).await
    }
}

/// The list `name` in an answer.
fn list<T: DeserializeOwned>(mut answer: Value, name: &str) -> anyhow::Result<Vec<T>> {
    let found = answer.get_mut(name).map(Value::take);
    serde_json::from_value(found.unwrap_or_default())
        .with_context(|| format!("the {name} in an answer of Restate's admin API"))
}
