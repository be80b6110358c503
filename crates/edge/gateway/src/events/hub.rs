//! Where records arrive and everyone who watches is woken.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::OrderId;
use parking_lot::Mutex;
use telemetry::metrics::{Gauges, Up};
use telemetry::trace::TraceParent;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::record::News;
use super::view::{Limits, View};
use crate::edge::permits::ClientPermit;

/// How many streams may be open at a time. Each costs some kilobytes and a file descriptor.
const STREAMS: usize = 10_000;
/// How long a stream waits for a gateway that has just started to read the existing records.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(3);

static OPEN: Gauges<1> = Gauges::new(
    "sse_streams",
    "Open streams of server-sent events",
    ["kind"],
);

/// What a stream is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Watching {
    /// One order, for its customer.
    Order,
    /// Everything, for operators.
    Operations,
}

impl Watching {
    fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Operations => "operations",
        }
    }
}

/// Permission to have a stream open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    _permit: OwnedSemaphorePermit,
    _of_client: Option<ClientPermit>,
    _open: Up,
}

/// The view, and who is woken when it changes.
///
/// A stream is woken but sent nothing: it then reads in the view what its client does not have yet. So nothing is queued for slow
/// readers, and the changes that they miss are merged.
pub(crate) struct Hub {
    state: Mutex<State>,
    streams: Arc<Semaphore>,
    is_caught_up: watch::Sender<bool>,
    is_closed: watch::Sender<bool>,
    /// The state of reading the topics; the error is for people.
    reading: Mutex<Result<(), String>>,
}

/// Wakes those who watch an order, and passes on the span that caused it.
type Waker = watch::Sender<Option<TraceParent>>;

struct State {
    view: View,
    /// Those who watch an order. Only for orders that someone watches.
    watchers: HashMap<OrderId, Waker>,
    is_closed: bool,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Hub {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            state: Mutex::new(State {
                view: View::new(limits),
                watchers: HashMap::new(),
                is_closed: false,
            }),
            streams: Arc::new(Semaphore::new(STREAMS)),
            is_caught_up: watch::Sender::new(true),
            is_closed: watch::Sender::new(false),
            reading: Mutex::new(Ok(())),
        }
    }

    /// Sets the state of reading the topics.
    pub(crate) fn reading(&self, health: Result<(), String>) {
        let mut reading = self.reading.lock();
        if let (Ok(()), Err(error)) = (&*reading, &health) {
            tracing::error!(error, "the topics are not being read");
        }
        *reading = health;
    }

    /// The state of reading the topics.
    pub(crate) fn is_reading(&self) -> Result<(), String> {
        self.reading.lock().clone()
    }

    /// Applies a record and wakes those whom it concerns.
    pub(crate) fn apply(&self, news: News) {
        let mut state = self.state.lock();
        let State { view, watchers, .. } = &mut *state;
        view.apply(news, |id| wake(watchers, id));
    }

    /// Applies Restate's answer about an order.
    pub(crate) fn learn(&self, status: order_status::OrderStatus) {
        let mut state = self.state.lock();
        let id = status.order_id.clone();
        state.view.learn(status);
        wake(&state.watchers, &id);
    }

    /// Looks at the view. The look should be short: no record is applied meanwhile.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.state.lock().view)
    }

    /// Permission to open a stream, for the client with this permit; `None` if too many are open in total.
    pub(crate) fn admit(&self, what: Watching, permit: Option<ClientPermit>) -> Option<Admission> {
        Some(Admission {
            _permit: Arc::clone(&self.streams).try_acquire_owned().ok()?,
            _of_client: permit,
            _open: OPEN.up([what.name()]),
        })
    }

    /// Watches an order from now on.
    pub(crate) fn watch(self: &Arc<Self>, id: OrderId) -> Watch {
        let mut state = self.state.lock();
        let changed = if state.is_closed {
            // Its sender is dropped at once, so the stream ends.
            watch::Sender::new(None).subscribe()
        } else {
            (state.watchers.entry(id.clone()))
                .or_insert_with(|| watch::Sender::new(None))
                .subscribe()
        };
        drop(state);
        Watch {
            hub: Arc::clone(self),
            id,
            changed,
        }
    }

    /// From now on, the existing records are being read.
    pub(crate) fn is_behind(&self) {
        self.is_caught_up.send_replace(false);
    }

    /// The records that existed when the gateway started have been read.
    pub(crate) fn caught_up(&self) {
        self.is_caught_up
            .send_if_modified(|is| !std::mem::replace(is, true));
    }

    /// Waits for that, for a limited time.
    pub(crate) async fn wait_until_caught_up(&self) {
        let mut is_caught_up = self.is_caught_up.subscribe();
        // After that, Restate is asked instead.
        let _ = tokio::time::timeout(CATCH_UP_WITHIN, is_caught_up.wait_for(|it| *it)).await;
    }

    /// Ends all streams, including those opened later.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.watchers.clear();
        self.is_closed.send_replace(true);
    }

    /// Returns when the hub is closed.
    pub(crate) async fn closed(&self) {
        // The sender lives as long as the hub.
        let _ = self.is_closed.subscribe().wait_for(|it| *it).await;
    }

    #[cfg(test)]
    pub(crate) fn watched(&self) -> usize {
        self.state.lock().watchers.len()
    }
}

