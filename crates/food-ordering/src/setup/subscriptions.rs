//! Which Kafka clusters and subscriptions Restate should have, and what to do to get there.
//!
//! Restate deduplicates records by subscription, topic, partition and offset. A broker that lost its log starts again at offset
//! zero, so its records would count as old ones and be dropped without a word. Kafka gives such a broker a new cluster id; the
//! id is in the name of the cluster here, and subscriptions to clusters of another id are replaced.

use std::collections::BTreeMap;
use std::fmt;

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

/// The services behind the sinks.
pub(super) fn services() -> impl Iterator<Item = &'static str> {
    SINKS.iter().filter_map(|(_, sink)| {
        let (service, _) = sink.strip_prefix("service://")?.split_once('/')?;
        Some(service)
    })
}

/// The property of a cluster that holds its address.
const BROKERS: &str = "bootstrap.servers";

/// A Kafka cluster as Restate is to know it.
#[derive(Debug)]
pub(super) struct Wanted {
    name: String,
    /// Its address as Restate reaches it.
    brokers: String,
    embedded: bool,
}

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    CreateCluster,
    /// The same cluster has another address now.
    MoveCluster,
    Subscribe {
        topic: &'static str,
        sink: &'static str,
    },
    Unsubscribe {
        id: String,
        source: String,
    },
    DeleteCluster {
        name: String,
    },
}

impl Wanted {
    /// The cluster with this id. `known_as` is its address as this process reaches it, `brokers` as Restate does.
    pub(super) fn new(cluster_id: &str, known_as: &str, brokers: &str) -> Self {
        let mut name = format!("kafka-{cluster_id}");
        // The embedded broker makes its id of a place in memory, which may come again, but hardly on the same port.
        let embedded = broker::is_embedded(cluster_id);
        if embedded && let Some((_, port)) = known_as.rsplit_once(':') {
            name = format!("{name}-{port}");
        }
        Self {
            name: host_name(&name),
            brokers: brokers.to_owned(),
            embedded,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn properties(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(BROKERS.to_owned(), self.brokers.clone())])
    }

    fn source(&self, topic: &str) -> String {
        format!("kafka://{}/{topic}", self.name)
    }

