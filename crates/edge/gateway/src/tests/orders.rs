//! Placing, reading and cancelling an order.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use serde_json::{Value, json};

use super::{BrokerState, Gateway, HERE, SILENCE, TestRestate, from, good, request, with};
use crate::model::{Line, NewOrder};

#[tokio::test]
async fn an_accepted_order_is_published_under_its_id() {
    let gateway = Gateway::new().await;
    let answer = gateway.order(good()).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.headers["location"], "/api/orders/order-1");
    assert_eq!(
        answer.body,
        json!({
            "orderId": "order-1",
            "status": "NEW",
            "links": {"self": "/api/orders/order-1", "cancel": "/api/orders/order-1/cancel"},
        })
    );
    let [record] = &gateway.records()[..] else {
        panic!("not one record");
    };
    assert_eq!((&*record.topic, &*record.key), ("orders", "order-1"));
    assert_eq!(record.value["orderId"], "order-1");
    assert_eq!(record.value["totalCost"], json!(25.0));
    assert_eq!(record.value["region"], "San Jose (CA)");
}

#[tokio::test]
async fn an_order_without_an_id_gets_one() {
    let gateway = Gateway::new().await;
    let answer = gateway.order(with("/orderId", Value::Null)).await;
    assert_eq!(answer.status, 202);
    let id = answer.body["orderId"].as_str().unwrap();
    assert_eq!(
        uuid::Uuid::parse_str(id).unwrap().get_version(),
        Some(uuid::Version::SortRand)
    );
    assert_eq!(gateway.records()[0].key, id);
    assert_eq!(gateway.records()[0].value["orderId"], id);
}

#[tokio::test]
async fn the_documented_order_is_accepted() {
    let gateway = Gateway::new().await;
    let order = NewOrder {
        order_id: None,
        restaurant_id: "elsewhere".parse().unwrap(),
        products: vec![Line {
            product_id: "soup".to_owned(),
            description: "Hot soup".to_owned(),
            quantity: 999,
        }],
        total_cost: "0.1".parse().unwrap(),
        delivery_delay: 2_592_000_000,
        customer_location: Some(domain::Region::Oakland.centre().into()),
        region: Some(domain::Region::Oakland),
        traceparent: None,
    };
    let answer = gateway.order(serde_json::to_string(&order).unwrap()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let mut published = gateway.records()[0].value.clone();
    published.as_object_mut().unwrap().remove("orderId");
    assert_eq!(published, serde_json::to_value(&order).unwrap());
}

#[tokio::test]
async fn the_trace_of_the_request_travels_with_the_order_unless_it_has_its_own() {
    let of_request = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let of_order = "00-11111111111111111111111111111111-2222222222222222-01";
    for (order, expected) in [
        (good(), of_request),
        (with("/traceparent", json!(of_order)), of_order),
    ] {
        let gateway = Gateway::new().await;
        let request = request("POST", "/api/orders")
            .header("content-type", "application/json")
            .header("traceparent", of_request)
            .body(Body::from(order.to_string()))
            .unwrap();
        assert_eq!(gateway.send(request).await.status, 202);
        assert_eq!(gateway.records()[0].value["traceparent"], expected);
    }
}

#[tokio::test]
async fn each_kind_of_invalid_input_names_its_field() {
    let gateway = Gateway::new().await;
    for (pointer, value, fields) in [
        ("/orderId", json!("a b"), &["orderId"][..]),
        ("/orderId", json!(7), &["orderId"]),
        ("/restaurantId", Value::Null, &["restaurantId"]),
        ("/restaurantId", json!(""), &["restaurantId"]),
        ("/products", Value::Null, &["products"]),
        ("/products", json!([]), &["products"]),
        ("/products", json!("pizza"), &["products"]),
        ("/products/0/quantity", json!(0), &["products[0].quantity"]),
        (
            "/products/0/quantity",
            json!("2"),
            &["products[0].quantity"],
        ),
        (
            "/products/0/productId",
            Value::Null,
            &["products[0].productId"],
        ),
        (
            "/products/0/productId",
            json!("burrito"),
            &["products[0].productId"],
        ),
        (
            "/products/0/description",
            json!(" "),
            &["products[0].description"],
        ),
        ("/totalCost", Value::Null, &["totalCost"]),
        ("/totalCost", json!(-1), &["totalCost"]),
        ("/totalCost", json!(25.001), &["totalCost"]),
        ("/totalCost", json!(24.99), &["totalCost"]),
        ("/deliveryDelay", json!(-1), &["deliveryDelay"]),
        ("/deliveryDelay", json!("now"), &["deliveryDelay"]),
        ("/region", json!("Atlantis"), &["region"]),
        ("/region", json!("Oakland (CA)"), &["region"]),
        (
            "/customerLocation",
            json!({"lon": 0, "lat": 0}),
            &["customerLocation"],
        ),
    ] {
        let answer = gateway.order(with(pointer, value.clone())).await;
        assert_eq!(answer.status, 422, "{pointer} {value}");
        assert_eq!(answer.problem(), "invalid-order");
        assert_eq!(answer.fields(), fields, "{pointer} {value}");
        assert_eq!(answer.body["errors"][0]["pointer"], format!("#{pointer}"));
        assert!(answer.detail().contains(fields[0]), "{}", answer.detail());
    }
    assert_eq!(gateway.records(), []);
}

#[tokio::test]
async fn all_faults_are_named_at_once() {
    let gateway = Gateway::new().await;
    let answer = gateway
        .order(json!({"products": [{"quantity": 1000}], "totalCost": -1, "deliveryDelay": 0}))
        .await;
    assert_eq!(
        answer.fields(),
        [
            "restaurantId",
            "products[0].productId",
            "products[0].description",
            "products[0].quantity",
            "totalCost"
        ]
    );
    assert_eq!(
        answer.body["errors"][3],
        json!({
            "field": "products[0].quantity",
            "pointer": "#/products/0/quantity",
            "detail": "must be a whole number from 1 to 999, but is 1000",
        })
    );
}

#[tokio::test]
async fn prices_are_those_of_the_menu_whatever_the_client_says() {
    let gateway = Gateway::new().await;
    let answer = gateway.order(with("/totalCost", json!(0.01))).await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.body["errors"][0]["detail"],
        "must be 25.00, the price of these dishes at La Piazza"
    );
    let mut elsewhere = with("/totalCost", json!(0.01));
    elsewhere["restaurantId"] = json!("of-a-provider");
    assert_eq!(gateway.order(elsewhere).await.status, 202);
}

