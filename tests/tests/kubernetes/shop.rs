//! Uses the system from outside, through forwarded ports.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use end_to_end_tests::{eventually, order_with};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Forward, READY_WITHIN};

pub(crate) struct Shop<'a> {
    cluster: &'a Cluster,
    http: reqwest::Client,
    /// The gateway's port, until it fails: it ends with its pod.
    gateway: RefCell<Option<Forward>>,
}

/// An order that was accepted, with the key to its status.
pub(crate) struct Placed {
    pub(crate) id: String,
    key: String,
}

impl<'a> Shop<'a> {
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            http: end_to_end_tests::http(),
            gateway: RefCell::default(),
        }
    }

    /// Sends a request to the gateway.
    async fn ask(&self, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let port = self.gateway.borrow().as_ref().map(|forward| forward.port);
        let port = if let Some(port) = port {
            port
        } else {
            let forward = self
                .cluster
                .forward("food-ordering", "service/gateway", 3000)?;
            self.gateway.borrow_mut().insert(forward).port
        };
        let url = format!("http://127.0.0.1:{port}{path}");
        let request = match body {
            Some(body) => self.http.post(url).json(body),
            None => self.http.get(url),
        };
        let answer = async {
            let answer = request.timeout(Duration::from_secs(10)).send().await?;
            let (code, text) = (answer.status(), answer.text().await?);
            ensure!(code.is_success(), "{code}: {text}");
            Ok(serde_json::from_str(&text)?)
        };
        let answer: anyhow::Result<Value> = answer.await;
        if answer.is_err() {
            // The pod may be gone.
            self.gateway.take();
        }
        answer.with_context(|| format!("gateway, {path}"))
    }

    /// Places an order as a customer does. It waits for `delay` before it starts.
    pub(crate) async fn places(&self, delay: Duration) -> Placed {
        let mut event = order_with("kubernetes", "orderId", Value::Null);
        event["deliveryDelay"] = json!(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        eventually("an order to be accepted", READY_WITHIN, async || {
            let answer = self
                .ask("/api/orders", Some(&event))
                .await
                .map_err(|error| format!("{error:#}"))?;
            match ["orderId", "key"].map(|field| answer[field].as_str()) {
                [Some(id), Some(key)] => Ok(Placed {
                    id: id.to_owned(),
                    key: key.to_owned(),
                }),
                _ => Err(answer.to_string()),
            }
        })
        .await
    }

    pub(crate) async fn status(&self, Placed { id, key }: &Placed) -> anyhow::Result<String> {
        let seen = self
            .ask(&format!("/api/orders/{id}?key={key}"), None)
            .await?;
        Ok(seen["status"].as_str().context("a status")?.to_owned())
    }

    pub(crate) async fn is_delivered(&self, order: &Placed) {
        eventually(
            &format!("{} to be delivered", order.id),
            READY_WITHIN,
            async || match self.status(order).await {
                Ok(status) if status == "DELIVERED" => Ok(()),
                other => Err(format!("{other:?}")),
            },
        )
        .await;
    }

    /// Places an order, and waits until it is delivered.
    pub(crate) async fn delivers(&self) -> Placed {
        let begin = Instant::now();
        let order = self.places(Duration::ZERO).await;
        self.is_delivered(&order).await;
        println!(
            "   an order was delivered, {:.1} s",
            begin.elapsed().as_secs_f64()
        );
        order
    }

    /// Sends a request to Restate's admin API.
    async fn admin(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let forward = self.cluster.forward("restate", "service/restate", 9070)?;
        let url = format!("http://127.0.0.1:{}{path}", forward.port);
        let mut request = self
            .http
            .request(method, url)
            .header("accept", "application/json");
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (code, text) = (answer.status(), answer.text().await?);
        ensure!(code.is_success(), "Restate, {path}: {code}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    async fn sql(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let mut answer = self
            .admin(
                reqwest::Method::POST,
                "/query",
                Some(&json!({ "query": query })),
            )
            .await?;
        match answer["rows"].take() {
            Value::Array(rows) => Ok(rows),
            other => bail!("{query}: {other}"),
        }
    }

    /// The deployment that serves new orders.
    pub(crate) async fn deployment(&self) -> anyhow::Result<String> {
        let rows = self
            .sql("select deployment_id from sys_service where name = 'OrderWorkflow'")
            .await?;
        let id = rows.first().and_then(|row| row["deployment_id"].as_str());
        Ok(id.context("no deployment of OrderWorkflow")?.to_owned())
    }

    /// The deployment that each order is pinned to.
    pub(crate) async fn pinned(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let query = "select target_service_key as id, pinned_deployment_id as deployment from sys_invocation \
            where target_service_name = 'OrderWorkflow' and target_handler_name = 'run' and pinned_deployment_id is not null";
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rows = self.sql(query).await?;
        Ok(rows
            .iter()
            .map(|row| (text(&row["id"]), text(&row["deployment"])))
            .collect())
    }

    /// Deletes what setup has created in Restate: the subscriptions. Returns how many there were.
    pub(crate) async fn unsubscribe(&self) -> anyhow::Result<usize> {
        let found = self.subscriptions().await?;
        for id in &found {
            self.admin(
                reqwest::Method::DELETE,
                &format!("/subscriptions/{id}"),
                None,
            )
            .await?;
        }
        Ok(found.len())
    }

    pub(crate) async fn subscriptions(&self) -> anyhow::Result<Vec<String>> {
        let found = self
            .admin(reqwest::Method::GET, "/subscriptions", None)
            .await?;
        let found = found["subscriptions"].as_array().context("subscriptions")?;
        Ok(found
            .iter()
            .filter_map(|it| it["id"].as_str().map(str::to_owned))
            .collect())
    }

    /// Runs a query as psql would, with the password of Secret `psql-passwords`; without it, the login must fail.
    pub(crate) async fn answers_sql(&self) -> anyhow::Result<()> {
        let login = password()?;
        let forward = self
            .cluster
            .forward("food-ordering", "service/psql-gateway", 9071)?;
        let connect = async |login: &str| {
            let url = format!("postgresql://{login}@127.0.0.1:{}/", forward.port);
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await
        };
        let (client, connection) = connect(&login).await?;
        let connection = tokio::spawn(connection);
        let rows = client.simple_query("select id, status from orders").await?;
        ensure!(!rows.is_empty(), "no rows");
        drop(client);
        connection.await??;
        ensure!(
            connect("operator:wrong").await.is_err(),
            "a login with a wrong password succeeded"
        );
        println!("   SQL answers, with the password only");
        Ok(())
    }
}

/// `user:password` of the first user.
fn password() -> anyhow::Result<String> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/kubernetes/secrets/psql.passwords"
    );
    let text = std::fs::read_to_string(file)?;
    Ok(text.lines().next().context("a password")?.to_owned())
}
