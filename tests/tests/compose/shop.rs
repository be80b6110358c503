//! The system from outside: ordering, and looking at what is told of it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use end_to_end_tests::{SOON, eventually, order};
use serde_json::Value;
use uuid::Uuid;

use crate::engine::Compose;

/// How long an order may take: all of it, with a system that has just begun to move.
const DELIVERED_WITHIN: Duration = Duration::from_mins(2);

pub(crate) struct Shop {
    gateway: String,
    ingress: String,
    http: reqwest::Client,
    /// The trace of the last order.
    trace: Cell<Uuid>,
}

impl Shop {
    pub(crate) fn new(compose: &Compose) -> Self {
        Self {
            gateway: here(compose.port("GATEWAY_PORT")),
            ingress: here(compose.port("RESTATE_INGRESS_PORT")),
            http: reqwest::Client::new(),
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

    /// Orders through the gateway, once, and waits until it is delivered.
    pub(crate) async fn delivers(&self) -> anyhow::Result<()> {
        let begin = Instant::now();
        let id = format!("order-{}", Uuid::new_v4());
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
            .json(&order(&id))
            .send()
            .await?;
        let (code, body) = (answer.status(), answer.text().await?);
        ensure!(code == 202, "{code}: {body}");
        let status = format!("{}/OrderStatusService/{id}/get", self.ingress);
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

    /// Asks as psql would, with the password that was made.
    pub(crate) async fn answers_sql(&self, compose: &Compose) -> anyhow::Result<()> {
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
        ensure!(refused.is_err(), "a wrong password lets in");
        Ok(())
    }

    /// Jaeger has the last order's trace, with every part in it.
    pub(crate) async fn shows_one_trace(&self, compose: &Compose) -> anyhow::Result<()> {
        let trace = self.trace.get().simple();
        let url = format!("{}/api/traces/{trace}", here(compose.port("JAEGER_PORT")));
        let wanted: BTreeSet<&str> = [
            "gateway",
            "order-services",
            "payment-provider",
            "restaurant-pos",
            "driver-simulator",
        ]
        .into();
        let (spans, services) = eventually("the trace", Duration::from_secs(30), async || {
            let found = self.json(&url).await?;
            let trace = &found["data"][0];
            let services: BTreeSet<String> = (trace["processes"].as_object().into_iter())
                .flat_map(|processes| processes.values())
                .filter_map(|process| process["serviceName"].as_str().map(str::to_owned))
                .collect();
            let spans = trace["spans"].as_array().map_or(0, Vec::len);
            if wanted.iter().all(|part| services.contains(*part)) {
                Ok((spans, services))
            } else {
                Err(format!("{spans} spans of {services:?}"))
            }
        })
        .await;
        println!("   {url}: {spans} spans of {services:?}");
        Ok(())
    }

    /// Prometheus reaches every part, has read the rules, and can evaluate each.
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

    /// Grafana has the dashboard and a data source that answers.
    pub(crate) async fn has_a_dashboard(&self, compose: &Compose) -> anyhow::Result<()> {
        let grafana = here(compose.port("GRAFANA_PORT"));
        let url = format!("{grafana}/api/dashboards/uid/food-ordering");
        let found = eventually("the dashboard", SOON, async || self.json(&url).await).await;
        let panels = found["dashboard"]["panels"].as_array().context("panels")?;
        ensure!(!panels.is_empty(), "{found}");
        Ok(())
    }
}

fn here(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
