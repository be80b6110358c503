//! The configuration of a Restate server that `up` runs.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// The bounds of Restate's cleanup interval. The upper one is Restate's default.
const MIN_CLEANUP_INTERVAL: Duration = Duration::from_secs(10);
const MAX_CLEANUP_INTERVAL: Duration = Duration::from_hours(1);

/// What differs from one server to the next.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where it keeps its data.
    pub(crate) base_dir: PathBuf,
    /// Where services are called.
    pub(crate) ingress_port: u16,
    /// The admin API and the UI.
    pub(crate) admin_port: u16,
    /// Node-to-node traffic and metrics.
    pub(crate) node_port: u16,
    /// Where other nodes reach this node.
    pub(crate) advertised: String,
    /// The number of partitions of a new server. A server with data keeps the number it has.
    pub(crate) partitions: u16,
    /// The file with the private key with which it signs its requests to services.
    pub(crate) identity: PathBuf,
    /// How long ended workflows are kept.
    pub(crate) workflow_retention: Duration,
    /// The URL of the OpenTelemetry collector that receives its traces, by OTLP over HTTP.
    pub(crate) collector: Option<String>,
    /// The name of the node, and of its directory in `base_dir`.
    pub(crate) name: &'static str,
    /// The cluster that the node belongs to; `None` for a single node.
    pub(crate) cluster: Option<Cluster>,
}

/// A cluster, as one of its nodes sees it.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// The node-to-node address of every node.
    pub(crate) nodes: Vec<String>,
    /// Whether this node creates the cluster if it finds none. Only one node may do so: two clusters cannot be merged.
    pub(crate) provisions: bool,
    /// Where snapshots of partitions are stored (`s3://…`, `gs://…`, `az://…`), for nodes that need records already trimmed from
    /// the log; `None` if the log is never trimmed.
    pub(crate) snapshots: Option<String>,
}

impl Config {
    /// The content of the configuration file.
    pub(crate) fn render(&self) -> String {
        let Self {
            ingress_port,
            admin_port,
            node_port,
            partitions,
            workflow_retention,
            ..
        } = self;
        let cleanup = (*workflow_retention / 2)
            .clamp(MIN_CLEANUP_INTERVAL, MAX_CLEANUP_INTERVAL)
            .as_secs();
        let tracing = match &self.collector {
            // OTLP over HTTP, as the parts use it. Without the prefix, Restate would use gRPC.
            Some(collector) => {
                let endpoint = Value::from(format!("otlp+{collector}/v1/traces"));
                format!("\n# Invocations are traced.\ntracing-endpoint = {endpoint}\n")
            }
            None => String::new(),
        };
        // A JSON string is a TOML string too.
        let advertised = Value::from(self.advertised.as_str());
        let base_dir = Value::from(self.base_dir.display().to_string());
        let identity = Value::from(self.identity.display().to_string());
        let name = self.name;
        let (provisions, replication, memory, log) = match &self.cluster {
            None => (true, "", "512 MB", SINGLE_NODE.to_owned()),
            Some(cluster) => (cluster.provisions, REPLICATION, "256 MB", cluster.render()),
        };
        format!(
            r#"# Written by `food-ordering up` at every start.
cluster-name = "food-ordering"
node-name = "{name}"
base-dir = {base_dir}
auto-provision = {provisions}

# The services accept only requests signed with this key: see docs/security.md.
request-identity-private-key-pem-file = {identity}

# The runtime works on partitions in parallel; with more of them it batches less.
default-num-partitions = {partitions}
{replication}
# This machine only, over TCP: with Unix sockets the data directory's path could have at most 100 characters.
listen-mode = "tcp"
bind-ip = "127.0.0.1"
bind-port = {node_port}
advertised-address = {advertised}

# Less than the default of 2 GB, because this runs beside other programs on a developer's machine.
rocksdb-total-memory-size = "{memory}"
disable-telemetry = true
log-format = "compact"
# Without octocrab=off, Restate logs an error because it does not run in Kubernetes.
log-filter = "warn,restate=info,octocrab=off"
log-disable-ansi-codes = true
{tracing}
[worker]
# How often expired invocations are removed. Not more often than needed, because each cleanup reads all invocations.
cleanup-interval = "{cleanup}s"

[ingress]
bind-port = {ingress_port}
advertised-ingress-endpoint = "http://127.0.0.1:{ingress_port}/"

[admin]
bind-port = {admin_port}
advertised-admin-endpoint = "http://127.0.0.1:{admin_port}/"

[admin.query-engine]
memory-size = "128 MB"

{log}"#
        )
    }
}

