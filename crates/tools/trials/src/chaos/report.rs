//! What is printed in the end.

use std::collections::BTreeMap;
use std::time::Duration;

/// Everything beside the verdicts.
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) broken_off: bool,
    pub(super) at_rest: bool,
    pub(super) under_fire: Duration,
    pub(super) took: Duration,
    /// How many orders ended how.
    pub(super) ends: BTreeMap<&'static str, u32>,
    pub(super) recoveries: Vec<Recovery>,
}

/// From a kill of the Restate server to the next delivered order. Times are in ms since the epoch.
pub(super) struct Recovery {
    pub(super) killed_at: i64,
    pub(super) delivered_at: Option<i64>,
}

impl Report {
    pub(super) fn print(&self) {
        let ends: Vec<String> = self
            .ends
            .iter()
            .map(|(end, count)| format!("{count} {end}"))
            .collect();
        say!(
            "\nSeed {}: {}; {:.0} s under fire, at rest after {:.0} s",
            self.seed,
            ends.join(", "),
            self.under_fire.as_secs_f64(),
            self.took.as_secs_f64()
        );
        if self.broken_off {
            say!("Broken off: not all orders were placed in time.");
        }
        if !self.at_rest {
            say!("Not at rest: what is under way still is judged as it stands.");
        }
        for recovery in &self.recoveries {
            let Some(at) = recovery.delivered_at else {
                say!("Restate server killed: no order was delivered after that");
                continue;
            };
            let ms = u64::try_from(at - recovery.killed_at).unwrap_or(0);
            let seconds = Duration::from_millis(ms).as_secs_f64();
            say!("Restate server killed: the next order was delivered after {seconds:.1} s");
        }
    }
}
