//! Settings of the part `payment-provider`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Settings of the payment provider.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// The address to listen on.
    #[command(flatten)]
    pub listen: Listen,
    /// Database file of the payment provider; it is created if missing, with its directory
    #[arg(
        long = "payment-database",
        env = "FOOD_ORDERING_PAYMENT_DATABASE",
        default_value = ".food-ordering/payment-provider.sqlite",
        value_name = "FILE"
    )]
    pub database: PathBuf,
}

/// The address that the payment provider listens on.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Listen {
    /// Address on which the payment provider listens
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
