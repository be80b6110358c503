//! The faults that are injected.

use domain::json::Fields;
use serde::Serialize;
use stub_kit::faults::{Latency, Plan, Rate};

/// The faults that are injected: the body of `/faults`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultPlan {
    /// The rate at which a request to prepare or cancel is answered with 503, and nothing is done.
    pub error_rate: Rate,
    /// The rate at which a request to prepare or cancel gets an invalid answer: a page, a redirect, too little, too much. In half of
    /// these cases it was carried out before.
    pub nonsense_rate: Rate,
    /// How long a request to prepare or cancel waits before anything is done, in milliseconds.
    pub latency_ms: Latency,
    /// The rate at which an order is refused.
    pub reject_rate: Rate,
    /// The rate at which an order is accepted but never called back.
    pub silence_rate: Rate,
    /// The rate at which an order is called back twice.
    pub duplicate_callback_rate: Rate,
}

impl Plan for FaultPlan {
    fn changed(self, fields: &mut Fields<'_, '_>) -> Option<Self> {
        let mut rate = |name, now: Rate| fields.optional_or(name, Rate::from_json, || Ok(now));
        let error_rate = rate("errorRate", self.error_rate);
        let nonsense_rate = rate("nonsenseRate", self.nonsense_rate);
        let reject_rate = rate("rejectRate", self.reject_rate);
        let silence_rate = rate("silenceRate", self.silence_rate);
        let duplicates = rate("duplicateCallbackRate", self.duplicate_callback_rate);
        let latency = fields.optional_or("latencyMs", Latency::from_json, || Ok(self.latency_ms));
        Some(Self {
            error_rate: error_rate?,
            nonsense_rate: nonsense_rate?,
            reject_rate: reject_rate?,
            silence_rate: silence_rate?,
            duplicate_callback_rate: duplicates?,
            latency_ms: latency?,
        })
    }

    fn error_rate(&self) -> Rate {
        self.error_rate
    }

    fn nonsense_rate(&self) -> Rate {
        self.nonsense_rate
    }

    fn latency(&self) -> Latency {
        self.latency_ms
    }
}

/// The decision about a new order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Refuse,
    /// Cook it, and call back this many times.
    Cook {
        callbacks: u8,
    },
}

impl Verdict {
    /// The fault that led to this decision, by its name in `/faults`.
    pub(crate) fn fault(self) -> Option<&'static str> {
        match self {
            Self::Refuse => Some("rejectRate"),
            Self::Cook { callbacks: 0 } => Some("silenceRate"),
            Self::Cook { callbacks: 1 } => None,
            Self::Cook { .. } => Some("duplicateCallbackRate"),
        }
    }
}

impl FaultPlan {
    /// Decides on a new order, given a random number for each fault.
    pub(crate) fn verdict(&self, [reject, silence, duplicate]: [f64; 3]) -> Verdict {
        if self.reject_rate.strikes(reject) {
            Verdict::Refuse
        } else if self.silence_rate.strikes(silence) {
            Verdict::Cook { callbacks: 0 }
        } else if self.duplicate_callback_rate.strikes(duplicate) {
            Verdict::Cook { callbacks: 2 }
        } else {
            Verdict::Cook { callbacks: 1 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_strikes_by_its_own_number_and_a_refusal_comes_first() {
        let half = Rate::try_from(0.5).unwrap();
        let plan = FaultPlan {
            reject_rate: half,
            silence_rate: half,
            duplicate_callback_rate: half,
            ..FaultPlan::default()
        };
        for (draws, verdict) in [
            ([0.4, 0.4, 0.4], Verdict::Refuse),
            ([0.6, 0.4, 0.4], Verdict::Cook { callbacks: 0 }),
            ([0.6, 0.6, 0.4], Verdict::Cook { callbacks: 2 }),
            ([0.6, 0.6, 0.6], Verdict::Cook { callbacks: 1 }),
        ] {
            assert_eq!(plan.verdict(draws), verdict, "{draws:?}");
        }
        assert_eq!(
            FaultPlan::default().verdict([0.0; 3]),
            Verdict::Cook { callbacks: 1 }
        );
    }
}
