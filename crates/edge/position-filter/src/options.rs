//! Settings of the part `position-filter`.

use std::time::Duration;

use clap::Args;

use crate::Error;

/// Settings of the position filter.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// The address to listen on.
    #[command(flatten)]
    pub listen: Listen,
    /// The Kafka that has the positions.
    #[command(flatten)]
    pub kafka: kafka::Options,
    /// When a driver counts as silent.
    #[command(flatten)]
    pub silence: delivery::Silence,
    /// Which positions are passed on.
    #[command(flatten)]
    pub rules: Rules,
}

settings::listen_address! {
    /// Address on which the position filter answers health checks and serves its metrics
    "position-filter-listen", "FOOD_ORDERING_POSITION_FILTER_LISTEN", "127.0.0.1:9082"
}

/// Which positions are passed on.
#[derive(Debug, Clone, Copy, Args)]
#[group(skip)]
#[command(next_help_heading = "Position filter")]
pub struct Rules {
    /// The position filter passes on a driver's position at least this often, if the phone reports that often; must be shorter than
    /// half of --driver-silence [default: a quarter of --driver-silence]
    #[arg(long, env = "FOOD_ORDERING_POSITION_INTERVAL", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub position_interval: Option<Duration>,
    /// The position filter passes on a position that is farther than this from the straight line on which the driver was moving
    #[arg(long, env = "FOOD_ORDERING_POSITION_TOLERANCE", default_value_t = 0.000_5, value_parser = settings::degrees, value_name = "DEGREES")]
    pub position_tolerance: f64,
}

impl Options {
    /// The longest interval at which a driver's position is passed on. Fails if the driver would count as silent in between.
    pub(crate) fn interval(&self) -> Result<Duration, Error> {
        let silence = self.silence.driver_silence;
        let interval = self.rules.position_interval.unwrap_or(silence / 4);
        if interval >= silence / 2 {
            return Err(Error::Interval { interval, silence });
        }
        Ok(interval)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Filter {
        #[command(flatten)]
        options: Options,
    }

    fn interval(flags: &[&str]) -> Result<Duration, Error> {
        let line = std::iter::once("position-filter").chain(flags.iter().copied());
        Filter::parse_from(line).options.interval()
    }

    #[test]
    fn positions_are_passed_on_often_enough_for_the_silence_watch() {
        let seconds = |flags: &[&str]| interval(flags).unwrap().as_secs();
        assert_eq!(seconds(&[]), 15);
        assert_eq!(seconds(&["--driver-silence=20s"]), 5);
        assert_eq!(seconds(&["--position-interval=29s"]), 29);
        let refused = interval(&["--position-interval=30s"]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "--position-interval is 30s, but must be shorter than half of --driver-silence, which is 1m"
        );
    }
}
