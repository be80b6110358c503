//! Which Kafka clusters and subscriptions Restate should have, and what to do to get there.
//!
//! Restate deduplicates records by subscription, consumer group, topic, partition and offset. A broker that lost its log starts
//! again at offset zero, and so does a topic that is deleted and created again: their records would count as old ones and be
//! dropped without a word. Kafka gives such a broker a new cluster id and such a topic a new topic id. The first is in the name
//! of the cluster here, the second in that of the consumer group, and subscriptions with other ids are replaced.

use std::collections::BTreeMap;
use std::fmt;

use kafka::Connection;

use crate::broker;
use crate::restate::admin::{Admin, KafkaCluster, Subscription};

/// Topics and the handlers that their records call.
const SINKS: [(&str, &str); 2] = [
    (domain::topic::ORDERS, ORDERS_SINK),
    (
        domain::topic::DRIVER_UPDATES,
        "service://DriverUpdateIntake/receive",
    ),
];

/// Handlers that records of a topic called in earlier versions, and do not any more.
const FORMER_SINKS: [&str; 1] = ["service://DriverDigitalTwin/handleDriverLocationUpdateEvent"];

/// Where orders go.
pub(crate) const ORDERS_SINK: &str = "service://OrderIntake/receive";

/// The subscriptions that feed this system's handlers, each with its topic.
pub(crate) fn ours(
    subscriptions: &[Subscription],
) -> impl Iterator<Item = (&'static str, &Subscription)> {
    subscriptions.iter().filter_map(|subscription| {
        let sink = SINKS.iter().find(|(_, sink)| subscription.sink == *sink);
        sink.map(|(topic, _)| (*topic, subscription))
    })
}

/// The consumer group in which `topic`, which has this id, is read. While subscriptions are replaced there may be one to the former
/// topic of this name, too, whose offsets mean nothing in the new one.
pub(crate) fn group_of<'a>(
    subscriptions: &'a [Subscription],
    topic: &str,
    id: Option<&String>,
) -> Option<&'a str> {
    ours(subscriptions)
        .filter(|(read, _)| *read == topic)
        .filter_map(|(_, subscription)| subscription.options.get(GROUP))
        .find(|group| id.is_none_or(|id| group.ends_with(&format!("-{id}"))))
        .map(String::as_str)
}

/// The services behind the sinks.
pub(super) fn services() -> impl Iterator<Item = &'static str> {
    SINKS.iter().filter_map(|(_, sink)| {
        let (service, _) = sink.strip_prefix("service://")?.split_once('/')?;
        Some(service)
    })
}

/// The property of a cluster that holds its address.
const BROKERS: &str = "bootstrap.servers";

/// The property of a subscription that holds its consumer group.
pub(crate) const GROUP: &str = "group.id";

/// A Kafka cluster as Restate is to know it.
#[derive(Debug)]
pub(super) struct Wanted {
    name: String,
    /// How Restate reaches it.
    connection: Connection,
    embedded: bool,
    /// The ids of the topics, where the brokers give them any.
    topic_ids: BTreeMap<String, String>,
}

/// Why a subscription is to go.
enum Stale<'a> {
    /// It reads a Kafka that has been replaced.
    OtherCluster,
    /// It is one of an earlier version: feeds another handler, or is in another consumer group.
    FormerVersion,
    /// It reads as before the topic was created again.
    FormerTopic(&'a str),
}

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    CreateCluster,
    /// The same cluster has another address now, or is reached in another way.
    UpdateCluster,
    Subscribe {
        topic: &'static str,
        sink: &'static str,
    },
    Unsubscribe {
        id: String,
        source: String,
        group: Option<String>,
    },
    DeleteCluster {
        name: String,
    },
}

impl Wanted {
    /// The cluster with this id, which this process reaches by `kafka` and Restate by `for_restate`.
    pub(super) async fn find(
        cluster_id: &str,
        kafka: &Connection,
        for_restate: &Connection,
    ) -> anyhow::Result<Self> {
        let topics = SINKS.map(|(topic, _)| topic);
        let topic_ids = kafka::topic_ids(kafka, &topics).await?;
        Ok(Self::new(
            cluster_id,
            kafka.brokers(),
            for_restate.clone(),
            topic_ids,
        ))
    }

