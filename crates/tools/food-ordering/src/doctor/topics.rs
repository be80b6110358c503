//! Checks Kafka's topics: whether their settings may lose records, and whether their readers make progress.

use std::collections::HashMap;
use std::time::Duration;

use domain::topic;
use kafka::{Cluster, Lag, Settings};
use serde_json::Value;

use super::addresses::Addresses;
use super::finding::Finding;
use super::or_failed;
use super::parts::Up;
use crate::broker::in_memory;
use crate::restate::admin::Admin;
use crate::setup::progress::{self, Reader, UnreadPart};
use crate::setup::subscriptions;
use crate::{Part, http};

/// The time in which a reader that is behind must make progress. Restate commits twice a second.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long the gateway may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// The least that `max.message.bytes` should be: about Kafka's default, without the overhead of a batch.
const RECORD_BYTES: i64 = 1_000_000;
/// The least that a partition should be able to hold.
const PARTITION_BYTES: i64 = 64 * 1024 * 1024;
const HOUR_MS: i64 = 3_600_000;

/// Checks the topics, if Kafka answers.
pub(super) async fn check(addresses: &Addresses, up: &Up) -> Vec<Finding> {
    if !up.has("kafka") {
        return Vec::new();
    }
    let (settings, restate, gateway) = futures::join!(
        settings(addresses),
        async {
            if up.has("restate-admin") {
                or_failed("restate reads", restate(addresses).await)
            } else {
                Vec::new()
            }
        },
        async {
            if up.has("gateway") {
                gateway(&addresses.gateway).await
            } else {
                None
            }
        },
    );
    let mut findings = or_failed("topics", settings);
    findings.extend(restate);
    findings.extend(gateway);
    findings
}

/// A setting of a topic that should be changed.
#[derive(Debug, PartialEq, Eq)]
struct RiskySetting {
    setting: &'static str,
    why: &'static str,
    /// The recommended value.
    better: String,
}

