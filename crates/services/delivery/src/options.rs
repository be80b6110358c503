//! The setting of deliveries.

use std::time::Duration;

use clap::Args;

/// When a driver counts as silent.
#[derive(Debug, Clone, Copy, Args)]
#[group(skip)]
pub struct Silence {
    /// How long a driver with a delivery may be silent. Before the pickup another driver gets the delivery then; after it the
    /// order is marked as delayed
    #[arg(long, env = "FOOD_ORDERING_DRIVER_SILENCE", default_value = "1m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub driver_silence: Duration,
}
