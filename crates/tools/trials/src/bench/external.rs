//! Measures a system that someone else started (a peer), in the same way as our own.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::Region;
use kafka::Publisher;
use reqwest::Client;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::args::{Args, Peer};
use super::figures::{self, Figures, Meters};
use crate::load::new_prefix;
use crate::load::orders::Generator;
use crate::load::publish::{OrderEvent, publish};
use crate::load::timeline::Timelines;
use crate::load::watch::StatusWatch;
use food_ordering::http;
use food_ordering::restate::admin::Admin;

/// The pause between two requests for the status of the same order.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Publishes the orders, waits until they have ended, and returns what they cost.
pub(super) async fn run(args: &Args) -> anyhow::Result<Figures> {
    let peer = &args.peer;
    ensure!(
        Admin::new(&peer.restate_admin.urls)?.is_healthy().await,
        "no Restate at {}; is --restate-admin right?",
        peer.restate_admin.urls
    );
    let orders = orders(args)?;
    let kafka = peer.kafka.connection()?;
    let meters = Meters {
        processes: peer.processes.clone(),
        kafka: figures::kafka(&kafka)?,
        topics: vec![peer.orders_topic.clone(), peer.updates_topic.clone()],
        updates_topic: peer.updates_topic.clone(),
        metrics_urls: peer.restate_metrics.clone(),
        services_urls: Vec::new(),
        peak_together: Cell::default(),
    };
    let publisher = Publisher::new(&kafka, "bench")?;
    let watch = peer
        .has_status_topic
        .then(|| StatusWatch::from_now(&kafka))
        .transpose()?;
    let timelines = RefCell::new(Timelines::default());

    eprintln!(
        "Publishing {} orders to {} …",
        args.orders, peer.orders_topic
    );
    let before = meters.read().await?;
    let publishing = publish(&publisher, &peer.orders_topic, &orders, 0.0, &timelines);
    let ending = async {
        match &watch {
            Some(watch) => watch_until_ended(watch, &timelines, args.orders).await,
            None => poll_until_ended(peer, &orders).await,
        }
    };
    let both = async { tokio::try_join!(publishing, ending) };
    let Ok(result) = timeout(args.timeout, meters.during(both)).await else {
        bail!(
            "not all orders have ended after {}",
            humantime::format_duration(args.timeout)
        );
    };
    result?;
    let mut figures = meters.since(&before, args.orders).await?;
    if watch.is_some() {
        figures.stages = timelines.into_inner().stages();
    }
    Ok(figures)
}

async fn watch_until_ended(
    watch: &StatusWatch,
    timelines: &RefCell<Timelines>,
    orders: u32,
) -> anyhow::Result<()> {
    let mut ended = 0;
    while ended < orders {
        let event = watch.next().await?;
        if timelines.borrow_mut().record_status(&event) && event.status.is_terminal() {
            ended += 1;
        }
    }
    Ok(())
}

/// Requests the status of one order after the other, each until it has ended. Orders end in about the sequence in which they
/// were published, so there are few more requests than orders. That matters because these requests use the measured CPU time.
async fn poll_until_ended(peer: &Peer, orders: &[OrderEvent]) -> anyhow::Result<()> {
    let client = http::client(Duration::from_secs(30))?;
    for order in orders {
        while !has_ended(peer, &client, order).await? {
            sleep(POLL_INTERVAL).await;
        }
    }
    Ok(())
}

async fn has_ended(peer: &Peer, client: &Client, order: &OrderEvent) -> anyhow::Result<bool> {
    let url = peer
        .status_url
        .replace("{ingress}", peer.restate_ingress.trim_end_matches('/'))
        .replace("{orderId}", order.id.as_str());
    let request = client.request(peer.status_method.clone(), &url);
    let answer: Value = http::json(request)
        .await
        .with_context(|| format!("requesting the status of {}", order.id))?;
    // A peer may know nothing of an order before its workflow has begun.
    let Some(status) = answer
        .pointer(&peer.status_pointer)
        .filter(|it| !it.is_null())
    else {
        return Ok(false);
    };
    let status = status.as_str().with_context(|| {
        format!(
            "the response of {url} has no string at {}: {answer}",
            peer.status_pointer
        )
    })?;
    Ok(peer.ends.iter().any(|end| end == status))
}

fn orders(args: &Args) -> anyhow::Result<Vec<OrderEvent>> {
    let mut generator = Generator::new(&new_prefix(), args.seed, Duration::ZERO, Region::default());
    let Some(path) = &args.peer.order_template else {
        return generator.records(args.orders);
    };
    let template = std::fs::read_to_string(path)
        .with_context(|| format!("reading the order template {}", path.display()))?;
    (0..args.orders)
        .map(|_| {
            let order = generator.make()?;
            let value = fill_template(&template, &order);
            serde_json::from_str::<Value>(&value).with_context(|| {
                format!(
                    "the filled-in template {} is not valid JSON: {value}",
                    path.display()
                )
            })?;
            Ok(OrderEvent {
                id: order.order_id,
                value: value.into_bytes(),
            })
        })
        .collect()
}

fn fill_template(template: &str, order: &domain::Order) -> String {
    let mut text = template
        .replace("{orderId}", order.order_id.as_str())
        .replace("{restaurantId}", order.restaurant_id.as_str())
        .replace("{totalCost}", &order.total_cost.to_string());
    if let Some(product) = order.products.first() {
        text = text
            .replace("{productId}", &product.product_id)
            .replace("{description}", &product.description)
            .replace("{quantity}", &product.quantity.to_string());
    }
    if let Some(place) = order.customer_location {
        text = text
            .replace("{lon}", &place.lon().to_string())
            .replace("{lat}", &place.lat().to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_in_this_systems_format_makes_valid_orders() {
        let template = r#"{"orderId":"{orderId}","restaurantId":"{restaurantId}","totalCost":{totalCost},"deliveryDelay":0,
            "products":[{"productId":"{productId}","description":"{description}","quantity":{quantity}}],
            "customerLocation":{"lon":{lon},"lat":{lat}}}"#;
        let order = Generator::new("x", 1, Duration::ZERO, Region::default())
            .make()
            .unwrap();
        let filled = domain::Order::parse(fill_template(template, &order).as_bytes()).unwrap();
        assert_eq!(filled.order_id, order.order_id);
        assert_eq!(filled.customer_location, order.customer_location);
        assert_eq!(filled.products[..], order.products[..1]);
    }
}
