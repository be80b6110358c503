//! The report at the end of a chaos run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use food_ordering::counted;
use food_ordering::restate::metrics;

/// Everything that is printed except the verdicts.
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) broken_off: bool,
    pub(super) at_rest: bool,
    pub(super) under_fire: Duration,
    pub(super) took: Duration,
    /// How many accepted orders are in each status.
    pub(super) ends: BTreeMap<&'static str, u32>,
    /// How many orders were rejected or cancelled for each reason.
    pub(super) reasons: BTreeMap<String, u32>,
    pub(super) recoveries: Vec<Recovery>,
    /// What each kind of fault has changed, by the name of the kind.
    pub(super) effects: BTreeMap<String, Effect>,
}

/// What the faults of one kind have changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Effect {
    /// How many faults of this kind were injected.
    pub(super) times: u32,
    /// How many items they changed in all, and what these items are.
    pub(super) count: u64,
    pub(super) what: &'static str,
}

/// At how many requests a stub has failed because of `faults`, according to its `metrics` text.
pub(super) fn requests_struck(metrics_text: &str, faults: &Value) -> u32 {
    let names = faults.as_object().into_iter().flatten();
    let requests_struck: f64 = names
        .map(|(name, _)| {
            let label = format!("fault=\"{name}\"");
            metrics::sum(metrics_text, "faults_struck_total", &[&label])
        })
        .sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of requests"
    )]
    let requests_struck = requests_struck as u32;
    requests_struck
}

/// A kill of the Restate server and the next delivered order. Times are in ms since the epoch.
pub(super) struct Recovery {
    pub(super) killed_at: i64,
    pub(super) delivered_at: Option<i64>,
}

impl Report {
    pub(super) fn print(&self) {
        say!(
            "\nSeed {}: {}; {:.0} s with faults, at rest after {:.0} s",
            self.seed,
            counted(&self.ends),
            self.under_fire.as_secs_f64(),
            self.took.as_secs_f64()
        );
        for (reason, count) in &self.reasons {
            say!("{count:>6} {reason}");
        }
        say!("\n  times  effect");
        for (kind, effect) in &self.effects {
            let Effect { times, count, what } = effect;
            say!("{times:>7}  {kind}: {count} {what}");
        }
        if self.broken_off {
            say!("Aborted: not all orders were placed in time.");
        }
        if !self.at_rest {
            say!(
                "Not at rest: orders that are still under way are checked in their present state."
            );
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
    fn struck_requests_are_counted_by_the_name_of_the_fault() {
        let metrics = r#"# TYPE faults_struck counter
faults_struck_total{fault="wrongAmountRate"} 7
faults_struck_total{fault="errorRate"} 30
# EOF
"#;
        assert_eq!(
            requests_struck(metrics, &json!({"wrongAmountRate": 0.3})),
            7
        );
        assert_eq!(requests_struck(metrics, &json!({"latencyMs": 2000})), 0);
    }
}
