//! A system that someone else started: a peer, measured in the same way.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::Region;
use kafka::Publisher;
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::Args;
use super::figures::{self, Figures, Meters};
use crate::clock;
use crate::load::new_prefix;
use crate::load::orders::Generator;
use crate::load::publish::{OrderEvent, publish};
use crate::load::timeline::Timelines;
use crate::load::watch::StatusWatch;
use crate::usage::{self, Process};
use food_ordering::http;
use food_ordering::restate::admin::Admin;

/// How long between two questions about the same order.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Where the external system is and how its orders look.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "External system")]
pub(super) struct Peer {
    /// Measure a system that someone else has started, drivers included
    #[arg(long, env = "FOOD_ORDERING_EXTERNAL")]
    pub(super) external: bool,
    #[command(flatten)]
    kafka: kafka::Options,
    /// Its Restate's ingress
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTATE_INGRESS",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    restate_ingress: String,
    #[command(flatten)]
    restate_admin: upstream::RestateAdmin,
    /// Where each node of its Restate tells its metrics; none = invocations are not counted
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTATE_METRICS",
        value_delimiter = ',',
        value_name = "URL,…"
    )]
    restate_metrics: Vec<String>,
    /// Its topic of orders
    #[arg(long, env = "FOOD_ORDERING_ORDERS_TOPIC", default_value = domain::topic::ORDERS, value_name = "TOPIC")]
    orders_topic: String,
    /// Its topic of the drivers' places
    #[arg(long, env = "FOOD_ORDERING_UPDATES_TOPIC", default_value = domain::topic::DRIVER_UPDATES, value_name = "TOPIC")]
    updates_topic: String,
    /// It publishes statuses to topic order-status as this system does; otherwise it is asked for them
    #[arg(long, env = "FOOD_ORDERING_HAS_STATUS_TOPIC")]
    has_status_topic: bool,
    /// Where to ask for an order's status
    #[arg(
        long,
        env = "FOOD_ORDERING_STATUS_URL",
        default_value = "{ingress}/OrderStatusService/{orderId}/get",
        value_name = "URL"
    )]
    status_url: String,
    /// The method to ask with
    #[arg(
        long,
        env = "FOOD_ORDERING_STATUS_METHOD",
        default_value = "POST",
        value_name = "METHOD"
    )]
    status_method: Method,
    /// The status in the answer, as a JSON pointer
    #[arg(
        long,
        env = "FOOD_ORDERING_STATUS_POINTER",
        default_value = "/status",
        value_name = "POINTER"
    )]
    status_pointer: String,
    /// The statuses in which an order has ended
    #[arg(
        long,
        env = "FOOD_ORDERING_ENDS",
        value_delimiter = ',',
        default_value = "DELIVERED,REJECTED,CANCELLED",
        value_name = "STATUS,…"
    )]
    ends: Vec<String>,
    /// A file with an order as JSON, in which {orderId}, {restaurantId}, {productId}, {description}, {quantity}, {totalCost},
    /// {lon} and {lat} are filled in [default: this system's own orders]
    #[arg(long, env = "FOOD_ORDERING_ORDER_TEMPLATE", value_name = "FILE")]
    order_template: Option<PathBuf>,
    /// A process to account; those named restate-server and kafka are told apart from the services
    #[arg(long = "pid", env = "FOOD_ORDERING_PIDS", value_delimiter = ',', value_parser = usage::parse, value_name = "NAME=PID")]
    processes: Vec<Process>,
}

/// Publishes the orders, waits for their ends, and tells what they have cost.
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
    let publishing = publish(&publisher, &peer.orders_topic, &orders, 0.0, |id| {
        timelines
            .borrow_mut()
            .published(id.clone(), clock::now_ms());
    });
    let ending = async {
        match &watch {
            Some(watch) => see_ends(watch, &timelines, args.orders).await,
            None => ask_for_ends(peer, &orders).await,
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

async fn see_ends(
    watch: &StatusWatch,
    timelines: &RefCell<Timelines>,
    orders: u32,
) -> anyhow::Result<()> {
    let mut ended = 0;
    while ended < orders {
        let event = watch.next().await?;
        if timelines.borrow_mut().saw(&event) && event.status.is_terminal() {
            ended += 1;
        }
    }
    Ok(())
}

/// Asks for one order after the other, each until it has ended: orders end in about the order in which they were published, so
/// that there are few more questions than orders, which the system pays for too.
async fn ask_for_ends(peer: &Peer, orders: &[OrderEvent]) -> anyhow::Result<()> {
    let client = http::client(Duration::from_secs(30))?;
    for order in orders {
        while !has_ended(peer, &client, order).await? {
            sleep(ASK_AGAIN).await;
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
        .with_context(|| format!("asking for the status of {}", order.id))?;
    let status = answer
        .pointer(&peer.status_pointer)
        .and_then(Value::as_str)
        .with_context(|| {
            format!(
                "{url} answers {answer}, which has no text at {}",
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
            let value = fill(&template, &order);
            serde_json::from_str::<Value>(&value)
                .with_context(|| format!("filled in, {} is no JSON: {value}", path.display()))?;
            Ok(OrderEvent {
                id: order.order_id,
                value: value.into_bytes(),
            })
        })
        .collect()
}

fn fill(template: &str, order: &domain::Order) -> String {
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
    fn a_template_of_this_systems_own_order_makes_orders_that_pass_every_check() {
        let template = r#"{"orderId":"{orderId}","restaurantId":"{restaurantId}","totalCost":{totalCost},"deliveryDelay":0,
            "products":[{"productId":"{productId}","description":"{description}","quantity":{quantity}}],
            "customerLocation":{"lon":{lon},"lat":{lat}}}"#;
        let order = Generator::new("x", 1, Duration::ZERO, Region::default())
            .make()
            .unwrap();
        let filled = domain::Order::parse(fill(template, &order).as_bytes()).unwrap();
        assert_eq!(filled.order_id, order.order_id);
        assert_eq!(filled.customer_location, order.customer_location);
        assert_eq!(filled.products[..], order.products[..1]);
    }
}
