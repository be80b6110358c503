//! All measurements of a soak run, in memory and in files that are written during the run.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::drift::{Allowed, Series};
use super::meters::{Kept, Meters, SOAK, Sample, Samples};
use super::under_way::Waiting;
use crate::load::timeline::Stage;

/// The samples of processes, one line each.
const SAMPLES: &str = "samples.csv";
/// One JSON object a minute.
const MINUTES: &str = "minutes.jsonl";

/// All measurements so far.
pub(super) struct Measurements {
    samples: Vec<Samples>,
    minutes: Vec<Minute>,
    samples_file: File,
    minutes_file: File,
}

/// The measurements of one minute.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Minute {
    /// Seconds since the first order.
    pub(super) at: f64,
    /// Orders that ended in this minute.
    pub(super) ended: u64,
    pub(super) ended_so_far: u64,
    pub(super) under_way: usize,
    pub(super) without_driver: usize,
    pub(super) services_mib: f64,
    pub(super) runtime_mib: f64,
    pub(super) soak_mib: f64,
    pub(super) open_files: usize,
    /// Cores that were busy.
    pub(super) services_cores: f64,
    pub(super) runtime_cores: f64,
    pub(super) kept: Kept,
    pub(super) stages: Vec<Stage>,
    /// The index of the sample at the end of this minute.
    #[serde(skip)]
    sample: usize,
}

impl Minute {
    /// The times from publication to delivery of the orders that were delivered in this minute.
    pub(super) fn whole(&self) -> Option<&Stage> {
        self.stages.last().filter(|stage| stage.orders > 0)
    }
}

impl Measurements {
    /// Creates the files in `directory`.
    pub(super) fn create(directory: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("creating {}", directory.display()))?;
        let create = |name: &str| {
            let path = directory.join(name);
            File::create(&path).with_context(|| format!("writing {}", path.display()))
        };
        let mut samples_file = create(SAMPLES)?;
        writeln!(
            samples_file,
            "seconds,process,pss_kib,rss_kib,open_files,cpu_seconds"
        )?;
        Ok(Self {
            samples: Vec::with_capacity(1024),
            minutes: Vec::with_capacity(128),
            samples_file,
            minutes_file: create(MINUTES)?,
        })
    }

    pub(super) fn sampled(&mut self, samples: Samples, meters: &Meters) -> anyhow::Result<()> {
        for (name, sample) in meters.names().zip(&samples.each) {
            let Sample {
                pss_kib,
                rss_kib,
                open_files,
                cpu_seconds,
            } = sample;
            writeln!(
                self.samples_file,
                "{:.1},{name},{pss_kib},{rss_kib},{open_files},{cpu_seconds:.2}",
                samples.at
            )?;
        }
        self.samples.push(samples);
        Ok(())
    }

    /// Records a minute and returns it.
    pub(super) fn minute(
        &mut self,
        at: Duration,
        (stages, waiting, ended_so_far): (Vec<Stage>, Waiting, u64),
        kept: Kept,
        meters: &Meters,
    ) -> anyhow::Result<&Minute> {
        let (before_ended, before_sample) = self
            .minutes
            .last()
            .map_or((0, 0), |minute| (minute.ended_so_far, minute.sample));
        let sample = self.samples.len() - 1;
        let last = &self.samples[sample];
        let before = &self.samples[before_sample];
        let cores = |part: &dyn Fn(usize) -> bool| {
            let busy = sum(last, part, |sample| sample.cpu_seconds)
                - sum(before, part, |sample| sample.cpu_seconds);
            busy / (last.at - before.at).max(1.0)
        };
        let service = |index| meters.is_service(index);
        let runtime = |index| meters.is_runtime(index);
        let minute = Minute {
            at: at.as_secs_f64(),
            ended: ended_so_far - before_ended,
            ended_so_far,
            under_way: waiting.under_way,
            without_driver: waiting.without_driver,
            services_mib: sum(last, &service, mib),
            runtime_mib: sum(last, &runtime, mib),
            soak_mib: sum(last, &|index| meters.is(index, SOAK), mib),
            open_files: last.each.iter().map(|sample| sample.open_files).sum(),
            services_cores: cores(&service),
            runtime_cores: cores(&runtime),
            kept,
            stages,
            sample,
        };
        serde_json::to_writer(&mut self.minutes_file, &minute)?;
        writeln!(self.minutes_file)?;
        Ok(self.minutes.push_mut(minute))
    }

    /// All figures between the end of the warm-up and the last order.
    pub(super) fn figures(&self, warm_up: Duration, end: Duration, meters: &Meters) -> Vec<Series> {
        let measured = warm_up.as_secs_f64()..=end.as_secs_f64() + 5.0;
        let of_samples = |part: &dyn Fn(usize) -> bool, figure: fn(&Sample) -> f64| {
            let samples = self.samples.iter();
            samples
                .filter(|samples| measured.contains(&samples.at))
                .map(|samples| (samples.at, sum(samples, part, figure)))
                .collect()
        };
        let of_minutes = |figure: &dyn Fn(&Minute) -> Option<f64>| {
            let minutes = self.minutes.iter();
            minutes
                .filter(|minute| measured.contains(&minute.at))
                .filter_map(|minute| Some((minute.at, figure(minute)?)))
                .collect()
        };
        let mut all = vec![
            series(
                "memory of all services together (PSS)",
                "MiB",
                Some(SERVICES_MEMORY),
                of_samples(&|index| meters.is_service(index), mib),
            ),
            series(
                "memory of the runtime (PSS)",
                "MiB",
                Some(RUNTIME_MEMORY),
                of_samples(&|index| meters.is_runtime(index), mib),
            ),
            series(
                "memory of the load generator (PSS)",
                "MiB",
                Some(SERVICES_MEMORY),
                of_samples(&|index| meters.is(index, SOAK), mib),
            ),
            series(
                "open files and sockets",
                "",
                Some(OPEN_FILES),
                of_samples(&|_| true, |sample| count(sample.open_files as u64)),
            ),
            series(
                "published → DELIVERED, p50",
                "ms",
                Some(P50),
                of_minutes(&|minute| Some(count(minute.whole()?.p50_ms))),
            ),
            series(
                "published → DELIVERED, p95",
                "ms",
                Some(P95),
                of_minutes(&|minute| Some(count(minute.whole()?.p95_ms))),
            ),
            series(
                "CPU of the services per order",
                "ms",
                Some(CPU),
                of_minutes(&|minute| minute.per_order(minute.services_cores)),
            ),
            series(
                "CPU of the runtime per order",
                "ms",
                Some(CPU),
                of_minutes(&|minute| minute.per_order(minute.runtime_cores)),
            ),
            series(
                "transient state, entries",
                "",
                Some(ROWS),
                of_minutes(&|minute| Some(count(minute.kept.transient()))),
            ),
            series(
                "stored invocations",
                "",
                Some(ROWS),
                of_minutes(&|minute| Some(count(minute.kept.invocations()))),
            ),
            series(
                "state of ended orders, kept for ever",
                "",
                None,
                of_minutes(&|minute| Some(count(minute.kept.permanent()))),
            ),
            series(
                "the runtime's disk",
                "MiB",
                None,
                of_minutes(&|minute| Some(minute.kept.disk_mib)),
            ),
        ];
        for (index, name) in meters.names().enumerate() {
            if meters.is_service(index) || meters.is(index, "kafka") {
                let points = of_samples(&|other| other == index, mib);
                all.push(series(&format!("  memory of {name}"), "MiB", None, points));
            }
        }
        all
    }
}

