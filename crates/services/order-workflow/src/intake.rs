//! [`OrderIntake`]: the sink of topic `orders`.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]

use std::time::Duration;

use domain::{Order, topic};
use durable::record::{key_of, source_of};
use durable::{Trace, Traced, Unparsed, retry, traceparent_in};
use kafka::Publisher;
use kafka::dead_letter::DeadLetter;
use order_status::{Change, Claimant, IdClaim, IdClaimAnswer, OrderStatusServiceClient};
use restate_sdk::prelude::*;

use crate::event::{ORDER_ID_TAKEN, id_taken, kind_of, of_record};
use crate::workflow::OrderWorkflowClient;

/// Receives order events from Kafka.
///
/// It is deliberately a plain service that takes bytes: with an object or workflow as sink, the first record whose key is not
/// UTF-8 would halt the partition for ever, and a typed input would lose events that are not JSON.
pub struct OrderIntake {
    publisher: Publisher,
}

impl OrderIntake {
    /// The intake. It publishes dead letters through `publisher`.
    #[must_use]
    pub fn new(publisher: Publisher) -> Self {
        Self { publisher }
    }
}

#[restate_sdk::service(name = "OrderIntake", journal_retention = "0s")]
impl OrderIntake {
    /// Called for each record of topic `orders`. An order starts its workflow (one-way); the same order sent again changes nothing.
    /// An invalid event, or an order whose id belongs to another order, is published unchanged to topic `orders-dlq`, with the
    /// reason in its headers. If an invalid event names an order that is not being processed, that order becomes `REJECTED` for
    /// that reason; a corrected event for it is accepted. A [probe](topic::PROBE) changes nothing.
    #[handler(ingress_private)]
    async fn receive(&self, ctx: Context<'_>, event: Unparsed<Order>) -> Result<(), TerminalError> {
        let event = event.into_bytes();
        if event == topic::PROBE {
            return Ok(());
        }
        let key = key_of(ctx.headers());
        match of_record(&event, key.as_deref()) {
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
                // Without an answer, because an operator has just cancelled, the order continues: `run` checks the id as well.
                if let Ok(Json(IdClaimAnswer { granted: false })) = answer {
                    let reason = id_taken(&order.order_id);
                    return self
                        .dead_letter(&ctx, key, event, reason, ORDER_ID_TAKEN)
                        .await;
                }
                ctx.workflow_client::<OrderWorkflowClient>(order.order_id.as_str())
                    .run(event.into())
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
        let letter = DeadLetter {
            key,
            value: event,
            source: source_of(ctx.headers()),
            reason,
            kind,
        };
        ctx.run(move || async move {
            Ok(publisher
                .publish_dead_letter(topic::ORDERS_DLQ, &letter)
                .await?)
        })
        .name("publish orders-dlq")
        .retry_policy(retry::kafka().initial_delay(Duration::from_millis(200)))
        .await
    }
}
