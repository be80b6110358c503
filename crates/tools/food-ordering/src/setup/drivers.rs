//! Putting simulated drivers to work.

use std::time::Duration;

use anyhow::Context;
use domain::Region;
use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::json;
use upstream::{Attempt, Repeat};

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
pub(crate) async fn start(ingress: &str, count: u32, region: Region) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Started {
        already: bool,
    }
    let client = http::client(TIMEOUT)?;
    let nodes = http::upstream("Restate's ingress", ingress, TIMEOUT)?;
    let already = futures::stream::iter(1..=count)
        .map(|number| {
            let driver = format!("{}{number}", prefix(region));
            let (client, nodes) = (&client, &nodes);
            async move {
                let path = format!("{SERVICE}/{}/startDriver", http::encoded(&driver));
                let attempt = |Attempt { base, limit }| {
                    let request = client.post(http::below(&base, &path)).timeout(limit);
                    request.json(&json!({"region": region})).send()
                };
                let started = async {
                    // Who is at work already is left alone.
                    let answer = nodes.ask(Repeat::Harmless, attempt).await?;
                    http::read::<Started>(http::check(answer).await?).await
                };
                let started = (started.await).with_context(|| format!("starting {driver}"))?;
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
