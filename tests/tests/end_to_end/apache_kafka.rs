//! Tests with Apache Kafka itself: authentication, codecs, and topics that change while the system runs.
//!
//! One test has several parts that share a broker and a system, because both take seconds to start.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use domain::topic;
use end_to_end_tests::{
    ApacheKafka, Options, Record, SOON, System, Topic, eventually, order, order_with,
};
use kafka::Connection;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use serde_json::Value;

/// How long `up` may take to notice that a topic was created again, and to set up again.
const NOTICED_WITHIN: Duration = Duration::from_mins(2);

#[tokio::test]
async fn the_system_works_with_apache_kafka() -> anyhow::Result<()> {
    let mut kafka = ApacheKafka::start().await?;
    connection_errors_are_explained(&kafka).await?;

    let (brokers, properties) = kafka.sasl();
    let mut system = start(&brokers, &properties).await?;
    deliver(&system, "by-password").await?;
    credentials_are_not_shown(&system).await?;
    every_codec_is_read(&kafka, &system).await?;
    invalid_records_halt_nothing(&kafka, &system).await?;
    partitions_may_be_added(&kafka, &system).await?;
    // From now on the existing topics have other leader epochs than new topics.
    kafka.restart().await?;
    deliver(&system, "after-a-restart").await?;
    a_topic_can_be_created_again(&kafka, &system).await?;
    doctor_warns_of_settings_that_lose_records(&kafka, &system).await?;
    system.stop().await?;

    let (brokers, properties) = kafka.tls();
    let system = start(&brokers, &properties).await?;
    deliver(&system, "by-certificate").await
}

/// The end of a transaction and the records of an aborted one take up offsets that no consumer ever commits.
#[tokio::test]
async fn providers_may_use_transactions_and_the_machine_may_speak_turkish() -> anyhow::Result<()> {
    let options = Options::default()
        .with("--kafka=apache")
        // In Turkish, `i` in upper case is another letter.
        .env("JAVA_TOOL_OPTIONS", "-Duser.language=tr");
    let mut system = System::start(options).await?;
    let producer: FutureProducer = (system.kafka()?.config())
        .set("transactional.id", "provider")
        .create()?;
    producer.init_transactions(SOON)?;
    for id in ["committed", "aborted"] {
        producer.begin_transaction()?;
        let event = order(id).to_string();
        let record = FutureRecord::to(topic::ORDERS).key(id).payload(&event);
        (producer.send(record.partition(0), SOON).await).map_err(|(error, _)| error)?;
        if id == "committed" {
            producer.commit_transaction(SOON)?;
            system.wait_for_status(id, "DELIVERED").await;
        } else {
            producer.abort_transaction(SOON)?;
        }
        let (well, said) = system.doctor(&[]).await?;
        assert!(well, "{id}: {said}");
    }
    system.stop().await?;
    system.start_again().await?;
    let status = system.order_status("aborted").await?;
    assert_eq!(status["status"], "NEW", "{status}");
    deliver(&system, "after-transactions").await
}

async fn start(brokers: &str, properties: &Path) -> anyhow::Result<System> {
    let options = Options::default()
        .with(&format!("--kafka-brokers={brokers}"))
        .with(&format!("--kafka-properties-file={}", properties.display()));
    System::start(options).await
}

/// Places an order through the gateway and waits until it is delivered.
async fn deliver(system: &System, id: &str) -> anyhow::Result<()> {
    let (code, answer) = system.post("/api/orders", &order(id)).await?;
    ensure!(code == 202, "{code}: {answer}");
    system.wait_for_status(id, "DELIVERED").await;
    Ok(())
}

