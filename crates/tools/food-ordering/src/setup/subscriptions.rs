//! Decides which Kafka clusters and subscriptions Restate should have, and makes the changes.
//!
//! Restate deduplicates records by subscription, consumer group, topic, partition and offset. A broker that lost its log starts
//! again at offset zero, and so does a topic that is deleted and created again: Restate would take their records for old ones and
//! silently drop them. Kafka gives such a broker a new cluster id and such a topic a new topic id. The cluster id is part of the
//! cluster's name in Restate, the topic id part of the consumer group's name, and subscriptions with other ids are replaced.

use std::collections::BTreeMap;
use std::fmt;

use domain::topic;
use kafka::Connection;

use crate::broker::in_memory;
use crate::restate::admin::{Admin, KafkaCluster, Subscription};

/// The handler that records of topic `orders` call.
pub(crate) const ORDERS_SINK: &str = "service://OrderIntake/receive";
/// The handler that all positions of drivers call.
const POSITIONS_SINK: &str = "service://DriverUpdateIntake/receive";
/// The handler that the positions that the position filter has chosen call. In earlier versions, all of them called it.
const FILTERED_POSITIONS_SINK: &str = "service://DriverDigitalTwin/handleDriverLocationUpdateEvent";
const SINKS: [&str; 3] = [ORDERS_SINK, POSITIONS_SINK, FILTERED_POSITIONS_SINK];

/// The subscriptions that feed this system's handlers, each with its topic.
pub(crate) fn ours(
    subscriptions: &[Subscription],
) -> impl Iterator<Item = (&'static str, &Subscription)> {
    let ours = (subscriptions.iter()).filter(|it| SINKS.contains(&&*it.sink));
    ours.filter_map(|subscription| {
        let (_, read) = subscription.source.rsplit_once('/')?;
        let (topic, _) = topic::ALL.into_iter().find(|(topic, _)| *topic == read)?;
        Some((topic, subscription))
    })
}

/// Whether Restate reads the positions that the position filter passes on.
pub(crate) fn has_filter(subscriptions: &[Subscription]) -> bool {
    ours(subscriptions).any(|(topic, _)| topic == topic::DRIVER_POSITIONS)
}

/// What Restate reads from Kafka itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Orders, and every position.
    AllPositions,
    /// Orders, and the positions that the position filter passes on.
    FilteredPositions,
    /// Nothing: another program, such as Restate's Kafka integration, reads the topics and calls the handlers.
    Nothing,
}

impl Reads {
    /// With a position filter, or without it.
    pub(crate) fn with_filter(has_filter: bool) -> Self {
        if has_filter {
            Self::FilteredPositions
        } else {
            Self::AllPositions
        }
    }

    /// What it reads now; if that is nothing, what it reads by default.
    pub(super) fn as_before(subscriptions: &[Subscription]) -> Self {
        Self::with_filter(has_filter(subscriptions))
    }

    /// The topics, each with the handler that its records call.
    pub(crate) fn sinks(self) -> Vec<(&'static str, &'static str)> {
        let positions = match self {
            Self::AllPositions => (topic::DRIVER_UPDATES, POSITIONS_SINK),
            Self::FilteredPositions => (topic::DRIVER_POSITIONS, FILTERED_POSITIONS_SINK),
            Self::Nothing => return Vec::new(),
        };
        vec![(topic::ORDERS, ORDERS_SINK), positions]
    }
}

/// The consumer group in which Restate reads `topic`, which has this id. While subscriptions are being replaced, there may also be
/// a group for the previous topic of this name, whose offsets mean nothing in the new one.
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
    SINKS.iter().filter_map(|sink| {
        let (service, _) = sink.strip_prefix("service://")?.split_once('/')?;
        Some(service)
    })
}

/// The property of a cluster that holds its address.
const BROKERS: &str = "bootstrap.servers";

/// The property of a subscription that holds its consumer group.
pub(crate) const GROUP: &str = "group.id";

/// The Kafka cluster as it should be registered with Restate.
#[derive(Debug)]
pub(super) struct Wanted {
    name: String,
    /// The connection by which Restate reaches it.
    connection: Connection,
    in_memory: bool,
    reads: Reads,
    /// The ids of the topics, if the brokers support topic ids.
    topic_ids: BTreeMap<String, String>,
}

