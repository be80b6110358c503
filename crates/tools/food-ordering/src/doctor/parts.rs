//! Does each part answer, and if not, who has its port?

use std::collections::BTreeSet;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use futures::future::join_all;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use upstream::http::{Error, SHORT, body};

use super::addresses::Addresses;
use super::finding::Finding;
use super::nodes;
use crate::http::{self, Protocol};
use crate::up::listener_of;

/// How long a part has to answer. A busy machine needs a second; who waits for a dead one waits this long once.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a part is to be known by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// `GET /health` answers `{"status":"UP"}`.
    Up,
    /// `GET /health` comes from Restate's SDK; over HTTP/2.
    Sdk,
    /// This path answers with success.
    Path(&'static str),
}

/// What was found at an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The part.
    It,
    /// The part, saying that it cannot work.
    Ill(String),
    /// Something else.
    Another,
    /// Somebody listens and says nothing.
    Silence,
    /// Nobody.
    Nobody(String),
}

/// Which parts answer, so that they can be asked further.
#[derive(Debug)]
pub(super) struct Up(BTreeSet<&'static str>);

impl Up {
    pub(super) fn has(&self, part: &str) -> bool {
        self.0.contains(part)
    }
}

/// Looks at every part.
pub(super) async fn look(addresses: &Addresses) -> (Vec<Finding>, Up) {
    let look = |name, url, sign| one(addresses, name, url, sign);
    let (kafka, (nodes, doors), services, simulator, restaurant, payment, gateway) = futures::join!(
        kafka(addresses),
        restate(addresses),
        look("order-services", &addresses.order_services, Sign::Sdk),
        look("driver-simulator", &addresses.driver_simulator, Sign::Sdk),
        look("restaurant-pos", &addresses.restaurant_pos, Sign::Up),
        look("payment-provider", &addresses.payment_provider, Sign::Up),
        look("gateway", &addresses.gateway, Sign::Up),
    );
    let mut up = doors;
    let mut findings = nodes;
    for (name, found) in [
        ("kafka", kafka),
        ("order-services", services),
        ("driver-simulator", simulator),
        ("restaurant-pos", restaurant),
        ("payment-provider", payment),
        ("gateway", gateway),
    ] {
        if !found.is_wrong() {
            up.insert(name);
        }
        findings.push(found);
    }
    (findings, Up(up))
}

/// Looks at Restate; answers what is to be said of it, and which of its doors are open.
async fn restate(addresses: &Addresses) -> (Vec<Finding>, BTreeSet<&'static str>) {
    let doors = [
        ("restate-admin", &addresses.restate_admin, "/health"),
        (
            "restate-ingress",
            &addresses.restate_ingress,
            "/restate/health",
        ),
    ];
    if addresses.restate_admin.each().count() > 1 {
        let (findings, well) = nodes::look(addresses).await;
        // One node is enough to ask.
        let open = if well > 0 { &doors[..] } else { &[] };
        return (findings, open.iter().map(|(name, ..)| *name).collect());
    }
    let looks = doors.map(|(name, url, path)| async move {
        let found = one(addresses, name, &url.to_string(), Sign::Path(path)).await;
        (name, found)
    });
    let looks = join_all(looks).await;
    let open = looks.iter().filter(|(_, found)| !found.is_wrong());
    let open = open.map(|(name, _)| *name).collect();
    (looks.into_iter().map(|(_, found)| found).collect(), open)
}

async fn kafka(addresses: &Addresses) -> Finding {
    let brokers = addresses.kafka.brokers();
    match kafka::Cluster::discover(&addresses.kafka).await {
        Ok(cluster) => Finding::fine("kafka", format!("{brokers}, cluster {}", cluster.id)),
        Err(error) => Finding::wrong(
            "kafka",
            format!("{error}"),
            format!("check --kafka-brokers; {}", addresses.restart("kafka")),
        ),
    }
}

async fn one(addresses: &Addresses, name: &str, url: &str, sign: Sign) -> Finding {
    let restart = addresses.restart(log_of(name));
    let found = probe(url, sign).await;
    let remedy = match found {
        Found::It => return Finding::fine(name, url),
        Found::Ill(_) | Found::Nobody(_) => restart,
        Found::Another => {
            "stop that, or choose other ports with --port-offset N or --free-ports".to_owned()
        }
        Found::Silence => format!("is it stopped, or the machine too busy? {restart}"),
    };
    Finding::wrong(name, describe(url, &found), remedy)
}

/// What was found at `url`, for people.
pub(super) fn describe(url: &str, found: &Found) -> String {
    match found {
        Found::It => url.to_owned(),
        Found::Ill(why) => format!("{url}: {why}"),
        Found::Another => format!("{url}: the port is taken by something else{}", by(url)),
        Found::Silence => format!("{url}: no answer within {PATIENCE:?}{}", by(url)),
        Found::Nobody(why) => format!("{url}: unreachable: {why}"),
    }
}

/// Restate is one process with two addresses.
fn log_of(name: &str) -> &str {
    if name.starts_with("restate-") {
        "restate-server"
    } else {
        name
    }
}

/// Who listens there, if it is on this machine and can be known.
fn by(url: &str) -> String {
    let port = socket(url)
        .filter(|address| address.ip().is_loopback())
        .and_then(|address| listener_of::port(address.port()));
    port.map_or_else(String::new, |who| format!(": {who}"))
}

fn socket(url: &str) -> Option<SocketAddr> {
    let (_, authority) = url.split_once("://")?;
    authority.split('/').next()?.to_socket_addrs().ok()?.next()
}

pub(super) async fn probe(url: &str, sign: Sign) -> Found {
    let path = match sign {
        Sign::Up | Sign::Sdk => "/health",
        Sign::Path(path) => path,
    };
    let protocol = match sign {
        Sign::Sdk => Protocol::Http2,
        Sign::Up | Sign::Path(_) => Protocol::Http1,
    };
    let client = match protocol.client(PATIENCE) {
        Ok(client) => client,
        Err(error) => return Found::Nobody(error.to_string()),
    };
    let answer = match client.get(format!("{url}{path}")).send().await {
        Ok(response) => judge(response, sign).await,
        Err(error) if error.is_builder() => return Found::Nobody(cause(&error)),
        Err(error) => Err(error.into()),
    };
    let error = match answer {
        Ok(found) => return found,
        Err(Error::Http(error)) => error,
        // Who says so much is somebody else.
        Err(Error::TooLong { .. }) => return Found::Another,
    };
    match error {
        error if error.is_timeout() && !error.is_connect() => Found::Silence,
        error if error.is_connect() => Found::Nobody(cause(&error)),
        // Who talks, but not like this, is somebody else.
        _ => Found::Another,
    }
}

async fn judge(response: Response, sign: Sign) -> Result<Found, Error> {
    let status = response.status();
    let is_sdk = response.headers().contains_key("x-restate-server");
    let body = body(response, SHORT).await?;
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    let says_up = body.as_ref().is_some_and(|body| body["status"] == "UP");
    Ok(match sign {
        Sign::Up if status.is_success() && says_up => Found::It,
        // The stubs say so when their books cannot be read.
        Sign::Up if status == StatusCode::SERVICE_UNAVAILABLE => {
            let detail = body.as_ref().and_then(|body| body["detail"].as_str());
            Found::Ill(detail.unwrap_or("it says that it cannot work").to_owned())
        }
        Sign::Sdk if status.is_success() && is_sdk => Found::It,
        Sign::Path(_) if status.is_success() => Found::It,
        _ => Found::Another,
    })
}

/// The innermost reason of an error.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

/// Looks for faults that were switched on at the stubs.
pub(super) async fn faults(addresses: &Addresses, up: &Up) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, url) in [
        ("restaurant-pos", &addresses.restaurant_pos),
        ("payment-provider", &addresses.payment_provider),
    ] {
        if up.has(name) {
            findings.extend(faults_of(name, url).await);
        }
    }
    findings
}

