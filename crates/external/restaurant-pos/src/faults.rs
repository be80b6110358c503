//! The faults that are injected.

use stub_kit::fault_plan;

fault_plan! {
    /// The faults that are injected: the body of `/faults`.
    pub struct FaultPlan {
        /// The rate at which an order is refused.
        reject_rate: "rejectRate",
        /// The rate at which an order is accepted but never called back.
        silence_rate: "silenceRate",
        /// The rate at which an order is called back twice.
        duplicate_callback_rate: "duplicateCallbackRate",
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
        if self.reject_rate.occurs(reject) {
            Verdict::Refuse
        } else if self.silence_rate.occurs(silence) {
            Verdict::Cook { callbacks: 0 }
        } else if self.duplicate_callback_rate.occurs(duplicate) {
            Verdict::Cook { callbacks: 2 }
        } else {
            Verdict::Cook { callbacks: 1 }
        }
    }
}

#[cfg(test)]
mod tests {
    use stub_kit::faults::Rate;

    use super::*;

    #[test]
    fn each_fault_occurs_by_its_own_number_and_a_refusal_comes_first() {
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