#[tokio::test]
async fn what_is_not_json_is_refused_as_malformed() {
    let gateway = Gateway::new().await;
    for body in [
        &b""[..],
        b"{",
        b"pizza",
        br#"{"orderId": "a",}"#,
        br#"{"products": [{"quantity": 01}]}"#,
        b"{} {}",
        b"{\"restaurantId\": \"\xff\"}",
    ] {
        let request = request("POST", "/api/orders")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(body));
        assert_eq!(answer.problem(), "malformed-request");
        assert!(answer.detail().starts_with("the body "), "{answer:?}");
    }
    // JSON, but not an object.
    for body in ["null", "[]", "7"] {
        let answer = gateway.order(body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.body["errors"][0]["pointer"], "#", "{body}");
    }
}

#[tokio::test]
async fn a_body_without_a_json_content_type_is_not_read() {
    let gateway = Gateway::new().await;
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let mut request = request("POST", "/api/orders");
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        let answer = gateway
            .send(request.body(Body::from(good().to_string())).unwrap())
            .await;
        assert_eq!(answer.status, 415);
        assert_eq!(answer.problem(), "unsupported-media-type");
        assert_eq!(answer.headers["accept"], "application/json");
    }
    for media_type in [
        "Application/JSON; charset=utf-8",
        "application/cloudevents+json",
    ] {
        let request = request("POST", "/api/orders").header("content-type", media_type);
        let answer = gateway
            .send(request.body(Body::from(good().to_string())).unwrap())
            .await;
        assert_eq!(answer.status, 202);
    }
}

