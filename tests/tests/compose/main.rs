//! Tests `docker-compose.yaml` on a Docker engine: the first start, a second `up`, after `down`, without Kafka's records, stopped and
//! started, with each container killed, under load, and with Prometheus. After each step, an order is placed through the gateway
//! and must be delivered.
//!
//! `cargo xtask compose-test` runs it, after building the image. It is ignored otherwise, because it needs an engine and takes some
//! minutes. It uses its own project, volumes and ports, and removes them in the end.
#![expect(
    clippy::disallowed_methods,
    reason = "tests and the systems they start trust each other"
)]

mod engine;
mod shop;

use anyhow::ensure;
use engine::Compose;
use shop::Shop;

/// The services that the engine must restart when they die.
const KILLED: [&str; 8] = [
    "gateway",
    "order-services",
    "driver-simulator",
    "restaurant-pos",
    "payment-provider",
    "psql-gateway",
    "kafka",
    "restate",
];

#[tokio::test]
#[ignore = "needs a Docker engine: cargo xtask compose-test"]
async fn the_system_survives_restarts_lost_records_and_kills_under_compose() -> anyhow::Result<()> {
    let compose = Compose::new()?;
    let shop = Shop::new(&compose);

    compose.step("the first up");
    compose.run(&["up", "--detach"])?;
    shop.delivers().await?;

    compose.step("the walkthrough");
    shop.can_be_walked_through(&compose).await?;

    compose.step("SQL published on all addresses, which requires a password");
    compose.run_with(
        "PSQL_ADDRESS",
        "0.0.0.0",
        &["up", "--detach", "psql-gateway"],
    )?;
    shop.answers_sql_by_password(&compose).await?;

    compose.step("doctor, in a container");
    compose.run(&["exec", "-T", "gateway", "food-ordering", "doctor"])?;

    compose.step("one trace of a delivered order");
    shop.shows_one_trace(&compose).await?;

    compose.step("a second up");
    compose.run(&["up", "--detach"])?;
    shop.delivers().await?;

    compose.step("down, up");
    compose.run(&["down"])?;
    compose.run(&["up", "--detach"])?;
    shop.delivers().await?;

    compose.step("up with Kafka's volume deleted, everything else left running");
    compose.run(&["rm", "--stop", "--force", "kafka"])?;
    compose.remove_volume("kafka")?;
    compose.run(&["up", "--detach"])?;
    shop.delivers().await?;

    // This step must come right after the previous one: the new Kafka assigns producer ids from the beginning, and producers that
    // kept running may still use the same ids from the old one.
    compose.step("a stopped machine: stop, start");
    compose.run(&["stop"])?;
    compose.run(&["start"])?;
    shop.delivers().await?;

    compose.step("everything restarted at once, in no order");
    compose.run(&["restart"])?;
    shop.delivers().await?;

    compose.step("down, Kafka's volume deleted, up");
    compose.run(&["down"])?;
    compose.remove_volume("kafka")?;
    compose.run(&["up", "--detach"])?;
    shop.delivers().await?;

    for service in KILLED {
        compose.step(&format!("kill -9 {service}"));
        compose.kill(service).await?;
        shop.delivers().await?;
    }

    compose.step("load");
    compose.run(&[
        "--profile",
        "load",
        "run",
        "--rm",
        "-T",
        "load",
        "--orders=5",
    ])?;

    compose.step("observability: Prometheus");
    compose.run(&["--profile", "observability", "up", "--detach", "prometheus"])?;
    shop.is_watched(&compose).await?;
    if Compose::has_image("grafana")? {
        compose.step("observability: Grafana");
        compose.run(&["--profile", "observability", "up", "--detach", "grafana"])?;
        shop.has_a_dashboard(&compose).await?;
    } else {
        println!("SKIPPED: Grafana, whose image is not on this machine and cannot be pulled");
    }

    compose.step("no container is unhealthy");
    let unhealthy = compose.unhealthy()?;
    ensure!(unhealthy.is_empty(), "unhealthy: {unhealthy:?}");
    compose.pass();
    Ok(())
}
