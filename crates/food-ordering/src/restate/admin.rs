//! Restate's admin API, as far as setup needs it (<https://docs.restate.dev/admin-api>).

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{self, Protocol};

/// How long one request may take; registering a deployment calls that deployment.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of the admin API.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    client: Client,
    url: String,
}

/// A place where Restate calls services.
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

/// A service as discovered at a deployment. Lists of deployments hold only names, discoveries everything.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// All the rest: kind, handlers, retention and so on.
    #[serde(flatten)]
    pub(crate) details: BTreeMap<String, Value>,
}

/// A Kafka cluster that subscriptions can name.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KafkaCluster {
    pub(crate) name: String,
    pub(crate) properties: BTreeMap<String, String>,
}

/// Records of a topic become calls of a handler.
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
    pub(crate) fn new(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            client: http::client(TIMEOUT)?,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    pub(crate) async fn is_healthy(&self) -> bool {
        http::answers(&format!("{}/health", self.url), Protocol::Http1).await
    }

    pub(crate) async fn deployments(&self) -> anyhow::Result<Vec<Deployment>> {
        #[derive(Deserialize)]
        struct List {
            deployments: Vec<Deployment>,
        }
        self.get::<List>("deployments")
            .await
            .map(|list| list.deployments)
    }

    /// A deployment with all details of its services.
    pub(crate) async fn deployment(&self, id: &str) -> anyhow::Result<Deployment> {
        self.get(&format!("deployments/{id}")).await
    }

    /// The newest deployment of each service, by the service's name.
    pub(crate) async fn newest_of_services(&self) -> anyhow::Result<BTreeMap<String, String>> {
        #[derive(Deserialize)]
        struct List {
            services: Vec<Newest>,
        }
        #[derive(Deserialize)]
        struct Newest {
            name: String,
            deployment_id: String,
        }
        let list: List = self.get("services").await?;
        let newest = list.services.into_iter();
        Ok(newest
            .map(|service| (service.name, service.deployment_id))
            .collect())
    }

    /// Forgets a deployment, whatever is under way there.
    pub(crate) async fn remove_deployment(&self, id: &str) -> anyhow::Result<()> {
        // Restate has no other way: whether it is drained is for the caller to look at.
        self.delete(&format!("deployments/{id}?force=true")).await
    }

    /// What is there at `uri`, without registering it.
    pub(crate) async fn discover(&self, uri: &str) -> anyhow::Result<Vec<Service>> {
        #[derive(Deserialize)]
        struct Discovered {
            services: Vec<Service>,
        }
        let request = json!({"uri": uri, "dry_run": true, "force": true});
        let discovered: Discovered = http::json(self.post("deployments", &request))
            .await
            .with_context(|| format!("discovering the services at {uri}"))?;
        Ok(discovered.services)
    }

    /// Registers the services at `uri`. With `force`, they replace those of the same deployment.
    pub(crate) async fn register(&self, uri: &str, force: bool) -> anyhow::Result<()> {
        let request = json!({"uri": uri, "force": force});
        http::send(self.post("deployments", &request))
            .await
            .with_context(|| format!("registering the services at {uri}"))?;
        Ok(())
    }

    /// Tells that a deployment is now to be found at `uri`; the calls under way go there too.
    pub(crate) async fn move_deployment(&self, id: &str, uri: &str) -> anyhow::Result<()> {
        let request = self
            .client
            .patch(format!("{}/deployments/{id}", self.url))
            .json(&json!({"uri": uri, "overwrite": true}));
        http::send(request)
            .await
            .with_context(|| format!("moving deployment {id} to {uri}"))?;
        Ok(())
    }

    pub(crate) async fn kafka_clusters(&self) -> anyhow::Result<Vec<KafkaCluster>> {
        #[derive(Deserialize)]
        struct List {
            clusters: Vec<KafkaCluster>,
        }
        self.get::<List>("kafka-clusters")
            .await
            .map(|list| list.clusters)
    }

    pub(crate) async fn create_kafka_cluster(
        &self,
        name: &str,
        properties: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let request = json!({"name": name, "properties": properties});
        http::send(self.post("kafka-clusters", &request)).await?;
        Ok(())
    }

    /// Changes the properties of a cluster. Its subscriptions go on with them at once, from where they are.
    pub(crate) async fn update_kafka_cluster(
        &self,
        name: &str,
        properties: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let request = self
            .client
            .patch(format!("{}/kafka-clusters/{name}", self.url))
            .json(&json!({"properties": properties}));
        http::send(request).await?;
        Ok(())
    }

    pub(crate) async fn delete_kafka_cluster(&self, name: &str) -> anyhow::Result<()> {
        self.delete(&format!("kafka-clusters/{name}")).await
    }

    pub(crate) async fn subscriptions(&self) -> anyhow::Result<Vec<Subscription>> {
        #[derive(Deserialize)]
        struct List {
            subscriptions: Vec<Subscription>,
        }
        self.get::<List>("subscriptions")
            .await
            .map(|list| list.subscriptions)
    }

    pub(crate) async fn create_subscription(
        &self,
        source: &str,
        sink: &str,
        options: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let request = json!({"source": source, "sink": sink, "options": options});
        http::send(self.post("subscriptions", &request)).await?;
        Ok(())
    }

    pub(crate) async fn delete_subscription(&self, id: &str) -> anyhow::Result<()> {
        self.delete(&format!("subscriptions/{id}")).await
    }

    /// The rows that an SQL query finds.
    pub(crate) async fn query<T: serde::de::DeserializeOwned>(
        &self,
        query: &str,
    ) -> anyhow::Result<Vec<T>> {
        #[derive(Deserialize)]
        struct Found<T> {
            rows: Vec<T>,
        }
        let request = self
            .post("query", &json!({"query": query}))
            .header("accept", "application/json");
        let found: Found<T> = http::json(request)
            .await
            .with_context(|| format!("asking Restate: {query}"))?;
        Ok(found.rows)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        http::json(self.client.get(format!("{}/{path}", self.url)))
            .await
            .with_context(|| format!("asking Restate's admin API for {path}"))
    }

    fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/{path}", self.url)).json(body)
    }

    async fn delete(&self, path: &str) -> anyhow::Result<()> {
        http::send(self.client.delete(format!("{}/{path}", self.url))).await?;
        Ok(())
    }
}
