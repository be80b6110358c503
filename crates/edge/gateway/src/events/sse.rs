//! An order as a stream of server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use domain::OrderId;
use durable::clock::now_ms;
use futures::Stream;
use serde::Serialize;
use telemetry::span;
use tokio::time::{Instant, timeout_at};

use super::follower::{Follower, Update};
use super::hub::{Admission, Watch};
use super::lookup::Lookup;
use super::view::View;
use crate::model;

/// How long the stream of an ended order stays open: a rejected order may still be corrected.
const AFTER_THE_END: Duration = Duration::from_secs(5);
/// How often a driver's place is sent at most. The latest counts.
const DRIVER_EVERY: Duration = Duration::from_millis(250);
/// How long clients that follow the standard wait before they reconnect.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);

/// The comment after what a client has missed; it comes at once if there is nothing. A comment always means that the client has
/// everything up to now, because no heartbeat is sent while something is left to send.
pub(crate) const CAUGHT_UP: &str = "caught up";

/// What an open stream holds.
pub(crate) struct OrderStream {
    lookup: Arc<Lookup>,
    watch: Watch,
    follower: Follower,
    pending: VecDeque<Event>,
    /// The driver's place is not sent again before this time.
    driver_again: Instant,
    /// When the stream ends, once its order has.
    ends: Option<Instant>,
    /// Whether the client has received everything up to now on this connection.
    is_caught_up: bool,
    is_over: bool,
    _permit: Admission,
}

impl OrderStream {
    /// A stream for a client that has `version`, or nothing yet. The view must know the order.
    pub(crate) fn new(
        lookup: Arc<Lookup>,
        id: OrderId,
        version: Option<u64>,
        permit: Admission,
    ) -> Self {
        Self {
            watch: lookup.hub.watch(id),
            lookup,
            follower: Follower::after(version),
            pending: VecDeque::new(),
            driver_again: Instant::now(),
            ends: None,
            is_caught_up: false,
            is_over: false,
            _permit: permit,
        }
    }

    /// A stream for an accepted order whose processing has not started.
    pub(crate) fn of_new_order(lookup: Arc<Lookup>, id: OrderId, permit: Admission) -> Self {
        let snapshot = model::OrderStatus::of_new_order(id.clone(), now_ms());
        let mut stream = Self::new(lookup, id, Some(0), permit);
        stream.pending.push_back(snapshot_event(&snapshot));
        stream
    }

    /// The events.
    pub(crate) fn events(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        futures::stream::unfold(self, async |mut stream| {
            let event = stream.next().await?;
            Some((Ok(event), stream))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            if !self.look() {
                // Restate is asked for what the view does not know (any more). Without an answer the client reconnects later.
                self.lookup.ask(&self.watch.id).await.ok()?;
                if !self.look() {
                    self.follower.start_over();
                    if !self.look() {
                        return None;
                    }
                }
            }
            if !self.is_caught_up {
                self.is_caught_up = true;
                self.pending.push_back(Event::default().comment(CAUGHT_UP));
            }
            if self.pending.is_empty() && !self.wait().await {
                return None;
            }
        }
    }

    /// Waits for news; `false` if there will be none.
    async fn wait(&mut self) -> bool {
        let id = &self.watch.id;
        let is_behind = self
            .watch
            .hub
            .read(|view| self.follower.is_behind_driver(view, id));
        let driver_again = is_behind.then_some(self.driver_again);
        let Some(deadline) = driver_again.into_iter().chain(self.ends).min() else {
            return self.watch.changed().await;
        };
        if let Ok(goes_on) = timeout_at(deadline, self.watch.changed()).await {
            return goes_on;
        }
        if self.ends.is_some_and(|ends| ends <= Instant::now()) {
            self.is_over = true;
            // Browsers drop events without data.
            self.pending
                .push_back(Event::default().event("end").data("{}"));
        }
        true
    }

    /// Takes the news from the view; `false` if the view does not know enough.
    fn look(&mut self) -> bool {
        let (now_ms, now) = (now_ms(), Instant::now());
        let id = &self.watch.id;
        let follower = &mut self.follower;
        let with_driver = now >= self.driver_again;
        let looked = self.watch.hub.read(|view| {
            let news = follower.news(view, id, now_ms, with_driver)?;
            Ok::<_, super::follower::Unknown>((news, stays_open(view, id, now_ms)))
        });
        let Ok((news, stays_open)) = looked else {
            return false;
        };
        // The push to the client belongs to the trace of the change.
        let woken_by = self.watch.woken_by().filter(|_| !news.is_empty());
        let _push = woken_by.map(|span| span::internal("push order-status", span).entered());
        for told in news {
            let event = match told {
                Update::Snapshot(snapshot) => snapshot_event(&snapshot),
                Update::Status(event) => json("status", &event).id(event.version.to_string()),
                Update::Driver(place) => {
                    self.driver_again = now + DRIVER_EVERY;
                    json("driver", &place)
                }
            };
            self.pending.push_back(event);
        }
        self.ends = stays_open.map(|stays_open| now + stays_open);
        true
    }
}

/// How much longer the stream of this order stays open; `None` while it has not ended.
fn stays_open(view: &View, id: &OrderId, now_ms: i64) -> Option<Duration> {
    let order = view
        .order(id)
        .filter(|order| order.status().is_terminal())?;
    // The time is from another clock. By this one the stream never stays open longer than intended.
    let ended = u64::try_from(now_ms - order.changed_at()).unwrap_or(0);
    Some(AFTER_THE_END.saturating_sub(Duration::from_millis(ended)))
}

fn snapshot_event(snapshot: &model::OrderStatus) -> Event {
    json("snapshot", snapshot)
        .id(snapshot.version.to_string())
        .retry(COME_BACK_AFTER)
}

/// An event with JSON.
pub(crate) fn json(name: &str, data: &impl Serialize) -> Event {
    // They contain only strings, numbers and lists, so writing them as JSON cannot fail, and no line breaks.
    Event::default()
        .event(name)
        .data(serde_json::to_string(data).unwrap_or_default())
}
