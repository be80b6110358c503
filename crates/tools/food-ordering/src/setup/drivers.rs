//! Putting simulated drivers to work.

use std::time::Duration;

use anyhow::Context;
use domain::Region;
use driver_simulator::{DriverMobileAppSimulatorIngressClient, Start, Started};
use futures::{StreamExt, TryStreamExt};
use restate_sdk::serde::Json;

use crate::http;

/// The service that simulates them.
pub(super) const SERVICE: &str = "DriverMobileAppSimulator";
/// How many drivers are woken at a time.
const AT_ONCE: usize = 16;
/// How long one may take to answer; all it does is look whether it is at work.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What the ids of a region's drivers begin with; in the region of orders that name none it is just `driver-`.
fn prefix(region: Region) -> &'static str {
    match region {
        Region::SanJose => "driver-",
        Region::Oakland => "oakland-driver-",
        Region::SanFrancisco => "san-francisco-driver-",
    }
}

/// Puts drivers 1 to `count` of `region` to work, those that are at work already excepted; says what was done. `ingress` is
/// Restate's, at each of its nodes, separated by commas.
pub async fn start(ingress: &str, count: u32, region: Region) -> anyhow::Result<String> {
    let restate = http::ingress(ingress, TIMEOUT)?;
    let already = futures::stream::iter(1..=count)
        .map(|number| {
            let driver = format!("{}{number}", prefix(region));
            let phone =
                DriverMobileAppSimulatorIngressClient::from_client(restate.clone(), &*driver);
            async move {
                // A driver who is at work already is left alone.
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
