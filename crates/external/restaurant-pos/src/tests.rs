//! Tests the HTTP API and the callbacks.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Url;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use stub_kit::clock;
use stub_kit::faults::Rate;
use stub_kit::testing::{Answer, Client, crash_copy, eventually, raw_get, send_and_hang_up};
use tokio::net::TcpSocket;
use tokio::sync::{Semaphore, oneshot};

use super::*;

/// A client of the restaurant: records the callbacks it receives, and verifies their signatures.
#[derive(Clone, Default)]
struct Shop(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    calls: Vec<Callback>,
    /// The next answers to callbacks, by order; 204 if none are left.
    answers: HashMap<String, Vec<u16>>,
    under_way: usize,
    most_under_way: usize,
    /// If set, each answer waits for a permit.
    held: Option<Arc<Semaphore>>,
}

#[derive(Clone)]
struct Callback {
    order: String,
    /// The id of the message.
    message: String,
    body: Value,
    at: i64,
}

impl Shop {
    /// Starts it on a free port.
    async fn start() -> (Self, Url) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url(listener.local_addr().unwrap());
        (Self::start_on(listener), url)
    }

    fn start_on(listener: TcpListener) -> Self {
        let shop = Self::default();
        let app = axum::Router::new()
            .route("/ready/{order}", post(Self::ready))
            .with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        shop
    }

    async fn ready(
        State(Self(received)): State<Self>,
        Path(order): Path<String>,
        headers: HeaderMap,
        body: Bytes,
    ) -> StatusCode {
        let webhook = Webhook::new(SECRET).unwrap();
        if let Err(error) = webhook.verify(&body, &headers) {
            panic!("the callback of {order} has no valid signature: {error}");
        }
        let message = headers["webhook-id"].to_str().unwrap().to_owned();
        let body = serde_json::from_slice(&body).unwrap();
        let (answer, held) = {
            let mut received = received.lock().unwrap();
            received.under_way += 1;
            received.most_under_way = received.most_under_way.max(received.under_way);
            let answers = received.answers.get_mut(&order);
            let answer = answers.and_then(Vec::pop).unwrap_or(204);
            received.calls.push(Callback {
                order,
                message,
                body,
                at: clock::now_ms(),
            });
            (answer, received.held.clone())
        };
        if let Some(held) = held {
            held.acquire().await.unwrap().forget();
        }
        received.lock().unwrap().under_way -= 1;
        StatusCode::from_u16(answer).unwrap()
    }

    /// Answers the first callbacks of `order` with these statuses.
    fn answer(&self, order: &str, statuses: &[u16]) {
        let statuses = statuses.iter().rev().copied().collect();
        let mut received = self.0.lock().unwrap();
        received.answers.insert(order.to_owned(), statuses);
    }

    /// Holds all answers until permits are added.
    fn hold(&self) -> Arc<Semaphore> {
        let held = Arc::new(Semaphore::new(0));
        self.0.lock().unwrap().held = Some(held.clone());
        held
    }

    fn calls(&self, order: &str) -> Vec<Callback> {
        let received = self.0.lock().unwrap();
        received
            .calls
            .iter()
            .filter(|call| call.order == order)
            .cloned()
            .collect()
    }

    /// Waits for the first callback of `order`.
    async fn called(&self, order: &str) -> Callback {
        eventually("a callback", async || self.calls(order).into_iter().next()).await
    }
}

fn url(address: SocketAddr) -> Url {
    format!("http://{address}").parse().unwrap()
}

/// An address where nothing listens: port 1 is assigned to a service that is not in use (RFC 1078).
fn unreachable_address() -> Url {
    url(SocketAddr::from(([127, 0, 0, 1], 1)))
}

/// The secret that callbacks are signed with: the specification's example.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const AT_ONCE: Duration = Duration::ZERO;
const NEVER: Duration = Duration::from_hours(1);

/// A restaurant whose books live as long as the test.
struct Diner {
    directory: tempfile::TempDir,
    restaurant: Restaurant,
    client: Client,
    /// The address of the client that receives the callbacks.
    shop: Url,
}

impl Diner {
    async fn open(shop: Url, preparation_time: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("pos.db");
        let (restaurant, client) = open(database, preparation_time).await;
        Self {
            directory,
            restaurant,
            client,
            shop,
        }
    }

