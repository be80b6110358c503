//! The system on a machine with an unusual setup.

use end_to_end_tests::{Options, SOON, System, eventually, http, order, run};
use serde_json::Value;

/// Nothing listens on this port.
const DEAD_PROXY: &str = "http://127.0.0.1:1";

/// Everything at once: proxies, variables that override Restate's configuration, a path with spaces and non-ASCII letters, a home
/// directory that cannot be written, the C locale, a gateway that listens on the network, and a misspelt variable.
#[tokio::test]
async fn an_order_is_delivered_on_a_machine_where_everything_is_unusual() -> anyhow::Result<()> {
    let restate = tokio::task::spawn_blocking(|| run(["restate-server-path"], "")).await??;
    assert!(restate.success, "{}", restate.output);
    let restate = restate
        .output
        .trim()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();

    let mut options = Options::default()
        .directory("food ordering tést für 寿 ")
        .env("FOOD_ORDERING_RESTATE_SERVER", restate)
        .env("FOOD_ORDERING_GATEWAY_LISTEN", "0.0.0.0:0")
        .env("FOOD_ORDERING_DRIVER", "1")
        .env("FOOD_ORDERING_RESTATE_ADMIN", "http://127.0.0.1:1")
        // Restate would not parse a number as a list of hosts.
        .env("NO_PROXY", "10")
        .env("MEMORY_LIMIT", "little")
        .env("RUST_LOG", "trace")
        // Nobody can write there, not even root.
        .env("HOME", "/proc")
        .env("LANG", "C")
        .env("LC_ALL", "C");
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        options = options.env(name, DEAD_PROXY);
    }
    let system = System::start(options).await?;

    // A gateway on the network treats everyone as a visitor, who needs an order's key to read it.
    let mut event = order("named-by-nobody");
    event.as_object_mut().expect("an object").remove("orderId");
    let (code, placed) = system.post("/api/orders", &event).await?;
    assert_eq!(code, 202, "{placed}");
    let [Some(id), Some(key)] = ["orderId", "key"].map(|field| placed[field].as_str()) else {
        panic!("no id, or no key: {placed}");
    };
    system.wait_for_status(id, "DELIVERED").await;
    let path = format!("/api/orders/{id}");
    let (code, _) = system.get(&path).await?;
    assert_eq!(code, 404);
    let (code, seen) = system.get(&format!("{path}?key={key}")).await?;
    assert_eq!(
        (code.as_u16(), &seen["status"]),
        (200, &Value::from("DELIVERED"))
    );

    let (fine, said) = system.doctor(&[]).await?;
    assert!(fine, "{said}");

    let said = eventually("`up` to say that it is ready", SOON, async || {
        let said = system.launcher_log();
        if said.contains("Ctrl-C stops everything") {
            Ok(said)
        } else {
            Err(said)
        }
    })
    .await;
    for expected in [
        "FOOD_ORDERING_DRIVER is set, but nothing reads a variable of that name; did you mean FOOD_ORDERING_DRIVERS?",
        "FOOD_ORDERING_RESTATE_ADMIN is set, but has no effect on `up`",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    // Without a network, `up` prints no such address.
    let elsewhere = said
        .split_once("Web UI for other machines")
        .map(|(_, rest)| rest);
    let urls = elsewhere.iter().flat_map(|rest| rest.lines().skip(1));
    for url in urls.map_while(|line| line.strip_prefix("  http://")) {
        let answer = http().get(format!("http://{url}/health")).send().await?;
        assert!(answer.status().is_success(), "{url}: {answer:?}");
    }
    Ok(())
}