async fn settings(addresses: &Addresses) -> anyhow::Result<Vec<Finding>> {
    let kafka = &addresses.kafka;
    // The broker in memory has no settings, and does not answer requests for them.
    if in_memory::is_in_memory(&Cluster::discover(kafka).await?.id) {
        let what = "those of the broker in memory";
        return Ok(vec![Finding::fine("topics", what)]);
    }
    let names = topic::ALL.map(|(name, _)| name);
    let partitions = kafka::partitions(kafka).await?;
    let settings = kafka::settings(kafka, &names).await?;
    let mut findings: Vec<_> = (missing(&partitions).into_iter())
        .map(|name| {
            let what = format!("{name} does not exist; whatever needs it is retried until it does");
            Finding::wrong("topics", what, addresses.setup_command())
        })
        .collect();
    for (name, settings) in &settings {
        let replicas = partitions.get(*name).map_or(0, |found| found.replicas);
        for RiskySetting {
            setting,
            why,
            better,
        } in risky_settings(name, settings, replicas)
        {
            let now = settings.get(setting).map_or("", String::as_str);
            findings.push(Finding::wrong(
                "topics",
                format!("{name} has {setting}={now}: {why}"),
                format!(
                    "kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {name} --add-config \
                     {setting}={better}",
                    kafka.brokers()
                ),
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::fine("topics", "no setting loses records"));
    }
    Ok(findings)
}

/// The topics of this system that Kafka does not have.
fn missing<T>(found: &HashMap<String, T>) -> Vec<&'static str> {
    let names = topic::ALL.into_iter().map(|(name, _)| name);
    names.filter(|name| !found.contains_key(*name)).collect()
}

/// The settings of a topic with `replicas` replicas that may lose records.
fn risky_settings(name: &str, settings: &Settings, replicas: usize) -> Vec<RiskySetting> {
    let number = |setting: &str| settings.get(setting)?.parse::<i64>().ok();
    let is = |setting: &str, value: &str| settings.get(setting).is_some_and(|it| it == value);
    let mut risky_settings = Vec::new();
    let mut say = |setting, why, better: &str| {
        let better = better.to_owned();
        risky_settings.push(RiskySetting {
            setting,
            why,
            better,
        });
    };
    if (settings.get("cleanup.policy")).is_some_and(|policy| policy.contains("compact")) {
        let why = "all but the newest record of each key are deleted";
        say("cleanup.policy", why, "delete");
    }
    let (kept, why) = match name {
        topic::DRIVER_UPDATES | topic::DRIVER_POSITIONS => (
            HOUR_MS,
            "positions may be deleted before a Restate that was down has read them",
        ),
        topic::ORDERS => (
            24 * HOUR_MS,
            "orders may be deleted before a Restate that was down has read them",
        ),
        topic::ORDER_STATUS => (
            24 * HOUR_MS,
            "statuses may be deleted before providers that were down have read them",
        ),
        _ => (
            7 * 24 * HOUR_MS,
            "dead letters may be deleted before an operator has seen them",
        ),
    };
    if number("retention.ms").is_some_and(|ms| (0..kept).contains(&ms)) {
        say("retention.ms", why, &kept.to_string());
    }
    if number("retention.bytes").is_some_and(|bytes| (0..PARTITION_BYTES).contains(&bytes)) {
        say("retention.bytes", why, "-1");
    }
    if number("max.message.bytes").is_some_and(|bytes| bytes < RECORD_BYTES) {
        say("max.message.bytes", "large records are refused", "1048588");
    }
    if replicas >= 3 && number("min.insync.replicas") == Some(1) {
        let why =
            "a record may be confirmed when only one broker has it, and be lost with that broker";
        say("min.insync.replicas", why, "2");
    }
    if is("unclean.leader.election.enable", "true") {
        let why = "a broker that lacks records may become the leader, and the records are lost";
        say("unclean.leader.election.enable", why, "false");
    }
    if name == topic::DRIVER_UPDATES && is("message.timestamp.type", "CreateTime") {
        let why = "the phone's clock decides when a driver was last heard from";
        say("message.timestamp.type", why, "LogAppendTime");
    }
    risky_settings
}

/// Checks whether Restate makes progress in reading the topics, and so does the position filter, if Restate reads what it passes on. The
/// consumer groups of another program that reads for Restate are not known here.
async fn restate(addresses: &Addresses) -> anyhow::Result<Vec<Finding>> {
    if addresses.no_subscribe {
        return Ok(Vec::new());
    }
    let admin = Admin::new(&addresses.restate_admin.to_string())?;
    let subscriptions = admin.subscriptions().await?;
    let readers = progress::readers(&subscriptions);
    let remedy = format!(
        "`up` subscribes again within half a minute, and so does {}. If records wait again, restate-server's log says why, or names \
         the record that it cannot process",
        addresses.setup_command()
    );
    let mut findings = reader(addresses, "restate reads", &readers, &remedy).await?;
    if subscriptions::has_filter(&subscriptions) {
        let read = topic::DRIVER_UPDATES;
        let ids = kafka::topic_ids(&addresses.kafka, &[read]).await?;
        let group = position_filter::group(ids.get(read).map(String::as_str));
        let remedy = addresses.restart(Part::PositionFilter.name());
        let readers = [(read, group)];
        findings.extend(reader(addresses, "position filter reads", &readers, &remedy).await?);
    }
    Ok(findings)
}

/// Checks whether a reader makes progress.
async fn reader(
    addresses: &Addresses,
    name: &'static str,
    readers: &[Reader],
    remedy: &str,
) -> anyhow::Result<Vec<Finding>> {
    let stalled = progress::stalled(&addresses.kafka, readers, TIMEOUT).await?;
    let unread = progress::unread(&addresses.kafka, readers).await?;
    if unread.is_empty() {
        return Ok(vec![Finding::fine(name, "every record so far")]);
    }
    let stalled = stalled.into_iter().map(|UnreadPart { topic, lag }| {
        let Lag { partition, next, records, .. } = lag;
        Finding::wrong(
            name,
            format!(
                "no progress in topic {topic}, partition {partition}, for {} s: {records} records wait, from offset {next} on",
                TIMEOUT.as_secs()
            ),
            remedy,
        )
    });
    let mut findings: Vec<Finding> = stalled.collect();
    let lost = unread.iter().filter(|it| it.lag.removed > 0);
    let lost = lost.map(|UnreadPart { topic, lag }| {
        let (partition, removed, next) = (lag.partition, lag.removed, lag.next);
        Finding::wrong(
            name,
            format!(
                "{removed} records of topic {topic}, partition {partition}, from offset {next} on, were removed before they were read"
            ),
            "they are lost; if they are orders, ask the providers to send them again. Raise the topic's retention.ms and retention.bytes",
        )
    });
    findings.extend(lost);
    if findings.is_empty() {
        let left: i64 = unread.iter().map(|it| it.lag.records).sum();
        findings.push(Finding::fine(
            name,
            format!("making progress; {left} records are left"),
        ));
    }
    Ok(findings)
}

/// Checks whether the gateway reads the topics. `None` if it does.
async fn gateway(url: &str) -> Option<Finding> {
    // If the gateway does not answer, another finding says so already.
    let client = http::client(ANSWERS_WITHIN).ok()?;
    let answer = client.get(format!("{url}/ready")).send().await.ok()?;
    let ready: Value = http::read(answer).await.ok()?;
    let events = &ready["events"];
    if events["status"] != "DOWN" {
        return None;
    }
    let detail = events["detail"].as_str();
    let detail = detail.unwrap_or("the gateway does not read the topics");
    let remedy = "until then browsers get no news; see the logs of the gateway and the broker";
    Some(Finding::wrong("gateway reads", detail, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(settings: &[(&str, &str)]) -> Settings {
        let settings = settings.iter();
        settings
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    const DEFAULTS: [(&str, &str); 7] = [
        ("cleanup.policy", "delete"),
        ("retention.ms", "604800000"),
        ("retention.bytes", "-1"),
        ("max.message.bytes", "1048588"),
        ("min.insync.replicas", "1"),
        ("unclean.leader.election.enable", "false"),
        ("message.timestamp.type", "LogAppendTime"),
    ];

    #[test]
    fn a_missing_topic_is_named() {
        let mut found: HashMap<_, _> = (topic::ALL.into_iter())
            .map(|(name, partitions)| (name.to_owned(), partitions))
            .collect();
        found.insert("another".to_owned(), 1);
        assert_eq!(missing(&found), [""; 0]);
        found.remove("order-status");
        assert_eq!(missing(&found), ["order-status"]);
    }

    #[test]
    fn kafkas_own_defaults_on_one_broker_are_fine() {
        for (name, _) in topic::ALL {
            assert_eq!(risky_settings(name, &settings(&DEFAULTS), 1), [], "{name}");
        }
    }

    #[test]
    fn settings_that_lose_records_are_named_with_a_better_value() {
        let table = [
            ("orders", "cleanup.policy", "compact", 1, "delete"),
            (
                "order-status",
                "cleanup.policy",
                "compact,delete",
                1,
                "delete",
            ),
            ("orders", "retention.ms", "60000", 1, "86400000"),
            ("orders-dlq", "retention.ms", "86400000", 1, "604800000"),
            ("driver-updates", "retention.bytes", "1024", 1, "-1"),
            ("orders", "max.message.bytes", "1000", 1, "1048588"),
            ("orders", "min.insync.replicas", "1", 3, "2"),
            (
                "orders",
                "unclean.leader.election.enable",
                "true",
                3,
                "false",
            ),
            (
                "driver-updates",
                "message.timestamp.type",
                "CreateTime",
                1,
                "LogAppendTime",
            ),
        ];
        for (name, setting, value, replicas, better) in table {
            let mut all = settings(&DEFAULTS);
            all.insert("min.insync.replicas".to_owned(), "2".to_owned());
            all.insert(setting.to_owned(), value.to_owned());
            let found: Vec<_> = risky_settings(name, &all, replicas)
                .into_iter()
                .map(|it| (it.setting, it.better))
                .collect();
            assert_eq!(
                found,
                [(setting, better.to_owned())],
                "{name} {setting}={value}"
            );
        }
    }

    #[test]
    fn unlimited_retention_is_fine() {
        let mut all = settings(&DEFAULTS);
        all.insert("retention.ms".to_owned(), "-1".to_owned());
        assert_eq!(risky_settings("orders", &all, 1), []);
    }
}
