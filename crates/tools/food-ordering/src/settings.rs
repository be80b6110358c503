//! How the parts behave: settings that `serve` takes for itself and `up` hands on to the processes it starts.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::Part;

/// The settings of every part.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    #[command(flatten)]
    pub(crate) simulator: Simulator,
    #[command(flatten)]
    pub(crate) restaurant: Restaurant,
    #[command(flatten)]
    pub(crate) orders: Orders,
    #[command(flatten)]
    pub(crate) web_ui: WebUi,
}

/// How the simulated drivers drive.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Driver simulator")]
pub(crate) struct Simulator {
    /// How often a driver without a delivery polls for one
    #[arg(long, env = "FOOD_ORDERING_POLL_INTERVAL", default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) poll_interval: Duration,
    /// Time between two steps of a driver; 0s: no waiting
    #[arg(long, env = "FOOD_ORDERING_MOVE_INTERVAL", default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) move_interval: Duration,
    /// How long a driver rests after a delivery
    #[arg(long, env = "FOOD_ORDERING_PAUSE", default_value = "2s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) pause: Duration,
    /// The length of one step of a driver, in degrees
    #[arg(long, env = "FOOD_ORDERING_STEP", default_value_t = 0.005, value_parser = degrees, value_name = "DEGREES")]
    pub(crate) step: f64,
}

/// How the restaurants' point of sale behaves.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Restaurant")]
pub(crate) struct Restaurant {
    /// How long a restaurant takes to prepare an order
    #[arg(long, env = "FOOD_ORDERING_PREPARATION_TIME", default_value = "3s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) preparation_time: Duration,
}

/// Limits and retention of the order services.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Order services")]
pub(crate) struct Orders {
    /// How long the payment provider may take to answer before the order is cancelled
    #[arg(long, env = "FOOD_ORDERING_PAYMENT_LIMIT", default_value = "10m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) payment_limit: Duration,
    /// How long a restaurant may take to accept an order, and then to prepare it, before the order is cancelled
    #[arg(long, env = "FOOD_ORDERING_PREPARATION_LIMIT", default_value = "10m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) preparation_limit: Duration,
    /// How long a prepared order may wait for a driver before it is cancelled
    #[arg(long, env = "FOOD_ORDERING_DRIVER_LIMIT", default_value = "30m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) driver_limit: Duration,
    /// How long a driver may take to pick up the food before the order is cancelled, and how often later progress is checked
    #[arg(long, env = "FOOD_ORDERING_DELIVERY_LIMIT", default_value = "2h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) delivery_limit: Duration,
    /// How long a driver with a delivery may be silent. Before the pickup another driver gets the delivery then; after it the
    /// order is marked as delayed
    #[arg(long, env = "FOOD_ORDERING_DRIVER_SILENCE", default_value = "1m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) driver_silence: Duration,
    /// How long the history of an ended order is kept
    #[arg(long, env = "FOOD_ORDERING_ORDER_RETENTION", default_value = "30d", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) order_retention: Duration,
    /// How long Restate keeps the journal of an ended workflow
    #[arg(long, env = "FOOD_ORDERING_WORKFLOW_RETENTION", default_value = "1h", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) workflow_retention: Duration,
    /// The expected speed of drivers in degrees a second, from which arrival times are computed [default: one step each move
    /// interval, or 0.005 if they move without waiting]
    #[arg(long, env = "FOOD_ORDERING_DRIVER_SPEED", value_parser = degrees, value_name = "DEGREES")]
    pub(crate) driver_speed: Option<f64>,
}

/// What the gateway's web UI is.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Web UI")]
pub(crate) struct WebUi {
    /// The directory of the built web UI; `cargo xtask demo` builds it and names it here
    #[arg(
        long = "web-ui",
        env = "FOOD_ORDERING_WEB_UI",
        default_value = "webui/dist",
        value_name = "DIRECTORY"
    )]
    pub(crate) files: PathBuf,
    /// A server of map tiles, as a URL with {z}, {x}, {y} and optionally {s} [default: none, the built-in map]
    #[arg(long, env = "FOOD_ORDERING_TILE_URL", value_name = "URL")]
    pub(crate) tile_url: Option<String>,
    /// The attribution that the map shows for those tiles
    #[arg(long, env = "FOOD_ORDERING_TILE_ATTRIBUTION", value_name = "TEXT")]
    pub(crate) tile_attribution: Option<String>,
}