/// Why a subscription should be removed.
enum Stale<'a> {
    /// It reads a Kafka cluster that has been replaced.
    OtherCluster,
    /// An earlier version of this program created it, with another handler or consumer group.
    EarlierVersion,
    /// It was created before this topic was deleted and created again.
    DeletedTopic(&'a str),
    /// The positions come from another topic, with the position filter or without it.
    OtherPositions(&'a str),
    /// Another program reads the topics.
    OtherReader,
}

/// A change to make in Restate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    CreateCluster,
    /// The address or the connection properties of the cluster have changed.
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
        reads: Reads,
    ) -> anyhow::Result<Self> {
        let mut wanted = Self::new(cluster_id, kafka.brokers(), for_restate.clone(), reads);
        let topics: Vec<_> = reads.sinks().into_iter().map(|(topic, _)| topic).collect();
        wanted.topic_ids = kafka::topic_ids(kafka, &topics).await?;
        Ok(wanted)
    }

    /// `known_as` is the address at which this process reaches the cluster.
    fn new(cluster_id: &str, known_as: &str, connection: Connection, reads: Reads) -> Self {
        let mut name = format!("kafka-{cluster_id}");
        // The broker in memory derives its id from a memory address, which may repeat, but hardly together with the same port.
        let in_memory = in_memory::is_in_memory(cluster_id);
        if in_memory && let Some((_, port)) = known_as.rsplit_once(':') {
            name = format!("{name}-{port}");
        }
        Self {
            name: host_name(&name),
            connection,
            in_memory,
            reads,
            topic_ids: BTreeMap::new(),
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

    /// The consumer group of a subscription to `topic`. It depends on the cluster and topic id, because offsets of one cluster
    /// or topic mean nothing in another.
    fn group(&self, topic: &str) -> String {
        let group = self.group_of_earlier_version(topic);
        match self.topic_ids.get(topic) {
            Some(id) => format!("{group}-{id}"),
            None => group,
        }
    }

    /// The consumer group in versions that did not use topic ids.
    fn group_of_earlier_version(&self, topic: &str) -> String {
        format!("restate-{}-{topic}", self.name)
    }

    /// Whether this is the subscription that feeds `sink` from `topic`.
    fn is(&self, subscription: &Subscription, topic: &str, sink: &str) -> bool {
        subscription.sink == sink
            && subscription.source == self.source(topic)
            && (!self.topic_ids.contains_key(topic)
                || subscription.options.get(GROUP) == Some(&self.group(topic)))
    }

    fn source(&self, topic: &str) -> String {
        format!("kafka://{}/{topic}", self.name)
    }

    /// Why a subscription of this system should be removed.
    fn why_stale<'a>(&self, source: &'a str, group: Option<&str>) -> Stale<'a> {
        match self.topic_of(source) {
            _ if self.reads == Reads::Nothing => Stale::OtherReader,
            None => Stale::OtherCluster,
            Some(topic)
                if !self
                    .reads
                    .sinks()
                    .iter()
                    .any(|(wanted, _)| *wanted == topic) =>
            {
                Stale::OtherPositions(topic)
            }
            Some(topic) => {
                let of_earlier_version = self.group_of_earlier_version(topic);
                let id = group
                    .and_then(|group| group.strip_prefix(&of_earlier_version)?.strip_prefix('-'));
                match (id, self.topic_ids.get(topic)) {
                    (Some(former), Some(id)) if former != id => Stale::DeletedTopic(topic),
                    _ => Stale::EarlierVersion,
                }
            }
        }
    }

    /// The topic that a subscription reads, if it reads this cluster.
    fn topic_of<'a>(&self, source: &'a str) -> Option<&'a str> {
        let rest = source.strip_prefix("kafka://")?.strip_prefix(&self.name)?;
        rest.strip_prefix('/')
    }

    /// Options of the consumer behind a subscription, under librdkafka's names.
    fn options(&self, topic: &str) -> BTreeMap<String, String> {
        let mut options = vec![
            (GROUP, self.group(topic)),
            // So that orders published before the subscription was created are read too.
            ("auto.offset.reset", "earliest".to_owned()),
            // How long a killed Restate keeps its partitions: the minimum that Kafka allows by default.
            ("session.timeout.ms", "6000".to_owned()),
            // Short, because `up` waits on shutdown until everything that was read is committed.
            ("auto.commit.interval.ms", "500".to_owned()),
            // Partitions that are added later are found within this time.
            ("topic.metadata.refresh.interval.ms", "10000".to_owned()),
            // How often Restate updates its metric of how far behind it is.
            (
                "statistics.interval.ms",
                if self.in_memory { "100" } else { "250" }.to_owned(),
            ),
        ];
        if topic == topic::DRIVER_POSITIONS {
            // Nobody waits for a single position.
            options.push(("fetch.min.bytes", "16384".to_owned()));
            options.push(("fetch.wait.max.ms", "100".to_owned()));
        } else if self.in_memory {
            // The broker in memory answers an idle consumer only when this time is over, even if a record arrives earlier
            // (`rd_kafka_mock_handle_Fetch`).
            options.push(("fetch.wait.max.ms", "25".to_owned()));
        }
        options
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }
}

