//! Starts the simulated drivers.

use std::time::Duration;

use anyhow::Context;
use domain::Region;
use driver_simulator::{DriverMobileAppSimulatorIngressClient, Start, Started};
use futures::{StreamExt, TryStreamExt};
use restate_sdk::serde::Json;

use crate::http;

/// The service that simulates them.
pub(super) const SERVICE: &str = "DriverMobileAppSimulator";
/// How many drivers are started at a time.
const AT_ONCE: usize = 16;
/// How long a driver may take to answer; it only checks whether it is at work.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The prefix of the ids of a region's drivers. The default region has the short prefix `driver-`.
fn prefix(region: Region) -> &'static str {
    match region {
        Region::SanJose => "driver-",
        Region::Oakland => "oakland-driver-",
        Region::SanFrancisco => "san-francisco-driver-",
    }
}

/// Starts drivers 1 to `count` of `region`, except those that are at work already. Returns a line about what was done. `ingress`
/// has the addresses of Restate's ingress, one for each node, separated by commas.
pub async fn start(ingress: &str, count: u32, region: Region) -> anyhow::Result<String> {
    let restate = http::ingress(ingress, TIMEOUT)?;
    let already = futures::stream::iter(1..=count)
        .map(|number| {
            let driver = format!("{}{number}", prefix(region));
            let phone =
                DriverMobileAppSimulatorIngressClient::from_client(restate.clone(), &*driver);
            async move {
                let started = phone
                    .start_driver(Some(Json(Start { region })))
                    .call()
                    .await;
                let Started { already } =
                    http::answered(started).with_context(|| format!("starting {driver}"))?;
                anyhow::Ok(u32::from(already))
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(0, async |sum, already| Ok(sum + already))
        .await?;
    Ok(format!(
        "{count} drivers in {region}: {already} were at work already, {} started",
        count - already
    ))
}
