//! Watching an order.

use axum::body::Body;
use domain::{Status, StatusEvent};
use durable::clock::now_ms;
use serde_json::json;

use super::stream::Events;
use super::{Gateway, HERE, TestRestate, from, good, request};
use crate::events::record::News;

const PATH: &str = "/api/orders/order-1/events";
const GET: &str = "/restate/call/OrderStatusService/order-1/get";

fn status(version: u64, status: Status) -> StatusEvent {
    StatusEvent {
        order_id: "order-1".parse().unwrap(),
        status,
        eta: None,
        version,
        at: now_ms(),
        reason: None,
        driver_id: (status >= Status::WaitingForDriver).then(|| "driver-A".parse().unwrap()),
        delayed: false,
    }
}

impl Gateway {
    fn happens(&self, event: StatusEvent) {
        self.hub.apply(News::Status(event));
    }

    fn drives(&self, lon: f64, at: i64) {
        self.hub.apply(News::report("driver-A", lon, at));
    }

    async fn watch(&self, last_event_id: Option<&str>) -> Events {
        let mut request = request("GET", PATH);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let request = from(HERE, request.body(Body::empty()).unwrap());
        Events::of(self.open(request).await)
    }
}

/// Restate is not called in these tests unless they say so.
async fn gateway() -> Gateway {
    Gateway::with(
        TestRestate::default(),
        "http://127.0.0.1:9",
        std::time::Duration::from_secs(5),
    )
    .await
}

#[tokio::test]
async fn a_stream_begins_with_a_snapshot_and_continues_with_each_change() {
    let gateway = gateway().await;
    let before = now_ms();
    gateway.happens(status(1, Status::Created));
    let mut events = gateway.watch(None).await;
    let first = events.next().await.unwrap();
    assert_eq!(
        (first.event.as_str(), first.id.as_deref()),
        ("snapshot", Some("1"))
    );
    let mut snapshot = first.data;
    let now = snapshot.as_object_mut().unwrap().remove("now").unwrap();
    assert!((before..=now_ms()).contains(&now.as_i64().unwrap()));
    let at = snapshot["history"][0]["at"].take();
    assert!(at.as_i64().unwrap() >= before);
    assert_eq!(
        snapshot,
        json!({
            "orderId": "order-1", "status": "CREATED", "eta": null, "version": 1,
            "history": [{"status": "CREATED", "at": null, "version": 1}],
        })
    );

    let scheduled = status(2, Status::Scheduled);
    gateway.happens(scheduled.clone());
    let second = events.next().await.unwrap();
    assert_eq!(
        (second.event.as_str(), second.id.as_deref()),
        ("status", Some("2"))
    );
    assert_eq!(second.data, serde_json::to_value(scheduled).unwrap());
}