async fn connection_errors_are_explained(kafka: &ApacheKafka) -> anyhow::Result<()> {
    let (sasl, _) = kafka.sasl();
    let (tls, _) = kafka.tls();
    let plain = kafka.plain();
    let misadvertised = kafka.misadvertised();
    let password = |password: &str| {
        format!(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=food\nsasl.password={password}\n"
        )
    };
    for (brokers, properties, expected) in [
        (sasl.as_str(), None, "requires a user name and password"),
        (
            &sasl,
            Some(password("wrong")),
            "refuses the user name or the password",
        ),
        (&tls, None, "requires TLS"),
        (
            &tls,
            Some("security.protocol=SSL\nssl.ca.location=ca.pem\n".to_owned()),
            "requires a client certificate",
        ),
        (
            &tls,
            Some("security.protocol=SSL\n".to_owned()),
            "not signed by a trusted authority",
        ),
        (
            plain.brokers(),
            Some("security.protocol=SSL\nssl.ca.location=ca.pem\n".to_owned()),
            "does not use TLS",
        ),
        (plain.brokers(), Some(password("open-sesame-7")), "sasl."),
        (
            misadvertised.brokers(),
            None,
            "set the broker's advertised.listeners",
        ),
    ] {
        let file = properties.map(|text| kafka.properties(&text)).transpose()?;
        let connection = Connection::with_file(brokers, file.as_deref())?;
        let error = kafka::Cluster::discover(&connection)
            .await
            .expect_err("connecting must fail");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    Ok(())
}

async fn credentials_are_not_shown(system: &System) -> anyhow::Result<()> {
    let (well, said) = system.doctor(&[]).await?;
    assert!(well, "{said}");
    let outputs = [
        said,
        system.log("setup")?,
        system.log("gateway")?,
        system.log("order-services")?,
    ];
    let shown = system
        .admin(reqwest::Method::GET, "kafka-clusters", None)
        .await?;
    for text in outputs.into_iter().chain([shown.to_string()]) {
        assert!(!text.contains("open-sesame"), "{text}");
    }
    Ok(())
}

fn producer(kafka: &ApacheKafka, codec: &str) -> anyhow::Result<FutureProducer> {
    let mut config: ClientConfig = kafka.plain().config();
    // Long enough for batches that are worth compressing.
    config
        .set("compression.type", codec)
        .set("linger.ms", "200");
    Ok(config.create()?)
}

async fn every_codec_is_read(kafka: &ApacheKafka, system: &System) -> anyhow::Result<()> {
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let producer = producer(kafka, codec)?;
        let ids: Vec<String> = (0..5).map(|n| format!("{codec}-{n}")).collect();
        let events: Vec<String> = ids.iter().map(|id| order(id).to_string()).collect();
        let sent = ids.iter().zip(&events).map(|(id, event)| {
            // The gateway has to read these records too.
            let record = FutureRecord::to(topic::ORDERS).key(id).payload(event);
            producer.send(record, SOON)
        });
        for sent in futures(sent).await {
            sent.map_err(|(error, _)| error)?;
        }
        for id in &ids {
            system.wait_for_status(id, "DELIVERED").await;
        }
    }
    the_gateway_has_read_all(system).await;
    Ok(())
}

async fn the_gateway_has_read_all(system: &System) {
    eventually("the gateway to have read all of it", SOON, async || {
        let (_, ready) = system
            .get("/ready")
            .await
            .map_err(|error| error.to_string())?;
        let metrics = system
            .text("gateway", "/metrics")
            .await
            .map_err(|error| error.to_string())?;
        let lag = r#"kafka_reader_lag_records{topic="orders"} 0"#;
        if ready["events"]["status"] == "UP" && metrics.contains(lag) {
            Ok(())
        } else {
            Err(ready.to_string())
        }
    })
    .await;
}

async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut done = Vec::new();
    // All have been sent already; this only waits for them one after the other.
    for one in all.collect::<Vec<_>>() {
        done.push(one.await);
    }
    done
}

