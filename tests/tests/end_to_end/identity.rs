//! The services accept requests only from the Restate server that has the signing key.

use std::fs;

use anyhow::Context;
use end_to_end_tests::{Options, SOON, System, eventually, http, order};
use reqwest::StatusCode;
use secrets::keys;
use secrets::testing::Signer;

/// The media type in which Restate requests the endpoint manifest.
const MANIFEST: &str = "application/vnd.restate.endpointmanifest.v4+json";
/// A call that could end any order, if the service accepted it.
const SET_STATUS: &str = "/invoke/OrderStatusService/setStatus";

#[tokio::test]
async fn requests_without_restates_signature_are_refused_and_orders_are_delivered()
-> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    let elsewhere = tempfile::tempdir()?;
    keys::make_missing(elsewhere.path())?;
    let stranger = Signer::open(elsewhere.path())?;
    let http = http();
    for part in ["order-services", "driver-simulator"] {
        let base = system.address(part)?;
        for path in ["/discover", SET_STATUS, "/invoke/OrderWorkflow/run"] {
            for headers in [Vec::new(), stranger.headers(path, now()).to_vec()] {
                let mut request = http.post(format!("{base}{path}"));
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let refused = request.send().await?;
                assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{part} {path}");
            }
        }
        let metrics = system.text(part, "/metrics").await?;
        assert!(
            metrics.contains("restate_requests_refused_total"),
            "{metrics}"
        );
    }
    system.publish_orders(&[order("honest-1")]).await?;
    system.wait_for_status("honest-1", "DELIVERED").await;
    Ok(())
}

#[tokio::test]
async fn restates_key_can_be_replaced_while_orders_are_in_progress_and_doctor_reports_a_wrong_key()
-> anyhow::Result<()> {
    let system = System::start(Options::default().with("--preparation-time=1s")).await?;
    let private = system.key(keys::RESTATE_IDENTITY);
    let public = system.key(keys::RESTATE_IDENTITY_PUBLIC);
    let former = fs::read_to_string(&public)?;
    let new = tempfile::tempdir()?;
    keys::make_missing(new.path())?;
    let latter = fs::read_to_string(new.path().join(keys::RESTATE_IDENTITY_PUBLIC))?;
    let accept = async |keys: &str| {
        fs::write(&public, keys)?;
        system.kill_and_wait_for_return("order-services").await?;
        system.kill_and_wait_for_return("driver-simulator").await
    };

    // The mistake: the services no longer accept the key that Restate signs with.
    system.publish_orders(&[order("before")]).await?;
    accept(&latter).await?;
    eventually("doctor to name it", SOON, async || {
        let (_, said) = system
            .doctor(&[])
            .await
            .map_err(|error| error.to_string())?;
        let is_named = |part| said.contains(&format!("{part} refuses Restate's requests"));
        if is_named("order-services") && is_named("driver-simulator") {
            Ok(())
        } else {
            Err(said)
        }
    })
    .await;

    // The procedure of docs/security.md.
    accept(&format!("{latter}{former}")).await?;
    system.publish_orders(&[order("between")]).await?;
    fs::copy(new.path().join(keys::RESTATE_IDENTITY), &private)?;
    system.kill_and_wait_for_return("restate-server").await?;
    accept(&latter).await?;
    system.publish_orders(&[order("after")]).await?;
    for id in ["before", "between", "after"] {
        system.wait_for_status(id, "DELIVERED").await;
    }
    eventually("doctor to find nothing", SOON, async || {
        match system.doctor(&[]).await {
            Ok((true, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let last = fs::read_to_string(&public)?;
    let signed_with = Signer::open(private.parent().context("a directory")?)?;
    assert_eq!(last, latter);
    // The services accept the new key, and no longer the old one.
    let path = "/discover";
    let url = format!("{}{path}", system.address("order-services")?);
    let mut request = http().get(url).header("accept", MANIFEST);
    for (name, value) in signed_with.headers(path, now()) {
        request = request.header(name, value);
    }
    assert_eq!(request.send().await?.status(), StatusCode::OK);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "signatures contain the time")]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