#[tokio::test]
async fn a_client_that_reconnects_misses_nothing_and_sees_nothing_twice() {
    let gateway = gateway().await;
    gateway.happens(status(1, Status::Created));
    let mut events = gateway.watch(None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    gateway.happens(status(2, Status::Scheduled));
    assert_eq!(events.short(1).await, ["status 2"]);
    drop(events);
    // Changes while the client is away, some of them twice.
    for version in [3, 2, 3, 4] {
        gateway.happens(status(version, Status::InPreparation));
    }
    let mut events = gateway.watch(Some("2")).await;
    assert_eq!(events.short(2).await, ["status 3", "status 4"]);
    gateway.happens(status(4, Status::InPreparation));
    gateway.happens(status(5, Status::SchedulingDelivery));
    assert_eq!(events.short(1).await, ["status 5"]);
    // An id that the gateway never sent.
    let mut events = gateway.watch(Some("pizza")).await;
    assert_eq!(events.short(1).await, ["snapshot 5"]);
}

#[tokio::test]
async fn the_driver_is_shown_while_the_order_is_on_the_way() {
    let gateway = gateway().await;
    gateway.drives(-121.9, 5);
    gateway.happens(status(1, Status::WaitingForDriver));
    let mut events = gateway.watch(None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    let place = events.next().await.unwrap();
    assert_eq!((place.event.as_str(), place.id), ("driver", None));
    assert_eq!(
        place.data,
        json!({"driverId": "driver-A", "lon": -121.9, "lat": 37.3, "timestamp": 5})
    );
    // Of many places in a short time, the last one counts.
    for step in 0..50 {
        gateway.drives(-121.9 + f64::from(step) / 1000.0, 6 + i64::from(step));
    }
    let place = events.next().await.unwrap();
    assert_eq!(place.data["lon"], -121.851);
    // What the twin refuses is not sent: a repeated position, and an impossible one.
    gateway.drives(-121.8, 7);
    gateway.drives(-122.4, 100);
    gateway.drives(-121.85, 101);
    let place = events.next().await.unwrap();
    assert_eq!(
        (&place.data["lon"], &place.data["timestamp"]),
        (&json!(-121.85), &json!(101))
    );
    gateway.happens(status(2, Status::InDelivery));
    assert_eq!(events.short(1).await, ["status 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_some_seconds_after_its_order() {
    let gateway = gateway().await;
    gateway.happens(status(1, Status::InDelivery));
    let mut events = gateway.watch(None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    gateway.happens(status(2, Status::Delivered));
    let start = tokio::time::Instant::now();
    assert_eq!(events.short(2).await, ["status 2", "end"]);
    assert!(start.elapsed().as_secs() >= 4, "{:?}", start.elapsed());
    assert!(events.next().await.is_none());
    assert_eq!(gateway.hub.watched(), 0);

    // It ended long ago, so the stream ends at once.
    let mut ended = status(3, Status::Delivered);
    ended.at -= 60_000;
    gateway.happens(ended);
    let start = tokio::time::Instant::now();
    let mut events = gateway.watch(None).await;
    assert_eq!(events.short(2).await, ["snapshot 3", "end"]);
    assert!(events.next().await.is_none());
    assert_eq!(start.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_a_rejected_order_continues_when_the_order_is_corrected() {
    let gateway = gateway().await;
    gateway.happens(status(1, Status::Rejected));
    let mut events = gateway.watch(None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    gateway.happens(status(2, Status::Created));
    assert_eq!(events.short(1).await, ["status 2"]);
    // The stream does not end, and something is sent every five seconds.
    let before = events.comments;
    let watching = tokio::time::timeout(std::time::Duration::from_secs(29), events.next());
    assert!(watching.await.is_err());
    assert_eq!(events.comments - before, 5);
}

#[tokio::test(start_paused = true)]
async fn a_comment_means_that_the_client_has_everything_up_to_now() {
    let gateway = gateway().await;
    for (version, entered) in [(1, Status::Created), (2, Status::Scheduled)] {
        gateway.happens(status(version, entered));
    }
    let start = tokio::time::Instant::now();
    for (seen, told) in [
        (None, vec!["snapshot 2"]),
        (Some("1"), vec!["status 2"]),
        (Some("2"), vec![]),
    ] {
        let mut events = gateway.watch(seen).await;
        assert_eq!(events.short(told.len()).await, told);
        assert_eq!(events.block().await.unwrap(), ": caught up\n\n");
    }
    assert_eq!(start.elapsed().as_secs(), 0, "no heartbeat was waited for");
}

#[tokio::test]
async fn restate_is_asked_once_for_all_who_watch_an_order_that_is_not_in_memory() {
    let gateway = Gateway::new().await;
    gateway.restate.has_status("order-1", "SCHEDULED", 3);
    let watching = (0..50).map(|_| async {
        let mut events = gateway.watch(None).await;
        assert_eq!(events.short(1).await, ["snapshot 3"]);
        events
    });
    let mut open = futures::future::join_all(watching).await;
    assert_eq!(gateway.restate.asked(GET), 1);
    // From then on the changes come from the topic.
    gateway.happens(status(4, Status::InPreparation));
    for events in &mut open {
        assert_eq!(events.short(1).await, ["status 4"]);
    }
    gateway.watch(None).await.short(1).await;
    gateway.watch(Some("3")).await.short(1).await;
    assert_eq!(gateway.restate.asked(GET), 1);
}

#[tokio::test]
async fn an_order_whose_beginning_is_no_longer_in_the_topic_gets_its_history_from_restate() {
    let gateway = Gateway::new().await;
    gateway.restate.has_status("order-1", "SCHEDULED", 3);
    gateway.happens(status(4, Status::InPreparation));
    let snapshot = gateway.watch(None).await.next().await.unwrap().data;
    assert_eq!(snapshot["version"], 4);
    let history: Vec<_> = (snapshot["history"].as_array().unwrap().iter())
        .map(|entry| entry["status"].clone())
        .collect();
    assert_eq!(history, ["SCHEDULED", "IN_PREPARATION"]);
}

#[tokio::test]
async fn an_accepted_order_can_be_watched_before_its_processing_starts() {
    let gateway = Gateway::new().await;
    gateway.order(good()).await;
    gateway.restate.has_status("order-1", "NEW", 0);
    let mut events = gateway.watch(None).await;
    let snapshot = events.next().await.unwrap();
    assert_eq!(
        (snapshot.short().as_str(), snapshot.id.as_deref()),
        ("snapshot 0", Some("0"))
    );
    assert_eq!(snapshot.data["status"], "NEW");
    gateway.happens(status(1, Status::Created));
    gateway.happens(status(2, Status::Scheduled));
    assert_eq!(events.short(2).await, ["status 1", "status 2"]);
}

#[tokio::test]
async fn an_unknown_order_cannot_be_watched() {
    let gateway = Gateway::new().await;
    gateway.restate.has_status("order-1", "NEW", 0);
    let answer = gateway.get(PATH).await;
    assert_eq!((answer.status, answer.problem()), (404, "order-not-found"));
    let answer = gateway.get("/api/orders/a%20b/events").await;
    assert_eq!(
        (answer.status, answer.problem()),
        (400, "malformed-request")
    );
    gateway.restate.answer(GET, 200, json!("pizza"));
    let answer = gateway.get(PATH).await;
    assert_eq!((answer.status, answer.problem()), (502, "bad-answer"));
    assert_eq!(gateway.hub.watched(), 0);
}

#[tokio::test]
async fn during_shutdown_streams_end_without_an_event_so_that_clients_reconnect() {
    let gateway = gateway().await;
    gateway.happens(status(1, Status::Created));
    let mut events = gateway.watch(None).await;
    assert_eq!(events.short(1).await, ["snapshot 1"]);
    gateway.hub.close();
    assert!(events.next().await.is_none());
}