async fn invalid_records_halt_nothing(kafka: &ApacheKafka, system: &System) -> anyhow::Result<()> {
    let mut letters = Topic::of(kafka.plain(), topic::ORDERS_DLQ);
    letters.new_records()?;
    let producer = producer(kafka, "none")?;
    for topic in [topic::ORDERS, topic::ORDER_STATUS] {
        let tombstone: FutureRecord<'_, str, str> = FutureRecord::to(topic).key("tombstone");
        producer
            .send(tombstone, SOON)
            .await
            .map_err(|(error, _)| error)?;
    }
    let headers = OwnedHeaders::new()
        .insert(Header {
            key: "traceparent",
            value: Some("not a trace"),
        })
        .insert(Header {
            key: "twice",
            value: Some("1"),
        })
        .insert(Header {
            key: "twice",
            value: Some("2"),
        })
        .insert(Header {
            key: "binary",
            value: Some(&b"\xff\0"[..]),
        })
        .insert(Header {
            key: "",
            value: None::<&[u8]>,
        });
    let event = order("with-headers").to_string();
    let record = FutureRecord::to(topic::ORDERS)
        .key("with-headers")
        .payload(&event)
        .headers(headers);
    producer
        .send(record, SOON)
        .await
        .map_err(|(error, _)| error)?;
    system.wait_for_status("with-headers", "DELIVERED").await;
    eventually("the tombstone's dead letter", SOON, async || {
        let found: Vec<Record> = letters.new_records().map_err(|error| error.to_string())?;
        match &found[..] {
            [letter] if letter.key.as_deref() == Some(b"tombstone") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    Ok(())
}

fn admin(kafka: &ApacheKafka) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    Ok(kafka.plain().config().create()?)
}

async fn partitions_may_be_added(kafka: &ApacheKafka, system: &System) -> anyhow::Result<()> {
    let options = AdminOptions::new();
    for topic in [topic::ORDERS, topic::ORDER_STATUS] {
        let more = NewPartitions::new(topic, 8);
        for done in admin(kafka)?.create_partitions(&[more], &options).await? {
            done.map_err(|(topic, code)| anyhow::anyhow!("{topic}: {code}"))?;
        }
    }
    // One order for each partition, including the new ones.
    let producer = producer(kafka, "none")?;
    for partition in 0..8 {
        let id = format!("added-{partition}");
        let event = order(&id).to_string();
        let record = FutureRecord::to(topic::ORDERS)
            .key(&id)
            .payload(&event)
            .partition(partition);
        producer
            .send(record, SOON)
            .await
            .map_err(|(error, _)| error)?;
    }
    for partition in 0..8 {
        // Restate checks for new partitions only from time to time.
        let id = format!("added-{partition}");
        delivered_within(system, &id, Duration::from_mins(6)).await;
    }
    Ok(())
}

async fn delivered_within(system: &System, id: &str, within: Duration) {
    eventually(&format!("{id} to be delivered"), within, async || {
        let status: Value = system
            .order_status(id)
            .await
            .map_err(|error| error.to_string())?;
        if status["status"] == "DELIVERED" {
            Ok(())
        } else {
            Err(status.to_string())
        }
    })
    .await;
}

async fn a_topic_can_be_created_again(kafka: &ApacheKafka, system: &System) -> anyhow::Result<()> {
    let admin = admin(kafka)?;
    let options = AdminOptions::new().operation_timeout(Some(SOON));
    admin.delete_topics(&[topic::ORDERS], &options).await?;
    eventually("topic orders to be gone", SOON, async || {
        let there = kafka::partitions(&kafka.plain())
            .await
            .map_err(|error| error.to_string())?;
        if there.contains_key(topic::ORDERS) {
            Err("still there".to_owned())
        } else {
            Ok(())
        }
    })
    .await;
    let anew = NewTopic::new(topic::ORDERS, 4, TopicReplication::Fixed(1));
    for done in admin.create_topics(&[anew], &options).await? {
        done.map_err(|(topic, code)| anyhow::anyhow!("{topic}: {code}"))?;
    }
    let ids: Vec<String> = (0..8).map(|n| format!("anew-{n}")).collect();
    let producer = producer(kafka, "none")?;
    for id in &ids {
        let event = order(id).to_string();
        let record = FutureRecord::to(topic::ORDERS).key(id).payload(&event);
        producer
            .send(record, SOON)
            .await
            .map_err(|(error, _)| error)?;
    }
    for id in &ids {
        delivered_within(system, id, NOTICED_WITHIN).await;
    }
    the_gateway_has_read_all(system).await;
    // An earlier order that is sent again is still the same order.
    let (_, before) = system.get("/api/orders/by-password").await?;
    system
        .publish(
            Some(b"by-password"),
            order_with("by-password", "x", Value::Null)
                .to_string()
                .as_bytes(),
        )
        .await?;
    deliver(system, "after-it").await?;
    let (_, after) = system.get("/api/orders/by-password").await?;
    assert_eq!(before["history"], after["history"]);
    Ok(())
}

async fn doctor_warns_of_settings_that_lose_records(
    kafka: &ApacheKafka,
    system: &System,
) -> anyhow::Result<()> {
    let (well, said) = system.doctor(&[]).await?;
    assert!(well, "{said}");
    let policy =
        rdkafka::admin::AlterConfig::new(rdkafka::admin::ResourceSpecifier::Topic(topic::ORDERS))
            .set("cleanup.policy", "compact");
    admin(kafka)?
        .alter_configs(&[policy], &AdminOptions::new())
        .await?;
    eventually("doctor to warn", SOON, async || {
        let (_, said) = system
            .doctor(&[])
            .await
            .map_err(|error| error.to_string())?;
        let warned = said.contains("orders has cleanup.policy=compact")
            && said.contains("--entity-name orders --add-config cleanup.policy=delete");
        if warned { Ok(()) } else { Err(said) }
    })
    .await;
    Ok(())
}
