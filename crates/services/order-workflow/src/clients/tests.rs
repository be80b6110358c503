//! The clients against third parties that answer wrongly, maliciously or never.

use std::sync::{Arc, Mutex};

use secrets::Secrets;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// What a server does with a request.
#[derive(Clone)]
enum Manner {
    /// Answers with this and closes the connection.
    Says(String),
    /// Answers with this and then with spaces in chunks, for as long as anyone reads.
    NeverEnds(String),
    /// Answers with this, and then with nothing.
    Stops(String),
}

/// A third party, and the first lines of its requests.
struct Hostile {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hostile = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
        };
        let requests = Arc::clone(&hostile.requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, manner.clone(), Arc::clone(&requests)));
            }
        });
        hostile
    }

    /// Answers every request with this status line, these headers and this body.
    async fn says(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::start(Manner::Says(format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )))
        .await
    }

    /// Answers every request with this JSON.
    async fn says_json(status: &str, body: &str) -> Self {
        Self::says(status, JSON, body).await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn client(&self, limit: Duration) -> ThirdParties {
        let secrets: Secrets = ["a-secret-of-the-tests-long-enough"].into_iter().collect();
        let callbacks = Callbacks::new(&secrets);
        let clients = ThirdParties::new(
            &self.address,
            &self.address,
            "http://127.0.0.1:1",
            callbacks,
        );
        ThirdParties {
            http: http::client(limit).build().unwrap(),
            ..clients.unwrap()
        }
    }

    async fn charge(&self) -> Result<Charge, Failure> {
        let client = self.client(ANSWER_WITHIN);
        client.charge(&order_id(), price(), Asking::First).await
    }

    async fn prepare(&self) -> Result<Preparation, Failure> {
        self.client(ANSWER_WITHIN)
            .prepare(&order(), "prom_1", Asking::First)
            .await
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, requests: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    // A request ends with its JSON; one without JSON ends with its head.
    let ends = |request: &[u8]| {
        let is_cancel = request.windows(8).any(|part| part == b"/cancel ");
        request.ends_with(b"}") || (is_cancel && request.ends_with(b"\r\n\r\n"))
    };
    while !ends(&request) {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => request.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    let request = String::from_utf8_lossy(&request);
    let line = request.lines().next().unwrap_or_default().to_owned();
    requests.lock().unwrap().push(line);
    match manner {
        Manner::Says(answer) => {
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Manner::NeverEnds(head) => {
            let _ = stream.write_all(head.as_bytes()).await;
            let chunk = [b"2000\r\n", &[b' '; 0x2000][..], b"\r\n"].concat();
            while stream.write_all(&chunk).await.is_ok() {}
        }
        Manner::Stops(head) => {
            let _ = stream.write_all(head.as_bytes()).await;
            std::future::pending::<()>().await;
        }
    }
}

const JSON: &str = "content-type: application/json\r\n";
const PAID: &str = r#"{"paymentId":"pay_1","amount":9.50,"currency":"USD"}"#;

fn order_id() -> OrderId {
    "order-1".parse().unwrap()
}

fn price() -> Money {
    Money::from_cents(950).unwrap()
}

fn order() -> Order {
    Order::parse(
        br#"{"orderId": "order-1", "restaurantId": "trattoria", "totalCost": 9.50, "deliveryDelay": 0,
            "products": [{"productId": "calzone", "description": "Calzone", "quantity": 1}]}"#,
    )
    .unwrap()
}

/// The result of an operation, in short.
fn told<T: std::fmt::Debug>(result: &Result<T, Failure>) -> String {
    match result {
        Ok(answer) => format!("{answer:?}"),
        Err(failure) => failure.to_string(),
    }
}

#[tokio::test]
async fn every_status_of_the_payment_provider_is_classified() {
    for (status, expected) in [
        ("201 Created", "Charged"),
        ("200 OK", "Charged"),
        ("402 Payment Required", "Declined { reason: \"no cover\" }"),
        // None of these is retried, and none becomes an error code of ours.
        ("400 Bad Request", "Refused { reason: \"400 Bad Request\" }"),
        ("401 Unauthorized", "Refused"),
        ("403 Forbidden", "Refused"),
        ("404 Not Found", "Refused"),
        ("409 Conflict", "Refused { reason: \"409 Conflict\" }"),
        ("422 Unprocessable Entity", "Refused"),
        ("499 Whatever", "Refused { reason: \"499\" }"),
        // These may change later.
        (
            "408 Request Timeout",
            "no answer: 408 Request Timeout no cover",
        ),
        ("425 Too Early", "no answer: 425"),
        ("429 Too Many Requests", "no answer: 429"),
        ("500 Internal Server Error", "no answer: 500"),
        ("503 Service Unavailable", "no answer: 503"),
        ("599 Whatever", "no answer: 599"),
        // None of these was agreed.
        ("202 Accepted", "no valid answer: status 202"),
        ("206 Partial Content", "no valid answer: status 206"),
        ("302 Found", "no valid answer: status 302"),
        ("307 Temporary Redirect", "no valid answer: status 307"),
        ("600 Whatever", "no valid answer: status 600"),
    ] {
        let body = r#"{"paymentId":"pay_1","amount":9.50,"currency":"USD","detail":"no\ncover"}"#;
        let headers = format!("{JSON}location: /login\r\nretry-after: 1\r\n");
        let hostile = Hostile::says(status, &headers, body).await;
        let charged = told(&hostile.charge().await);
        assert!(charged.starts_with(expected), "{status}: {charged}");
        assert_eq!(hostile.requests(), ["POST /payments HTTP/1.1"], "{status}");
    }
}

#[tokio::test]
async fn a_conflict_refuses_a_first_charge_and_says_of_a_repeated_one_that_the_first_is_in_progress()
 {
    let hostile = Hostile::says("409 Conflict", JSON, "{}").await;
    let client = hostile.client(ANSWER_WITHIN);
    for (asking, expected) in [
        (Asking::First, "Refused { reason: \"409 Conflict\" }"),
        (Asking::Again, "no answer: 409"),
    ] {
        let charged = told(&client.charge(&order_id(), price(), asking).await);
        assert!(charged.starts_with(expected), "{charged}");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn a_payment_counts_only_if_it_is_the_requested_one() {
    let long = format!(
        r#"{{"paymentId":"{}","amount":9.50,"currency":"USD"}}"#,
        "x".repeat(256)
    );
    for (body, expected) in [
        (PAID, "Charged"),
        (
            r#"{"paymentId":"p","amount":9.5,"currency":"USD"}"#,
            "Charged",
        ),
        (
            r#"{"paymentId":"p","amount":"9.50","currency":"usd"}"#,
            "Charged",
        ),
        (
            r#"{"paymentId":"p","amount":95e-1,"currency":"USD"}"#,
            "Charged",
        ),
        (
            r#"{"paymentId":"../admin?x=#y","orderId":"order-1","amount":9.50,"currency":"USD","status":"CHARGED","more":[]}"#,
            "Charged",
        ),
        (
            r#"{"paymentId":"p","amount":1.00,"currency":"JPY"}"#,
            "OtherAmount",
        ),
        (
            r#"{"paymentId":"p","amount":9.50,"currency":"EUR"}"#,
            "OtherAmount",
        ),
        (
            r#"{"paymentId":"p","amount":1e1,"currency":"USD"}"#,
            "OtherAmount",
        ),
        (
            r#"{"paymentId":"p","amount":950,"currency":"USD"}"#,
            "OtherAmount",
        ),
        (
            r#"{"paymentId":"p","amount":9.499999999,"currency":"USD"}"#,
            "OtherAmount",
        ),
        (r#"{"amount":9.50,"currency":"USD"}"#, "no valid answer"),
        (
            r#"{"paymentId":17,"amount":9.50,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":null,"amount":9.50,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"","amount":9.50,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"..","amount":9.50,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"a\nb","amount":9.50,"currency":"USD"}"#,
            "no valid answer",
        ),
        (&long, "no valid answer"),
        (r#"{"paymentId":"p","currency":"USD"}"#, "no valid answer"),
        (r#"{"paymentId":"p","amount":9.50}"#, "no valid answer"),
        (
            r#"{"paymentId":"p","amount":9.50,"currency":"dollars"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","amount":-9.50,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","amount":1e400,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","amount":"nine","currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","amount":true,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","paymentId":"q","amount":9.50,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","amount":9.50,"amount":1,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","orderId":"order-2","amount":9.50,"currency":"USD"}"#,
            "no valid answer: about another order",
        ),
        (
            r#"{"paymentId":"p","amount":9.50,"currency":"USD","status":"DECLINED"}"#,
            "no valid answer: a status that is not CHARGED",
        ),
        (
            r#"{"paymentId":"p","amount":"9_50","currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","amount":9.49999999999999999999999999999999999e0,"currency":"USD"}"#,
            "no valid answer",
        ),
        (
            r#"{"paymentId":"p","amount":"9\u002e50","currency":"USD","x":1,"x":2}"#,
            "Charged",
        ),
        (
            "\u{feff}{\"paymentId\":\"p\",\"amount\":9.50,\"currency\":\"USD\"}",
            "Charged",
        ),
        (
            r#"["p","9.50","USD",null,null]"#,
            "no valid answer: not a JSON object",
        ),
        (
            r#"{"paymentId":"p","amount":9.50,"#,
            "no valid answer: not a JSON object",
        ),
        (
            r#"{"paymentId":"p","amount":9.50,"currency":"USD"} {}"#,
            "no valid answer",
        ),
        ("null", "no valid answer"),
        ("", "no valid answer"),
    ] {
        let charged = told(&Hostile::says_json("201 Created", body).await.charge().await);
        assert!(charged.starts_with(expected), "{body}: {charged}");
    }
    let payment = Hostile::says_json(
        "201 Created",
        r#"{"paymentId":"p","amount":1.00,"currency":"JPY"}"#,
    );
    let Ok(Charge::OtherAmount(payment)) = payment.await.charge().await else {
        panic!("it counts");
    };
    assert_eq!(
        serde_json::to_string(&PaymentRequest::new(None, &payment.amount)).unwrap(),
        r#"{"amount":1.00,"currency":"JPY"}"#
    );
}

#[test]
fn answers_are_read_from_the_journal_as_they_were_written() {
    let payment = Payment {
        id: PaymentId::parse("pay_1".to_owned()).unwrap(),
        amount: price().into(),
    };
    let reason = "no cover".to_owned();
    for (charge, journal) in [
        (
            Charge::Charged {
                payment_id: payment.id.clone(),
            },
            // As earlier versions wrote it.
            r#"{"result":"charged","paymentId":"pay_1"}"#,
        ),
        (
            Charge::OtherAmount(payment),
            r#"{"result":"otherAmount","id":"pay_1","amount":{"amount":"9.50","currency":"USD"}}"#,
        ),
        (
            Charge::Declined {
                reason: reason.clone(),
            },
            r#"{"result":"declined","reason":"no cover"}"#,
        ),
        (
            Charge::Refused { reason },
            r#"{"result":"refused","reason":"no cover"}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&charge).unwrap(), journal);
        assert_eq!(serde_json::from_str::<Charge>(journal).unwrap(), charge);
    }
}

#[tokio::test]
async fn only_json_is_an_answer() {
    for (headers, expected) in [
        ("content-type: application/json\r\n", "Charged"),
        (
            "content-type: Application/JSON; charset=UTF-8\r\n",
            "Charged",
        ),
        ("content-type: application/vnd.pay.v1+json\r\n", "Charged"),
        (
            "content-type: text/html\r\n",
            "no valid answer: not of content type JSON",
        ),
        ("content-type: application/jsonp\r\n", "no valid answer"),
        ("", "no valid answer"),
        (
            "content-type: application/json\r\ncontent-encoding: gzip\r\n",
            "no valid answer: an encoded body",
        ),
        (
            "content-type: application/json\r\ncontent-encoding: identity, br\r\n",
            "no valid answer: an encoded body",
        ),
        (
            "content-type: application/json\r\ncontent-encoding: Identity\r\n",
            "Charged",
        ),
    ] {
        let charged = told(&Hostile::says("200 OK", headers, PAID).await.charge().await);
        assert!(charged.starts_with(expected), "{headers}: {charged}");
    }
    let empty = Hostile::says("204 No Content", "", "").await;
    let charged = told(&empty.charge().await);
    assert_eq!(charged, "no valid answer: status 204");
}

#[tokio::test]
async fn a_restaurant_accepts_only_with_the_orders_id() {
    for (status, headers, body, expected) in [
        (
            "202 Accepted",
            JSON,
            r#"{"orderId":"order-1","readyAt":1}"#,
            "Accepted",
        ),
        ("200 OK", JSON, r#"{"orderId":"order-1"}"#, "Accepted"),
        (
            "200 OK",
            JSON,
            r#"{"orderId":"order-1","status":"PREPARING"}"#,
            "Accepted",
        ),
        (
            "200 OK",
            JSON,
            r#"{"orderId":"order-1","status":"REJECTED"}"#,
            "no valid answer: a status that is not ACCEPTED or PREPARING",
        ),
        (
            "422 Unprocessable Entity",
            JSON,
            "\u{feff}{\"detail\":\"closed\",\"title\":7}",
            "Refused { reason: \"closed\" }",
        ),
        (
            "200 OK",
            "content-type: text/html\r\n",
            "<h1>Welcome</h1>",
            "no valid answer",
        ),
        ("200 OK", "", "", "no valid answer"),
        ("200 OK", JSON, "{}", "no valid answer"),
        (
            "200 OK",
            JSON,
            r#"{"orderId":"order-2"}"#,
            "no valid answer: about another order",
        ),
        (
            "302 Found",
            "location: /prepare\r\n",
            "",
            "no valid answer: status 302",
        ),
        (
            "422 Unprocessable Entity",
            "content-type: application/problem+json\r\n",
            r#"{"title":"Order refused","detail":"no more dough"}"#,
            "Refused { reason: \"no more dough\" }",
        ),
        (
            "422 Unprocessable Entity",
            "",
            "",
            "Refused { reason: \"422 Unprocessable Entity\" }",
        ),
        (
            "409 Conflict",
            JSON,
            "{}",
            "NotTaken { reason: \"409 Conflict\" }",
        ),
        (
            "404 Not Found",
            "",
            "",
            "NotTaken { reason: \"404 Not Found\" }",
        ),
        ("503 Service Unavailable", "", "", "no answer"),
    ] {
        let hostile = Hostile::says(status, headers, body).await;
        let prepared = told(&hostile.prepare().await);
        assert!(
            prepared.starts_with(expected),
            "{status} {body}: {prepared}"
        );
        assert_eq!(hostile.requests(), ["POST /prepare HTTP/1.1"], "{status}");
    }
}

#[tokio::test]
async fn the_id_of_a_payment_cannot_leave_its_segment() {
    let paid = r#"{"paymentId":"../admin?x=#y","amount":9.50,"currency":"USD"}"#;
    let hostile = Hostile::says_json("201 Created", paid).await;
    let charged = hostile.charge().await;
    let Ok(Charge::Charged { payment_id: id }) = charged else {
        panic!("{charged:?}");
    };
    let payment = Payment {
        id,
        amount: price().into(),
    };
    let client = hostile.client(ANSWER_WITHIN);
    client.refund(&order_id(), &payment).await.unwrap();
    assert_eq!(
        hostile.requests()[1],
        "POST /payments/..%2Fadmin%3Fx%3D%23y/refunds HTTP/1.1"
    );
}

#[tokio::test]
async fn a_refund_counts_only_if_everything_it_says_is_true() {
    let payment = Payment {
        id: PaymentId::parse("pay_1".to_owned()).unwrap(),
        amount: price().into(),
    };
    for (status, body, is_done) in [
        (
            "201 Created",
            r#"{"refundId":"ref_1","paymentId":"pay_1","amount":9.50}"#,
            true,
        ),
        ("202 Accepted", "{}", true),
        ("202 Accepted", r#"{"status":"PENDING"}"#, true),
        ("200 OK", r#"{"status":"REFUNDED"}"#, true),
        ("200 OK", r#"{"status":"FAILED"}"#, false),
        ("201 Created", r#"{"orderId":"order-2"}"#, false),
        ("201 Created", r#"{"paymentId":"pay_2"}"#, false),
        ("201 Created", r#"{"amount":0.01}"#, false),
        ("201 Created", r#"{"currency":"JPY"}"#, false),
        ("201 Created", "", false),
        ("404 Not Found", "{}", false),
        ("409 Conflict", "{}", false),
        ("204 No Content", "", false),
    ] {
        let hostile = Hostile::says_json(status, body).await;
        let client = hostile.client(ANSWER_WITHIN);
        let refunded = client.refund(&order_id(), &payment).await;
        assert_eq!(refunded.is_ok(), is_done, "{status} {body}: {refunded:?}");
    }
}

#[tokio::test]
async fn an_order_that_the_restaurant_does_not_know_counts_as_cancelled() {
    for (status, body, is_done) in [
        (
            "200 OK",
            r#"{"orderId":"order-1","status":"CANCELLED"}"#,
            true,
        ),
        ("404 Not Found", "", true),
        ("409 Conflict", "", true),
        ("200 OK", r#"{"orderId":"order-1"}"#, true),
        (
            "200 OK",
            r#"{"orderId":"order-1","status":"PREPARING"}"#,
            false,
        ),
        ("200 OK", r#"{"orderId":"order-2"}"#, false),
        ("200 OK", "", false),
        ("403 Forbidden", "", false),
    ] {
        let hostile = Hostile::says_json(status, body).await;
        let client = hostile.client(ANSWER_WITHIN);
        let cancelled = client.cancel_preparation(&order_id()).await;
        assert_eq!(cancelled.is_ok(), is_done, "{status} {body}: {cancelled:?}");
    }
    for body in ["not here", "<h1>?</h1>", "[]", "null", "\"gone\""] {
        let text = Hostile::says_json("404 Not Found", body).await;
        let client = text.client(ANSWER_WITHIN);
        let cancelled = client.cancel_preparation(&order_id()).await;
        assert_eq!(
            cancelled.unwrap_err().to_string(),
            "no valid answer: status 404 Not Found without a JSON object",
            "{body}"
        );
    }
    // A page comes from a proxy, or from a server at a wrong address.
    let page = Hostile::says("404 Not Found", "content-type: text/html\r\n", "<h1>?</h1>").await;
    let client = page.client(ANSWER_WITHIN);
    let cancelled = client.cancel_preparation(&order_id()).await;
    assert_eq!(
        cancelled.unwrap_err().to_string(),
        "no valid answer: status 404 Not Found not of content type JSON"
    );
}

#[tokio::test]
async fn answers_that_are_too_long_or_too_slow_are_given_up() {
    let too_long = "no valid answer: longer than 65536 bytes";
    for status in ["200 OK", "402 Payment Required", "503 Service Unavailable"] {
        // Announced, but never sent.
        let huge = format!("HTTP/1.1 {status}\r\n{JSON}content-length: 400000000\r\n\r\n");
        let hostile = Hostile::start(Manner::Stops(huge)).await;
        assert_eq!(told(&hostile.charge().await), too_long, "{status}");
        let endless = format!("HTTP/1.1 {status}\r\n{JSON}transfer-encoding: chunked\r\n\r\n");
        let hostile = Hostile::start(Manner::NeverEnds(endless)).await;
        assert_eq!(told(&hostile.charge().await), too_long, "{status}");
    }
    for head in [
        String::new(),
        format!("HTTP/1.1 201 Created\r\n{JSON}content-length: 100\r\n\r\n{{"),
        "HTTP/1.1 103 Early Hints\r\n\r\n".to_owned(),
    ] {
        let hostile = Hostile::start(Manner::Stops(head.clone())).await;
        let client = hostile.client(Duration::from_millis(300));
        let charged = told(&client.charge(&order_id(), price(), Asking::First).await);
        assert!(charged.starts_with("no answer: "), "{head}: {charged}");
        assert!(!charged.contains("127.0.0.1"), "{charged}");
    }
    // An incomplete answer, or one that is not HTTP.
    for answer in [
        "HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\n{",
        "SSH-2.0-x\r\n",
        "",
    ] {
        let hostile = Hostile::start(Manner::Says(answer.to_owned())).await;
        let charged = told(&hostile.charge().await);
        assert!(charged.starts_with("no answer: "), "{answer}: {charged}");
    }
}

#[test]
fn an_invalid_address_is_refused_at_the_start() {
    for bad in ["", "payments", "ftp://127.0.0.1", "mailto:a@b", "http://"] {
        let secrets: Secrets = ["a-secret-of-the-tests-long-enough"].into_iter().collect();
        let clients = ThirdParties::new(bad, "http://a", "http://b", Callbacks::new(&secrets));
        assert!(clients.is_err(), "{bad}");
    }
}
