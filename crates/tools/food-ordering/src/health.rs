//! `health`: checks whether parts on this machine can do their work, so that a container's health check needs no `curl`.

use anyhow::{Context, ensure};
use settings::networks::here;

use crate::Part;
use crate::http::{self, Protocol};

/// Arguments of `health`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The parts to check
    #[arg(required = true)]
    parts: Vec<Part>,
    #[command(flatten)]
    order_services: order_workflow::Listen,
    #[command(flatten)]
    driver_simulator: driver_simulator::Listen,
    #[command(flatten)]
    position_filter: position_filter::Listen,
    #[command(flatten)]
    restaurant_pos: restaurant_pos::Listen,
    #[command(flatten)]
    payment_provider: payment_provider::Listen,
    #[command(flatten)]
    gateway: gateway::Listen,
    #[command(flatten)]
    kafka: kafka::Options,
}

/// `health`: fails with the name of the first part that cannot work.
pub async fn main(args: Args) -> anyhow::Result<()> {
    for &part in &args.parts {
        check(part, &args)
            .await
            .with_context(|| format!("{part} is not healthy"))?;
    }
    Ok(())
}

async fn check(part: Part, args: &Args) -> anyhow::Result<()> {
    let (listen, path, protocol) = match part {
        Part::Kafka => {
            kafka::Cluster::discover(&args.kafka.connection()?).await?;
            return Ok(());
        }
        Part::OrderServices => (args.order_services.address, "/health", Protocol::Http2),
        Part::DriverSimulator => (args.driver_simulator.address, "/health", Protocol::Http2),
        Part::RestaurantPos => (args.restaurant_pos.address, "/health", Protocol::Http1),
        Part::PaymentProvider => (args.payment_provider.address, "/health", Protocol::Http1),
        // `/health` would not do: without Kafka or Restate these are alive but cannot work.
        Part::PositionFilter => (args.position_filter.address, "/ready", Protocol::Http1),
        Part::Gateway => (args.gateway.address, "/ready", Protocol::Http1),
    };
    let url = format!("http://{}{path}", here(listen));
    ensure!(http::answers(&url, protocol).await, "GET {url} failed");
    Ok(())
}
