//! Where records come in and everyone who watches is woken.

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
/// How long a stream waits for a gateway that has just started to read what there is.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(3);

static OPEN: Gauges<1> = Gauges::new(
    "sse_streams",
    "Open streams of server-sent events",
    ["kind"],
);

/// What a stream tells of.
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

/// Leave to have a stream open, until it is dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    _permit: OwnedSemaphorePermit,
    _of_client: Option<ClientPermit>,
    _open: Up,
}

/// The view, and who is to be woken when it changes.
///
/// A stream is woken, not sent anything: it then reads in the view what it has not told yet. So nothing is queued for slow
/// readers, and what they miss is merged by itself.
pub(crate) struct Hub {
    state: Mutex<State>,
    streams: Arc<Semaphore>,
    is_caught_up: watch::Sender<bool>,
    is_closed: watch::Sender<bool>,
    /// How reading the topics goes; the error is for people.
    reading: Mutex<Result<(), String>>,
}

/// Wakes those who watch an order, and tells them which span has woken them.
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

    /// The reader says how it goes.
    pub(crate) fn reading(&self, health: Result<(), String>) {
        let mut reading = self.reading.lock();
        if let (Ok(()), Err(error)) = (&*reading, &health) {
            tracing::error!(error, "the topics are not read");
        }
        *reading = health;
    }

    /// How reading the topics goes.
    pub(crate) fn is_reading(&self) -> Result<(), String> {
        self.reading.lock().clone()
    }

    /// Takes in a record and wakes those whom it concerns.
    pub(crate) fn apply(&self, news: News) {
        let mut state = self.state.lock();
        let State { view, watchers, .. } = &mut *state;
        view.apply(news, |id| wake(watchers, id));
    }

    /// Takes in what Restate says of an order.
    pub(crate) fn learn(&self, status: order_status::OrderStatus) {
        let mut state = self.state.lock();
        let id = status.order_id.clone();
        state.view.learn(status);
        wake(&state.watchers, &id);
    }

    /// Looks at the view. The look should be short: nothing comes in meanwhile.
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
            // Its sender is gone at once: the stream ends.
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

    /// From now on what is in the topics is being read.
    pub(crate) fn is_behind(&self) {
        self.is_caught_up.send_replace(false);
    }

    /// What was in the topics when the gateway started has been read.
    pub(crate) fn caught_up(&self) {
        self.is_caught_up
            .send_if_modified(|is| !std::mem::replace(is, true));
    }

    /// Waits for that, but not for ever.
    pub(crate) async fn wait_until_caught_up(&self) {
        let mut is_caught_up = self.is_caught_up.subscribe();
        // Then Restate is asked instead.
        let _ = tokio::time::timeout(CATCH_UP_WITHIN, is_caught_up.wait_for(|it| *it)).await;
    }

    /// Ends all streams, and those that are still to be opened.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.watchers.clear();
        self.is_closed.send_replace(true);
    }

    /// Over when the hub is closed.
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
    /// The span that has woken this watch last, if it was one.
    pub(crate) fn woken_by(&self) -> Option<TraceParent> {
        *self.changed.borrow()
    }

    /// Waits until there may be something to tell; `false` if there never will be because the gateway stops.
    pub(crate) async fn changed(&mut self) -> bool {
        self.changed.changed().await.is_ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.hub.state.lock();
        // Whoever comes or goes holds the lock, so the count is right: 1 is this one.
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
    async fn those_who_watch_an_order_are_woken_by_its_changes_and_no_others() {
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
    async fn an_order_is_forgotten_by_the_hub_when_the_last_one_leaves() {
        let hub = hub();
        let first = hub.watch("order-1".parse().unwrap());
        let second = hub.watch("order-1".parse().unwrap());
        drop(first);
        assert_eq!(hub.watched(), 1);
        drop(second);
        assert_eq!(hub.watched(), 0);
    }

    #[tokio::test]
    async fn when_the_gateway_stops_everyone_is_told_that_nothing_comes_any_more() {
        let hub = hub();
        let mut before = hub.watch("order-1".parse().unwrap());
        hub.close();
        let mut after = hub.watch("order-1".parse().unwrap());
        assert!(!before.changed().await);
        assert!(!after.changed().await);
        hub.closed().await;
    }

    #[test]
    fn only_so_many_streams_are_open_at_a_time() {
        let hub = hub();
        let open: Vec<_> = (0..STREAMS)
            .map(|_| hub.admit(Watching::Order, None).unwrap())
            .collect();
        assert!(hub.admit(Watching::Order, None).is_none());
        drop(open);
        assert!(hub.admit(Watching::Order, None).is_some());
    }
}
