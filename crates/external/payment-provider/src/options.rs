//! Settings of the part `payment-provider`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Settings of the payment provider.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// Where the payment provider keeps its books; the file and its directory are created where they are missing
    #[arg(
        long = "payment-database",
        env = "FOOD_ORDERING_PAYMENT_DATABASE",
        default_value = ".food-ordering/payment-provider.sqlite",
        value_name = "FILE"
    )]
    pub database: PathBuf,
}

/// Where the payment provider listens.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Listen {
    /// Where the payment provider listens
    #[arg(
        long = "payment-provider-listen",
        id = "payment-provider-listen",
        env = "FOOD_ORDERING_PAYMENT_PROVIDER_LISTEN",
        default_value = "127.0.0.1:5060",
        value_parser = settings::address,
        value_name = "ADDRESS"
    )]
    pub address: SocketAddr,
}