impl Minute {
    /// Ended orders per second.
    pub(super) fn rate(&self) -> f64 {
        count(self.ended) / 60.0
    }

    /// CPU time in ms per ended order.
    fn per_order(&self, cores: f64) -> Option<f64> {
        (self.ended > 0).then(|| cores * 60.0 * 1e3 / count(self.ended))
    }
}

// What counts as flat. docs/operating.md repeats these figures.
const SERVICES_MEMORY: Allowed = Allowed::new(0.05, 3.0);
/// Higher, because the runtime's caches and write buffers grow up to their limit (`rocksdb-total-memory-size`).
const RUNTIME_MEMORY: Allowed = Allowed::new(0.10, 16.0);
const OPEN_FILES: Allowed = Allowed::new(0.05, 10.0);
const P50: Allowed = Allowed::new(0.10, 20.0);
const P95: Allowed = Allowed::new(0.20, 50.0);
const CPU: Allowed = Allowed::new(0.10, 0.5);
const ROWS: Allowed = Allowed::new(0.05, 100.0);

fn series(
    what: &str,
    unit: &'static str,
    allowed: Option<Allowed>,
    points: Vec<(f64, f64)>,
) -> Series {
    Series {
        what: what.to_owned(),
        unit,
        allowed,
        points,
    }
}

fn sum(samples: &Samples, part: &dyn Fn(usize) -> bool, figure: fn(&Sample) -> f64) -> f64 {
    let each = samples.each.iter().enumerate();
    each.filter(|(index, _)| part(*index))
        .map(|(_, sample)| figure(sample))
        .sum()
}

fn mib(sample: &Sample) -> f64 {
    count(sample.pss_kib) / 1024.0
}

fn count(number: u64) -> f64 {
    // Exact as far as it matters here.
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