#[tokio::test]
async fn a_body_of_more_than_64_kib_is_refused() {
    let gateway = Gateway::new().await;
    // White space: it would be a valid order if it were not so long.
    let padded = |length: usize| {
        let order = good().to_string();
        " ".repeat(length - order.len()) + &order
    };
    assert_eq!(gateway.order(padded(64 * 1024)).await.status, 202);
    let answer = gateway.order(padded(64 * 1024 + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.problem(), "body-too-large");
    assert_eq!(gateway.records().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_times_out() {
    let gateway = Gateway::new().await;
    let beginning = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
    let request = request("POST", "/api/orders")
        .header("content-type", "application/json")
        .body(Body::from_stream(
            beginning.chain(futures::stream::pending()),
        ))
        .unwrap();
    let answer = gateway.send(request).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.problem(), "request-timeout");
}

#[tokio::test]
async fn an_order_that_the_broker_does_not_confirm_is_not_accepted() {
    let gateway = Gateway::new().await;
    gateway.broker_is(BrokerState::Down);
    let answer = gateway.order(with("/orderId", Value::Null)).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem(), "order-not-confirmed");
    assert_eq!(answer.headers["retry-after"], "2");
    assert!(!answer.headers.contains_key("location"));
    let id = answer.body["orderId"].as_str().unwrap();
    assert!(answer.detail().contains("may or may not have been taken"));
    assert!(answer.detail().contains(id));

    // The order was not accepted, so it must not count as merely late.
    gateway.restate.has_status(id, "NEW", 0);
    assert_eq!(gateway.get(&format!("/api/orders/{id}")).await.status, 404);

    gateway.broker_is(BrokerState::Well);
    let repeated = gateway.order(with("/orderId", json!(id))).await;
    assert_eq!(
        (repeated.status, &repeated.body["orderId"]),
        (202, &json!(id))
    );
}

#[tokio::test]
async fn an_order_that_the_broker_refuses_is_an_internal_error() {
    let gateway = Gateway::new().await;
    gateway.broker_is(BrokerState::Refusing);
    let answer = gateway.order(good()).await;
    assert_eq!((answer.status, answer.problem()), (500, "internal-error"));
    assert!(answer.detail().contains("was not taken"));
}

#[tokio::test]
async fn a_panic_is_a_problem_of_this_one_request() {
    let gateway = Gateway::new().await;
    gateway.broker_is(BrokerState::Fatal);
    let answer = gateway.order(good()).await;
    assert_eq!((answer.status, answer.problem()), (500, "internal-error"));
    assert!(!answer.detail().contains("fire"), "not for strangers");
    assert_eq!(gateway.get("/health").await.status, 200);
}

#[tokio::test]
async fn the_status_of_an_order_comes_from_restate() {
    let gateway = Gateway::new().await;
    let said = json!({
        "orderId": "order-1", "status": "CANCELLED", "eta": 1_700_000_060_000_u64, "version": 2,
        "reason": "no driver", "driverId": "driver-A",
        "history": [
            {"status": "CREATED", "at": 1_700_000_000_000_u64, "version": 1},
            {"status": "CANCELLED", "at": 1_700_000_000_500_u64, "version": 2, "reason": "no driver"},
        ],
    });
    gateway.restate.answer(
        "/restate/call/OrderStatusService/order-1/get",
        200,
        said.clone(),
    );
    gateway.restate.answer(
        "/restate/call/OrderWorkflow/order-1/getOrder",
        404,
        json!({"code": 404, "message": "there is no order", "source": "invocation"}),
    );
    let mut answer = gateway.get("/api/orders/order-1").await;
    let now = answer.body.as_object_mut().unwrap().remove("now").unwrap();
    assert!(now.as_i64().unwrap() > 1_700_000_000_000);
    assert_eq!((answer.status, answer.body), (200, said));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let mut calls = gateway.restate.calls.lock().unwrap().clone();
    calls.sort();
    assert_eq!(
        calls,
        [
            "POST /restate/call/OrderStatusService/order-1/get",
            "POST /restate/call/OrderWorkflow/order-1/getOrder"
        ]
    );
}

#[tokio::test]
async fn what_was_ordered_and_its_route_come_with_the_status() {
    let gateway = Gateway::new().await;
    gateway.restate.has_status("order-1", "CREATED", 1);
    let path = "/restate/call/OrderWorkflow/order-1/getOrder";
    gateway.restate.answer(path, 200, good());
    let answer = gateway.get("/api/orders/order-1").await;
    let order = &answer.body["order"];
    for field in ["restaurantId", "products", "totalCost", "deliveryDelay"] {
        assert_eq!(order[field], good()[field], "{field}");
    }
    assert_eq!(order["region"], "San Jose (CA)");
    assert_eq!(
        order["restaurantLocation"],
        json!({"lon": -121.8946, "lat": 37.3366})
    );
    let made_up = domain::restaurant::place_for("order-1", domain::Region::SanJose);
    assert_eq!(
        order["customerLocation"],
        json!({"lon": made_up.lon(), "lat": made_up.lat()})
    );

    let place = json!({"lon": -121.9, "lat": 37.3});
    let order = with("/customerLocation", place.clone());
    gateway.restate.answer(path, 200, order);
    let answer = gateway.get("/api/orders/order-1").await;
    assert_eq!(answer.body["order"]["customerLocation"], place);

    // What is not known is left out.
    gateway
        .restate
        .answer(path, 500, json!({"source": "invocation"}));
    let answer = gateway.get("/api/orders/order-1").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.get("order").is_none());
}

