//! What is printed in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use food_ordering::restate::metrics;

/// Everything beside the verdicts.
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) broken_off: bool,
    pub(super) at_rest: bool,
    pub(super) under_fire: Duration,
    pub(super) took: Duration,
    /// How many orders ended how.
    pub(super) ends: BTreeMap<&'static str, u32>,
    /// How many orders were rejected or cancelled for which reason.
    pub(super) reasons: BTreeMap<String, u32>,
    pub(super) recoveries: Vec<Recovery>,
    /// What each kind of fault has changed.
    pub(super) effects: BTreeMap<String, Effect>,
}

/// What faults of one kind have changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Effect {
    /// How often one has struck.
    pub(super) strikes: u32,
    /// How much they have changed altogether, and of what.
    pub(super) count: u64,
    pub(super) what: &'static str,
}

/// At how many requests `faults` have struck, as the metrics of a stub have it.
pub(super) fn struck(told: &str, faults: &Value) -> u32 {
    let names = faults.as_object().into_iter().flatten();
    let struck: f64 = names
        .map(|(name, _)| {
            let label = format!("fault=\"{name}\"");
            metrics::sum(told, "faults_struck_total", &[&label])
        })
        .sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of requests"
    )]
    let struck = struck as u32;
    struck
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
        for (reason, count) in &self.reasons {
            say!("{count:>6} {reason}");
        }
        say!("\nstrikes  effect");
        for (kind, effect) in &self.effects {
            let Effect {
                strikes,
                count,
                what,
            } = effect;
            say!("{strikes:>7}  {kind}: {count} {what}");
        }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_requests_at_which_a_fault_has_struck_are_those_of_its_name() {
        let told = r#"# TYPE faults_struck counter
faults_struck_total{fault="wrongAmountRate"} 7
faults_struck_total{fault="errorRate"} 30
# EOF
"#;
        assert_eq!(struck(told, &json!({"wrongAmountRate": 0.3})), 7);
        assert_eq!(struck(told, &json!({"latencyMs": 2000})), 0);
    }
}
