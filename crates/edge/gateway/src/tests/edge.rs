//! What strangers can do and cannot do.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{Answer, ELSEWHERE, Gateway, HERE, TestRestate, bare, from, good, request, with};
use crate::Options;

const SECRET: &str = "a secret of the tests, long enough";
const ORDER: &str = "/api/orders/order-1";

async fn with_keys(change: impl FnOnce(&mut Options)) -> Gateway {
    let restate = TestRestate::default();
    let mut config = Options::new("127.0.0.1:9", restate.serve().await);
    config.order_links_secrets = [SECRET].into_iter().collect();
    config.operator_tokens = ["s3cret"].into_iter().collect();
    change(&mut config);
    Gateway::configured(restate, &config).await
}

fn place(order: &Value, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = request("POST", "/api/orders").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(order.to_string())).unwrap()
}

fn with_header(method: &str, path: &str, name: &str, value: &str) -> Request<Body> {
    let request = request(method, path).header(name, value);
    request.body(Body::empty()).unwrap()
}

impl Gateway {
    async fn elsewhere(&self, request: Request<Body>) -> Answer {
        self.send(from(ELSEWHERE, request)).await
    }

    async fn ticket(&self) -> (String, String) {
        let answer = self.elsewhere(bare("POST", "/api/order-ids")).await;
        assert_eq!(answer.status, 200);
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        (text("orderId"), text("key"))
    }
}

#[tokio::test]
async fn a_visitor_gets_a_key_with_an_id_made_by_the_gateway_and_reads_the_order_with_it() {
    let gateway = with_keys(|_| ()).await;
    let answer = gateway
        .elsewhere(place(&with("/orderId", Value::Null), &[]))
        .await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let (id, key) = (&answer.body["orderId"], &answer.body["key"]);
    let (id, key) = (id.as_str().unwrap(), key.as_str().unwrap());
    gateway.restate.has_status(id, "NEW", 0);
    let path = format!("/api/orders/{id}");
    assert!(!answer.headers["location"].to_str().unwrap().contains(key));

    let by_header = with_header("GET", &path, "order-key", key);
    assert_eq!(gateway.elsewhere(by_header).await.status, 200);
    let by_query = bare("GET", &format!("{path}?key={key}"));
    assert_eq!(gateway.elsewhere(by_query).await.status, 200);
    let stream = with_header("GET", &format!("{path}/events"), "order-key", key);
    let response = gateway.open(from(ELSEWHERE, stream)).await;
    assert_eq!(response.status(), 200);
    gateway
        .restate
        .answers_cancel(id, 200, json!({"accepted": true, "status": "CANCELLED"}));
    let cancel = with_header("POST", &format!("{path}/cancel"), "order-key", key);
    assert_eq!(gateway.elsewhere(cancel).await.status, 200);
}

