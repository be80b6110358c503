//! [`DriverDeliveryMatcher`]: matches the drivers and the deliveries of a region.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]

use domain::Region;
use domain::geo::Cell;
use restate_sdk::prelude::*;
use telemetry::metrics::Gauges;

use crate::backlog::{DispatchBacklogClient, RemoveId, SegmentRef, StoreSegment};
use crate::dispatch::{Free, FreeCells, Pending};
use crate::manager::DeliveryManagerClient;
use crate::segmented::{Oldest, Segmented};
use crate::types::{DriverRequest, FreeDriver};

static QUEUED: Gauges<1> = Gauges::new(
    "dispatch_queue_length",
    "Deliveries that wait for a driver",
    ["region"],
);
static FREE_DRIVERS: Gauges<1> = Gauges::new(
    "drivers_free",
    "Drivers who wait for a delivery",
    ["region"],
);

/// State key of the waiting deliveries, and the name of their queue in the backlog.
const PENDING: &str = "pending-deliveries";
/// State key of the number of waiting drivers in each cell.
const FREE_CELLS: &str = "available-drivers";

/// State key of the waiting drivers in `cell`, and the name of their queue in the backlog.
fn free_key(cell: Cell) -> String {
    format!("available-drivers/{cell}")
}

/// Matches drivers and deliveries. Key: the region.
///
/// An object handles one request at a time, so this is the bottleneck of the system. Therefore each handler does one thing and
/// returns, answers are one-way sends, and the state stays small however many deliveries and drivers wait (see `segmented.rs`).
/// Every sixteenth delivery in a long queue costs one extra message to [`DispatchBacklog`](crate::DispatchBacklog).
pub struct DriverDeliveryMatcher;

#[restate_sdk::object(name = "DriverDeliveryMatcher", journal_retention = "0s")]
impl DriverDeliveryMatcher {
    /// Sent by `DriverDigitalTwin` when its driver wants work, and by `DeliveryManager` when it was given a driver that it does not
    /// need. Gives the driver the delivery that has waited longest, or queues the driver.
    #[handler(name = "setDriverAvailable", ingress_private)]
    async fn set_driver_available(
        &self,
        ctx: ObjectContext<'_>,
        driver: Json<FreeDriver>,
    ) -> Result<(), TerminalError> {
        let Json(driver) = driver;
        let mut pending = load::<Pending>(&ctx, PENDING).await?;
        if !pending.is_empty() {
            let oldest = pop(&ctx, PENDING, &mut pending).await?;
            store_pending(&ctx, &pending)?;
            if let Some(delivery_id) = oldest {
                assign(&ctx, delivery_id, driver);
                return Ok(());
            }
        }
        let key = free_key(driver.cell);
        let mut free = load::<Free>(&ctx, &key).await?;
        let spilled = free.push(driver.driver_id.into());
        store_segment(&ctx, &key, spilled);
        self.store_free(&ctx, driver.cell, &key, &free).await
    }

    /// Sent by `DeliveryManager` when a delivery needs a driver. Gives it the nearest free driver, or queues it.
    #[handler(name = "requestDriverForDelivery", ingress_private)]
    async fn request_driver_for_delivery(
        &self,
        ctx: ObjectContext<'_>,
        request: Json<DriverRequest>,
    ) -> Result<(), TerminalError> {
        let Json(DriverRequest { delivery_id, cell }) = request;
        let cells = load::<FreeCells>(&ctx, FREE_CELLS).await?;
        if let Some(cell) = cells.nearest(cell) {
            let key = free_key(cell);
            let mut free = load::<Free>(&ctx, &key).await?;
            let driver = pop(&ctx, &key, &mut free).await?;
            self.store_free(&ctx, cell, &key, &free).await?;
            if let Some(driver_id) = driver.and_then(|id| id.parse().ok()) {
                let region = region(&ctx)?;
                let driver = FreeDriver {
                    driver_id,
                    region,
                    cell,
                };
                assign(&ctx, delivery_id.into(), driver);
                return Ok(());
            }
        }
        let mut pending = load::<Pending>(&ctx, PENDING).await?;
        let spilled = pending.push(delivery_id.into());
        store_segment(&ctx, PENDING, spilled);
        store_pending(&ctx, &pending)?;
        Ok(())
    }

    /// Sent by `DeliveryManager` when a waiting delivery is cancelled. Takes it out of the queue. If it was given a driver in the
    /// meantime, it is no longer queued, and the manager returns the driver.
    #[handler(name = "withdrawDelivery", ingress_private)]
    async fn withdraw_delivery(
        &self,
        ctx: ObjectContext<'_>,
        delivery_id: String,
    ) -> Result<(), TerminalError> {
        let mut pending = load::<Pending>(&ctx, PENDING).await?;
        if remove(&ctx, PENDING, &mut pending, delivery_id).await? {
            store_pending(&ctx, &pending)?;
        }
        Ok(())
    }

