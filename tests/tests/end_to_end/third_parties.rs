//! Third parties whose answers violate the API: how the order ends, and who sees the reason.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Money;
use end_to_end_tests::{Options, SOON, System, eventually, order, order_with, tls_in_front_of};
use futures::{future::try_join_all, stream};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio::net::TcpListener;

/// The bad answer for an order, which its id determines (`party-misbehaviour`); `None` for any other order.
fn misbehaviour(party: &str, order: &str, path: &str) -> Option<Response> {
    let json = |status: u16, body: String| {
        let status = StatusCode::from_u16(status).expect("a status");
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    let html = |body: &'static str| ([(header::CONTENT_TYPE, "text/html")], body).into_response();
    let (whose, what) = order.split_once('-')?;
    if whose != party {
        return None;
    }
    let what = what.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
    let charges = path == "/payments";
    Some(match what {
        "conflict" => json(409, json!({"detail": "someone else is at it"}).to_string()),
        "forbidden" => json(
            403,
            json!({"detail": "key sk_live_1 has expired"}).to_string(),
        ),
        "html" => html("<h1>Log in</h1>"),
        "empty" => StatusCode::OK.into_response(),
        "redirect" => (StatusCode::FOUND, [(header::LOCATION, "/login")]).into_response(),
        "huge" => {
            let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
            let chunks =
                stream::iter((0..400).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
            (
                [(header::CONTENT_TYPE, "application/json")],
                Body::from_stream(chunks),
            )
                .into_response()
        }
        "noid" if charges => json(201, json!({"amount": 23.5, "currency": "USD"}).to_string()),
        "yen" if charges => json(
            201,
            r#"{"paymentId": "pay_yen", "amount": 1.00, "currency": "JPY"}"#.to_owned(),
        ),
        "traversal" if charges => json(
            201,
            r#"{"paymentId": "../admin?x=#y", "amount": 23.50, "currency": "USD"}"#.to_owned(),
        ),
        _ => return None,
    })
}

/// Both third parties in one server, which records the requests.
#[derive(Clone, Default)]
struct BadParties {
    /// The requests, in the order of their arrival.
    asked: Arc<Mutex<Vec<Asked>>>,
    /// The orders that get good answers from now on.
    healed: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug, Clone)]
struct Asked {
    order: String,
    path: String,
    body: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct About {
    order_id: String,
    amount: Option<Box<RawValue>>,
}

impl BadParties {
    async fn start(&self) -> anyhow::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(address)
    }

    fn asked(&self, order: &str, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().expect("no panic");
        let about = |asked: &&Asked| asked.order == order && asked.path == path;
        asked.iter().filter(about).cloned().collect()
    }

    fn heal(&self, orders: &[&str]) {
        let orders = orders.iter().copied().map(str::to_owned);
        self.healed.lock().expect("no panic").extend(orders);
    }
}

async fn answer(
    State(parties): State<BadParties>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let path = request
        .uri()
        .path_and_query()
        .map_or("", |path| path.as_str());
    let path = path.to_owned();
    let Ok(body) = axum::body::to_bytes(request.into_body(), 1 << 20).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if path == "/health" {
        return axum::Json(json!({"status": "UP"})).into_response();
    }
    let about: About = serde_json::from_slice(&body).unwrap_or_default();
    // The order id is in the body, in the idempotency key, or in the path.
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok());
    let in_key = key
        .and_then(|key| key.split_once('-'))
        .map(|(_, order)| order);
    let in_path = path.split('/').nth(2);
    let order = [Some(about.order_id.as_str()), in_key, in_path];
    let order = order.into_iter().flatten().find(|order| !order.is_empty());
    let order = order.unwrap_or_default().to_owned();
    parties.asked.lock().expect("no panic").push(Asked {
        order: order.clone(),
        path: path.clone(),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    let is_payment = path.starts_with("/payments");
    let party = if is_payment { "payment" } else { "restaurant" };
    let is_healed = parties.healed.lock().expect("no panic").contains(&order);
    if !is_healed && let Some(bad) = misbehaviour(party, &order, &path) {
        return bad;
    }
    let amount = about
        .amount
        .map_or(Money::ZERO, |raw| raw.get().parse().unwrap_or(Money::ZERO));
    let good = match path.as_str() {
        "/payments" => {
            json!({"paymentId": format!("pay_{order}"), "amount": amount, "currency": "USD"})
        }
        _ if is_payment => json!({}),
        _ => json!({"orderId": order}),
    };
    let status = if is_payment {
        StatusCode::CREATED
    } else {
        StatusCode::ACCEPTED
    };
    (status, axum::Json(good)).into_response()
}

/// The status code and output of `run`, and the order's status.
async fn ended(system: &System, id: &str) -> anyhow::Result<(u16, Value, Value)> {
    let path = format!("OrderWorkflow/{id}/run/send");
    let (code, sent) = system.call(&path, Some(&order(id))).await?;
    anyhow::ensure!(code.is_success(), "{code}: {sent}");
    let ingress = system.address("restate-ingress")?;
    let output = format!("{ingress}/restate/workflow/OrderWorkflow/{id}/output");
    let (code, ended) = eventually(&format!("{id} to end"), SOON * 3, async || {
        let answer = end_to_end_tests::http().get(&output).send().await;
        let answer = answer.map_err(|error| error.to_string())?;
        // 470 while it has not ended.
        match answer.status().as_u16() {
            470 => Err("it goes on".to_owned()),
            code => Ok((code, answer.json().await.unwrap_or_default())),
        }
    })
    .await;
    Ok((code, ended, system.wait_for_status(id, "CANCELLED").await))
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "many cases on one system")]
async fn whatever_third_parties_answer_an_order_ends_with_the_right_reason() -> anyhow::Result<()> {
    let parties = BadParties::default();
    let address = parties.start().await?;
    let system = System::start(
        Options::default()
            .with(&format!("--payment-url={address}"))
            .with(&format!("--restaurant-url={address}"))
            .with("--payment-limit=2s")
            .with("--preparation-limit=2s"),
    )
    .await?;

    // The payment provider gives invalid answers, so it is unknown whether it has charged: the order ends, and the refund follows when the
    // provider works again.
    let invalid = [
        "payment-html",
        "payment-empty",
        "payment-noid",
        "payment-huge",
        "payment-redirect",
    ];
    system.publish_orders(&invalid.map(order)).await?;
    for id in invalid {
        let status = system.wait_for_status(id, "CANCELLED").await;
        let reason = status["reason"].as_str().unwrap_or_default();
        let expected = "the payment provider gave no valid answer: ";
        assert!(reason.starts_with(expected), "{id}: {reason}");
    }
    parties.heal(&invalid);
    for id in invalid {
        let settled = format!("/payments/pay_{id}/refunds");
        eventually(
            &format!("{id} to be settled"),
            Duration::from_mins(3),
            async || match parties.asked(id, &settled).len() {
                0 => Err("not yet".to_owned()),
                _ => Ok(()),
            },
        )
        .await;
        let charges = parties.asked(id, "/payments").len();
        assert!(charges < 30, "{id} was asked for {charges} times");
    }

    // The restaurant gives invalid answers or refuses; each time, the payment is refunded.
    let cases = [
        (
            "restaurant-conflict",
            "the restaurant refused the request: 409 Conflict",
        ),
        (
            "restaurant-forbidden",
            "the restaurant refused the request: 403 Forbidden",
        ),
        (
            "restaurant-html",
            "the restaurant gave no valid answer: not of content type JSON",
        ),
        (
            "restaurant-empty",
            "the restaurant gave no valid answer: not of content type JSON",
        ),
        (
            "restaurant-redirect",
            "the restaurant gave no valid answer: status 302",
        ),
        (
            "restaurant-huge",
            "the restaurant gave no valid answer: longer than 65536 bytes",
        ),
    ];
    let all = cases.map(async |(id, reason)| {
        let (code, ended, status) = ended(&system, id).await?;
        assert_eq!((code, &ended["reason"]), (200, &json!(reason)), "{id}");
        assert_eq!(ended["status"], "CANCELLED", "{id}");
        assert_eq!(status["reason"], reason, "{id}");
        let refunds = parties.asked(id, &format!("/payments/pay_{id}/refunds"));
        assert_eq!(refunds.len(), 1, "{id}: {refunds:?}");
        anyhow::Ok(())
    });
    try_join_all(all).await?;
    assert!(parties.asked("login", "/login").is_empty());

    // The payment provider refuses: it charged nothing, so there is nothing to undo.
    for (id, reason) in [
        (
            "payment-conflict",
            "the payment provider refused the request: 409 Conflict",
        ),
        (
            "payment-forbidden",
            "the payment provider refused the request: 403 Forbidden",
        ),
    ] {
        let (code, ended, status) = ended(&system, id).await?;
        assert_eq!((code, &ended["reason"]), (200, &json!(reason)), "{id}");
        assert_eq!(status["reason"], reason, "{id}");
        assert_eq!(parties.asked(id, "/payments").len(), 1, "{id}");
    }

    // The payment provider charges another amount: exactly that amount is refunded. The charge is requested a second time first,
    // because the contradicting answer may itself be wrong.
    let (code, ended_as, status) = ended(&system, "payment-yen").await?;
    let reason = "the payment provider charged another amount";
    assert_eq!((code, &ended_as["reason"]), (200, &json!(reason)));
    assert_eq!(status["reason"], reason);
    let refunds = parties.asked("payment-yen", "/payments/pay_yen/refunds");
    let bodies: Vec<&str> = refunds.iter().map(|asked| asked.body.as_str()).collect();
    assert_eq!(bodies, [r#"{"amount":1.00,"currency":"JPY"}"#]);
    assert_eq!(parties.asked("payment-yen", "/payments").len(), 2);

    // The provider's ids are escaped in paths.
    let event = order_with("payment-traversal", "deliveryDelay", json!(600_000));
    system.publish_orders(&[event]).await?;
    system
        .wait_for_status("payment-traversal", "SCHEDULED")
        .await;
    system
        .call("OrderWorkflow/payment-traversal/cancel", None)
        .await?;
    let refund = "/payments/..%2Fadmin%3Fx%3D%23y/refunds";
    eventually("the refund", SOON, async || {
        match parties.asked("payment-traversal", refund).len() {
            0 => Err("none yet".to_owned()),
            _ => Ok(()),
        }
    })
    .await;

    let metrics = system.text("order-services", "/metrics").await?;
    for (metric, value) in [
        (
            r#"orders_total{status="CANCELLED",reason="restaurant_request_refused"}"#,
            2.0,
        ),
        (
            r#"orders_total{status="CANCELLED",reason="restaurant_invalid_answer"}"#,
            4.0,
        ),
        (
            r#"orders_total{status="CANCELLED",reason="payment_request_refused"}"#,
            2.0,
        ),
        (
            r#"orders_total{status="CANCELLED",reason="payment_other_amount"}"#,
            1.0,
        ),
        (
            r#"orders_total{status="CANCELLED",reason="payment_invalid_answer"}"#,
            5.0,
        ),
    ] {
        assert_eq!(samples(&metrics).get(metric), Some(&value), "{metric}");
    }
    let violations = r#"payments_total{operation="charge",outcome="violation"}"#;
    assert!(
        samples(&metrics)
            .get(violations)
            .is_some_and(|found| *found >= 8.0)
    );
    // The provider's error details go to the log, not to customers.
    assert!(system.log("order-services")?.contains("sk_live_1"));

    Ok(())
}

/// Each sample's value, by its name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
    samples
        .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
        .collect()
}

#[tokio::test]
async fn third_parties_are_reached_over_https_if_a_trusted_authority_has_signed_their_certificate()
-> anyhow::Result<()> {
    let parties = BadParties::default();
    let directory = tempfile::tempdir()?;
    let address = tls_in_front_of(&parties.start().await?, directory.path()).await?;
    let authority = directory.path().join("ca.pem");
    let mut system = System::start(
        Options::default()
            .with(&format!("--payment-url={address}"))
            .with(&format!("--restaurant-url={address}"))
            .env("SSL_CERT_FILE", authority.display().to_string()),
    )
    .await?;
    system.publish_orders(&[order("https-1")]).await?;
    system.wait_for_status("https-1", "IN_PREPARATION").await;
    assert_eq!(parties.asked("https-1", "/payments").len(), 1);

    // An authority that nobody trusts: no request is sent, and the operator sees why.
    system.stop().await?;
    system.set_environment("SSL_CERT_FILE", "/dev/null");
    system.start_again().await?;
    system.publish_orders(&[order("https-2")]).await?;
    eventually("the reason in the invocation", SOON, async || {
        let query =
            "select last_failure from sys_invocation where last_failure like '%certificate%'";
        match system.sql(query).await {
            Ok(rows) if !rows.is_empty() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(parties.asked("https-2", "/payments").len(), 0);
    Ok(())
}
