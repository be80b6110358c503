//! Uses the system from outside: places orders, and checks SQL, traces and monitoring.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use end_to_end_tests::{SOON, eventually, order_with};
use serde_json::Value;
use uuid::Uuid;

use crate::engine::Compose;

/// How long an order may take in a system that has just started.
const DELIVERED_WITHIN: Duration = Duration::from_mins(2);

pub(crate) struct Shop {
    gateway: String,
    http: reqwest::Client,
    /// The trace of the last order.
    trace: Cell<Uuid>,
}

impl Shop {
    pub(crate) fn new(compose: &Compose) -> Self {
        Self {
            gateway: here(compose.port("GATEWAY_PORT")),
            http: end_to_end_tests::http(),
            trace: Cell::default(),
        }
    }

    async fn json(&self, url: &str) -> Result<Value, String> {
        let answer = async {
            self.http
                .get(url)
                .send()
                .await?
                .error_for_status()?
                .json()
                .await
        };
        answer
            .await
            .map_err(|error: reqwest::Error| format!("{url}: {error:?}"))
    }

    /// Places one order through the gateway, as a customer does, and waits until it is delivered.
    pub(crate) async fn delivers(&self) -> anyhow::Result<()> {
        let begin = Instant::now();
        let ready = format!("{}/ready", self.gateway);
        eventually("the gateway to be ready", DELIVERED_WITHIN, async || {
            self.json(&ready).await
        })
        .await;
        let trace = Uuid::new_v4();
        self.trace.set(trace);
        let answer = self
            .http
            .post(format!("{}/api/orders", self.gateway))
            .header(
                "traceparent",
                format!("00-{}-b7ad6b7169203331-01", trace.simple()),
            )
            // Without an id, so that the gateway returns an id and a key.
            .json(&order_with("compose", "orderId", Value::Null))
            .send()
            .await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code == 202, "{code}: {body}");
        let placed: Value = serde_json::from_str(&body)?;
        let [Some(id), Some(key)] = ["orderId", "key"].map(|field| placed[field].as_str()) else {
            bail!("no id, or no key: {body}");
        };
        let status = format!("{}/api/orders/{id}?key={key}", self.gateway);
        // Opens an event stream, so that the gateway pushes each change.
        let events = format!("{}/api/orders/{id}/events?key={key}", self.gateway);
        let _watched = self.http.get(events).send().await?.error_for_status()?;
        eventually(
            "the order to be delivered",
            DELIVERED_WITHIN,
            async || match self.json(&status).await? {
                seen if seen["status"] == "DELIVERED" => Ok(()),
                seen => Err(seen.to_string()),
            },
        )
        .await;
        println!(
            "   an order was delivered, {:.1} s",
            begin.elapsed().as_secs_f64()
        );
        Ok(())
    }

    /// The steps of `docs/walkthrough.md`: an order with a chosen id that is read and cancelled with curl, and SQL with psql, all
    /// without keys, tokens or passwords.
    pub(crate) async fn can_be_walked_through(&self, compose: &Compose) -> anyhow::Result<()> {
        let id = format!("pizza-{}", Uuid::new_v4().simple());
        let mut event = order_with(&id, "restaurantId", "la-piazza".into());
        event["totalCost"] = 25.into();
        let orders = format!("{}/api/orders", self.gateway);
        let answer = self.http.post(&orders).json(&event).send().await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code == 202, "{code}: {body}");
        let status = format!("{orders}/{id}");
        eventually(
            "the order to be delivered",
            DELIVERED_WITHIN,
            async || match self.json(&status).await? {
                seen if seen["status"] == "DELIVERED" => Ok(()),
                seen => Err(seen.to_string()),
            },
        )
        .await;
        let late = self.http.post(format!("{status}/cancel")).send().await?;
        ensure!(late.status() == 409, "{late:?}");

        let port = compose.port("PSQL_PORT");
        let url = format!("postgresql://somebody@127.0.0.1:{port}/");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let query = format!("select status from orders where id = '{id}'");
        let rows = client.simple_query(&query).await?;
        ensure!(format!("{rows:?}").contains("DELIVERED"), "{rows:?}");
        drop(client);
        connection.await??;
        Ok(())
    }

    /// Checks that SQL requires a password if its port is published on all addresses, even from this machine.
    pub(crate) async fn answers_sql_by_password(&self, compose: &Compose) -> anyhow::Result<()> {
        let port = compose.port("PSQL_PORT");
        let without = format!("postgresql://operator@127.0.0.1:{port}/");
        let refused = tokio_postgres::connect(&without, tokio_postgres::NoTls).await;
        ensure!(refused.is_err(), "a login without a password succeeded");
        self.answers_sql(compose).await
    }

    /// Runs a query as psql would, with the generated password.
    async fn answers_sql(&self, compose: &Compose) -> anyhow::Result<()> {
        let show = [
            "exec",
            "-T",
            "psql-gateway",
            "cat",
            "/etc/food-ordering/psql.passwords",
        ];
        let login = compose.output(&show)?;
        let port = compose.port("PSQL_PORT");
        let url = format!("postgresql://{}@127.0.0.1:{port}/", login.trim());
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let rows = client.simple_query("select id, status from orders").await?;
        ensure!(!rows.is_empty(), "no rows");
        drop(client);
        connection.await??;
        let without = format!("postgresql://operator:wrong@127.0.0.1:{port}/");
        let refused = tokio_postgres::connect(&without, tokio_postgres::NoTls).await;
        ensure!(refused.is_err(), "a login with a wrong password succeeded");
        Ok(())
    }

    /// Checks that Jaeger has the complete trace of the last order, from placing it to pushing its status.
    pub(crate) async fn shows_one_trace(&self, compose: &Compose) -> anyhow::Result<()> {
        const WANTED: [&str; 14] = [
            "gateway: POST /api/orders",
            "gateway: send orders",
            "order-services: OrderIntake/receive",
            "order-services: OrderWorkflow/run",
            "order-services: POST /payments",
            "payment-provider: POST /payments",
            "order-services: POST /prepare",
            "restaurant-pos: POST /prepare",
            "order-services: DeliveryManager/start",
            "order-services: DriverDigitalTwin/assignDeliveryJob",
            "order-services: DeliveryManager/notifyDeliveryDelivered",
            "order-services: send order-status",
            "gateway: process order-status",
            "gateway: push order-status",
        ];
        let trace = self.trace.get().simple();
        let url = format!("{}/api/traces/{trace}", here(compose.port("JAEGER_PORT")));
        let spans = eventually("the trace", Duration::from_secs(30), async || {
            let found = self.json(&url).await?;
            let spans = spans(&found["data"][0]);
            match WANTED.iter().find(|span| !spans.contains_key(**span)) {
                None => Ok(spans),
                Some(missing) => Err(format!("no {missing} in {spans:?}")),
            }
        })
        .await;
        println!("   {} spans: {url}", spans.values().sum::<usize>());
        Ok(())
    }

    /// Checks that Prometheus reaches every part, and evaluates every alert.
    pub(crate) async fn is_watched(&self, compose: &Compose) -> anyhow::Result<()> {
        let prometheus = here(compose.port("PROMETHEUS_PORT"));
        let targets = format!("{prometheus}/api/v1/targets?state=active");
        let up = eventually("every target to be up", SOON, async || {
            let found = self.json(&targets).await?;
            let targets = found["data"]["activeTargets"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let down: Vec<_> = (targets.iter())
                .filter(|target| target["health"] != "up")
                .map(|target| format!("{}: {}", target["scrapeUrl"], target["lastError"]))
                .collect();
            if targets.is_empty() || !down.is_empty() {
                return Err(format!("{} targets, not up: {down:?}", targets.len()));
            }
            Ok(targets.len())
        })
        .await;
        let rules = format!("{prometheus}/api/v1/rules?type=alert");
        let evaluated = eventually("the alerts to be evaluated", SOON, async || {
            let found = self.json(&rules).await?;
            let rules = found["data"]["groups"][0]["rules"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let unwell: Vec<_> = rules.iter().filter(|rule| rule["health"] != "ok").collect();
            if rules.is_empty() || !unwell.is_empty() {
                return Err(format!("{unwell:?}"));
            }
            Ok(rules.len())
        })
        .await;
        println!("   {up} targets are up, {evaluated} alerts are evaluated");
        Ok(())
    }

    /// Checks that Grafana has the dashboard.
    pub(crate) async fn has_a_dashboard(&self, compose: &Compose) -> anyhow::Result<()> {
        let grafana = here(compose.port("GRAFANA_PORT"));
        let url = format!("{grafana}/api/dashboards/uid/food-ordering");
        let found = eventually("the dashboard", SOON, async || self.json(&url).await).await;
        let panels = found["dashboard"]["panels"].as_array().context("panels")?;
        ensure!(!panels.is_empty(), "{found}");
        Ok(())
    }
}

/// Counts the spans of a trace from Jaeger, by "service: name".
fn spans(trace: &Value) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for span in trace["spans"].as_array().into_iter().flatten() {
        let process = span["processID"].as_str().unwrap_or_default();
        let service = &trace["processes"][process]["serviceName"];
        if let [Some(service), Some(name)] = [service, &span["operationName"]].map(Value::as_str) {
            *count.entry(format!("{service}: {name}")).or_default() += 1;
        }
    }
    count
}

fn here(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
