//! [`OrderIntake`]: the sink of topic `orders`.
#![expect(
    missing_docs,
    reason = "the SDK's macro makes client methods without any"
)]

use std::time::Duration;

use domain::json::Violation;
use domain::order::Invalid;
use domain::{Order, OrderId, topic};
use durable::record::{key_of, source_of};
use durable::{Trace, Traced, traceparent_in};
use kafka::Publisher;
use order_status::{Change, Claimant, IdClaim, IdClaimAnswer, OrderStatusServiceClient};
use restate_sdk::prelude::*;

use crate::undo::until_done;
use crate::workflow::OrderWorkflowClient;

/// What metrics call an order whose id belongs to another order.
const ORDER_ID_TAKEN: &str = "order_id_taken";
/// What an invalid event names as the field at fault if it is the record's key.
const RECORD_KEY: &str = "record key";

/// Takes order events from Kafka.
///
/// A plain service that takes bytes, on purpose: an object or workflow as sink would halt the partition for ever at the first
/// record whose key is not UTF-8, and a typed input would lose what is not JSON.
pub struct OrderIntake {
    publisher: Publisher,
}

impl OrderIntake {
    /// The intake; `publisher` takes what is no order.
    #[must_use]
    pub fn new(publisher: Publisher) -> Self {
        Self { publisher }
    }
}

#[restate_sdk::service(name = "OrderIntake", journal_retention = "0s")]
impl OrderIntake {
    /// Sink of topic `orders`. An order starts its workflow (one-way; the same order sent again changes nothing). An invalid event
    /// and an order whose id belongs to another order go to topic `orders-dlq` as they came, with the reason in their headers.
    /// The order that an invalid event names, if it is not under way, is `REJECTED` for that reason; a corrected event for it is
    /// accepted.
    #[handler(ingress_private)]
    async fn receive(&self, ctx: Context<'_>, event: Vec<u8>) -> Result<(), TerminalError> {
        let key = key_of(ctx.headers());
        match read(&event, key.as_deref()) {
            Ok(order) => {
                let trace = Trace::of_order(&ctx, order.traceparent.as_deref()).or_begun_by(&ctx);
                let claim = IdClaim {
                    content: order.content(),
                    claimant: Claimant::Trusted,
                };
                let answer = ctx
                    .object_client::<OrderStatusServiceClient>(order.order_id.as_str())
                    .claim(Json(claim))
                    .traced(trace)
                    .call()
                    .await;
                // Without an answer, because an operator cancels in this very moment, the order goes on: `run` asks as well.
                if let Ok(Json(IdClaimAnswer { granted: false })) = answer {
                    let reason = id_taken(&order.order_id);
                    return self
                        .dead_letter(&ctx, key, event, reason, ORDER_ID_TAKEN)
                        .await;
                }
                ctx.workflow_client::<OrderWorkflowClient>(order.order_id.as_str())
                    .run(event)
                    .traced(trace)
                    .send();
                Ok(())
            }
            Err(invalid) => {
                let reason = invalid.to_string();
                let kind = kind_of(&invalid);
                let traceparent = traceparent_in(&event);
                let trace = Trace::of_order(&ctx, traceparent.as_deref()).or_begun_by(&ctx);
                if let Some(order_id) = invalid.order_id {
                    ctx.object_client::<OrderStatusServiceClient>(order_id.as_str())
                        .set_status(Json(Change::refused_unread(reason.clone())))
                        .traced(trace)
                        .send();
                }
                self.dead_letter(&ctx, key, event, reason, kind).await
            }
        }
    }

    async fn dead_letter(
        &self,
        ctx: &Context<'_>,
        key: Option<Vec<u8>>,
        event: Vec<u8>,
        reason: String,
        kind: &'static str,
    ) -> Result<(), TerminalError> {
        let publisher = self.publisher.clone();
        let source = source_of(ctx.headers());
        ctx.run(move || async move {
            Ok(publisher
                .publish_dead_letter(
                    topic::ORDERS_DLQ,
                    key.as_deref(),
                    &event,
                    &source,
                    &reason,
                    kind,
                )
                .await?)
        })
        .name("publish orders-dlq")
        .retry_policy(until_done().max_delay(Duration::from_secs(5)))
        .await
    }
}

/// Why an order cannot have the id that it has.
pub(crate) fn id_taken(order_id: &OrderId) -> String {
    format!(
        "the order id {:?} belongs to another order: send this order under another orderId",
        order_id.as_str()
    )
}

/// What is wrong with an event as a label of a metric: the first field at fault. There are as many as an order has fields.
fn kind_of(invalid: &Invalid) -> &'static str {
    let field = invalid
        .violations
        .first()
        .map_or("", |violation| violation.field.as_str());
    match field.split(['[', '.']).next().unwrap_or_default() {
        "" => "not_an_order",
        RECORD_KEY => "record_key",
        "orderId" => "order_id",
        "restaurantId" => "restaurant_id",
        "products" => "products",
        "totalCost" => "total_cost",
        "deliveryDelay" => "delivery_delay",
        "customerLocation" => "customer_location",
        "region" => "region",
        _ => "other",
    }
}

/// The order in a record of topic `orders`.
fn read(event: &[u8], key: Option<&[u8]>) -> Result<Order, Invalid> {
    let order = Order::parse(event)?;
    let problem = match key {
        Some(key) if key == order.order_id.as_str().as_bytes() => return Ok(order),
        Some(key) => match std::str::from_utf8(key) {
            Ok(key) => format!(
                "must be the orderId {:?}, but is {key:?}",
                order.order_id.as_str()
            ),
            Err(_) => format!(
                "must be the orderId {:?}, but is not UTF-8",
                order.order_id.as_str()
            ),
        },
        None => format!(
            "must be the orderId {:?}, but there is none",
            order.order_id.as_str()
        ),
    };
    Err(Invalid {
        order_id: Some(order.order_id),
        violations: vec![Violation {
            field: RECORD_KEY.to_owned(),
            message: problem,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &[u8] = br#"{"orderId":"order-1","restaurantId":"r","products":[{"productId":"p","description":"Pizza","quantity":1}],
        "totalCost":9.5,"deliveryDelay":0}"#;

    #[test]
    fn a_record_is_an_order_if_its_key_is_the_orders_id() {
        assert!(read(EVENT, Some(b"order-1")).is_ok());
        for (key, reason) in [
            (
                Some(&b"order-2"[..]),
                r#"invalid order: record key must be the orderId "order-1", but is "order-2""#,
            ),
            (
                Some(&b"\xff\xfe"[..]),
                r#"invalid order: record key must be the orderId "order-1", but is not UTF-8"#,
            ),
            (
                None,
                r#"invalid order: record key must be the orderId "order-1", but there is none"#,
            ),
        ] {
            let invalid = read(EVENT, key).unwrap_err();
            assert_eq!(invalid.to_string(), reason);
            assert_eq!(invalid.order_id, Some("order-1".parse().unwrap()));
        }
    }

    #[test]
    fn metrics_know_of_an_invalid_event_which_field_is_at_fault() {
        for (event, kind) in [
            (&b"pizza"[..], "not_an_order"),
            (b"[]", "not_an_order"),
            (b"{}", "order_id"),
            (br#"{"orderId":7}"#, "order_id"),
            (
                br#"{"orderId":"a","restaurantId":"b","products":[{"quantity":0}]}"#,
                "products",
            ),
        ] {
            let invalid = read(event, None).unwrap_err();
            assert_eq!(kind_of(&invalid), kind, "{invalid}");
        }
        assert_eq!(kind_of(&read(EVENT, None).unwrap_err()), "record_key");
    }
}