    /// Sent by `DriverDigitalTwin` when its driver stops working. Takes the driver out of the queue.
    #[handler(name = "withdrawDriver", ingress_private)]
    async fn withdraw_driver(
        &self,
        ctx: ObjectContext<'_>,
        driver: Json<FreeDriver>,
    ) -> Result<(), TerminalError> {
        let Json(FreeDriver {
            driver_id, cell, ..
        }) = driver;
        let key = free_key(cell);
        let mut free = load::<Free>(&ctx, &key).await?;
        if remove(&ctx, &key, &mut free, driver_id.into()).await? {
            self.store_free(&ctx, cell, &key, &free).await?;
        }
        Ok(())
    }

    /// Stores the queue of a cell and its length, and updates the gauge of free drivers.
    async fn store_free(
        &self,
        ctx: &ObjectContext<'_>,
        cell: Cell,
        key: &str,
        free: &Free,
    ) -> Result<(), TerminalError> {
        let mut cells = load::<FreeCells>(ctx, FREE_CELLS).await?;
        cells.set_count(cell, free.len());
        FREE_DRIVERS.set([region(ctx)?.name()], cells.drivers());
        ctx.set(FREE_CELLS, Json(cells));
        store(ctx, key, free);
        Ok(())
    }
}

fn region(ctx: &ObjectContext<'_>) -> Result<Region, TerminalError> {
    ctx.key().parse().map_err(|error| {
        TerminalError::new_with_code(400, format!("region {:?} {error}", ctx.key()))
    })
}

/// Tells a delivery's manager which driver it gets.
fn assign(ctx: &ObjectContext<'_>, delivery_id: String, driver: FreeDriver) {
    ctx.object_client::<DeliveryManagerClient>(delivery_id)
        .assign_driver(Json(driver))
        .send();
}

async fn load<T>(ctx: &ObjectContext<'_>, key: &str) -> Result<T, TerminalError>
where
    T: Default + serde::de::DeserializeOwned + serde::Serialize + 'static,
{
    let entry = ctx.get::<Json<T>>(key).await?;
    Ok(entry.map(Json::into_inner).unwrap_or_default())
}

/// Stores the waiting deliveries, and updates the gauge of their number. A replay sets the same value.
fn store_pending(ctx: &ObjectContext<'_>, pending: &Pending) -> Result<(), TerminalError> {
    let length = usize::try_from(pending.len()).unwrap_or(usize::MAX);
    QUEUED.set([region(ctx)?.name()], length);
    store(ctx, PENDING, pending);
    Ok(())
}

/// Stores a queue, or clears its state key if it is empty and has no segments.
fn store<const CAP: usize>(ctx: &ObjectContext<'_>, key: &str, queue: &Segmented<CAP>) {
    if queue.is_empty() && !queue.has_segments() {
        ctx.clear(key);
    } else {
        ctx.set(key, Json(queue.clone()));
    }
}

fn store_segment(ctx: &ObjectContext<'_>, queue: &str, spilled: Option<crate::segmented::Segment>) {
    if let Some(segment) = spilled {
        ctx.object_client::<DispatchBacklogClient>(ctx.key())
            .store(Json(StoreSegment {
                segment: SegmentRef {
                    queue: queue.to_owned(),
                    number: segment.number,
                },
                ids: segment.ids,
            }))
            .send();
    }
}

/// Takes the oldest id from a queue. Fetches its segment from the backlog if necessary.
async fn pop<const CAP: usize>(
    ctx: &ObjectContext<'_>,
    name: &str,
    queue: &mut Segmented<CAP>,
) -> Result<Option<String>, TerminalError> {
    loop {
        match queue.pop() {
            Oldest::Id(id) => return Ok(Some(id)),
            Oldest::None => return Ok(None),
            Oldest::Away(number) => {
                let Json(ids) = ctx
                    .object_client::<DispatchBacklogClient>(ctx.key())
                    .take(Json(SegmentRef {
                        queue: name.to_owned(),
                        number,
                    }))
                    .call()
                    .await?;
                queue.restore(ids);
            }
        }
    }
}

/// Takes an id out of a queue, wherever it is, including the segments in the backlog. Returns whether it was queued.
async fn remove<const CAP: usize>(
    ctx: &ObjectContext<'_>,
    name: &str,
    queue: &mut Segmented<CAP>,
    id: String,
) -> Result<bool, TerminalError> {
    if queue.remove(&id) {
        return Ok(true);
    }
    if !queue.has_segments() {
        return Ok(false);
    }
    let removed = ctx
        .object_client::<DispatchBacklogClient>(ctx.key())
        .remove(Json(RemoveId {
            queue: name.to_owned(),
            id,
        }))
        .call()
        .await?;
    if removed {
        queue.removed_from_segment();
    }
    Ok(removed)
}