/// Turns a text into a valid cluster name. Cluster names have to be host names: lower case, at most 63 characters.
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

/// The actions that lead from the present clusters and subscriptions to the wanted ones, in a sequence in which a crash half-way
/// loses nothing.
pub(super) fn plan(
    clusters: &[KafkaCluster],
    subscriptions: &[Subscription],
    wanted: &Wanted,
) -> Vec<Action> {
    let mut actions = Vec::new();
    match clusters.iter().find(|cluster| cluster.name == wanted.name) {
        _ if wanted.reads == Reads::Nothing => {}
        None => actions.push(Action::CreateCluster),
        Some(cluster) if needs_update(&cluster.properties, &wanted.properties()) => {
            actions.push(Action::UpdateCluster);
        }
        Some(_) => {}
    }
    for (topic, sink) in wanted.reads.sinks() {
        let mut subscriptions = subscriptions.iter();
        if !subscriptions.any(|subscription| wanted.is(subscription, topic, sink)) {
            actions.push(Action::Subscribe { topic, sink });
        }
    }
    // Other subscriptions that feed the same handlers are stale, and so are clusters that feed nothing else. Where an earlier version
    // read the same topic into another handler, the new subscription uses the same consumer group, so it continues from the former
    // one's last committed offset, which may repeat a few records.
    let (old, others): (Vec<&Subscription>, Vec<_>) =
        subscriptions.iter().partition(|subscription| {
            let mut sinks = wanted.reads.sinks().into_iter();
            let is_wanted = sinks.any(|(topic, sink)| wanted.is(subscription, topic, sink));
            SINKS.contains(&&*subscription.sink) && !is_wanted
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
            .filter(|cluster| cluster.name != wanted.name || wanted.reads == Reads::Nothing)
            .filter(|cluster| used_by(&old, cluster) && !used_by(&others, cluster))
            .map(|cluster| Action::DeleteCluster {
                name: cluster.name.clone(),
            }),
    );
    actions
}

/// The text that Restate shows in place of a secret.
const REDACTED: &str = "***";

/// Whether the properties of a cluster in Restate have to be updated.
///
/// Restate does not show secrets, so clusters with secrets are always updated. If the properties are the same, Restate's readers
/// continue undisturbed.
fn needs_update(found: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    found != wanted || found.values().any(|value| value == REDACTED)
}

/// Describes what is wrong with Restate's subscriptions to the cluster at `kafka`; empty if setup would change nothing. Without
/// `reads`, it is right to have the position filter, and not to have it.
pub(crate) async fn problems(
    admin: &Admin,
    kafka: &Connection,
    reads: Option<Reads>,
) -> anyhow::Result<Vec<String>> {
    let clusters = admin.kafka_clusters().await?;
    let subscriptions = admin.subscriptions().await?;
    let cluster = kafka::Cluster::discover(kafka).await?;
    let reads = reads.unwrap_or_else(|| Reads::as_before(&subscriptions));
    let wanted = Wanted::find(&cluster.id, kafka, kafka, reads).await?;
    Ok(missing(&clusters, &subscriptions, &wanted))
}

/// A different address or different properties of the cluster are not reported: Restate may need its own.
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
                        format!("stale: {source} is not the running cluster, {name}")
                    }
                    Stale::EarlierVersion => {
                        format!("stale: the subscription to {source} is from an earlier version")
                    }
                    Stale::DeletedTopic(topic) => format!(
                        "stale: topic {topic} has been deleted and created again since {source} was subscribed to; \
                         Restate drops the new records as old ones"
                    ),
                    Stale::OtherPositions(topic) => {
                        format!("stale: drivers' positions do not come from topic {topic}")
                    }
                    Stale::OtherReader => format!("another program reads Kafka, but so does Restate: {source}"),
                })
            }
            // These come with the actions above, or need not be reported.
            Action::UpdateCluster | Action::DeleteCluster { .. } => None,
        })
        .collect()
}

