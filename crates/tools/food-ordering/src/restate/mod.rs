//! The Restate server: finding it, configuring it, talking to its admin API, reading its metrics.

pub mod admin;
pub mod binary;
pub(crate) mod config;
pub mod metrics;
