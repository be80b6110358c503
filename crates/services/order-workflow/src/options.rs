//! Settings of the part `order-services`.

use std::time::Duration;

use clap::Args;
use secrets::callback::SecretFile;

/// Settings of the order services.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// The address to listen on.
    #[command(flatten)]
    pub listen: Listen,
    /// The keys that verify Restate's requests, and the build's version.
    #[command(flatten)]
    pub durable: durable::Options,
    /// The Kafka that changes and dead letters are published to.
    #[command(flatten)]
    pub kafka: kafka::Options,
    /// The third parties.
    #[command(flatten)]
    pub third_parties: ThirdPartyUrls,
    /// The gateway's address for the callbacks with which restaurants report that an order is ready
    #[arg(
        long,
        env = "FOOD_ORDERING_CALLBACK_URL",
        default_value = "http://127.0.0.1:3000",
        value_name = "URL"
    )]
    pub callback_url: String,
    /// The secret with which restaurants sign their callbacks.
    #[command(flatten)]
    pub callback_secret: SecretFile,
    /// Limits and retention.
    #[command(flatten)]
    pub times: Times,
}

/// The addresses of the third parties.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct ThirdPartyUrls {
    /// The payment provider
    #[arg(
        long,
        env = "FOOD_ORDERING_PAYMENT_URL",
        default_value = "http://127.0.0.1:5060",
        value_name = "URL"
    )]
    pub payment_url: String,
    /// The restaurants' point of sale
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTAURANT_URL",
        default_value = "http://127.0.0.1:5050",
        value_name = "URL"
    )]
    pub restaurant_url: String,
}

settings::listen_address! {
    /// Address on which the order services listen for Restate
    "order-services-listen", "FOOD_ORDERING_ORDER_SERVICES_LISTEN", "127.0.0.1:9080"
}

/// Limits and retention of the order services.
#[derive(Debug, Clone, Args)]
#[group(skip)]
#[command(next_help_heading = "Order services")]
pub struct Times {
    /// How long the payment provider may take to answer before the order is cancelled
    #[arg(long, env = "FOOD_ORDERING_PAYMENT_LIMIT", default_value = "10m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub payment_limit: Duration,
    /// How long a restaurant may take to accept an order, and then to prepare it, before the order is cancelled
    #[arg(long, env = "FOOD_ORDERING_PREPARATION_LIMIT", default_value = "10m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub preparation_limit: Duration,
    /// How long a prepared order may wait for a driver before it is cancelled
    #[arg(long, env = "FOOD_ORDERING_DRIVER_LIMIT", default_value = "30m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub driver_limit: Duration,
    /// How long a driver may take to pick up the food before the order is cancelled, and how often later progress is checked
    #[arg(long, env = "FOOD_ORDERING_DELIVERY_LIMIT", default_value = "2h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub delivery_limit: Duration,
    /// When a driver counts as silent.
    #[command(flatten)]
    pub silence: delivery::Silence,
    /// How long the history of an ended order is kept
    #[arg(long, env = "FOOD_ORDERING_ORDER_RETENTION", default_value = "30d", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub order_retention: Duration,
    /// How long Restate keeps the journal of an ended workflow
    #[arg(long, env = "FOOD_ORDERING_WORKFLOW_RETENTION", default_value = "1h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub workflow_retention: Duration,
    /// The expected speed of drivers in degrees a second, from which arrival times are computed [default: 0.005; `up` sets one step
    /// each move interval]
    #[arg(long, env = DRIVER_SPEED, value_parser = settings::degrees, value_name = "DEGREES")]
    pub driver_speed: Option<f64>,
}

/// The environment variable of `--driver-speed`.
pub const DRIVER_SPEED: &str = "FOOD_ORDERING_DRIVER_SPEED";
