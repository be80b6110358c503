//! Attacks from outside on a whole system. Attacks that can be tested on the routes alone are in
//! `crates/edge/gateway/src/tests/edge.rs` and `connections.rs`. Strangers use addresses 127.0.0.x, and the gateway does not trust
//! loopback.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};
use end_to_end_tests::{Options, SOON, System, eventually, order, order_with};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// The handlers that may be called through the ingress.
const PUBLIC: [&str; 9] = [
    "DriverDigitalTwin/getAssignedDelivery",
    "DriverMobileAppSimulator/startDriver",
    "DriverMobileAppSimulator/stopDriver",
    "OrderStatusService/claim",
    "OrderStatusService/get",
    "OrderWorkflow/cancel",
    "OrderWorkflow/getOrder",
    "OrderWorkflow/run",
    "OrderWorkflow/settle",
];

#[tokio::test]
async fn internal_handlers_cannot_be_called_through_the_ingress() -> anyhow::Result<()> {
    let system = System::start(Options::default().drivers(0)).await?;
    let id = "target-1";
    system.publish_orders(&[order(id)]).await?;
    let before = system.wait_for_status(id, "SCHEDULING_DELIVERY").await;

    let services = system.admin(Method::GET, "services", None).await?;
    let mut public = BTreeSet::new();
    let mut private = 0;
    for service in services["services"].as_array().context("services")? {
        let name = service["name"].as_str().context("a name")?;
        let key = match service["ty"].as_str().context("a type")? {
            "Service" => String::new(),
            _ => format!("/{id}"),
        };
        for handler in service["handlers"].as_array().context("handlers")? {
            let handler = handler["name"].as_str().context("a name")?;
            let what = format!("{name}/{handler}");
            if PUBLIC.contains(&what.as_str()) {
                public.insert(what);
                continue;
            }
            private += 1;
            for end in ["", "/send"] {
                let path = format!("{name}{key}/{handler}{end}");
                let (code, answer) = system
                    .call(&path, Some(&json!({"status": "DELIVERED"})))
                    .await?;
                ensure!(
                    code.is_client_error() && answer.to_string().contains("not public"),
                    "{path}: {code}: {answer}"
                );
            }
        }
    }
    assert_eq!(public.len(), PUBLIC.len(), "{public:?}");
    assert!(private > 20, "only {private} private handlers");
    assert_eq!(system.order_status(id).await?, before);
    Ok(())
}

/// A client with its own IP address.
struct Stranger {
    http: Client,
    gateway: String,
}

impl Stranger {
    fn at(system: &System, last: u8) -> anyhow::Result<Self> {
        Ok(Self {
            http: upstream::http::client(SOON)
                .local_address(Some(Ipv4Addr::new(127, 0, 0, last).into()))
                .build()?,
            gateway: system.address("gateway")?,
        })
    }

    async fn ask(&self, method: Method, path: &str, key: Option<&str>) -> anyhow::Result<Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.gateway));
        if let Some(key) = key {
            request = request.header("order-key", key);
        }
        Ok(request.send().await?)
    }

    /// Places an order with an id from the gateway. Returns the id and its key.
    async fn order(&self) -> anyhow::Result<(String, String)> {
        let response = self
            .http
            .post(format!("{}/api/orders", self.gateway))
            .json(&order_with("x", "orderId", Value::Null))
            .send()
            .await?;
        let code = response.status();
        let accepted: Value = response.json().await?;
        ensure!(code == StatusCode::ACCEPTED, "{code}: {accepted}");
        let text = |name: &str| accepted[name].as_str().map(str::to_owned);
        Ok((
            text("orderId").context("an id")?,
            text("key").context("a key")?,
        ))
    }
}

/// A system whose gateway trusts no client.
async fn exposed() -> anyhow::Result<System> {
    let options = Options::default()
        .env("FOOD_ORDERING_TRUST_LOOPBACK", "false")
        // A low limit that is reached at once.
        .env("FOOD_ORDERING_CLIENT_RATES", "read=100/1m");
    System::start(options).await
}

/// A connection from 127.0.0.`last` to the gateway.
async fn connect(gateway: &str, last: u8) -> anyhow::Result<TcpStream> {
    let address: SocketAddr = gateway.trim_start_matches("http://").parse()?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    Ok(socket.connect(address).await?)
}