/// Carries out an action of [`plan`].
pub(super) async fn apply(
    admin: &Admin,
    kafka: &Connection,
    wanted: &Wanted,
    action: &Action,
) -> anyhow::Result<()> {
    match action {
        Action::CreateCluster => {
            let properties = wanted.properties();
            admin.create_kafka_cluster(&wanted.name, &properties).await
        }
        Action::UpdateCluster => {
            let properties = wanted.properties();
            admin.update_kafka_cluster(&wanted.name, &properties).await
        }
        Action::Subscribe { topic, sink } => {
            let former = wanted.group_of_earlier_version(topic);
            kafka::commit_initial_offsets(kafka, &wanted.group(topic), topic, &former).await?;
            let (source, options) = (wanted.source(topic), wanted.options(topic));
            admin.create_subscription(&source, sink, &options).await
        }
        Action::Unsubscribe { id, .. } => admin.delete_subscription(id).await,
        Action::DeleteCluster { name } => admin.delete_kafka_cluster(name).await,
    }
}

/// Replaces the subscription to a topic by a new one in the same consumer group, which continues from the last committed offset.
pub(super) async fn renew(
    admin: &Admin,
    kafka: &Connection,
    wanted: &Wanted,
    topic: &'static str,
) -> anyhow::Result<()> {
    for (topic, sink) in wanted
        .reads
        .sinks()
        .into_iter()
        .filter(|(of, _)| *of == topic)
    {
        let subscriptions = admin.subscriptions().await?;
        let mut old = subscriptions.iter();
        if let Some(old) = old.find(|old| wanted.is(old, topic, sink)) {
            admin.delete_subscription(&old.id).await?;
        }
        apply(admin, kafka, wanted, &Action::Subscribe { topic, sink }).await?;
    }
    Ok(())
}