    fn fail(&self, plan: FaultPlan) {
        self.restaurant.faults().set(plan);
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join("pos.db")
    }

    async fn prepare(&self, order: &str) -> Answer {
        self.client.post("/prepare", self.ticket(order)).await
    }

    fn ticket(&self, order: &str) -> Value {
        ticket(&self.shop, order)
    }

    async fn cancel(&self, order: &str) -> Answer {
        let path = format!("/preparations/{order}/cancel");
        self.client.send("POST", &path, &[], "").await
    }

    async fn preparation(&self, order: &str) -> Value {
        let path = format!("/preparations/{order}");
        self.client.get(&path).await.body
    }

    /// Waits until the order has this status.
    async fn until(&self, order: &str, status: &str) -> Value {
        eventually(status, async || {
            let preparation = self.preparation(order).await;
            (preparation["status"] == status).then_some(preparation)
        })
        .await
    }
}

async fn open(database: PathBuf, preparation_time: Duration) -> (Restaurant, Client) {
    let cooking = Cooking { preparation_time };
    let restaurant = Restaurant::open(&database, &cooking).await.unwrap();
    let client = Client::new(router(restaurant.clone()));
    (restaurant, client)
}

/// A request of `shop` to prepare `order`.
fn ticket(shop: &Url, order: &str) -> Value {
    json!({
        "orderId": order,
        "restaurantId": "la-piazza",
        "products": [{"productId": "margherita", "description": "Pizza Margherita", "quantity": 2}],
        "callback": {"url": format!("{shop}ready/{order}"), "secret": SECRET},
    })
}

