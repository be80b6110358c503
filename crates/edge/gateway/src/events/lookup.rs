//! Asks Restate for orders that the view does not know: once for all clients that want the same order.

use std::collections::HashMap;
use std::sync::Arc;

use domain::OrderId;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::hub::Hub;
use crate::ingress::{Error, Ingress};

/// How many requests to Restate run at a time.
const AT_A_TIME: usize = 16;

type Answer = Shared<BoxFuture<'static, Result<u64, Arc<Error>>>>;

/// Asks Restate, and adds its answers to the view.
pub(crate) struct Lookup {
    pub(super) hub: Arc<Hub>,
    ingress: Ingress,
    under_way: Arc<Mutex<HashMap<OrderId, Answer>>>,
    at_a_time: Arc<Semaphore>,
}

impl Lookup {
    pub(crate) fn new(hub: Arc<Hub>, ingress: Ingress) -> Self {
        Self {
            hub,
            ingress,
            under_way: Arc::default(),
            at_a_time: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Asks for an order; returns its version, or 0 if Restate does not know it.
    pub(crate) async fn ask(&self, id: &OrderId) -> Result<u64, Arc<Error>> {
        let answer = {
            // Held until the answer is in the map, because the task that removes it needs the lock too.
            let mut under_way = self.under_way.lock();
            (under_way.entry(id.clone()))
                .or_insert_with(|| self.begin(id.clone()))
                .clone()
        };
        answer.await
    }

    fn begin(&self, order: OrderId) -> Answer {
        let (hub, ingress) = (Arc::clone(&self.hub), self.ingress.clone());
        let (under_way, at_a_time) = (Arc::clone(&self.under_way), Arc::clone(&self.at_a_time));
        // A task of its own: it finishes and is removed even if every client that waited has left.
        let asking = tokio::spawn(async move {
            let permit = at_a_time.acquire_owned().await;
            let answer = ingress.status(&order).await.map_err(Arc::new);
            drop(permit);
            let answer = answer.map(|status| {
                let version = status.version;
                if version > 0 {
                    hub.learn(status);
                }
                version
            });
            under_way.lock().remove(&order);
            answer
        });
        let failed = |error| Arc::new(Error::Unexpected(format!("asking failed: {error}")));
        let asked = asking.map(move |asked| asked.unwrap_or_else(|error| Err(failed(error))));
        asked.boxed().shared()
    }
}
