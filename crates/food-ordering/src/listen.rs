//! Where the parts listen: flags of `serve`, and of `health`, which asks there.

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
        value_name = "ADDRESS"
    )]
    pub(crate) gateway: SocketAddr,
    /// Where the order services listen for Restate
    #[arg(
        long = "order-services-listen",
        env = "FOOD_ORDERING_ORDER_SERVICES_LISTEN",
        default_value = "127.0.0.1:9080",
        value_name = "ADDRESS"
    )]
    pub(crate) order_services: SocketAddr,
    /// Where the driver simulator listens for Restate
    #[arg(
        long = "driver-simulator-listen",
        env = "FOOD_ORDERING_DRIVER_SIMULATOR_LISTEN",
        default_value = "127.0.0.1:9081",
        value_name = "ADDRESS"
    )]
    pub(crate) driver_simulator: SocketAddr,
    /// Where the restaurants' point of sale listens
    #[arg(
        long = "restaurant-pos-listen",
        env = "FOOD_ORDERING_RESTAURANT_POS_LISTEN",
        default_value = "127.0.0.1:5050",
        value_name = "ADDRESS"
    )]
    pub(crate) restaurant_pos: SocketAddr,
    /// Where the payment provider listens
    #[arg(
        long = "payment-provider-listen",
        env = "FOOD_ORDERING_PAYMENT_PROVIDER_LISTEN",
        default_value = "127.0.0.1:5060",
        value_name = "ADDRESS"
    )]
    pub(crate) payment_provider: SocketAddr,
    /// Where the psql gateway listens; an address that others can reach needs --password-file
    #[arg(
        long = "psql-gateway-listen",
        env = "FOOD_ORDERING_PSQL_GATEWAY_LISTEN",
        default_value = "127.0.0.1:9071",
        value_name = "ADDRESS"
    )]
    pub(crate) psql_gateway: SocketAddr,
}
