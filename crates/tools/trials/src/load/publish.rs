//! Publishes orders at a given rate, and places single ones.

use std::cell::RefCell;
use std::time::Duration;

use domain::OrderId;
use futures::{StreamExt, TryStreamExt, stream};
use kafka::Publisher;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use upstream::http::{SHORT, text};

use super::timeline::Timelines;
use crate::clock;

/// How many orders may wait for the broker's confirmation at a time.
const IN_FLIGHT: usize = 1_000;

/// An order as a record for Kafka: the id is the key.
#[derive(Debug, Clone)]
pub(crate) struct OrderEvent {
    pub(crate) id: OrderId,
    pub(crate) value: Vec<u8>,
}

impl OrderEvent {
    /// Makes the order invalid, with a negative price.
    pub(crate) fn make_invalid(&mut self) -> anyhow::Result<()> {
        let mut order: serde_json::Map<String, Value> = serde_json::from_slice(&self.value)?;
        order.insert("totalCost".to_owned(), Value::from(-1));
        self.value = serde_json::to_vec(&order)?;
        Ok(())
    }
}

/// Publishes orders to `topic`, `rate` per second or, if that is zero, as fast as Kafka accepts them, and waits until the broker
/// has confirmed all of them. `timelines` are told of each order just before it is published.
pub(crate) async fn publish(
    publisher: &Publisher,
    topic: &str,
    orders: &[OrderEvent],
    rate: f64,
    timelines: &RefCell<Timelines>,
) -> anyhow::Result<()> {
    let begin = Instant::now();
    let interval = if rate > 0.0 {
        Duration::from_secs_f64(1.0 / rate)
    } else {
        Duration::ZERO
    };
    stream::iter((0_u32..).zip(orders))
        .then(async |(number, order)| {
            if !interval.is_zero() {
                sleep_until(begin + interval * number).await;
            }
            order
        })
        .map(|order| {
            timelines
                .borrow_mut()
                .published(order.id.clone(), clock::now_ms());
            let key = order.id.as_str().as_bytes();
            publisher.publish(topic, Some(key), &order.value, &[])
        })
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await?;
    Ok(())
}

/// Places an order through the gateway. Returns whether it was accepted; otherwise it may be placed again. Fails if the gateway refuses
/// the order.
pub(crate) async fn place(client: &Client, gateway: &str, event: &[u8]) -> anyhow::Result<bool> {
    let request = client
        .post(format!("{gateway}/api/orders"))
        .header("content-type", "application/json")
        .body(event.to_vec());
    match request.send().await {
        // A gateway that was paused in the middle of a request answers 408 when it continues.
        Ok(answer)
            if answer.status().is_client_error()
                && answer.status() != StatusCode::REQUEST_TIMEOUT =>
        {
            let status = answer.status();
            let problem = text(answer, SHORT).await.unwrap_or_default();
            anyhow::bail!("the gateway refused a valid order: {status} {problem}")
        }
        Ok(answer) => Ok(answer.status().is_success()),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Order, Region};

    use super::super::orders::Generator;

    #[test]
    fn an_order_made_invalid_is_rejected_only_for_its_price() {
        let mut generator = Generator::new("a", 1, std::time::Duration::ZERO, Region::SanJose);
        let mut record = generator.records(1).unwrap().remove(0);
        record.make_invalid().unwrap();
        let error = Order::parse(&record.value).unwrap_err().to_string();
        assert!(error.contains("totalCost"), "{error}");
        assert!(!error.contains("products"), "{error}");
    }
}