/// The speed that the original example assumes; see `domain::geo::Speed::DEFAULT`.
const DEFAULT_SPEED: f64 = 0.005;

fn degrees(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(degrees) if degrees.is_finite() && degrees > 0.0 => Ok(degrees),
        _ => Err("must be a number of degrees above zero, such as 0.005".to_owned()),
    }
}

impl Settings {
    /// The speed from which arrival times are computed, in degrees a second.
    #[must_use]
    pub fn driver_speed(&self) -> f64 {
        self.orders.driver_speed.unwrap_or_else(|| {
            let planned = self.simulator.step / self.simulator.move_interval.as_secs_f64();
            if planned.is_finite() {
                planned
            } else {
                DEFAULT_SPEED
            }
        })
    }

    /// Those that concern `part`, as flags of `serve`.
    #[must_use]
    pub fn flags_for(&self, part: Part) -> Vec<String> {
        let time =
            |flag: &str, value: Duration| format!("--{flag}={}", humantime::format_duration(value));
        match part {
            Part::DriverSimulator => vec![
                time("poll-interval", self.simulator.poll_interval),
                time("move-interval", self.simulator.move_interval),
                time("pause", self.simulator.pause),
                format!("--step={}", self.simulator.step),
            ],
            Part::RestaurantPos => {
                vec![time("preparation-time", self.restaurant.preparation_time)]
            }
            Part::OrderServices => vec![
                time("payment-limit", self.orders.payment_limit),
                time("preparation-limit", self.orders.preparation_limit),
                time("driver-limit", self.orders.driver_limit),
                time("delivery-limit", self.orders.delivery_limit),
                time("driver-silence", self.orders.driver_silence),
                time("order-retention", self.orders.order_retention),
                time("workflow-retention", self.orders.workflow_retention),
                format!("--driver-speed={}", self.driver_speed()),
            ],
            Part::Gateway => {
                let text = |flag: &str, value: &Option<String>| {
                    value.as_ref().map(|value| format!("--{flag}={value}"))
                };
                std::iter::once(format!("--web-ui={}", self.web_ui.files.display()))
                    .chain(text("tile-url", &self.web_ui.tile_url))
                    .chain(text("tile-attribution", &self.web_ui.tile_attribution))
                    .collect()
            }
            Part::Kafka | Part::PaymentProvider | Part::PsqlGateway => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Parser, ValueEnum};

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        settings: Settings,
    }

    fn parse(flags: &[String]) -> Settings {
        let name = "serve".to_owned();
        Command::try_parse_from(std::iter::once(&name).chain(flags))
            .unwrap()
            .settings
    }

    #[test]
    fn settings_survive_the_way_to_a_child_process() {
        let given = [
            "--poll-interval=250ms",
            "--move-interval=0s",
            "--pause=1m 30s",
            "--step=0.001",
            "--preparation-time=1500ms",
            "--payment-limit=7s",
            "--preparation-limit=1h 1s",
            "--driver-limit=3s",
            "--delivery-limit=4s",
            "--driver-silence=6s",
            "--order-retention=5d",
            "--workflow-retention=6h",
            "--driver-speed=0.25",
            "--web-ui=/srv/web ui",
            "--tile-url=https://{s}.tiles.example/{z}/{x}/{y}.png",
            "--tile-attribution=The makers of maps",
        ]
        .map(str::to_owned);
        let settings = parse(&given);
        let handed_on: Vec<String> = Part::value_variants()
            .iter()
            .flat_map(|part| settings.flags_for(*part))
            .collect();
        assert_eq!(handed_on.len(), given.len());
        assert_eq!(parse(&handed_on), settings);
    }

    #[test]
    fn drivers_are_expected_to_be_as_fast_as_they_are_told_to_drive() {
        for (flags, speed) in [
            (&["--step=0.01", "--move-interval=500ms"][..], 0.02),
            (&["--move-interval=0s"], DEFAULT_SPEED),
            (&["--driver-speed=1"], 1.0),
        ] {
            let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
            let found = parse(&flags).driver_speed();
            assert!((found - speed).abs() < 1e-9, "{flags:?}: {found}");
        }
    }

    #[test]
    fn a_step_of_nothing_is_refused() {
        for step in ["0", "-1", "NaN", "x"] {
            assert!(degrees(step).is_err(), "{step}");
        }
    }
}
