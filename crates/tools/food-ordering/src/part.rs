//! The parts of the system that this binary can run.

use clap::ValueEnum;

/// A part of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// The Kafka broker; as a part of this program it keeps records only in memory
    Kafka,
    /// All durable services except the driver simulator
    OrderServices,
    /// The durable service that stands in for the drivers' phones
    DriverSimulator,
    /// Passes on only those positions of drivers that can change something
    PositionFilter,
    /// The stub of the restaurants' point-of-sale system
    RestaurantPos,
    /// The stub of the payment provider
    PaymentProvider,
    /// The web UI and its HTTP API
    Gateway,
}

impl Part {
    /// The name on the command line, in logs and in `endpoints.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::OrderServices => "order-services",
            Self::DriverSimulator => "driver-simulator",
            Self::PositionFilter => "position-filter",
            Self::RestaurantPos => "restaurant-pos",
            Self::PaymentProvider => "payment-provider",
            Self::Gateway => "gateway",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_one_on_the_command_line() {
        for part in Part::value_variants() {
            assert_eq!(Part::from_str(part.name(), false), Ok(*part));
        }
    }
}
