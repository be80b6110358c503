//! The lines and the report that are printed, and the report as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use domain::Status;
use serde::Serialize;

use super::drift::{Drift, Series};
use super::measurements::Minute;
use crate::load::timeline::{self, Stage};
use food_ordering::{counted, files};

/// Everything that is reported except the invariants.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) orders: u32,
    pub(super) rate: f64,
    pub(super) seconds: f64,
    pub(super) warm_up_seconds: f64,
    pub(super) drivers_in_each_region: u32,
    pub(super) ends: BTreeMap<&'static str, u64>,
    /// How many orders Kafka did not accept.
    pub(super) refused: usize,
    pub(super) stages: Vec<Stage>,
    pub(super) drifts: Vec<Drift>,
    /// Figures with too few points for a verdict.
    pub(super) undecided: Vec<String>,
}

const FILE: &str = "report.json";

/// The header of the lines for each minute.
pub(super) fn head() -> String {
    format!(
        "\n{:>4} {:>8} {:>8} {:>6} {:>7} {:>7} {:>8} {:>8} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>8} {:>8}",
        "min",
        "ended",
        "orders/s",
        "u.way",
        "p50 ms",
        "p95 ms",
        "services",
        "runtime",
        "soak",
        "files",
        "cores",
        "rt.c.",
        "state",
        "for ever",
        "invoc.",
        "disk MiB"
    )
}

/// A minute on one line.
pub(super) fn line(minute: &Minute) -> String {
    let whole = minute.whole();
    let ms = |percentile: fn(&Stage) -> u64| whole.map_or(0, percentile);
    format!(
        "{:>4.0} {:>8} {:>8.1} {:>6} {:>7} {:>7} {:>8.1} {:>8.1} {:>6.1} {:>6} {:>6.2} {:>6.2} {:>8} {:>8} {:>8} {:>8.0}",
        minute.at / 60.0,
        minute.ended_so_far,
        minute.rate(),
        minute.under_way,
        ms(|stage| stage.p50_ms),
        ms(|stage| stage.p95_ms),
        minute.services_mib,
        minute.runtime_mib,
        minute.soak_mib,
        minute.open_files,
        minute.services_cores,
        minute.runtime_cores,
        minute.kept.transient(),
        minute.kept.permanent(),
        minute.kept.invocations(),
        minute.kept.disk_mib
    )
}

impl Report {
    /// Adds the drift of each figure, or its name to `undecided`.
    pub(super) fn with(mut self, figures: Vec<Series>) -> Self {
        for series in figures {
            match series.drift() {
                Some(drift) => self.drifts.push(drift),
                None => self.undecided.push(series.what),
            }
        }
        self
    }

    pub(super) fn print(&self) {
        say!(
            "\n{} orders at {} a second: {}\n\nAfter the warm-up of {:.0} s:\n{}",
            self.orders,
            self.rate,
            counted(&self.ends),
            self.warm_up_seconds,
            timeline::table(&self.stages)
        );
        say!(
            "  {:<42}{:>10}{:>10}{:>10}{:>12}  ",
            "median of the first and the last third",
            "first",
            "last",
            "change",
            "slope/hour"
        );
        for drift in &self.drifts {
            let change = if drift.first > 0.0 {
                format!("{:+.1} %", (drift.last / drift.first - 1.0) * 100.0)
            } else {
                String::new()
            };
            let verdict = match drift.allowed {
                None => "",
                Some(_) if drift.is_flat => "flat",
                Some(_) => "RISES",
            };
            let what = match drift.unit {
                "" => drift.what.clone(),
                unit => format!("{}, {unit}", drift.what),
            };
            say!(
                "  {what:<42}{:>10.1}{:>10.1}{change:>10}{:>12.1}  {verdict}",
                drift.first,
                drift.last,
                drift.slope_per_hour
            );
        }
        if !self.undecided.is_empty() {
            say!(
                "\nThe run was too short for a verdict on: {}.",
                self.undecided.join("; ")
            );
        }
    }

    /// Writes the report as JSON to `directory`.
    pub(super) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let path = directory.join(FILE);
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        files::write_atomically(&path, json)
            .with_context(|| format!("writing {}", path.display()))?;
        say!(
            "\nSamples, minutes and this report are in {}.",
            directory.display()
        );
        Ok(())
    }

    /// Fails if an order was not delivered: a soak run gives orders no reason to end otherwise.
    pub(super) fn all_delivered(&self) -> anyhow::Result<()> {
        let delivered = self.ends.get(Status::Delivered.name()).copied();
        let delivered = delivered.unwrap_or_default();
        if delivered != u64::from(self.orders) {
            bail!("{delivered} of {} orders were delivered", self.orders);
        }
        Ok(())
    }

    /// Fails if a figure rose by more than is allowed.
    pub(super) fn all_flat(&self) -> anyhow::Result<()> {
        let rising: Vec<&str> = self
            .drifts
            .iter()
            .filter(|drift| !drift.is_flat)
            .map(|drift| drift.what.as_str())
            .collect();
        if !rising.is_empty() {
            bail!("not flat: {}", rising.join("; "));
        }
        Ok(())
    }
}
