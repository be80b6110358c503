//! How fast orders are processed: the times of the stages, and deliveries per second.

use std::collections::VecDeque;

use domain::Status;
use serde::Serialize;

use super::order::Stage;

/// How far back the times of the stages go, in ms.
const WINDOW_MS: i64 = 5 * 60 * 1000;
/// How many times are kept for a stage.
const SAMPLES: usize = 2_000;
/// How far back the throughput goes, in seconds.
const SECONDS: i64 = 60;
/// How many seconds with deliveries are kept.
const KEPT_SECONDS: usize = 600;

/// The stages that are timed, in the order of an order's life.
pub(crate) const STAGES: [Status; 6] = [
    Status::Created,
    Status::Scheduled,
    Status::InPreparation,
    Status::SchedulingDelivery,
    Status::WaitingForDriver,
    Status::InDelivery,
];

/// The figures of the last minutes.
#[derive(Default)]
pub(crate) struct Figures {
    /// When each stage ended, and how long it lasted.
    stages: [VecDeque<(i64, i64)>; STAGES.len()],
    /// Deliveries by second. The second reported last is at the end; after a clock was set back, that is not the latest one.
    delivered: VecDeque<(i64, u32)>,
}

/// How long a stage lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StageTimes {
    stage: Status,
    p50_ms: i64,
    p95_ms: i64,
}

/// How many orders were delivered in a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Throughput {
    at: i64,
    per_second: u32,
}

impl Figures {
    /// Records the end of a stage.
    pub(crate) fn ended(&mut self, stage: Stage, at: i64) {
        let Some(n) = STAGES.iter().position(|status| *status == stage.status) else {
            return;
        };
        let samples = &mut self.stages[n];
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back((at, stage.lasted_ms));
    }

    /// Records a delivery.
    pub(crate) fn delivered(&mut self, at: i64) {
        let second = at.div_euclid(1000);
        if let Some((_, count)) = self.delivered.iter_mut().rfind(|(at, _)| *at == second) {
            *count += 1;
            return;
        }
        // Other clocks may differ from this one, so more seconds are kept than are shown.
        if self.delivered.len() == KEPT_SECONDS {
            self.delivered.pop_front();
        }
        self.delivered.push_back((second, 1));
    }

    /// The times of the stages that ended recently.
    pub(crate) fn stages(&self, now: i64) -> Vec<StageTimes> {
        (STAGES.iter().zip(&self.stages))
            .filter_map(|(&stage, samples)| {
                let mut times: Vec<i64> = (samples.iter())
                    .filter(|(at, _)| at.abs_diff(now) < WINDOW_MS.unsigned_abs())
                    .map(|(_, lasted)| *lasted)
                    .collect();
                times.sort_unstable();
                Some(StageTimes {
                    stage,
                    p50_ms: percentile(&times, 50)?,
                    p95_ms: percentile(&times, 95)?,
                })
            })
            .collect()
    }

    /// Deliveries in each of the last sixty complete seconds.
    pub(crate) fn throughput(&self, now: i64) -> Vec<Throughput> {
        let this_second = now.div_euclid(1000);
        (this_second - SECONDS..this_second)
            .map(|second| {
                let mut delivered = self.delivered.iter();
                let count = delivered.rfind(|(at, _)| *at == second);
                Throughput {
                    at: second * 1000,
                    per_second: count.map_or(0, |(_, count)| *count),
                }
            })
            .collect()
    }
}

/// The smallest of the `sorted` values that `percent` of them do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_last_minutes_by_nearest_rank() {
        let mut figures = Figures::default();
        let now = 10_000_000;
        let stage = |lasted_ms| Stage {
            status: Status::InPreparation,
            lasted_ms,
        };
        figures.ended(stage(999_999), now - WINDOW_MS);
        for lasted in (1..=100).rev() {
            figures.ended(stage(lasted), now);
        }
        figures.ended(
            Stage {
                status: Status::New,
                lasted_ms: 1,
            },
            now,
        );
        assert_eq!(
            figures.stages(now),
            [StageTimes {
                stage: Status::InPreparation,
                p50_ms: 50,
                p95_ms: 95
            }]
        );
        assert_eq!(percentile(&[], 95), None);
        assert_eq!(percentile(&[7], 50), Some(7));
    }

    #[test]
    fn deliveries_are_counted_by_second_and_the_present_second_is_left_out() {
        let mut figures = Figures::default();
        for at in [99_999, 98_000, 98_999, 100_000, 39_000] {
            figures.delivered(at);
        }
        let throughput = figures.throughput(100_500);
        assert_eq!(throughput.len(), 60);
        assert_eq!((throughput[0].at, throughput[59].at), (40_000, 99_000));
        let counts: Vec<u32> = throughput[57..].iter().map(|t| t.per_second).collect();
        assert_eq!(counts, [0, 2, 1]);
    }

    #[test]
    fn after_a_clock_was_set_back_what_comes_now_is_counted() {
        let mut figures = Figures::default();
        let stage = |lasted_ms| Stage {
            status: Status::InPreparation,
            lasted_ms,
        };
        let (now, ahead) = (10_000_000, 13_600_000);
        for second in 0..1_000 {
            figures.delivered(ahead + second * 1000);
            figures.ended(stage(9), ahead + second * 1000);
        }
        figures.delivered(now);
        figures.ended(stage(5), now);
        let throughput = figures.throughput(now + 1000);
        assert_eq!(throughput.last().map(|last| last.per_second), Some(1));
        assert_eq!(figures.stages(now)[0].p95_ms, 5);
    }
}