/// Displays what an action does.
pub(super) struct Described<'a>(pub(super) &'a Wanted, pub(super) &'a Action);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(wanted, action) = self;
        let (name, brokers) = (&wanted.name, wanted.connection.brokers());
        match action {
            Action::CreateCluster => write!(f, "Kafka cluster {name} at {brokers}: registered"),
            Action::UpdateCluster => {
                write!(
                    f,
                    "Kafka cluster {name} at {brokers}: connection properties updated"
                )
            }
            Action::Subscribe { topic, sink } => write!(f, "topic {topic} → {sink}: subscribed"),
            Action::Unsubscribe { source, group, .. } => {
                let group = group.as_deref();
                let why = match wanted.why_stale(source, group) {
                    Stale::OtherCluster => "another Kafka cluster has replaced it",
                    Stale::EarlierVersion => "it was from an earlier version",
                    Stale::DeletedTopic(_) => "the topic was created again",
                    Stale::OtherPositions(_) => "the position filter was switched on or off",
                    Stale::OtherReader => {
                        "another program reads the topics. In the same consumer group, it continues where Restate stopped"
                    }
                };
                write!(f, "subscription to {source}: removed because {why}")?;
                match group.filter(|_| wanted.reads == Reads::Nothing) {
                    Some(group) => write!(f, ": {group}"),
                    None => Ok(()),
                }
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
        (Reads::AllPositions.sinks().into_iter().zip(ids))
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

    /// An earlier version's subscription to `driver-updates`.
    fn former(cluster: &str) -> Subscription {
        let id = format!("{cluster}/driver-updates");
        let group = format!("restate-{cluster}-driver-updates-2");
        subscription(
            &id,
            cluster,
            "driver-updates",
            FILTERED_POSITIONS_SINK,
            &group,
        )
    }

    fn wanted(connection: Connection, ids: &[(&str, &str)]) -> Wanted {
        let ids = ids
            .iter()
            .map(|&(topic, id)| (topic.to_owned(), id.to_owned()));
        Wanted {
            topic_ids: ids.collect(),
            ..Wanted::new("AbC", "kafka:9092", connection, Reads::AllPositions)
        }
    }

    const IDS: [(&str, &str); 2] = [("orders", "1"), ("driver-updates", "2")];

    fn subscribe(index: usize) -> Action {
        let (topic, sink) = Reads::AllPositions.sinks()[index];
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
    fn setup_makes_only_the_missing_changes() {
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
                "nothing is missing",
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
                "interrupted before the old cluster was removed",
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
                "an earlier version with another sink",
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
                "other subscriptions and clusters are left alone",
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
    fn the_position_filter_is_switched_on_and_off() {
        let clusters = [cluster("kafka-abc", "kafka:9092")];
        let ids = [
            ("orders", "1"),
            ("driver-updates", "2"),
            ("driver-positions", "3"),
        ];
        let without = wanted(Connection::plain("kafka:9092"), &ids);
        let with = Wanted {
            reads: Reads::FilteredPositions,
            ..wanted(Connection::plain("kafka:9092"), &ids)
        };
        let subscribed = |wanted: &Wanted| -> Vec<_> {
            (wanted.reads.sinks().into_iter())
                .map(|(topic, sink)| {
                    subscription(topic, "kafka-abc", topic, sink, &wanted.group(topic))
                })
                .collect()
        };
        for (before, after) in [(&without, &with), (&with, &without)] {
            let subscriptions = subscribed(before);
            assert_eq!(plan(&clusters, &subscriptions, before), []);
            let actions = plan(&clusters, &subscriptions, after);
            let [
                Action::Subscribe { topic, sink },
                Action::Unsubscribe { id, .. },
            ] = &actions[..]
            else {
                panic!("{actions:?}");
            };
            assert_eq!((*topic, *sink), after.reads.sinks()[1]);
            assert_eq!(id, before.reads.sinks()[1].0);
            let problems = missing(&clusters, &subscriptions, after);
            let stale = format!("positions do not come from topic {id}");
            assert!(problems[1].ends_with(&stale), "{problems:?}");
        }
        assert!(has_filter(&subscribed(&with)) && !has_filter(&subscribed(&without)));
    }

    #[test]
    fn if_another_program_reads_the_topics_restate_reads_none() {
        let nothing = Wanted {
            reads: Reads::Nothing,
            ..wanted(Connection::plain("kafka:9092"), &[])
        };
        assert_eq!(plan(&[], &[], &nothing), []);
        let clusters = [cluster("kafka-abc", "kafka:9092")];
        let before = both("kafka-abc");
        let unsubscribe = |topic| unsubscribe("kafka-abc", topic);
        assert_eq!(
            plan(&clusters, &before, &nothing),
            [
                unsubscribe("orders"),
                unsubscribe("driver-updates"),
                Action::DeleteCluster {
                    name: "kafka-abc".to_owned()
                }
            ]
        );
        let problems = missing(&clusters, &before, &nothing);
        assert!(problems[0].contains("so does Restate"), "{problems:?}");
    }

    #[test]
    fn the_group_of_a_topic_has_its_id_and_not_that_of_the_former_topic() {
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
    fn without_topic_ids_subscriptions_differ_only_by_cluster() {
        let clusters = [cluster("kafka-abc", "kafka:9092")];
        let wanted = wanted(Connection::plain("kafka:9092"), &[]);
        assert_eq!(plan(&clusters, &both("kafka-abc"), &wanted), []);
    }

    #[test]
    fn credentials_are_always_updated_because_restate_does_not_show_them() {
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
    fn cluster_names_are_host_names_and_unique() {
        let name = |id: &str, address: &str| {
            Wanted::new(id, address, address.into(), Reads::AllPositions).name
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
