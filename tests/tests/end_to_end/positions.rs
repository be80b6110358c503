//! The position filter between the drivers' phones and Restate.

use end_to_end_tests::{
    Options, SOON, System, Topic, assert_nothing_left_behind, eventually, order,
};
use kafka::Publisher;
use serde_json::{Value, json};

const VARIABLE: &str = "FOOD_ORDERING_POSITION_FILTER";
const DRIVER: &str = "passer-by";

/// A phone of a driver who drives east.
struct Phone {
    publisher: Publisher,
}

impl Phone {
    fn of(system: &System) -> anyhow::Result<Self> {
        Ok(Self {
            publisher: Publisher::new(&system.kafka()?, "end-to-end-tests")?,
        })
    }

    async fn report(&self, lon: f64, lat: f64) -> anyhow::Result<()> {
        let place = json!({"lon": lon, "lat": lat}).to_string();
        self.send(DRIVER.as_bytes(), place.as_bytes()).await
    }

    async fn send(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        let topic = domain::topic::DRIVER_UPDATES;
        self.publisher.publish(topic, Some(key), value, &[]).await?;
        Ok(())
    }
}

/// Waits until the driver's twin has this position.
async fn arrives(system: &System, lon: f64, lat: f64) {
    let query = format!(
        "select value_utf8 from state where service_name = 'DriverDigitalTwin' and service_key = '{DRIVER}' and key = 'driver-location'"
    );
    eventually("the position to arrive", SOON, async || {
        let rows = system.sql(&query).await;
        let rows = rows.map_err(|error| error.to_string())?;
        let stored = rows.first().and_then(|row| row["value_utf8"].as_str());
        let stored: Value =
            serde_json::from_str(stored.unwrap_or("null")).map_err(|error| error.to_string())?;
        if stored["lon"] == lon && stored["lat"] == lat {
            Ok(())
        } else {
            Err(stored.to_string())
        }
    })
    .await;
}

#[tokio::test]
async fn only_positions_that_can_change_something_reach_restate_and_none_is_lost()
-> anyhow::Result<()> {
    let mut system = System::start(
        Options::default()
            .drivers(1)
            .with("--kafka=apache")
            // Nothing is due by its time.
            .with("--driver-silence=1h"),
    )
    .await?;
    let phone = Phone::of(&system)?;
    let mut passed = Topic::of(system.kafka()?, domain::topic::DRIVER_POSITIONS);
    for step in 0..20 {
        phone.report(-121.9 + f64::from(step) * 0.001, 37.3).await?;
    }
    phone.report(-121.88, 37.31).await?;
    arrives(&system, -121.88, 37.31).await;
    let of_driver =
        |record: &kafka::records::Record| record.key.as_deref() == Some(DRIVER.as_bytes());
    let records = passed.new_records()?;
    assert_eq!(records.iter().filter(|it| of_driver(it)).count(), 2);

    // What cannot be read becomes a dead letter, and halts no partition.
    let mut dead_letters = Topic::of(system.kafka()?, domain::topic::DRIVER_UPDATES_DLQ);
    for n in 0..16 {
        phone.send(&[0xff, n], b"{}").await?;
    }
    let mut letters = 0;
    eventually("all dead letters", SOON, async || {
        let new = dead_letters.new_records();
        letters += new.map_err(|error| error.to_string())?.len();
        if letters == 16 {
            Ok(())
        } else {
            Err(letters.to_string())
        }
    })
    .await;

    // The filter has committed what it has read. Otherwise the next one would know the driver's position from reading it again.
    eventually("the filter to have read everything", SOON, async || {
        let (_, findings) = system.doctor(&[]).await.map_err(|it| it.to_string())?;
        let reads = "position filter reads";
        let finding = findings.lines().find(|line| line.contains(reads));
        match finding {
            Some(line) if line.contains("every record so far") => Ok(()),
            _ => Err(findings),
        }
    })
    .await;
    // A filter that was killed knows nothing, and passes on the next position of each driver.
    system.kill_and_wait_for_return("position-filter").await?;
    phone.report(-121.879, 37.32).await?;
    arrives(&system, -121.879, 37.32).await;
    system.publish_orders(&[order("filtered")]).await?;
    system.wait_for_status("filtered", "DELIVERED").await;
    let (is_healthy, findings) = system.doctor(&[]).await?;
    assert!(is_healthy, "{findings}");
    assert!(findings.contains("position filter reads"), "{findings}");

    // Switched off, Restate reads all positions.
    system.stop().await?;
    system.set_environment(VARIABLE, "false");
    system.start_again().await?;
    passed.new_records()?;
    let phone = Phone::of(&system)?;
    for lon in [-121.878, -121.877, -121.876] {
        phone.report(lon, 37.32).await?;
        arrives(&system, lon, 37.32).await;
    }
    let (is_healthy, findings) = system.doctor(&[]).await?;
    assert!(is_healthy, "{findings}");
    assert!(!findings.contains("position-filter"), "{findings}");
    assert_nothing_left_behind(&system).await;
    Ok(())
}