#[tokio::test]
async fn strangers_cannot_read_or_cancel_a_customers_order() -> anyhow::Result<()> {
    let system = exposed().await?;
    let customer = Stranger::at(&system, 2)?;
    let stranger = Stranger::at(&system, 3)?;
    let (id, key) = customer.order().await?;
    let (_, own_key) = stranger.order().await?;
    let path = format!("/api/orders/{id}");

    for key in [None, Some(own_key.as_str()), Some("AAAA")] {
        for (method, end) in [
            (Method::GET, ""),
            (Method::GET, "/events"),
            (Method::POST, "/cancel"),
        ] {
            let answer = stranger.ask(method, &format!("{path}{end}"), key).await?;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{end} {key:?}");
        }
    }
    for (method, path) in [
        (Method::GET, "/api/operations/events"),
        (Method::GET, "/api/operations/load"),
        (Method::GET, "/metrics"),
    ] {
        let answer = stranger.ask(method, path, None).await?;
        let closed = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        assert!(
            closed.contains(&answer.status()),
            "{path}: {}",
            answer.status()
        );
    }
    // No path of the gateway leads to Restate's ingress, or to files outside of the web UI's directory.
    for path in [
        format!("/OrderStatusService/{id}/setStatus"),
        format!("/restate/call/OrderStatusService/{id}/setStatus"),
        format!("/api/orders/{id}%2F..%2F..%2FOrderStatusService%2F{id}%2FsetStatus/cancel"),
        "/restate/awakeables/sign_1x/resolve".to_owned(),
    ] {
        let answer = stranger.ask(Method::POST, &path, Some(&own_key)).await?;
        assert!(
            answer.status().is_client_error(),
            "{path}: {}",
            answer.status()
        );
    }
    for target in [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc/passwd",
        "/assets/%252e%252e/%252e%252e/etc/passwd",
        "//etc/passwd",
        "/\\..\\..\\etc\\passwd",
        "file:///etc/passwd",
    ] {
        let said = raw(
            &stranger.gateway,
            &format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        )
        .await?;
        assert!(said.starts_with("HTTP/1.1 4"), "{target}: {said}");
        assert!(!said.contains("root:"), "{target}: {said}");
    }

    let seen = eventually("the order to be delivered", SOON, async || {
        let answer = customer.ask(Method::GET, &path, Some(&key)).await;
        match answer
            .map_err(|error| error.to_string())?
            .json::<Value>()
            .await
        {
            Ok(seen) if seen["status"] == "DELIVERED" => Ok(seen),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(seen["orderId"], id.as_str());
    Ok(())
}

/// The gateway's answer to these bytes.
async fn raw(gateway: &str, request: &str) -> anyhow::Result<String> {
    let mut stream = connect(gateway, 4).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn idle_connections_slow_requests_and_a_flood_do_not_block_other_customers()
-> anyhow::Result<()> {
    let system = exposed().await?;
    let gateway = system.address("gateway")?;

    // A thousand idle connections from ten addresses, and as many from one address, most of which the gateway closes.
    let mut idle = Vec::new();
    for n in 0..1_000_u16 {
        idle.push(connect(&gateway, 20 + u8::try_from(n % 10)?).await?);
    }
    for _ in 0..1_000 {
        idle.push(connect(&gateway, 30).await?);
    }
    // Some requests whose head or body arrives one byte at a time.
    let mut slow = JoinSet::new();
    for n in 0..50 {
        let head = "POST /api/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
        let mut stream = connect(&gateway, 31).await?;
        slow.spawn(async move {
            let (begin, rest) = head.split_at(if n % 2 == 0 { head.len() } else { 20 });
            if stream.write_all(begin.as_bytes()).await.is_ok() {
                for byte in rest.bytes().chain(std::iter::repeat(b' ')) {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    if stream.write_all(&[byte]).await.is_err() {
                        break;
                    }
                }
            }
        });
    }
    // And a client that sends requests as fast as it can.
    let flooder = Stranger::at(&system, 32)?;
    let mut flood = JoinSet::new();
    for _ in 0..4 {
        let (http, url) = (flooder.http.clone(), format!("{gateway}/api/restaurants"));
        flood.spawn(async move {
            let mut refused = 0;
            for _ in 0..500 {
                let answer = http.get(&url).send().await;
                refused += usize::from(answer.is_ok_and(|answer| answer.status() == 429));
            }
            refused
        });
    }

    let customer = Stranger::at(&system, 2)?;
    let (id, key) = customer.order().await?;
    let events = format!("/api/orders/{id}/events");
    let mut stream = customer.ask(Method::GET, &events, Some(&key)).await?;
    assert_eq!(stream.status(), StatusCode::OK);
    let mut received = String::new();
    while !received.contains("\"DELIVERED\"") {
        let chunk = stream.chunk().await?.context("the stream ended early")?;
        received.push_str(&String::from_utf8_lossy(&chunk));
    }

    let mut refused = 0;
    while let Some(count) = flood.join_next().await {
        refused += count?;
    }
    assert!(refused >= 1_800, "only {refused} of 2,000 were refused");
    slow.shutdown().await;
    Ok(())
}
