//! Counts what the edge refuses.

use telemetry::metrics::Counters;

static REFUSALS: Counters<1> = Counters::new(
    "refusals",
    "Requests and connections that the gateway has refused to protect itself or an order",
    ["reason"],
);

pub(crate) fn count(reason: &'static str) {
    REFUSALS.inc([reason]);
}