async fn faults_of(name: &str, url: &str) -> Option<Finding> {
    // Without an answer, the stub itself is what is wrong, and that was said.
    let client = http::client(PATIENCE).ok()?;
    let plan: Value = http::json(client.get(format!("{url}/faults"))).await.ok()?;
    let on = switched_on(&plan);
    Some(if on.is_empty() {
        Finding::fine(name, "no faults are switched on")
    } else {
        Finding::wrong(
            name,
            format!("fails on purpose: {}", on.join(", ")),
            format!("curl -X DELETE {url}/faults"),
        )
    })
}

/// The faults of a plan that are not zero.
fn switched_on(plan: &Value) -> Vec<String> {
    let fields = plan.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| value.as_f64().is_some_and(|rate| rate > 0.0))
        .map(|(name, value)| format!("{name} {value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn only_faults_that_are_on_are_told() {
        let plan = json!({"errorRate": 0.0, "latencyMs": 20, "declineRate": 0.5});
        assert_eq!(switched_on(&plan), ["declineRate 0.5", "latencyMs 20"]);
    }

    #[tokio::test]
    async fn who_has_a_port_is_told_from_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        assert!(by(&url).contains(&std::process::id().to_string()));
        let server = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
                    .await;
            }
        });
        assert_eq!(probe(&url, Sign::Up).await, Found::Another);
        server.abort();
        let _ = server.await;
        assert!(matches!(probe(&url, Sign::Up).await, Found::Nobody(_)));
    }
}
