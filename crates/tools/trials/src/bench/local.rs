//! Starts the system that is measured, in a temporary directory.

use std::cell::Cell;
use std::ffi::OsString;
use std::time::Instant;

use anyhow::Context;
use domain::Region;
use tempfile::TempDir;

use super::figures::{self, Meters};
use crate::own_system::OwnSystem;
use crate::usage::Process;

/// Flags of `up` that make restaurants and drivers work without pauses.
pub(crate) const PROFILE: [&str; 4] = [
    "--poll-interval=1s",
    "--move-interval=0s",
    "--pause=0s",
    "--preparation-time=0s",
];

/// A system that `food-ordering up` runs.
#[derive(Debug)]
pub(super) struct LocalSystem {
    pub(super) own: OwnSystem,
    #[expect(dead_code, reason = "removes the directory when it is dropped")]
    directory: TempDir,
    /// When its start began.
    pub(super) begin: Instant,
}

impl LocalSystem {
    /// Starts a fresh system with the flags of [`PROFILE`] and `drivers` drivers in each region, and waits until it is ready.
    pub(super) async fn start(
        drivers: u32,
        regions: &[Region],
        flags: &[OsString],
    ) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("food-ordering-bench-")
            .tempdir()
            .context("making a directory for the benchmark's data")?;
        let mut all = vec![format!("--drivers={drivers}").into()];
        all.extend((regions.iter()).map(|region| format!("--region={region}").into()));
        all.extend(PROFILE.map(OsString::from));
        all.extend_from_slice(flags);
        let begin = Instant::now();
        Ok(Self {
            own: OwnSystem::start(directory.path(), &all).await?,
            directory,
            begin,
        })
    }

    pub(super) fn meters(&self) -> anyhow::Result<Meters> {
        Ok(Meters {
            processes: (self.own.processes()?.into_iter())
                .map(|(name, pid)| Process { name, pid })
                .collect(),
            kafka: figures::kafka(&self.own.kafka()?)?,
            topics: domain::topic::ALL.map(|(topic, _)| topic.to_owned()).into(),
            updates_topic: domain::topic::DRIVER_UPDATES.to_owned(),
            metrics_urls: (self.own.nodes("restate-node")?.each())
                .map(|node| format!("{node}/metrics"))
                .collect(),
            services_urls: ["order-services", "driver-simulator"]
                .map(|part| Ok(format!("{}/metrics", self.own.address(part)?)))
                .into_iter()
                .collect::<anyhow::Result<_>>()?,
            peak_together: Cell::default(),
        })
    }
}
