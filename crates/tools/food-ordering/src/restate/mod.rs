//! The Restate server: finding it, configuring it, talking to its admin API, reading its metrics.

pub(crate) mod admin;
pub mod binary;
pub(crate) mod config;
pub(crate) mod metrics;
