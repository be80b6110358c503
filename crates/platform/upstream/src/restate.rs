//! Settings for reaching Restate.

use clap::Args;

/// Restate's ingress.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct RestateIngress {
    /// Restate's ingress; for several nodes, give the URL of each, so that any of them may be down
    #[arg(
        id = "restate-ingress",
        long,
        env = "FOOD_ORDERING_RESTATE_INGRESS",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL,…"
    )]
    pub urls: String,
}

/// Restate's admin API.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct RestateAdmin {
    /// Restate's admin API; for several nodes, give the URL of each, so that any of them may be down
    #[arg(
        id = "restate-admin",
        long,
        env = "FOOD_ORDERING_RESTATE_ADMIN",
        default_value = "http://127.0.0.1:9070",
        value_name = "URL,…"
    )]
    pub urls: String,
}