#[tokio::test]
async fn an_order_whose_processing_has_just_started_is_read_again() {
    let gateway = Gateway::new().await;
    gateway.restate.has_status("order-1", "CREATED", 1);
    let path = "/restate/call/OrderWorkflow/order-1/getOrder";
    let none = json!({"code": 404, "message": "there is no order", "source": "invocation"});
    gateway.restate.answer(path, 404, none);
    assert_eq!(gateway.get("/api/orders/order-1").await.status, 200);
    let calls = gateway.restate.calls.lock().unwrap().clone();
    let asked = calls.iter().filter(|call| call.ends_with("getOrder"));
    assert_eq!(asked.count(), 2);
}

#[tokio::test]
async fn an_order_that_nobody_placed_is_not_found() {
    let gateway = Gateway::new().await;
    gateway.restate.has_status("order-1", "NEW", 0);
    let answer = gateway.get("/api/orders/order-1").await;
    assert_eq!((answer.status, answer.problem()), (404, "order-not-found"));
    assert_eq!(answer.body["orderId"], "order-1");
}

#[tokio::test]
async fn a_newly_accepted_order_is_new_until_restate_knows_it() {
    let gateway = Gateway::new().await;
    gateway.order(good()).await;
    gateway.restate.has_status("order-1", "NEW", 0);
    let mut answer = gateway.get("/api/orders/order-1").await;
    assert_eq!(answer.status, 200);
    answer.body.as_object_mut().unwrap().remove("now");
    assert_eq!(
        answer.body,
        json!({"orderId": "order-1", "status": "NEW", "eta": null, "version": 0, "history": []})
    );
    gateway.restate.has_status("order-1", "CREATED", 1);
    assert_eq!(
        gateway.get("/api/orders/order-1").await.body["status"],
        "CREATED"
    );
}

