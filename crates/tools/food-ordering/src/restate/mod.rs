//! The Restate server: finding the binary, configuring it, its admin API, reading its metrics.

pub mod admin;
pub mod binary;
pub(crate) mod config;
pub mod metrics;