    /// `known_as` is the cluster's address as this process reaches it.
    fn new(
        cluster_id: &str,
        known_as: &str,
        connection: Connection,
        topic_ids: BTreeMap<String, String>,
    ) -> Self {
        let mut name = format!("kafka-{cluster_id}");
        // The embedded broker makes its id of a place in memory, which may come again, but hardly on the same port.
        let embedded = broker::is_embedded(cluster_id);
        if embedded && let Some((_, port)) = known_as.rsplit_once(':') {
            name = format!("{name}-{port}");
        }
        Self {
            name: host_name(&name),
            connection,
            embedded,
            topic_ids,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn properties(&self) -> BTreeMap<String, String> {
        let properties = self.connection.properties().iter();
        properties
            .chain([(BROKERS, self.connection.brokers())])
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The consumer group of a subscription. Offsets of one cluster or topic mean nothing in another.
    fn group(&self, topic: &str) -> String {
        let group = self.group_of_former_version(topic);
        match self.topic_ids.get(topic) {
            Some(id) => format!("{group}-{id}"),
            None => group,
        }
    }

    /// The same before topics were told apart by their ids.
    fn group_of_former_version(&self, topic: &str) -> String {
        format!("restate-{}-{topic}", self.name)
    }

    /// Whether it is this subscription that feeds `sink` from `topic`.
    fn is(&self, subscription: &Subscription, topic: &str, sink: &str) -> bool {
        subscription.sink == sink
            && subscription.source == self.source(topic)
            && (!self.topic_ids.contains_key(topic)
                || subscription.options.get(GROUP) == Some(&self.group(topic)))
    }

    fn source(&self, topic: &str) -> String {
        format!("kafka://{}/{topic}", self.name)
    }

    /// Why a subscription of ours is to go.
    fn why_stale<'a>(&self, source: &'a str, group: Option<&str>) -> Stale<'a> {
        match self.topic_of(source) {
            None => Stale::OtherCluster,
            Some(topic) => {
                let of_former_version = self.group_of_former_version(topic);
                let id = group
                    .and_then(|group| group.strip_prefix(&of_former_version)?.strip_prefix('-'));
                match (id, self.topic_ids.get(topic)) {
                    (Some(former), Some(id)) if former != id => Stale::FormerTopic(topic),
                    _ => Stale::FormerVersion,
                }
            }
        }
    }

    /// Which topic of this cluster a subscription reads.
    fn topic_of<'a>(&self, source: &'a str) -> Option<&'a str> {
        let rest = source.strip_prefix("kafka://")?.strip_prefix(&self.name)?;
        rest.strip_prefix('/')
    }

    /// Options of the consumer behind a subscription, in librdkafka's names.
    fn options(&self, topic: &str) -> BTreeMap<String, String> {
        let mut options = vec![
            (GROUP, self.group(topic)),
            // Orders that were there before the subscription count too.
            ("auto.offset.reset", "earliest".to_owned()),
            // How long the partitions of a Restate that was killed stay its own: the least that Kafka allows by default.
            ("session.timeout.ms", "6000".to_owned()),
            // Who stops the system waits until what was read is committed (see `up`).
            ("auto.commit.interval.ms", "500".to_owned()),
            // Partitions that are added later are found within this time.
            ("topic.metadata.refresh.interval.ms", "10000".to_owned()),
            // How often Restate looks how far behind it is, for its metrics.
            (
                "statistics.interval.ms",
                if self.embedded { "100" } else { "1000" }.to_owned(),
            ),
        ];
        if self.embedded {
            // It lets an idle consumer wait for the full time, whatever arrives meanwhile (`rd_kafka_mock_handle_Fetch`).
            options.push(("fetch.wait.max.ms", "25".to_owned()));
        }
        options
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }
}

/// Cluster names have to be host names: lower case, at most 63 characters.
fn host_name(text: &str) -> String {
    let name: String = text
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => c,
            _ => '-',
        })
        .take(63)
        .collect();
    name.trim_end_matches('-').to_owned()
}