/// The log settings of a single node.
const SINGLE_NODE: &str = r#"[bifrost]
# One node needs no replication: writing its log without the log server saves a sixth of the runtime's CPU (measured; see
# docs/adr/0003-runtime-settings.md). A cluster uses "replicated".
default-provider = "local"
"#;

const REPLICATION: &str = "
# Each record of the log is on two nodes, and each partition has a follower on a second node: any one node may be lost.
default-replication = 2
";

impl Cluster {
    fn render(&self) -> String {
        let nodes = Value::from(self.nodes.clone());
        let snapshots = match &self.snapshots {
            None => String::new(),
            Some(destination) => {
                let destination = Value::from(destination.as_str());
                format!(
                    r#"
[worker.snapshots]
destination = {destination}
# A snapshot is taken when both limits are exceeded.
snapshot-interval = "10m"
snapshot-interval-num-records = 10000
"#
                )
            }
        };
        format!(
            r#"[metadata-client]
addresses = {nodes}

[bifrost]
default-provider = "replicated"
{snapshots}"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(cluster: Option<Cluster>) -> Config {
        Config {
            base_dir: PathBuf::from(r#"/home/o"neil/data dir"#),
            ingress_port: 1,
            admin_port: 2,
            node_port: 3,
            advertised: "http://127.0.0.1:3/".to_owned(),
            partitions: 4,
            identity: PathBuf::from("/keys/restate-identity.pem"),
            workflow_retention: Duration::from_mins(2),
            collector: Some("http://127.0.0.1:5".to_owned()),
            name: "node-2",
            cluster,
        }
    }

    fn assert_lines(text: &str, lines: &[&str]) {
        for line in lines {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn ports_partitions_and_a_path_with_special_characters_are_rendered() {
        let text = config(None).render();
        assert_lines(
            &text,
            &[
                r#"base-dir = "/home/o\"neil/data dir""#,
                r#"node-name = "node-2""#,
                "auto-provision = true",
                "default-num-partitions = 4",
                r#"request-identity-private-key-pem-file = "/keys/restate-identity.pem""#,
                "bind-port = 3",
                r#"advertised-address = "http://127.0.0.1:3/""#,
                r#"cleanup-interval = "60s""#,
                r#"tracing-endpoint = "otlp+http://127.0.0.1:5/v1/traces""#,
                "[ingress]\nbind-port = 1",
                "[admin]\nbind-port = 2",
                r#"default-provider = "local""#,
            ],
        );
    }

    #[test]
    fn a_node_of_a_cluster_knows_the_others_and_replicates_its_log() {
        let cluster = |snapshots| Cluster {
            nodes: vec!["http://a:1/".to_owned(), "http://b:2/".to_owned()],
            provisions: false,
            snapshots,
        };
        let text = config(Some(cluster(None))).render();
        assert_lines(
            &text,
            &[
                "auto-provision = false",
                "default-replication = 2",
                r#"addresses = ["http://a:1/","http://b:2/"]"#,
                r#"default-provider = "replicated""#,
            ],
        );
        assert!(!text.contains("snapshots"), "{text}");
        let text = config(Some(cluster(Some("s3://bucket/x".to_owned())))).render();
        assert_lines(&text, &[r#"destination = "s3://bucket/x""#]);
    }
}
