//! Publishing orders at a rate.

use std::time::Duration;

use domain::OrderId;
use futures::{StreamExt, TryStreamExt, stream};
use kafka::Publisher;
use tokio::time::{Instant, sleep_until};

/// How many orders may wait for the broker's word at a time.
const IN_FLIGHT: usize = 1_000;

/// An order as it goes to Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: OrderId,
    pub(crate) value: Vec<u8>,
}

/// Publishes orders to `topic`, `rate` a second or, if that is zero, as fast as Kafka takes them, and waits for the broker's
/// word on all of them. `before` hears of each order when it is handed over.
pub(crate) async fn publish(
    publisher: &Publisher,
    topic: &str,
    orders: &[Record],
    rate: f64,
    before: impl Fn(&OrderId),
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
            before(&order.id);
            let key = order.id.as_str().as_bytes();
            publisher.publish(topic, Some(key), &order.value, &[])
        })
        .buffer_unordered(IN_FLIGHT)
        .try_collect::<()>()
        .await?;
    Ok(())
}
