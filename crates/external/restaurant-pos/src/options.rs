//! Settings of the part `restaurant-pos`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

/// Settings of the restaurants' point of sale.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// The address to listen on.
    #[command(flatten)]
    pub listen: Listen,
    /// Database file of the restaurants' point of sale; it is created if missing, with its directory
    #[arg(
        long = "restaurant-database",
        env = "FOOD_ORDERING_RESTAURANT_DATABASE",
        default_value = ".food-ordering/restaurant-pos.sqlite",
        value_name = "FILE"
    )]
    pub database: PathBuf,
    /// How long preparations take.
    #[command(flatten)]
    pub cooking: Cooking,
}

settings::listen_address! {
    /// Address on which the restaurants' point of sale listens
    "restaurant-pos-listen", "FOOD_ORDERING_RESTAURANT_POS_LISTEN", "127.0.0.1:5050"
}

/// How long preparations take.
#[derive(Debug, Clone, Args)]
#[group(skip)]
#[command(next_help_heading = "Restaurant")]
pub struct Cooking {
    /// How long a restaurant takes to prepare an order; with 0s, orders are ready at once
    #[arg(long, env = "FOOD_ORDERING_PREPARATION_TIME", default_value = "3s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub preparation_time: Duration,
}
