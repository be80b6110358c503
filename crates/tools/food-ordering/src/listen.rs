//! Where the parts listen: flags of `serve`, of `health`, which asks there, and some of `up`.

use std::net::SocketAddr;

use clap::Args;

/// Where the parts listen.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Where the gateway listens
    #[arg(
        long = "gateway-listen",
        env = "FOOD_ORDERING_GATEWAY_LISTEN",
        default_value = "127.0.0.1:3000",
        value_parser = address,
        value_name = "ADDRESS"
    )]
    pub(crate) gateway: SocketAddr,
    /// Where the order services listen for Restate
    #[arg(
        long = "order-services-listen",
        env = "FOOD_ORDERING_ORDER_SERVICES_LISTEN",
        default_value = "127.0.0.1:9080",
        value_parser = address,
        value_name = "ADDRESS"
    )]
    pub(crate) order_services: SocketAddr,
    /// Where the driver simulator listens for Restate
    #[arg(
        long = "driver-simulator-listen",
        env = "FOOD_ORDERING_DRIVER_SIMULATOR_LISTEN",
        default_value = "127.0.0.1:9081",
        value_parser = address,
        value_name = "ADDRESS"
    )]
    pub(crate) driver_simulator: SocketAddr,
    /// Where the restaurants' point of sale listens
    #[arg(
        long = "restaurant-pos-listen",
        env = "FOOD_ORDERING_RESTAURANT_POS_LISTEN",
        default_value = "127.0.0.1:5050",
        value_parser = address,
        value_name = "ADDRESS"
    )]
    pub(crate) restaurant_pos: SocketAddr,
    /// Where the payment provider listens
    #[arg(
        long = "payment-provider-listen",
        env = "FOOD_ORDERING_PAYMENT_PROVIDER_LISTEN",
        default_value = "127.0.0.1:5060",
        value_parser = address,
        value_name = "ADDRESS"
    )]
    pub(crate) payment_provider: SocketAddr,
    /// Where the psql gateway listens; an address that others can reach needs --password-file
    #[arg(
        long = "psql-gateway-listen",
        env = "FOOD_ORDERING_PSQL_GATEWAY_LISTEN",
        default_value = "127.0.0.1:9071",
        value_parser = address,
        value_name = "ADDRESS"
    )]
    pub(crate) psql_gateway: SocketAddr,
}

/// An address to listen on. Names are not taken: one like `localhost` may stand for several addresses, or for the other one.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "must be an IP address and a port: 127.0.0.1:3000 for this machine only, 0.0.0.0:3000 or [::]:3000 for all who can \
         reach it"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_to_listen_on_is_refused_with_an_example() {
        for good in ["127.0.0.1:1", "[::1]:0", "0.0.0.0:65535"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "localhost:3000",
            ":3000",
            "3000",
            "127.0.0.1",
            "127.0.0.1:65536",
        ] {
            assert!(address(bad).unwrap_err().contains("0.0.0.0:3000"), "{bad}");
        }
    }
}