#[tokio::test]
async fn without_the_key_nothing_is_revealed_not_even_whether_the_order_exists() {
    let gateway = with_keys(|_| ()).await;
    gateway.restate.has_status("order-1", "CREATED", 1);
    gateway.restate.has_status("unknown", "NEW", 0);
    let (_, of_another) = gateway.ticket().await;
    for (method, end) in [("GET", ""), ("GET", "/events"), ("POST", "/cancel")] {
        let asked = gateway.restate.calls.lock().unwrap().len();
        let mut answers = Vec::new();
        for id in ["order-1", "unknown"] {
            let path = format!("/api/orders/{id}{end}");
            for request in [
                bare(method, &path),
                bare(method, &format!("{path}?key={of_another}")),
                bare(method, &format!("{path}?key={of_another}&key=%00")),
                with_header(method, &path, "order-key", &of_another),
                with_header(method, &path, "order-key", ""),
                with_header(method, &path, "x-forwarded-for", "127.0.0.1"),
            ] {
                let answer = gateway.elsewhere(request).await;
                assert_eq!((answer.status, answer.problem()), (404, "order-not-found"));
                let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
                names.sort();
                answers.push((names, answer.body.to_string().replace(id, "…")));
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{method} {end}: {answers:#?}");
        // Restate was not called, so the time it takes reveals nothing either.
        assert_eq!(gateway.restate.calls.lock().unwrap().len(), asked);
    }
}

#[tokio::test]
async fn operators_need_no_key_and_get_it() {
    let gateway = with_keys(|_| ()).await;
    gateway.restate.has_status("order-1", "CREATED", 1);
    for request in [
        from(HERE, bare("GET", ORDER)),
        from(
            ELSEWHERE,
            with_header("GET", ORDER, "authorization", "Bearer s3cret"),
        ),
        from(
            ELSEWHERE,
            with_header("GET", ORDER, "cookie", "operator-session=s3cret"),
        ),
    ] {
        assert_eq!(gateway.send(request).await.status, 200);
    }
    let answer = gateway.send(from(HERE, place(&good(), &[]))).await;
    let key = answer.body["key"].as_str().unwrap();
    let by_key = with_header("GET", ORDER, "order-key", key);
    assert_eq!(gateway.elsewhere(by_key).await.status, 200);
}

#[tokio::test]
async fn placing_an_order_again_does_not_yield_its_key() {
    let gateway = with_keys(|_| ()).await;
    let (id, key) = gateway.ticket().await;
    let order = with("/orderId", json!(id));
    // The client that placed it may repeat it as often as necessary.
    for _ in 0..2 {
        let answer = gateway
            .elsewhere(place(&order, &[("order-key", &key)]))
            .await;
        assert_eq!((answer.status, &answer.body["key"]), (202, &json!(key)));
    }
    // A stranger who knows the id, and even what was ordered, does not get the key.
    let answer = gateway.elsewhere(place(&order, &[])).await;
    assert_eq!(answer.status, 202);
    assert!(answer.body.get("key").is_none());
    let note = answer.body["note"].as_str().unwrap();
    assert!(note.contains("Leave `orderId` out"), "{note}");
    let answer = gateway
        .elsewhere(place(&good(), &[("order-key", &key)]))
        .await;
    assert_eq!((answer.status, answer.fields()), (422, vec!["orderId"]));
}

#[tokio::test]
async fn a_claim_says_whether_the_request_brought_the_key() {
    let gateway = with_keys(|_| ()).await;
    let (id, key) = gateway.ticket().await;
    let order = with("/orderId", json!(id));
    let of_made = with("/orderId", Value::Null);
    let by_key: &[(&str, &str)] = &[("order-key", &key)];
    for (peer, order, headers, claimant) in [
        (ELSEWHERE, &order, by_key, "KEY_HOLDER"),
        (ELSEWHERE, &of_made, &[], "KEY_HOLDER"),
        (ELSEWHERE, &order, &[], "ANYONE"),
        (HERE, &order, &[], "TRUSTED"),
    ] {
        assert_eq!(
            gateway.send(from(peer, place(order, headers))).await.status,
            202
        );
        let claims = gateway.restate.claims.lock().unwrap().clone();
        assert_eq!(claims.last().unwrap()["claimant"], claimant);
        // Whoever sends it, and under whichever id, it is the same order.
        assert_eq!(claims.last().unwrap()["content"], claims[0]["content"]);
    }
}

#[tokio::test]
async fn without_a_secret_there_are_no_keys_and_only_operators_can_read() {
    let gateway = Gateway::new().await;
    gateway.restate.has_status("order-1", "CREATED", 1);
    let answer = gateway.elsewhere(bare("POST", "/api/order-ids")).await;
    assert!(answer.body.get("key").is_none());
    assert_eq!(gateway.elsewhere(bare("GET", ORDER)).await.status, 404);
    assert_eq!(gateway.get(ORDER).await.status, 200);
}

#[tokio::test]
async fn clients_on_the_same_machine_are_not_trusted_if_one_may_be_a_proxy() {
    for change in [
        (|config: &mut Options| config.edge.trust_loopback = Some(false)) as fn(&mut Options),
        |config| config.edge.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()],
    ] {
        let gateway = with_keys(change).await;
        gateway.restate.has_status("order-1", "CREATED", 1);
        assert_eq!(gateway.get(ORDER).await.status, 404);
        assert_eq!(gateway.get("/api/operations/load").await.status, 401);
        let token = with_header("GET", ORDER, "authorization", "Bearer s3cret");
        assert_eq!(gateway.send(from(HERE, token)).await.status, 200);
    }
}

#[tokio::test]
async fn only_operators_see_internal_addresses() {
    let gateway = with_keys(|config| {
        config.restate_ui = Some("http://10.1.2.3:9070".to_owned());
        config.restate_ingress.urls = "http://127.0.0.1:9".to_owned();
    })
    .await;
    let config = |answer: Answer| answer.body["restateUi"].clone();
    let path = "/api/config";
    assert_eq!(config(gateway.get(path).await), "http://10.1.2.3:9070");
    assert_eq!(
        config(gateway.elsewhere(bare("GET", path)).await),
        Value::Null
    );

    let here = gateway.get("/ready").await;
    assert_eq!(here.status, 503);
    assert!(here.body["restate"]["detail"].is_string());
    let elsewhere = gateway.elsewhere(bare("GET", "/ready")).await;
    assert_eq!(elsewhere.status, 503);
    assert_eq!(elsewhere.body["restate"], json!({"status": "DOWN"}));

    let open = async |request| gateway.open(request).await.status().as_u16();
    assert_eq!(open(from(HERE, bare("GET", "/metrics"))).await, 200);
    assert_eq!(open(from(ELSEWHERE, bare("GET", "/metrics"))).await, 401);
}

#[tokio::test]
async fn a_client_over_its_limit_is_told_when_to_return_and_no_other_client_is() {
    let gateway = with_keys(|config| {
        config.edge.client_rates.order = "2/1m".parse().unwrap();
        config.edge.client_rates.read = "3/1h".parse().unwrap();
    })
    .await;
    let order = || place(&with("/orderId", Value::Null), &[]);
    for left in ["\"orders\";r=1", "\"orders\";r=0"] {
        let answer = gateway.elsewhere(order()).await;
        assert_eq!(answer.status, 202);
        assert_eq!(answer.headers["ratelimit"], left);
        assert_eq!(answer.headers["ratelimit-policy"], "\"orders\";q=2;w=60");
    }
    let answer = gateway.elsewhere(order()).await;
    assert_eq!(
        (answer.status, answer.problem()),
        (429, "too-many-requests")
    );
    let wait: u64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(gateway.records().len(), 2);
    // Other requests of the same client have their own limits, and so have other clients.
    let read = gateway.elsewhere(bare("GET", "/api/restaurants")).await;
    assert_eq!(read.status, 200);
    assert_eq!(gateway.send(from("10.0.0.8:1", order())).await.status, 202);
    // Health checks and operators have no limits.
    for _ in 0..5 {
        assert_ne!(gateway.elsewhere(bare("GET", "/health")).await.status, 429);
        assert_eq!(gateway.send(from(HERE, order())).await.status, 202);
    }
    let file = gateway
        .open(from(ELSEWHERE, bare("GET", "/index.html")))
        .await;
    assert_eq!(file.headers()["ratelimit"], "\"reads\";r=1");
}

#[tokio::test]
async fn tokens_cannot_be_guessed_one_after_the_other() {
    let gateway =
        with_keys(|config| config.edge.client_rates.token = "3/1h".parse().unwrap()).await;
    let path = "/api/operations/load";
    let tries = async |token: &str| {
        let request = with_header("GET", path, "authorization", &format!("Bearer {token}"));
        gateway.elsewhere(request).await.status
    };
    for expected in [401, 401, 401, 429, 429] {
        assert_eq!(tries("wrong").await, expected);
    }
    let session = request("POST", "/api/operations/session")
        .header("content-type", "application/json")
        .body(Body::from(json!({"token": "wrong"}).to_string()));
    assert_eq!(gateway.elsewhere(session.unwrap()).await.status, 429);
    // Wrong attempts do not lock out a client with the right token.
    assert_eq!(tries("s3cret").await, 200);
}

#[tokio::test]
async fn a_client_has_a_limited_number_of_open_streams_and_does_not_affect_others() {
    let gateway = with_keys(|config| config.edge.streams_per_client = 2).await;
    let mut tickets = Vec::new();
    for _ in 0..4 {
        let (id, key) = gateway.ticket().await;
        let order = with("/orderId", json!(id));
        gateway
            .elsewhere(place(&order, &[("order-key", &key)]))
            .await;
        gateway.restate.has_status(&id, "NEW", 0);
        tickets.push((id, key));
    }
    let watch = |n: usize| {
        let (id, key): &(String, String) = &tickets[n];
        with_header("GET", &format!("/api/orders/{id}/events"), "order-key", key)
    };
    let first = gateway.open(from(ELSEWHERE, watch(0))).await;
    let _second = gateway.open(from(ELSEWHERE, watch(1))).await;
    let refused = gateway.elsewhere(watch(2)).await;
    assert_eq!(
        (refused.status, refused.problem()),
        (429, "too-many-requests")
    );
    assert_eq!(
        gateway.open(from("10.0.0.8:1", watch(3))).await.status(),
        200
    );
    drop(first);
    assert_eq!(gateway.open(from(ELSEWHERE, watch(2))).await.status(), 200);
}

#[tokio::test]
async fn behind_a_proxy_each_of_its_clients_has_its_own_budget() {
    let gateway = with_keys(|config| {
        config.edge.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        config.edge.client_rates.order = "1/1h".parse().unwrap();
    })
    .await;
    let order = async |client: &str| {
        let order = place(
            &with("/orderId", Value::Null),
            &[("x-forwarded-for", client)],
        );
        gateway.elsewhere(order).await.status
    };
    assert_eq!(order("198.51.100.1").await, 202);
    assert_eq!(order("198.51.100.2").await, 202);
    assert_eq!(order("203.0.113.7, 198.51.100.1").await, 429);
}

#[tokio::test]
async fn no_other_site_is_allowed_in_and_methods_cannot_be_overridden() {
    let gateway = with_keys(|_| ()).await;
    let mut preflight = with_header("OPTIONS", "/api/orders", "origin", "https://evil.example");
    preflight
        .headers_mut()
        .insert("access-control-request-method", "POST".parse().unwrap());
    let answer = gateway.elsewhere(preflight).await;
    assert_eq!(answer.status, 405);
    assert!(
        answer
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
    for method in ["TRACE", "CONNECT", "PROPFIND", "DELETE"] {
        let answer = gateway.elsewhere(bare(method, "/api/orders")).await;
        assert_eq!(answer.status, 405, "{method}");
    }
    gateway.restate.has_status("order-1", "CREATED", 1);
    let (id, key) = gateway.ticket().await;
    let mut disguised = with_header(
        "GET",
        &format!("/api/orders/{id}/cancel"),
        "order-key",
        &key,
    );
    for name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        disguised
            .headers_mut()
            .insert(name, "POST".parse().unwrap());
    }
    assert_eq!(gateway.elsewhere(disguised).await.status, 405);
}

#[tokio::test]
async fn unusual_paths_reach_no_other_route() {
    let gateway = with_keys(|_| ()).await;
    for (path, allowed) in [
        ("/api/orders/a%2F..%2F..%2Frestate%2Fcall", &[400][..]),
        ("/api/orders/%2e%2e", &[400, 404]),
        ("/api/orders/..%2fhealth", &[400]),
        ("/api/orders/a%00b", &[400]),
        ("/api/orders/a%0d%0ab", &[400]),
        ("/api/orders/%252e%252e", &[400]),
        ("/api/orders/a%5cb", &[400]),
        ("/api/orders/%ff", &[400]),
        ("/api/orders/a;b=c", &[400]),
        ("//api/operations/load", &[404]),
        ("/api/./operations/load", &[404]),
        ("/api/orders/../operations/load", &[404]),
        ("/API/orders/order-1", &[404]),
        ("/api%2forders%2forder-1", &[404]),
        ("http://127.0.0.1:8080/OrderWorkflow/x/run", &[404]),
        ("/OrderStatusService/order-1/get", &[404]),
        ("/restate/awakeables/sign_1/resolve", &[404]),
    ] {
        let answer = gateway.elsewhere(bare("GET", path)).await;
        assert!(
            allowed.contains(&answer.status),
            "{path}: {}",
            answer.status
        );
        assert!(!answer.problem().is_empty());
    }
    assert_eq!(gateway.restate.calls.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_flood_is_refused_before_any_work_is_done() {
    let gateway = with_keys(|config| config.edge.client_rates.read = "1/1h".parse().unwrap()).await;
    let mut refused = 0;
    for _ in 0..1_000 {
        let answer = gateway
            .open(from(ELSEWHERE, bare("GET", "/api/restaurants")))
            .await;
        refused += usize::from(answer.status() == 429);
    }
    assert_eq!(refused, 999);
    let text = telemetry::metrics::text();
    assert!(
        text.contains("refusals_total{reason=\"rate-of-reads\"}"),
        "{text}"
    );
}