#[tokio::test]
async fn an_invalid_order_id_is_malformed() {
    let gateway = Gateway::new().await;
    for id in ["a%20b", "%ff", "a%2Fb", &"x".repeat(65)] {
        for answer in [
            gateway.get(&format!("/api/orders/{id}")).await,
            gateway.post(&format!("/api/orders/{id}/cancel")).await,
        ] {
            assert_eq!(
                (answer.status, answer.problem()),
                (400, "malformed-request"),
                "{id}"
            );
        }
    }
    assert!(gateway.restate.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_cancellation_is_answered_with_restates_answer() {
    let gateway = Gateway::new().await;
    for (said, code) in [
        (
            json!({"accepted": true, "status": "CANCELLED", "reason": "by the customer"}),
            200,
        ),
        (json!({"accepted": true, "status": "SCHEDULED"}), 202),
    ] {
        gateway.restate.answers_cancel("order-1", 200, said.clone());
        let answer = gateway.post("/api/orders/order-1/cancel").await;
        assert_eq!((answer.status, answer.body), (code, said));
    }
}

#[tokio::test]
async fn an_order_that_can_no_longer_be_cancelled_is_a_conflict() {
    let gateway = Gateway::new().await;
    for (said, detail) in [
        (
            json!({"accepted": false, "status": "IN_DELIVERY"}),
            "the order is IN_DELIVERY already",
        ),
        (
            json!({"accepted": false, "status": "IN_DELIVERY", "reason": "the driver has it"}),
            "the driver has it",
        ),
    ] {
        gateway.restate.answers_cancel("order-1", 200, said);
        let answer = gateway.post("/api/orders/order-1/cancel").await;
        assert_eq!((answer.status, answer.problem()), (409, "not-cancellable"));
        assert_eq!(answer.body["orderStatus"], "IN_DELIVERY");
        assert_eq!(answer.detail(), detail);
    }
}

#[tokio::test]
async fn an_unknown_order_cannot_be_cancelled_and_a_newly_accepted_one_not_yet() {
    let gateway = Gateway::new().await;
    let said = json!({"code": 404, "message": "no such order", "source": "invocation"});
    gateway.restate.answers_cancel("order-1", 404, said);
    let answer = gateway.post("/api/orders/order-1/cancel").await;
    assert_eq!((answer.status, answer.problem()), (404, "order-not-found"));

    gateway.order(good()).await;
    let answer = gateway.post("/api/orders/order-1/cancel").await;
    assert_eq!((answer.status, answer.problem()), (409, "not-cancellable"));
    assert_eq!(answer.body["orderStatus"], "NEW");
    assert_eq!(answer.headers["retry-after"], "2");
}

#[tokio::test]
async fn unexpected_answers_of_restate_are_a_bad_gateway() {
    let gateway = Gateway::new().await;
    let get = "/restate/call/OrderStatusService/order-1/get";
    let cancel = "/restate/call/OrderWorkflow/order-1/cancel";
    for (status, body) in [
        (200, json!("pizza")),
        (200, json!({"orderId": "order-1"})),
        (
            500,
            json!({"code": 500, "message": "bug", "source": "invocation"}),
        ),
        (
            400,
            json!({"code": 400, "message": "not public", "source": "ingress"}),
        ),
        (418, json!(null)),
    ] {
        gateway.restate.answer(get, status, body.clone());
        gateway.restate.answer(cancel, status, body.clone());
        for answer in [
            gateway.get("/api/orders/order-1").await,
            gateway.post("/api/orders/order-1/cancel").await,
        ] {
            assert_eq!(
                (answer.status, answer.problem()),
                (502, "bad-answer"),
                "{body}"
            );
        }
    }
}

#[tokio::test]
async fn while_restate_does_not_know_the_services_the_gateway_is_unavailable() {
    let gateway = Gateway::new().await;
    for answer in [
        gateway.get("/api/orders/order-1").await,
        gateway.post("/api/orders/order-1/cancel").await,
    ] {
        assert_eq!((answer.status, answer.problem()), (503, "unavailable"));
        assert_eq!(answer.headers["retry-after"], "2");
    }
}

#[tokio::test]
async fn while_restate_is_down_or_silent_the_gateway_is_unavailable_but_accepts_orders() {
    let silent = TestRestate::default();
    for path in [
        "/restate/call/OrderStatusService/order-1/get",
        "/restate/call/OrderWorkflow/order-1/cancel",
    ] {
        silent.answer(path, SILENCE, Value::Null);
    }
    let base = silent.serve().await;
    // No server listens on the discard port.
    for base in [base.as_str(), "http://127.0.0.1:9"] {
        let gateway = Gateway::with(silent.clone(), base, Duration::from_millis(100)).await;
        for answer in [
            gateway.get("/api/orders/order-1").await,
            gateway.post("/api/orders/order-1/cancel").await,
        ] {
            assert_eq!((answer.status, answer.problem()), (503, "unavailable"));
            assert_eq!(answer.headers["retry-after"], "2");
        }
        assert_eq!(gateway.order(good()).await.status, 202);
    }
}

#[tokio::test]
async fn an_id_that_belongs_to_another_order_is_refused_and_nothing_is_published() {
    let gateway = Gateway::new().await;
    gateway.restate.answers_claim("order-1", true);
    assert_eq!(gateway.order(good()).await.status, 202);
    gateway.restate.answers_claim("order-1", false);
    let answer = gateway.order(good()).await;
    assert_eq!((answer.status, answer.problem()), (409, "order-id-taken"));
    assert_eq!(answer.body["orderId"], "order-1");
    assert!(answer.detail().contains("belongs to another order"));
    let replay = json!({"value": good().to_string()});
    let request = request("POST", "/api/operations/dead-letters/replay")
        .header("content-type", "application/json")
        .body(Body::from(replay.to_string()));
    let answer = gateway.send(from(HERE, request.unwrap())).await;
    assert_eq!((answer.status, answer.problem()), (409, "order-id-taken"));
    assert_eq!(gateway.records().len(), 1);
    // An order that is refused anyway claims no id.
    let claims = gateway.restate.claims.lock().unwrap().len();
    assert_eq!(
        gateway.order(with("/totalCost", json!(1))).await.status,
        422
    );
    assert_eq!(gateway.restate.claims.lock().unwrap().len(), claims);
}

#[tokio::test]
async fn an_order_is_accepted_while_restate_is_down() {
    // Restate hangs, or does not know the service yet, or fails.
    for (status, body) in [
        (SILENCE, Value::Null),
        (404, json!({"source": "ingress"})),
        (500, json!({"source": "invocation"})),
        (200, json!({"nonsense": 1})),
    ] {
        let restate = TestRestate::default();
        let path = "/restate/call/OrderStatusService/order-1/claim";
        restate.answer(path, status, body);
        let base = restate.serve().await;
        let gateway = Gateway::with(restate, &base, Duration::from_millis(100)).await;
        assert_eq!(gateway.order(good()).await.status, 202, "{status}");
        assert_eq!(gateway.records().len(), 1);
    }
}
