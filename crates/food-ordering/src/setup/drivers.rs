//! Putting simulated drivers to work.

use std::time::Duration;

use anyhow::Context;
use domain::Region;
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::json;

use crate::http;

/// How many drivers are woken at a time.
const AT_ONCE: usize = 16;
/// How long one may take to answer; all it does is look whether it is at work.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Puts drivers `driver-1` to `driver-<count>` to work in `region`, those that are at work already excepted; says what was done.
pub(crate) async fn start(ingress: &str, count: u32, region: Region) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Started {
        already: bool,
    }
    let client = http::client(TIMEOUT)?;
    let ingress = ingress.trim_end_matches('/');
    let already = futures::stream::iter(1..=count)
        .map(|number| {
            let url = format!("{ingress}/DriverMobileAppSimulator/driver-{number}/startDriver");
            let request = client.post(url).json(&json!({"region": region}));
            async move {
                let started: Started = http::json(request)
                    .await
                    .with_context(|| format!("starting driver-{number}"))?;
                anyhow::Ok(u32::from(started.already))
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