#[tokio::test]
async fn an_order_is_accepted_cooked_and_called_back() {
    let (shop, url) = Shop::start().await;
    let diner = Diner::open(url, Duration::from_millis(100)).await;
    let before = clock::now_ms();

    let answer = diner.prepare("order-1").await;

    assert_eq!(answer.status, 202);
    let ready_at = answer.body["readyAt"].as_i64().unwrap();
    assert!(ready_at >= before + 100);
    assert_eq!(
        answer.text,
        format!(r#"{{"orderId":"order-1","readyAt":{ready_at}}}"#)
    );
    let call = shop.called("order-1").await;
    assert_eq!(
        call.body,
        json!({"orderId": "order-1", "readyAt": ready_at})
    );
    assert!(call.at >= ready_at, "{} ms early", ready_at - call.at);
    let mut preparation = diner.until("order-1", "CALLED_BACK").await;
    for time in ["acceptedAt", "endedAt"] {
        assert!(preparation[time].take().as_i64().unwrap() >= before);
    }
    assert_eq!(
        preparation,
        json!({
            "sequence": 1,
            "orderId": "order-1",
            "restaurantId": "la-piazza",
            "callbackUrl": format!("{}ready/order-1", diner.shop),
            "products": [{"productId": "margherita", "description": "Pizza Margherita", "quantity": 2}],
            "status": "CALLED_BACK",
            "callbacks": 1,
            "acceptedAt": null,
            "readyAt": ready_at,
            "endedAt": null,
            "answer": null,
        })
    );
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_is_cooked_once() {
    let (shop, url) = Shop::start().await;
    let diner = Diner::open(url, AT_ONCE).await;
    let first = diner.prepare("order-1").await;
    diner.until("order-1", "CALLED_BACK").await;

    let again = diner.prepare("order-1").await;
    assert_eq!((again.status, again.text), (202, first.text));

    let mut other = diner.ticket("order-1");
    other["callback"]["url"] = json!(format!("{}ready/other", diner.shop));
    let other = diner.client.post("/prepare", other).await;
    assert_eq!(other.status, 409);
    assert_eq!(other.body["reason"], "other-callback");
    assert_eq!(other.body["field"], "callback.url");

    // If anything else had been scheduled, it would have been called back before this one.
    diner.prepare("order-2").await;
    shop.called("order-2").await;
    assert_eq!(shop.calls("order-1").len(), 1);
    assert_eq!(shop.calls("other").len(), 0);
}

#[tokio::test]
async fn a_refusal_is_remembered() {
    let diner = Diner::open(unreachable_address(), AT_ONCE).await;
    diner.fail(FaultPlan {
        reject_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    let refused = diner.prepare("order-1").await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert_eq!(refused.body["reason"], "refused");

    diner.fail(FaultPlan::default());
    let mut other_callback = diner.ticket("order-1");
    other_callback["callback"]["url"] = json!("http://localhost/other");
    for ticket in [diner.ticket("order-1"), other_callback] {
        let again = diner.client.post("/prepare", ticket).await;
        assert_eq!((again.status, &again.text), (422, &refused.text));
    }
    let preparation = diner.preparation("order-1").await;
    assert_eq!(preparation["status"], "REFUSED");
    assert_eq!(preparation["readyAt"], json!(null));
}

#[tokio::test]
async fn a_silent_order_is_never_called_back_and_a_duplicate_one_twice() {
    let (shop, url) = Shop::start().await;
    let diner = Diner::open(url, AT_ONCE).await;
    diner.fail(FaultPlan {
        silence_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    diner.prepare("silent").await;
    diner.fail(FaultPlan {
        duplicate_callback_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    diner.prepare("twice").await;

    let twice = diner.until("twice", "CALLED_BACK").await;
    assert_eq!(twice["callbacks"], 2);
    assert_eq!(shop.calls("twice").len(), 2);
    let silent = diner.until("silent", "READY").await;
    assert_eq!(silent["callbacks"], 0);
    assert_eq!(shop.calls("silent").len(), 0);

    // It can still be cancelled.
    assert_eq!(diner.cancel("silent").await.body["status"], "CANCELLED");
}

#[tokio::test]
async fn a_cancelled_order_is_not_called_back() {
    let (shop, url) = Shop::start().await;
    let diner = Diner::open(url, Duration::from_millis(50)).await;
    diner.prepare("order-1").await;

    let answer = diner.cancel("order-1").await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (200, r#"{"orderId":"order-1","status":"CANCELLED"}"#)
    );
    let again = diner.cancel("order-1").await;
    assert_eq!((again.status, again.text), (200, answer.text));

    // The next order is due later; once it is called back, the first one's time has passed.
    diner.prepare("order-2").await;
    diner.until("order-2", "CALLED_BACK").await;
    assert_eq!(shop.calls("order-1").len(), 0);
    assert_eq!(diner.preparation("order-1").await["status"], "CANCELLED");

    let late = diner.cancel("order-2").await;
    assert_eq!(
        (late.status, &late.body["reason"]),
        (409, &json!("handed-over"))
    );
    assert_eq!(diner.cancel("order-3").await.status, 404);
}

#[tokio::test]
async fn a_cancelled_order_stays_so_when_a_callback_was_under_way() {
    let (shop, url) = Shop::start().await;
    let held = shop.hold();
    let diner = Diner::open(url, AT_ONCE).await;
    diner.prepare("order-1").await;
    shop.called("order-1").await;

    assert_eq!(diner.cancel("order-1").await.status, 200);
    held.add_permits(1);

    // Closing waits until the callback is finished and its result stored.
    diner.restaurant.clone().close().await;
    let (_restaurant, client) = open(diner.database(), AT_ONCE).await;
    let preparation = client.get("/preparations/order-1").await.body;
    assert_eq!(preparation["status"], "CANCELLED");
}

#[tokio::test]
async fn a_callback_under_way_is_finished_before_the_books_are_closed() {
    let (shop, url) = Shop::start().await;
    let held = shop.hold();
    let diner = Diner::open(url, AT_ONCE).await;
    diner.prepare("order-1").await;
    shop.called("order-1").await;

    tokio::join!(diner.restaurant.clone().close(), async {
        held.add_permits(1);
    });

    let (_restaurant, client) = open(diner.database(), AT_ONCE).await;
    let preparation = client.get("/preparations/order-1").await.body;
    assert_eq!(preparation["status"], "CALLED_BACK");
}

#[tokio::test]
async fn a_refused_order_needs_no_cancelling() {
    let diner = Diner::open(unreachable_address(), AT_ONCE).await;
    diner.fail(FaultPlan {
        reject_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    diner.prepare("order-1").await;
    let answer = diner.cancel("order-1").await;
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (200, &json!("REFUSED"))
    );
}

#[tokio::test]
async fn a_callback_is_repeated_until_it_is_taken() {
    let (shop, url) = Shop::start().await;
    shop.answer("order-1", &[503, 429]);
    let diner = Diner::open(url, AT_ONCE).await;

    diner.prepare("order-1").await;

    diner.until("order-1", "CALLED_BACK").await;
    let calls = shop.calls("order-1");
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.message == calls[0].message));
    assert!(calls[1].at - calls[0].at >= 200);
    assert!(calls[2].at - calls[1].at >= 400);
}

#[tokio::test]
async fn a_callback_that_is_refused_for_good_is_given_up() {
    let (shop, url) = Shop::start().await;
    shop.answer("order-1", &[404]);
    let diner = Diner::open(url, AT_ONCE).await;

    diner.prepare("order-1").await;

    let failed = diner.until("order-1", "FAILED").await;
    assert_eq!(failed["answer"], "404 Not Found: ");
    assert_eq!(shop.calls("order-1").len(), 1);
    assert_eq!(diner.cancel("order-1").await.body["status"], "FAILED");
}

#[tokio::test]
async fn orders_that_are_ready_while_the_client_is_down_are_called_back_when_it_is_up() {
    // Bound, so that no other program gets the port, but not listening yet.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = url(socket.local_addr().unwrap());
    let diner = Diner::open(url, AT_ONCE).await;
    for n in 0..100 {
        assert_eq!(diner.prepare(&format!("order-{n}")).await.status, 202);
    }
    diner.until("order-99", "READY").await;

    let shop = Shop::start_on(socket.listen(64).unwrap());

    for n in 0..100 {
        diner.until(&format!("order-{n}"), "CALLED_BACK").await;
        assert_eq!(shop.calls(&format!("order-{n}")).len(), 1);
    }
}

#[tokio::test]
async fn callbacks_are_concurrent_up_to_a_limit() {
    let (shop, url) = Shop::start().await;
    let held = shop.hold();
    let diner = Diner::open(url, AT_ONCE).await;
    for n in 0..1000 {
        diner.prepare(&format!("order-{n}")).await;
    }

    eventually("as many callbacks as there may be", async || {
        (shop.0.lock().unwrap().under_way == kitchen::CALLS_AT_ONCE).then_some(())
    })
    .await;
    held.add_permits(1000);

    eventually("all callbacks", async || {
        let page = diner.client.get("/preparations?status=CALLED_BACK").await;
        (page.body["entries"].as_array().unwrap().len() == 1000).then_some(())
    })
    .await;
    let received = shop.0.lock().unwrap();
    assert_eq!(received.calls.len(), 1000);
    assert_eq!(received.most_under_way, kitchen::CALLS_AT_ONCE);
}

#[tokio::test]
async fn orders_that_were_cooking_when_the_process_died_are_called_back_after_a_restart() {
    // Bound, so that no other program gets the port, but not listening yet.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let diner = Diner::open(url(socket.local_addr().unwrap()), AT_ONCE).await;
    let overdue = diner.prepare("overdue").await;
    diner.prepare("cancelled").await;
    diner.cancel("cancelled").await;
    diner.fail(FaultPlan {
        silence_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    diner.prepare("silent").await;
    diner.fail(FaultPlan {
        reject_rate: Rate::ALWAYS,
        ..FaultPlan::default()
    });
    let refused = diner.prepare("refused").await;

    // The first process dies in this state. The second one dies while an order is not ready yet.
    let database = crash_copy(&diner.database());
    let (_slow, client) = open(database.clone(), Duration::from_millis(300)).await;
    let cooking = client.post("/prepare", diner.ticket("cooking")).await;
    let database = crash_copy(&database);

    let shop = Shop::start_on(socket.listen(64).unwrap());
    let (restaurant, client) = open(database, NEVER).await;
    let again = Diner {
        restaurant,
        client,
        ..diner
    };

    let call = shop.called("overdue").await;
    assert_eq!(call.body, overdue.body);
    let call = shop.called("cooking").await;
    assert_eq!(call.body, cooking.body);
    assert!(call.at >= cooking.body["readyAt"].as_i64().unwrap());
    again.until("cooking", "CALLED_BACK").await;
    assert_eq!(shop.calls("cancelled").len(), 0);
    assert_eq!(shop.calls("silent").len(), 0);
    assert_eq!(again.preparation("silent").await["status"], "READY");
    assert_eq!(again.prepare("overdue").await.text, overdue.text);
    assert_eq!(again.prepare("refused").await.text, refused.text);
}

#[tokio::test]
async fn an_order_is_called_back_even_if_the_client_hung_up_early() {
    let (shop, url) = Shop::start().await;
    let diner = Diner::open(url, AT_ONCE).await;

    let database = &diner.restaurant.books.database;
    send_and_hang_up(database, diner.prepare("order-1")).await;

    shop.called("order-1").await;
}

#[tokio::test]
async fn faults_are_set_over_http_and_leave_the_books_readable() {
    let diner = Diner::open(unreachable_address(), NEVER).await;
    diner.prepare("order-1").await;
    let answer = diner.client.put("/faults", json!({"errorRate": 1})).await;
    assert_eq!(
        answer.body,
        json!({
            "errorRate": 1.0,
            "nonsenseRate": 0.0,
            "latencyMs": 0,
            "rejectRate": 0.0,
            "silenceRate": 0.0,
            "duplicateCallbackRate": 0.0,
        })
    );

    assert_eq!(diner.prepare("order-2").await.status, 503);
    assert_eq!(diner.cancel("order-1").await.status, 503);
    assert_eq!(diner.preparation("order-1").await["status"], "PREPARING");
    assert_eq!(diner.client.get("/preparations/order-2").await.status, 404);
    assert_eq!(diner.client.get("/health").await.status, 200);
}

#[tokio::test]
async fn preparations_are_listed_in_pages_and_by_status() {
    let diner = Diner::open(unreachable_address(), NEVER).await;
    for n in 1..=5 {
        diner.prepare(&format!("order-{n}")).await;
    }
    diner.cancel("order-2").await;
    let listed = async |query: &str| {
        let page = diner
            .client
            .get(&format!("/preparations?{query}"))
            .await
            .body;
        let orders: Vec<_> = page["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["sequence"].as_i64().unwrap())
            .collect();
        (orders, page["next"].clone())
    };

    assert_eq!(listed("").await, (vec![1, 2, 3, 4, 5], json!(null)));
    assert_eq!(listed("limit=2&after=1").await, (vec![2, 3], json!(3)));
    assert_eq!(
        listed("status=PREPARING&limit=2").await,
        (vec![1, 3], json!(3))
    );
    assert_eq!(listed("status=CANCELLED").await, (vec![2], json!(null)));
    assert_eq!(listed("status=READY").await, (vec![], json!(null)));
    let bad = diner.client.get("/preparations?status=COLD").await;
    assert_eq!((bad.status, &bad.body["field"]), (400, &json!("status")));
}

#[tokio::test]
async fn a_bad_ticket_is_answered_with_the_field() {
    let diner = Diner::open(unreachable_address(), NEVER).await;
    let with = |path: &str, value: Value| {
        let mut ticket = diner.ticket("order-1");
        *ticket.pointer_mut(path).unwrap() = value;
        ticket
    };
    for (ticket, field) in [
        (with("/orderId", json!("a b")), "orderId"),
        (with("/callback/url", json!("../x")), "callback.url"),
        (with("/callback/secret", json!("whsec_")), "callback.secret"),
        (with("/callback", json!({})), "callback.url"),
        (with("/restaurantId", json!("")), "restaurantId"),
        (with("/products", json!([])), "products"),
        (
            with("/products/0/quantity", json!(0)),
            "products[0].quantity",
        ),
        (
            with("/products/0/quantity", json!(-1)),
            "products[0].quantity",
        ),
        (json!({}), "orderId"),
    ] {
        let answer = diner.client.post("/prepare", ticket.clone()).await;
        assert_eq!(answer.status, 400, "{ticket}");
        assert_eq!(answer.body["field"], field, "{answer:?}");
    }
}

#[tokio::test]
async fn the_books_are_closed_on_shutdown() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("pos.db");
    let options = Options {
        database: database.clone(),
        cooking: Cooking {
            preparation_time: NEVER,
        },
        ..settings::defaults()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(options, listener, async {
        let _ = stopped.await;
    }));
    assert!(
        raw_get(address, "/health")
            .await
            .starts_with("HTTP/1.1 200")
    );

    stop.send(()).unwrap();

    server.await.unwrap().unwrap();
    assert!(!database.with_extension("db-wal").exists());
}
