//! Decides whether a figure stays flat. Pure functions.
//!
//! The verdict compares the medians of the first and the last third of the points after the warm-up, because a few outliers
//! hardly move a median. Only a rise counts. The report also shows the Theil–Sen slope (the median of the slopes between all
//! pairs of points) as the rise per hour.

use serde::Serialize;

/// With fewer points there is no verdict.
const LEAST_POINTS: usize = 6;
/// The largest number of points that the slope is computed from. The number of pairs grows with its square.
const MOST_POINTS: usize = 600;

/// How much a figure may rise and still count as flat: up to the larger of the two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Allowed {
    /// As a share of the first third's median.
    pub(super) share: f64,
    /// In the figure's unit.
    pub(super) absolute: f64,
}

impl Allowed {
    pub(super) const fn new(share: f64, absolute: f64) -> Self {
        Self { share, absolute }
    }
}

/// A figure over time.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) what: String,
    pub(super) unit: &'static str,
    /// What counts as flat; `None` if the figure is only reported.
    pub(super) allowed: Option<Allowed>,
    /// Pairs of seconds and value, in chronological order.
    pub(super) points: Vec<(f64, f64)>,
}

/// How a figure has changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drift {
    pub(super) what: String,
    pub(super) unit: &'static str,
    /// The median of the first third.
    pub(super) first: f64,
    /// The median of the last third.
    pub(super) last: f64,
    pub(super) slope_per_hour: f64,
    pub(super) allowed: Option<Allowed>,
    pub(super) is_flat: bool,
}

impl Series {
    /// How it has changed; `None` if there are too few points.
    pub(super) fn drift(&self) -> Option<Drift> {
        let third = self.points.len() / 3;
        if self.points.len() < LEAST_POINTS {
            return None;
        }
        let values = |points: &[(f64, f64)]| points.iter().map(|(_, value)| *value).collect();
        let first = median(values(&self.points[..third]));
        let last = median(values(&self.points[self.points.len() - third..]));
        Some(Drift {
            what: self.what.clone(),
            unit: self.unit,
            first,
            last,
            slope_per_hour: theil_sen(&self.points) * 3600.0,
            allowed: self.allowed,
            is_flat: self.allowed.is_none_or(|allowed| {
                last - first <= (first * allowed.share).max(allowed.absolute)
            }),
        })
    }
}

/// The median of the slopes between all pairs of points.
fn theil_sen(points: &[(f64, f64)]) -> f64 {
    let stride = points.len().div_ceil(MOST_POINTS).max(1);
    let points: Vec<_> = points.iter().step_by(stride).collect();
    let slopes = points.iter().enumerate().flat_map(|(number, (x, y))| {
        points[number + 1..]
            .iter()
            .filter(move |(later, _)| later > x)
            .map(move |(later, other)| (other - y) / (later - x))
    });
    median(slopes.collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: Allowed = Allowed::new(0.05, 1.0);

    fn drift(value: impl Fn(u32) -> f64) -> Drift {
        let points = (0..180).map(|at| (f64::from(at) * 10.0, value(at)));
        let series = Series {
            what: "memory".to_owned(),
            unit: "MiB",
            allowed: Some(ALLOWED),
            points: points.collect(),
        };
        series.drift().unwrap()
    }

    #[test]
    fn noise_and_outliers_are_flat_and_a_slow_leak_is_not() {
        let noisy = |at: u32| 100.0 + f64::from(at * 7919 % 13);
        let flat = drift(noisy);
        assert!(flat.is_flat, "{flat:?}");
        assert!(flat.slope_per_hour.abs() < 3.0, "{flat:?}");

        let outliers = drift(|at| {
            if at > 120 && at % 5 == 0 {
                1000.0
            } else {
                noisy(at)
            }
        });
        assert!(outliers.is_flat, "{outliers:?}");

        // A MiB every 100 s.
        let leak = drift(|at| noisy(at) + f64::from(at) / 10.0);
        assert!(!leak.is_flat, "{leak:?}");
        assert!((leak.slope_per_hour - 36.0).abs() < 3.0, "{leak:?}");
    }

    #[test]
    fn a_fall_and_a_negligible_rise_are_flat() {
        assert!(drift(|at| 500.0 - f64::from(at)).is_flat);
        assert!(drift(|at| f64::from(at) / 200.0).is_flat);
    }

    #[test]
    fn too_few_points_give_no_verdict() {
        let series = |points| Series {
            what: "p50".to_owned(),
            unit: "ms",
            allowed: None,
            points: vec![(0.0, 1.0); points],
        };
        assert_eq!(series(5).drift(), None);
        assert!(series(6).drift().is_some());
    }
}
