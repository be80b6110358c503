//! Settings of the part `payment-provider`.

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

settings::listen_address! {
    /// Address on which the payment provider listens
    "payment-provider-listen", "FOOD_ORDERING_PAYMENT_PROVIDER_LISTEN", "127.0.0.1:5060"
}
