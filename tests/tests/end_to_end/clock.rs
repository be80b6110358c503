//! The clock jumps by an hour while orders are under way.
//!
//! Only the clocks of the system's processes jump ([`Clocks`]); the test's own clock is not affected.

use durable::clock::now_ms;
use end_to_end_tests::{
    Clocks, Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually,
    order,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

const HOUR: i64 = 60 * 60;
const HOUR_MS: i64 = HOUR * 1000;

/// Slow enough for the test to see orders being prepared and delivered.
fn slowly() -> Options {
    Options::default()
        .with("--preparation-time=1s")
        .with("--move-interval=400ms")
        .with("--step=0.02")
        .with("--driver-silence=4s")
        // Restate notices that the clock has jumped forward when a partition's next timer is due. With one partition, the polls of the
        // drivers are such timers.
        .with("--partitions=1")
}

/// An order from La Piazza, for a customer who is `steps` steps of a driver away.
fn order_at(id: &str, steps: u32) -> Value {
    let mut event = order(id);
    event["restaurantId"] = "la-piazza".into();
    event["totalCost"] = 25.into();
    let lon = -121.8946 + 0.02 * f64::from(steps);
    event["customerLocation"] = json!({ "lon": lon, "lat": 37.3366 });
    event
}

/// Orders in different stages at the same time.
struct Orders {
    /// Scheduled for half an hour later.
    soon: String,
    /// Scheduled for two hours later.
    late: String,
    driven: String,
    cooked: String,
    /// Not placed yet.
    new: String,
}

impl Orders {
    async fn under_way(system: &System, name: &str) -> anyhow::Result<Self> {
        let id = |which| format!("{name}-{which}");
        let orders = Self {
            soon: id("soon"),
            late: id("late"),
            driven: id("driven"),
            cooked: id("cooked"),
            new: id("new"),
        };
        let scheduled = |id: &str, delay: i64| {
            let mut event = order_at(id, 2);
            event["deliveryDelay"] = delay.into();
            event
        };
        system
            .publish_orders(&[
                scheduled(&orders.soon, HOUR_MS / 2),
                scheduled(&orders.late, 2 * HOUR_MS),
                order_at(&orders.driven, 10),
            ])
            .await?;
        system.wait_for_status(&orders.soon, "SCHEDULED").await;
        system.wait_for_status(&orders.late, "SCHEDULED").await;
        system.wait_for_status(&orders.driven, "IN_DELIVERY").await;
        system
            .publish_orders(&[order_at(&orders.cooked, 2)])
            .await?;
        let cooked = &orders.cooked;
        system.wait_for_status(cooked, "IN_PREPARATION").await;
        Ok(orders)
    }

    async fn place_new(&self, system: &System) -> anyhow::Result<()> {
        let (code, answer) = system.post("/api/orders", &order_at(&self.new, 2)).await?;
        assert_eq!(code, 202, "{answer}");
        Ok(())
    }

    /// The orders that should be delivered now: those under way, and the new one.
    fn wanted_now(&self) -> [&String; 3] {
        [&self.driven, &self.cooked, &self.new]
    }
}

/// Waits until these orders are delivered, and checks that they passed through every stage.
async fn delivered(system: &System, ids: impl IntoIterator<Item = &String>) {
    for id in ids {
        let seen = system.wait_for_status(id, "DELIVERED").await;
        let history: Vec<&str> = (seen["history"].as_array().into_iter().flatten())
            .filter_map(|entry| entry["status"].as_str())
            .collect();
        let stages = [
            "CREATED",
            "SCHEDULED",
            "IN_PREPARATION",
            "SCHEDULING_DELIVERY",
            "WAITING_FOR_DRIVER",
            "IN_DELIVERY",
            "DELIVERED",
        ];
        assert_eq!(history, stages, "{seen}");
    }
}

async fn assert_still_scheduled(system: &System, id: &str) -> anyhow::Result<()> {
    let seen = system.order_status(id).await?;
    assert_eq!(seen["status"], "SCHEDULED", "{seen}");
    Ok(())
}

/// Waits until all drivers' twins satisfy a condition on their key `driver-location`.
async fn wait_for_twins(system: &System, what: &str, holds: impl Fn(&[Value]) -> bool) {
    let query = "select value_utf8 from state where service_name = 'DriverDigitalTwin' and key = 'driver-location'";
    eventually(what, SOON, async || {
        let rows = system.sql(query).await.map_err(|error| error.to_string())?;
        let texts = rows.iter().filter_map(|row| row["value_utf8"].as_str());
        let twins: Vec<Value> = texts
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect();
        if holds(&twins) {
            Ok(())
        } else {
            Err(format!("{twins:?}"))
        }
    })
    .await;
}

/// Whether this time is within a minute of now, by a clock that is `ahead` seconds ahead.
fn is_near(time: &Value, ahead: i64) -> bool {
    let now = now_ms() + ahead * 1000;
    time.as_i64().is_some_and(|at| at.abs_diff(now) < 60_000)
}

/// Waits until every twin has a position whose time is that of a clock `ahead` seconds ahead.
async fn wait_until_positions_are_believed(system: &System, ahead: i64) {
    wait_for_twins(system, "positions by the new clock", |twins| {
        twins.len() == 2 && twins.iter().all(|twin| is_near(&twin["timestamp"], ahead))
    })
    .await;
}

#[tokio::test]
async fn orders_survive_a_clock_that_jumps_an_hour_forward_and_an_hour_back() -> anyhow::Result<()>
{
    let system = System::start(slowly()).await?;
    let processes = system.processes()?;
    let Some(clocks) = Clocks::of(processes.values().copied()).await? else {
        return Ok(());
    };

    // Forward: orders due within the hour begin, orders under way continue, later orders wait.
    let forward = Orders::under_way(&system, "forward").await?;
    clocks.set_ahead(HOUR)?;
    forward.place_new(&system).await?;
    delivered(&system, forward.wanted_now()).await;
    delivered(&system, [&forward.soon]).await;
    wait_until_positions_are_believed(&system, HOUR).await;
    assert_still_scheduled(&system, &forward.late).await?;

    // Back: a driver who falls silent is noticed, though the scheduled check is now an hour away. Orders under way continue. The
    // launcher wakes idle drivers, whose polls are an hour away.
    let back = Orders::under_way(&system, "back").await?;
    clocks.set_ahead(0)?;
    wait_for_twins(&system, "a check scheduled by the new clock", |twins| {
        let mut twins = twins.iter();
        twins.any(|twin| !twin["way"].is_null() && is_near(&twin["look_at"], 0))
    })
    .await;
    system.signal("driver-simulator", Signal::SIGSTOP)?;
    eventually("the silence to be noticed", SOON, async || {
        let seen = system.order_status(&back.driven).await;
        match seen.map_err(|error| error.to_string())? {
            seen if seen["delayed"] == true => Ok(()),
            seen => Err(seen.to_string()),
        }
    })
    .await;
    system.signal("driver-simulator", Signal::SIGCONT)?;
    back.place_new(&system).await?;
    delivered(&system, back.wanted_now()).await;
    wait_until_positions_are_believed(&system, 0).await;
    for id in [&forward.late, &back.soon, &back.late] {
        assert_still_scheduled(&system, id).await?;
    }
    let said = system.launcher_log();
    assert!(said.contains("The clock was set back by"), "{said}");

    // When their time has come, the scheduled orders are delivered.
    clocks.set_ahead(4 * HOUR)?;
    delivered(&system, [&forward.late, &back.soon, &back.late]).await;
    let all = [forward, back].map(|orders| {
        let Orders {
            soon,
            late,
            driven,
            cooked,
            new,
        } = orders;
        [soon, late, driven, cooked, new]
    });
    assert_books_balance(&system, &all.concat(), 2500).await;
    assert_nothing_left_behind(&system).await;
    assert_eq!(system.processes()?, processes, "a process has ended");
    let (fine, said) = system.doctor(&[]).await?;
    assert!(fine, "{said}");
    Ok(())
}

#[tokio::test]
async fn services_whose_clocks_differ_from_restates_refuse_its_requests_until_they_agree()
-> anyhow::Result<()> {
    let system = System::start(slowly()).await?;
    let processes = system.processes()?;
    let restate = processes["restate-server"];
    let parts = processes.values().copied().filter(|pid| *pid != restate);
    let Some(clocks) = Clocks::of(parts).await? else {
        return Ok(());
    };
    let Some(clock_of_restate) = Clocks::of([restate]).await? else {
        return Ok(());
    };
    let mut all = Vec::new();
    for (name, ahead) in [("ahead", HOUR), ("behind", -HOUR)] {
        let orders = Orders::under_way(&system, name).await?;
        clocks.set_ahead(ahead)?;
        // The gateway and Kafka still accept orders.
        orders.place_new(&system).await?;
        let refused = "select target from sys_invocation where status = 'backing-off' and last_failure like '%401%'";
        eventually("signatures to be refused", SOON, async || {
            match system.sql(refused).await {
                Ok(rows) if !rows.is_empty() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        clocks.set_ahead(0)?;
        delivered(&system, orders.wanted_now()).await;
        assert_still_scheduled(&system, &orders.soon).await?;
        assert_still_scheduled(&system, &orders.late).await?;
        let Orders {
            soon,
            late,
            driven,
            cooked,
            new,
        } = orders;
        all.extend([soon, late, driven, cooked, new]);
    }

    clock_of_restate.set_ahead(4 * HOUR)?;
    clocks.set_ahead(4 * HOUR)?;
    delivered(&system, &all).await;
    assert_books_balance(&system, &all, 2500).await;
    assert_nothing_left_behind(&system).await;
    assert_eq!(system.processes()?, processes, "a process has ended");
    Ok(())
}