fn wake(watchers: &HashMap<OrderId, Waker>, id: &OrderId) {
    if let Some(watcher) = watchers.get(id) {
        watcher.send_replace(telemetry::trace::current());
    }
}

/// Someone watches an order.
pub(crate) struct Watch {
    pub(super) hub: Arc<Hub>,
    pub(super) id: OrderId,
    changed: watch::Receiver<Option<TraceParent>>,
}

impl Watch {
    /// The span that woke this watch last, if there was one.
    pub(crate) fn woken_by(&self) -> Option<TraceParent> {
        *self.changed.borrow()
    }

    /// Waits until there may be news; `false` if there will be none because the gateway stops.
    pub(crate) async fn changed(&mut self) -> bool {
        self.changed.changed().await.is_ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.hub.state.lock();
        // Both joining and leaving need the lock, so the count is right: 1 is this one.
        if (state.watchers.get(&self.id)).is_some_and(|watcher| watcher.receiver_count() <= 1) {
            state.watchers.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::order::tests::event;
    use super::*;
    use domain::Status;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub::default())
    }

    #[tokio::test]
    async fn only_those_who_watch_an_order_are_woken_by_its_changes() {
        let hub = hub();
        let mut watches: Vec<Watch> = (["order-1", "order-1", "order-2"])
            .map(|id| hub.watch(id.parse().unwrap()))
            .into();
        hub.apply(News::Status(event(1, Status::Created)));
        let woken: Vec<bool> = (watches.iter_mut())
            .map(|watch| watch.changed.has_changed().unwrap())
            .collect();
        assert_eq!(woken, [true, true, false]);
        assert!(watches[0].changed().await);
    }

    #[tokio::test]
    async fn the_hub_forgets_an_order_when_its_last_watcher_leaves() {
        let hub = hub();
        let first = hub.watch("order-1".parse().unwrap());
        let second = hub.watch("order-1".parse().unwrap());
        drop(first);
        assert_eq!(hub.watched(), 1);
        drop(second);
        assert_eq!(hub.watched(), 0);
    }

    #[tokio::test]
    async fn when_the_gateway_stops_every_watch_ends() {
        let hub = hub();
        let mut before = hub.watch("order-1".parse().unwrap());
        hub.close();
        let mut after = hub.watch("order-1".parse().unwrap());
        assert!(!before.changed().await);
        assert!(!after.changed().await);
        hub.closed().await;
    }

    #[test]
    fn the_number_of_open_streams_is_limited() {
        let hub = hub();
        let open: Vec<_> = (0..STREAMS)
            .map(|_| hub.admit(Watching::Order, None).unwrap())
            .collect();
        assert!(hub.admit(Watching::Order, None).is_none());
        drop(open);
        assert!(hub.admit(Watching::Order, None).is_some());
    }
}
