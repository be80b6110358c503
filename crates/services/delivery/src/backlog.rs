//! [`DispatchBacklog`]: stores the middle part of the matcher's long queues.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]
#![expect(clippy::unused_async, reason = "the SDK's handlers are async")]

use restate_sdk::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Stores segments of the queues of one region. Key: the region.
///
/// Its state is read lazily, entry by entry, and each handler uses a single segment, so there may be any number of them. Only
/// the `DriverDeliveryMatcher` of the same region calls it. It calls no other service.
pub struct DispatchBacklog;

/// A segment and the queue it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentRef {
    pub(crate) queue: String,
    pub(crate) number: u64,
}

/// Input of `store`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoreSegment {
    pub(crate) segment: SegmentRef,
    pub(crate) ids: Vec<String>,
}

/// Input of `remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoveId {
    pub(crate) queue: String,
    pub(crate) id: String,
}

fn segment_key(segment: &SegmentRef) -> String {
    format!("segment/{}/{}", segment.queue, segment.number)
}

fn place_key(queue: &str, id: &str) -> String {
    format!("place/{queue}/{id}")
}

#[restate_sdk::object(
    name = "DispatchBacklog",
    client_visibility = "pub",
    lazy_state = true,
    journal_retention = "0s"
)]
impl DispatchBacklog {
    /// Sent by the matcher when the end of a queue is full. Stores the segment, and for each id the number of its segment.
    #[handler(ingress_private)]
    async fn store(
        &self,
        ctx: ObjectContext<'_>,
        input: Json<StoreSegment>,
    ) -> Result<(), TerminalError> {
        let Json(StoreSegment { segment, ids }) = input;
        for id in &ids {
            ctx.set(&place_key(&segment.queue, id), segment.number);
        }
        ctx.set(&segment_key(&segment), Json(ids));
        Ok(())
    }

    /// Called by the matcher when the front of a queue is empty. Returns the ids of the segment and removes them.
    #[handler(ingress_private)]
    async fn take(
        &self,
        ctx: ObjectContext<'_>,
        segment: Json<SegmentRef>,
    ) -> Result<Json<Vec<String>>, TerminalError> {
        let Json(segment) = segment;
        let key = segment_key(&segment);
        let ids = ctx.get::<Json<Vec<String>>>(&key).await?;
        let ids = ids.map(Json::into_inner).unwrap_or_default();
        for id in &ids {
            ctx.clear(&place_key(&segment.queue, id));
        }
        ctx.clear(&key);
        Ok(Json(ids))
    }

    /// Called by the matcher when an id is withdrawn that is not at either end of its queue. Removes the id; returns whether it was here.
    #[handler(ingress_private)]
    async fn remove(
        &self,
        ctx: ObjectContext<'_>,
        input: Json<RemoveId>,
    ) -> Result<bool, TerminalError> {
        let Json(RemoveId { queue, id }) = input;
        let place = place_key(&queue, &id);
        let Some(number) = ctx.get::<u64>(&place).await? else {
            return Ok(false);
        };
        ctx.clear(&place);
        let key = segment_key(&SegmentRef { queue, number });
        let Some(Json(mut ids)) = ctx.get::<Json<Vec<String>>>(&key).await? else {
            return Ok(false);
        };
        ids.retain(|other| *other != id);
        ctx.set(&key, Json(ids));
        Ok(true)
    }
}
