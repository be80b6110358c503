//! Settings of the part `driver-simulator`.

use std::time::Duration;

use clap::Args;

/// Settings of the driver simulator.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// The address to listen on.
    #[command(flatten)]
    pub listen: Listen,
    /// The keys that verify Restate's requests, and the build's version.
    #[command(flatten)]
    pub durable: durable::Options,
    /// The Kafka that drivers report their positions to.
    #[command(flatten)]
    pub kafka: kafka::Options,
    /// How the drivers drive.
    #[command(flatten)]
    pub pace: Pace,
}

settings::listen_address! {
    /// Address on which the driver simulator listens for Restate
    "driver-simulator-listen", "FOOD_ORDERING_DRIVER_SIMULATOR_LISTEN", "127.0.0.1:9081"
}

/// How the simulated drivers drive.
#[derive(Debug, Clone, Copy, Args)]
#[group(skip)]
#[command(next_help_heading = "Driver simulator")]
pub struct Pace {
    /// How often a driver without a delivery polls for one
    #[arg(long, env = "FOOD_ORDERING_POLL_INTERVAL", default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub poll_interval: Duration,
    /// Time between two steps of a driver; 0s moves without waiting
    #[arg(long, env = "FOOD_ORDERING_MOVE_INTERVAL", default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub move_interval: Duration,
    /// How long a driver rests after a delivery
    #[arg(long, env = "FOOD_ORDERING_PAUSE", default_value = "2s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub pause: Duration,
    /// Length of one step of a driver, in degrees
    #[arg(long, env = "FOOD_ORDERING_STEP", default_value_t = 0.005, value_parser = settings::degrees, value_name = "DEGREES")]
    pub step: f64,
}

impl Pace {
    /// The drivers' speed, in degrees per second; `None` if they move without waiting.
    #[must_use]
    pub fn speed(&self) -> Option<f64> {
        let speed = self.step / self.move_interval.as_secs_f64();
        speed.is_finite().then_some(speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_the_step_divided_by_the_interval() {
        let usual: Pace = settings::defaults();
        assert_eq!(usual.speed(), Some(0.005));
        let of = |step, move_interval| Pace {
            move_interval,
            step,
            ..usual
        };
        assert_eq!(of(0.01, Duration::from_millis(500)).speed(), Some(0.02));
        assert_eq!(of(0.01, Duration::ZERO).speed(), None);
    }
}