/// The cluster that a subscription reads from.
fn cluster_of(source: &str) -> &str {
    let rest = source.strip_prefix("kafka://").unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

/// What leads from what is there to what is wanted, in an order such that a crash half-way loses nothing.
pub(super) fn plan(
    clusters: &[KafkaCluster],
    subscriptions: &[Subscription],
    wanted: &Wanted,
) -> Vec<Action> {
    let mut actions = Vec::new();
    match clusters.iter().find(|cluster| cluster.name == wanted.name) {
        None => actions.push(Action::CreateCluster),
        Some(cluster) if differs(&cluster.properties, &wanted.properties()) => {
            actions.push(Action::UpdateCluster);
        }
        Some(_) => {}
    }
    for (topic, sink) in SINKS {
        let mut subscriptions = subscriptions.iter();
        if !subscriptions.any(|subscription| wanted.is(subscription, topic, sink)) {
            actions.push(Action::Subscribe { topic, sink });
        }
    }
    // What fed the same handlers from elsewhere has had its day, and so have the clusters that fed nothing else. The same is true
    // of what fed a handler of an earlier version: the subscription that takes its place is in the same consumer group, so it goes
    // on where the former one has committed to have read, which may be a few records back.
    let (old, others): (Vec<&Subscription>, Vec<_>) =
        subscriptions.iter().partition(|subscription| {
            let mut sinks = SINKS.iter();
            let is_ours = sinks.any(|(_, sink)| subscription.sink == *sink);
            let mut sinks = SINKS.iter();
            let is_wanted = sinks.any(|(topic, sink)| wanted.is(subscription, topic, sink));
            is_ours && !is_wanted || FORMER_SINKS.contains(&&*subscription.sink)
        });
    actions.extend(old.iter().map(|subscription| Action::Unsubscribe {
        id: subscription.id.clone(),
        source: subscription.source.clone(),
        group: subscription.options.get(GROUP).cloned(),
    }));
    let used_by = |subscriptions: &[&Subscription], cluster: &KafkaCluster| {
        subscriptions
            .iter()
            .any(|subscription| cluster_of(&subscription.source) == cluster.name)
    };
    actions.extend(
        clusters
            .iter()
            .filter(|cluster| cluster.name != wanted.name)
            .filter(|cluster| used_by(&old, cluster) && !used_by(&others, cluster))
            .map(|cluster| Action::DeleteCluster {
                name: cluster.name.clone(),
            }),
    );
    actions
}

/// What Restate shows instead of a secret.
const REDACTED: &str = "***";

/// Whether a cluster that Restate has is to be told other properties.
///
/// Restate shows no secrets. So where there are any, it is told them each time; it goes on undisturbed if they are the same.
fn differs(found: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    found != wanted || found.values().any(|value| value == REDACTED)
}

/// What setup would do for the cluster that `kafka` leads to, in words; nothing if Restate has what it needs.
pub(crate) async fn amiss(admin: &Admin, kafka: &Connection) -> anyhow::Result<Vec<String>> {
    let clusters = admin.kafka_clusters().await?;
    let subscriptions = admin.subscriptions().await?;
    let cluster = kafka::Cluster::discover(kafka).await?;
    let wanted = Wanted::find(&cluster.id, kafka, kafka).await?;
    Ok(missing(&clusters, &subscriptions, &wanted))
}

/// Where Restate reaches the cluster in another way it is right: it may have to.
fn missing(
    clusters: &[KafkaCluster],
    subscriptions: &[Subscription],
    wanted: &Wanted,
) -> Vec<String> {
    let name = &wanted.name;
    plan(clusters, subscriptions, wanted)
        .iter()
        .filter_map(|action| match action {
            Action::CreateCluster => Some(format!("Restate does not know Kafka cluster {name}")),
            Action::Subscribe { topic, sink } => {
                Some(format!("topic {topic} is not read into {sink}"))
            }
            Action::Unsubscribe { source, group, .. } => {
                Some(match wanted.why_stale(source, group.as_deref()) {
                    Stale::OtherCluster => {
                        format!("stale: {source} is another cluster than the one that runs, {name}")
                    }
                    Stale::FormerVersion => {
                        format!("stale: {source} is read as an earlier version does")
                    }
                    Stale::FormerTopic(topic) => format!(
                        "stale: topic {topic} has been deleted and created again since {source} was subscribed to; \
                         Restate drops the new records as old ones"
                    ),
                })
            }
            // What goes with these.
            Action::UpdateCluster | Action::DeleteCluster { .. } => None,
        })
        .collect()
}

/// Does what [`plan`] found.
pub(super) async fn apply(
    admin: &Admin,
    kafka: &Connection,
    wanted: &Wanted,
    action: &Action,
) -> anyhow::Result<()> {
    match action {
        Action::CreateCluster => {
            admin
                .create_kafka_cluster(&wanted.name, &wanted.properties())
                .await
        }
        Action::UpdateCluster => {
            admin
                .update_kafka_cluster(&wanted.name, &wanted.properties())
                .await
        }
        Action::Subscribe { topic, sink } => {
            let former = wanted.group_of_former_version(topic);
            kafka::begin_group(kafka, &wanted.group(topic), topic, &former).await?;
            admin
                .create_subscription(&wanted.source(topic), sink, &wanted.options(topic))
                .await
        }
        Action::Unsubscribe { id, .. } => admin.delete_subscription(id).await,
        Action::DeleteCluster { name } => admin.delete_kafka_cluster(name).await,
    }
}

/// What an action does, for people.
pub(super) struct Described<'a>(pub(super) &'a Wanted, pub(super) &'a Action);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(wanted, action) = self;
        let (name, brokers) = (&wanted.name, wanted.connection.brokers());
        match action {
            Action::CreateCluster => write!(f, "Kafka cluster {name} at {brokers}: new to Restate"),
            Action::UpdateCluster => {
                write!(
                    f,
                    "Kafka cluster {name}: Restate was told how to reach it at {brokers}"
                )
            }
            Action::Subscribe { topic, sink } => write!(f, "topic {topic} → {sink}: subscribed"),
            Action::Unsubscribe { source, group, .. } => {
                let why = match wanted.why_stale(source, group.as_deref()) {
                    Stale::OtherCluster => "another broker serves now",
                    Stale::FormerVersion => "it was one of an earlier version",
                    Stale::FormerTopic(_) => "the topic was created again",
                };
                write!(f, "subscription to {source}: removed, {why}")
            }
            Action::DeleteCluster { name } => write!(f, "Kafka cluster {name}: removed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(name: &str, brokers: &str) -> KafkaCluster {
        KafkaCluster {
            name: name.to_owned(),
            properties: BTreeMap::from([(BROKERS.to_owned(), brokers.to_owned())]),
        }
    }

    fn subscription(id: &str, cluster: &str, topic: &str, sink: &str, group: &str) -> Subscription {
        Subscription {
            id: id.to_owned(),
            source: format!("kafka://{cluster}/{topic}"),
            sink: sink.to_owned(),
            options: BTreeMap::from([(GROUP.to_owned(), group.to_owned())]),
        }
    }

    /// Both subscriptions of this system to `cluster`, to topics with these ids.
    fn to_topics(cluster: &str, ids: [&str; 2]) -> Vec<Subscription> {
        (SINKS.iter().zip(ids))
            .map(|((topic, sink), id)| {
                let group = format!("restate-{cluster}-{topic}-{id}");
                subscription(&format!("{cluster}/{topic}"), cluster, topic, sink, &group)
            })
            .collect()
    }

    /// Both subscriptions of this system to `cluster`.
    fn both(cluster: &str) -> Vec<Subscription> {
        to_topics(cluster, ["1", "2"])
    }

    /// That of an earlier version to `driver-updates`.
    fn former(cluster: &str) -> Subscription {
        let id = format!("{cluster}/driver-updates");
        let group = format!("restate-{cluster}-driver-updates-2");
        subscription(&id, cluster, "driver-updates", FORMER_SINKS[0], &group)
    }

    fn wanted(connection: Connection, ids: &[(&str, &str)]) -> Wanted {
        let ids = ids
            .iter()
            .map(|&(topic, id)| (topic.to_owned(), id.to_owned()));
        Wanted::new("AbC", "kafka:9092", connection, ids.collect())
    }

    const IDS: [(&str, &str); 2] = [("orders", "1"), ("driver-updates", "2")];

    fn subscribe(index: usize) -> Action {
        let (topic, sink) = SINKS[index];
        Action::Subscribe { topic, sink }
    }

    fn unsubscribe(cluster: &str, topic: &str) -> Action {
        let (_, id) = IDS.into_iter().find(|(of, _)| *of == topic).unwrap();
        unsubscribe_from(cluster, topic, id)
    }

    fn unsubscribe_from(cluster: &str, topic: &str, id: &str) -> Action {
        Action::Unsubscribe {
            id: format!("{cluster}/{topic}"),
            source: format!("kafka://{cluster}/{topic}"),
            group: Some(format!("restate-{cluster}-{topic}-{id}")),
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn setup_does_what_is_missing_and_nothing_else() {
        let wanted = wanted(Connection::plain("kafka:9092"), &IDS);
        let foreign = subscription(
            "foreign",
            "kafka-old",
            "clicks",
            "service://Clicks/count",
            "x",
        );
        let delete_old = || Action::DeleteCluster {
            name: "kafka-old".to_owned(),
        };
        let table = [
            (
                "a fresh Restate",
                vec![],
                vec![],
                vec![Action::CreateCluster, subscribe(0), subscribe(1)],
            ),
            (
                "all there",
                vec![cluster("kafka-abc", "kafka:9092")],
                both("kafka-abc"),
                vec![],
            ),
            (
                "interrupted after the first subscription",
                vec![cluster("kafka-abc", "kafka:9092")],
                both("kafka-abc").drain(..1).collect(),
                vec![subscribe(1)],
            ),
            (
                "the same cluster at another address keeps its subscriptions",
                vec![cluster("kafka-abc", "elsewhere:9092")],
                both("kafka-abc"),
                vec![Action::UpdateCluster],
            ),
            (
                "a topic that was created again",
                vec![cluster("kafka-abc", "kafka:9092")],
                to_topics("kafka-abc", ["0", "2"]),
                vec![subscribe(0), unsubscribe_from("kafka-abc", "orders", "0")],
            ),
            (
                "interrupted before the subscription to the former topic was removed",
                vec![cluster("kafka-abc", "kafka:9092")],
                [
                    both("kafka-abc"),
                    to_topics("kafka-abc", ["0", "2"])[..1].to_vec(),
                ]
                .concat(),
                vec![unsubscribe_from("kafka-abc", "orders", "0")],
            ),
            (
                "another broker",
                vec![cluster("kafka-old", "kafka:9092")],
                both("kafka-old"),
                vec![
                    Action::CreateCluster,
                    subscribe(0),
                    subscribe(1),
                    unsubscribe("kafka-old", "orders"),
                    unsubscribe("kafka-old", "driver-updates"),
                    delete_old(),
                ],
            ),
            (
                "interrupted before the old broker was forgotten",
                vec![
                    cluster("kafka-old", "kafka:9092"),
                    cluster("kafka-abc", "kafka:9092"),
                ],
                both("kafka-abc")
                    .into_iter()
                    .chain(both("kafka-old").drain(1..))
                    .collect(),
                vec![unsubscribe("kafka-old", "driver-updates"), delete_old()],
            ),
            (
                "an old cluster that others use stays",
                vec![
                    cluster("kafka-abc", "kafka:9092"),
                    cluster("kafka-old", "kafka:9092"),
                ],
                both("kafka-abc")
                    .into_iter()
                    .chain(both("kafka-old").drain(..1))
                    .chain([foreign.clone()])
                    .collect(),
                vec![unsubscribe("kafka-old", "orders")],
            ),
            (
                "an earlier version, whose sink is another",
                vec![cluster("kafka-abc", "kafka:9092")],
                both("kafka-abc")
                    .into_iter()
                    .take(1)
                    .chain([former("kafka-abc")])
                    .collect(),
                vec![subscribe(1), unsubscribe("kafka-abc", "driver-updates")],
            ),
            (
                "interrupted before the former subscription was removed",
                vec![cluster("kafka-abc", "kafka:9092")],
                both("kafka-abc")
                    .into_iter()
                    .chain([former("kafka-abc")])
                    .collect(),
                vec![unsubscribe("kafka-abc", "driver-updates")],
            ),
            (
                "an earlier version and another broker",
                vec![cluster("kafka-old", "kafka:9092")],
                vec![former("kafka-old")],
                vec![
                    Action::CreateCluster,
                    subscribe(0),
                    subscribe(1),
                    unsubscribe("kafka-old", "driver-updates"),
                    delete_old(),
                ],
            ),
            (
                "what others have is left alone",
                vec![
                    cluster("kafka-abc", "kafka:9092"),
                    cluster("kafka-old", "kafka:9092"),
                ],
                both("kafka-abc").into_iter().chain([foreign]).collect(),
                vec![],
            ),
        ];
        for (case, clusters, subscriptions, actions) in table {
            assert_eq!(plan(&clusters, &subscriptions, &wanted), actions, "{case}");
        }
    }

    #[test]
    fn a_topic_is_read_in_the_group_of_its_id_and_not_in_that_of_the_former_topic() {
        let former = to_topics("kafka-abc", ["0", "2"]);
        let both: Vec<_> = former.iter().cloned().chain(both("kafka-abc")).collect();
        let id = "1".to_owned();
        assert_eq!(group_of(&former, "orders", Some(&id)), None);
        assert_eq!(
            group_of(&both, "orders", Some(&id)),
            Some("restate-kafka-abc-orders-1")
        );
        assert_eq!(
            group_of(&both, "orders", None),
            Some("restate-kafka-abc-orders-0")
        );
    }

    #[test]
    fn brokers_that_give_topics_no_ids_are_told_apart_by_the_cluster_alone() {
        let clusters = [cluster("kafka-abc", "kafka:9092")];
        let wanted = wanted(Connection::plain("kafka:9092"), &[]);
        assert_eq!(plan(&clusters, &both("kafka-abc"), &wanted), []);
    }

    #[test]
    fn credentials_are_passed_on_each_time_as_restate_does_not_show_them() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kafka.properties");
        let text = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=me\nsasl.password=hunter2\n";
        std::fs::write(&file, text).unwrap();
        let wanted = wanted(
            Connection::with_file("kafka:9092", Some(&file)).unwrap(),
            &IDS,
        );
        let found = |properties: &[(&str, &str)]| {
            let mut found = cluster("kafka-abc", "kafka:9092");
            let properties = properties
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()));
            found.properties.extend(properties);
            plan(&[found], &both("kafka-abc"), &wanted)
        };
        assert_eq!(found(&[]), [Action::UpdateCluster]);
        let shown = [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "***"),
            ("sasl.password", "***"),
        ];
        assert_eq!(found(&shown), [Action::UpdateCluster]);
        assert_eq!(wanted.properties()["sasl.password"], "hunter2");
        let described = Described(&wanted, &Action::UpdateCluster).to_string();
        assert!(!described.contains("hunter2"), "{described}");
    }

    #[test]
    fn names_of_clusters_are_host_names_and_tell_brokers_apart() {
        let name = |id: &str, address: &str| {
            Wanted::new(id, address, address.into(), BTreeMap::new()).name
        };
        assert_eq!(
            name("4L6g3nShT-eMCtK--X86sw", "kafka:9092"),
            "kafka-4l6g3nsht-emctk--x86sw"
        );
        assert_eq!(name("a_b", "kafka:9092"), "kafka-a-b");
        assert_eq!(
            name("mockCluster15a8f", "127.0.0.1:40001"),
            "kafka-mockcluster15a8f-40001"
        );
        assert!(name(&"x".repeat(200), "kafka:9092").len() <= 63);
    }
}
