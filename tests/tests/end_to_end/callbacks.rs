//! Only the restaurant that was asked to prepare an order can report it as ready.

use anyhow::Context;
use end_to_end_tests::{Options, SOON, System, eventually, http, order};
use reqwest::StatusCode;
use secrets::callback::Callbacks;
use secrets::{ExposeSecret, Secrets, keys};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

/// The callback address and secret that a restaurant received for an order.
struct CallbackAccess {
    url: String,
    secret: String,
}

impl CallbackAccess {
    /// Waits until the order is being prepared, and derives its address and secret.
    async fn of(system: &System, order: &str) -> anyhow::Result<Self> {
        system.wait_for_status(order, "IN_PREPARATION").await;
        let path = format!("/preparations/{order}");
        let preparation: Value =
            serde_json::from_str(&system.text("restaurant-pos", &path).await?)?;
        let url = preparation["callbackUrl"].as_str().context("an address")?;
        let callback = url.rsplit('/').next().context("an id")?;
        let secrets = Secrets::read(&system.key(keys::CALLBACK))?;
        let secret = Callbacks::new(&secrets).secret(order, callback);
        Ok(Self {
            url: url.to_owned(),
            secret: secret.expose_secret().to_owned(),
        })
    }

    /// Calls back that `order` is ready, with a signature made `late` seconds ago. Returns the gateway's status code.
    async fn say(&self, order: &str, late: i64) -> anyhow::Result<StatusCode> {
        let body = json!({ "orderId": order, "readyAt": 1 }).to_string();
        let at = now() - late;
        let signature = Webhook::new(&self.secret)?.sign("m-1", at, body.as_bytes())?;
        let request = http()
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", "m-1")
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature);
        Ok(request.body(body).send().await?.status())
    }
}

#[tokio::test]
async fn a_restaurant_cannot_report_another_order_as_ready() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    // The restaurant stub does not call back, so only the callbacks of this test count.
    let silent = json!({ "silenceRate": 1 });
    system.set_faults("restaurant-pos", &silent).await?;
    system
        .publish_orders(&[order("mine"), order("another")])
        .await?;
    let mine = CallbackAccess::of(&system, "mine").await?;
    let another = CallbackAccess::of(&system, "another").await?;
    let gateway = system.address("gateway")?;
    assert!(mine.url.starts_with(&gateway), "{}", mine.url);

    // An attacker that knows all addresses and one secret, as a restaurant might.
    let foreign = CallbackAccess {
        url: another.url.clone(),
        secret: mine.secret.clone(),
    };
    let callback = another.url.rsplit('/').next().context("an id")?;
    let mixed = CallbackAccess {
        url: mine
            .url
            .replace(mine.url.rsplit('/').next().context("an id")?, callback),
        secret: mine.secret.clone(),
    };
    for (forged, order) in [(&foreign, "another"), (&foreign, "mine"), (&mixed, "mine")] {
        assert_eq!(forged.say(order, 0).await?, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(mine.say("mine", 3600).await?, StatusCode::UNAUTHORIZED);
    let unsigned = http()
        .post(&mine.url)
        .json(&json!({ "orderId": "mine", "readyAt": 1 }));
    assert_eq!(unsigned.send().await?.status(), StatusCode::UNAUTHORIZED);
    // The gateway does not forward other requests to Restate.
    let around = format!("{gateway}/restate/awakeables/{callback}/resolve");
    let around = http().post(around).json(&json!({}));
    assert_eq!(around.send().await?.status(), StatusCode::NOT_FOUND);

    for _ in 0..2 {
        assert_eq!(mine.say("mine", 0).await?, StatusCode::NO_CONTENT);
    }
    system.wait_for_status("mine", "DELIVERED").await;
    let other = system.order_status("another").await?;
    assert_eq!(other["status"], "IN_PREPARATION", "{other}");
    // A repetition after the end of the order succeeds too.
    assert_eq!(mine.say("mine", 0).await?, StatusCode::NO_CONTENT);
    let metrics = system.text("gateway", "/metrics").await?;
    for counted in [
        r#"restaurant_callbacks_total{outcome="accepted"} 3"#,
        r#"restaurant_callbacks_total{outcome="forged"} 4"#,
        r#"restaurant_callbacks_total{outcome="expired"} 1"#,
    ] {
        assert!(metrics.contains(counted), "{counted} is not in\n{metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn food_that_is_ready_while_the_gateway_is_down_is_delivered_afterwards() -> anyhow::Result<()>
{
    let system = System::start(Options::default().with("--preparation-time=1s")).await?;
    system.publish_orders(&[order("patient")]).await?;
    system.wait_for_status("patient", "IN_PREPARATION").await;
    system.signal("gateway", nix::sys::signal::Signal::SIGSTOP)?;
    eventually("the food to be ready", SOON, async || {
        let answer = system.text("restaurant-pos", "/preparations/patient").await;
        match answer {
            Ok(answer) if answer.contains("\"READY\"") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    system.kill_and_wait_for_return("gateway").await?;
    system.wait_for_status("patient", "DELIVERED").await;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "signatures contain the time")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs().cast_signed())
}