    /// Options of the consumer behind a subscription, in librdkafka's names.
    fn options(&self, topic: &str) -> BTreeMap<String, String> {
        let mut options = vec![
            // Offsets of one cluster mean nothing in another.
            ("group.id", format!("restate-{}-{topic}", self.name)),
            // Orders that were there before the subscription count too.
            ("auto.offset.reset", "earliest".to_owned()),
            // How long the partitions of a Restate that was killed stay its own: the least that Kafka allows by default.
            ("session.timeout.ms", "6000".to_owned()),
            // Who stops the system waits until what was read is committed (see `up`).
            ("auto.commit.interval.ms", "500".to_owned()),
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
        Some(cluster) if cluster.properties.get(BROKERS) != Some(&wanted.brokers) => {
            actions.push(Action::MoveCluster);
        }
        Some(_) => {}
    }
    for (topic, sink) in SINKS {
        let source = wanted.source(topic);
        if !subscriptions
            .iter()
            .any(|subscription| subscription.source == source && subscription.sink == sink)
        {
            actions.push(Action::Subscribe { topic, sink });
        }
    }
    // What fed the same handlers from another cluster has had its day, and so have the clusters that fed nothing else. The same
    // is true of what fed a handler of an earlier version: the subscription that takes its place is in the same consumer group,
    // so it goes on where the former one has committed to have read, which may be a few records back.
    let (old, others): (Vec<&Subscription>, Vec<_>) =
        subscriptions.iter().partition(|subscription| {
            let is_ours = SINKS.iter().any(|(_, sink)| subscription.sink == *sink);
            is_ours && cluster_of(&subscription.source) != wanted.name
                || FORMER_SINKS.contains(&&*subscription.sink)
        });
    actions.extend(old.iter().map(|subscription| Action::Unsubscribe {
        id: subscription.id.clone(),
        source: subscription.source.clone(),
    }));
    let used_by = |subscriptions: &[&Subscription], cluster: &KafkaCluster| {
        subscriptions
            .iter()
            .any(|subscription| cluster_of(&subscription.source) == cluster.name)
    };
    actions.extend(
        clusters
            .iter()
            .filter(|cluster| used_by(&old, cluster) && !used_by(&others, cluster))
            .map(|cluster| Action::DeleteCluster {
                name: cluster.name.clone(),
            }),
    );
    actions
}

/// What setup would do for the cluster `id` at `brokers`, in words; nothing if Restate has what it needs.
///
/// Where Restate knows the cluster by another address it is right: it may reach it by another way.
pub(crate) fn missing(
    clusters: &[KafkaCluster],
    subscriptions: &[Subscription],
    id: &str,
    brokers: &str,
) -> Vec<String> {
    let name = Wanted::new(id, brokers, brokers).name;
    let known = clusters.iter().find(|cluster| cluster.name == name);
    let for_restate = known.and_then(|cluster| cluster.properties.get(BROKERS));
    let wanted = Wanted::new(id, brokers, for_restate.map_or(brokers, String::as_str));
    plan(clusters, subscriptions, &wanted)
        .iter()
        .filter_map(|action| match action {
            Action::CreateCluster => Some(format!("Restate does not know Kafka cluster {name}")),
            Action::Subscribe { topic, sink } => {
                Some(format!("topic {topic} is not read into {sink}"))
            }
            Action::Unsubscribe { source, .. } if cluster_of(source) == name => Some(format!(
                "stale: {source} is read into a handler of an earlier version"
            )),
            Action::Unsubscribe { source, .. } => Some(format!(
                "stale: {source} is another cluster than the one that runs, {name}"
            )),
            // What goes with these.
            Action::MoveCluster | Action::DeleteCluster { .. } => None,
        })
        .collect()
}

/// Does what [`plan`] found.
pub(super) async fn apply(admin: &Admin, wanted: &Wanted, action: &Action) -> anyhow::Result<()> {
    match action {
        Action::CreateCluster => {
            admin
                .create_kafka_cluster(&wanted.name, &wanted.properties())
                .await
        }
        Action::MoveCluster => {
            admin
                .update_kafka_cluster(&wanted.name, &wanted.properties())
                .await
        }
        Action::Subscribe { topic, sink } => {
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
        let Self(Wanted { name, brokers, .. }, action) = self;
        match action {
            Action::CreateCluster => write!(f, "Kafka cluster {name} at {brokers}: new to Restate"),
            Action::MoveCluster => write!(f, "Kafka cluster {name}: now at {brokers}"),
            Action::Subscribe { topic, sink } => write!(f, "topic {topic} → {sink}: subscribed"),
            Action::Unsubscribe { source, .. } => {
                let why = if cluster_of(source) == name {
                    "its handler is one of an earlier version"
                } else {
                    "another broker serves now"
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

    fn subscription(id: &str, cluster: &str, topic: &str, sink: &str) -> Subscription {
        Subscription {
            id: id.to_owned(),
            source: format!("kafka://{cluster}/{topic}"),
            sink: sink.to_owned(),
            options: BTreeMap::new(),
        }
    }

    /// Both subscriptions of this system to `cluster`.
    fn both(cluster: &str) -> Vec<Subscription> {
        SINKS
            .iter()
            .map(|(topic, sink)| subscription(&format!("{cluster}/{topic}"), cluster, topic, sink))
            .collect()
    }

    /// That of an earlier version to `driver-updates`.
    fn former(cluster: &str) -> Subscription {
        let id = format!("{cluster}/driver-updates");
        subscription(&id, cluster, "driver-updates", FORMER_SINKS[0])
    }

    fn subscribe(index: usize) -> Action {
        let (topic, sink) = SINKS[index];
        Action::Subscribe { topic, sink }
    }

    fn unsubscribe(cluster: &str, topic: &str) -> Action {
        Action::Unsubscribe {
            id: format!("{cluster}/{topic}"),
            source: format!("kafka://{cluster}/{topic}"),
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn setup_does_what_is_missing_and_nothing_else() {
        let wanted = Wanted::new("AbC", "kafka:9092", "kafka:9092");
        let foreign = subscription("foreign", "kafka-old", "clicks", "service://Clicks/count");
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
                vec![Action::MoveCluster],
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
    fn names_of_clusters_are_host_names_and_tell_brokers_apart() {
        let name = |id: &str, address: &str| Wanted::new(id, address, address).name;
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
