//! The nodes of Restate: one, or a cluster of three.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, bail};

use crate::files;

/// How many nodes Restate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nodes {
    /// One node, whose log is only on its own disk.
    One,
    /// Three nodes: each record of the log is on two of them, so any one may be lost.
    Three,
}

/// The setting for the number of nodes.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub struct RestateNodes {
    /// Number of Restate nodes: 1, or 3 for a cluster that survives the loss of any one node
    #[arg(
        long = "restate-nodes",
        env = "FOOD_ORDERING_RESTATE_NODES",
        default_value = "1",
        value_name = "N"
    )]
    pub count: Nodes,
}

impl FromStr for Nodes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "1" => Ok(Self::One),
            "3" => Ok(Self::Three),
            _ => Err("must be 1, or 3 for a cluster that survives the loss of a node"),
        }
    }
}

impl fmt::Display for Nodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count())
    }
}

impl Nodes {
    /// Every node, the first one first.
    pub(super) fn all(self) -> &'static [Node] {
        match self {
            Self::One => &Node::ALL[..1],
            Self::Three => &Node::ALL,
        }
    }

    /// The number of nodes.
    pub(super) fn count(self) -> u16 {
        match self {
            Self::One => 1,
            Self::Three => 3,
        }
    }
}

/// One of the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// The only one, or the one that creates the cluster.
    First,
    /// The second of a cluster.
    Second,
    /// The third of a cluster.
    Third,
}

impl Node {
    pub(super) const ALL: [Self; 3] = [Self::First, Self::Second, Self::Third];

    /// The node that a process is, by the process's name.
    #[must_use]
    pub fn of_process(process: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|node| node.process() == process)
    }

    /// Picks this node's value from one value per node.
    pub(super) fn of<T: Copy>(self, values: [T; 3]) -> T {
        values[self as usize]
    }

    /// The name of its process, and of its log.
    pub(super) fn process(self) -> &'static str {
        self.of(["restate-server", "restate-server-2", "restate-server-3"])
    }

    /// Its node name in the cluster.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.of(["node-1", "node-2", "node-3"])
    }

    /// The name of its configuration file in the data directory.
    #[must_use]
    pub fn config_file(self) -> &'static str {
        self.of(["restate.toml", "restate-2.toml", "restate-3.toml"])
    }
}

/// Whether a process is a node of Restate.
pub(super) fn is_node(process: &str) -> bool {
    Node::of_process(process).is_some()
}

/// The node name of a single node.
pub(super) const SINGLE_NODE: &str = "local";

/// The directory with Restate's data, which has a subdirectory for each node, under the node's name.
#[derive(Debug)]
pub(super) struct Store<'a>(pub(super) &'a Path);

impl Store<'_> {
    /// Checks that the existing data fits the number of nodes: a cluster cannot use the log of a single node, or vice versa.
    pub(super) fn check(&self, nodes: Nodes) -> anyhow::Result<()> {
        let has = |name: &str| self.0.join(name).is_dir();
        let path = self.0.display();
        match nodes {
            Nodes::One if Node::ALL.iter().any(|node| has(node.name())) => bail!(
                "{path} holds the data of a Restate cluster of three nodes, which a single node cannot use; start it with \
                 --restate-nodes 3, or use another directory with --data-dir"
            ),
            Nodes::Three if has(SINGLE_NODE) => bail!(
                "{path} holds the data of a single Restate node, whose log is not replicated, so it cannot become a cluster; \
                 start it without --restate-nodes, or use another directory with --data-dir"
            ),
            _ => Ok(()),
        }
    }

    /// Whether the cluster was created. If so, no node may create another one, even if it has lost its data.
    pub(super) fn is_provisioned(&self) -> bool {
        self.0.join(PROVISIONED).exists()
    }

    /// Records that the cluster was created.
    pub(super) fn note_provisioned(&self) -> anyhow::Result<()> {
        let file = self.0.join(PROVISIONED);
        files::write_atomically(
            &file,
            "by `food-ordering up`; no node may create another cluster here\n",
        )
        .with_context(|| format!("writing {}", file.display()))
    }
}

const PROVISIONED: &str = "cluster-founded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nodes_are_refused_because_they_survive_nothing() {
        assert_eq!("3".parse(), Ok(Nodes::Three));
        for bad in ["0", "2", "4", "three"] {
            assert!(bad.parse::<Nodes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cluster_cannot_use_the_data_of_a_single_node_nor_the_other_way_round() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store(directory.path());
        for nodes in [Nodes::One, Nodes::Three] {
            store.check(nodes).unwrap();
        }
        let alone = directory.path().join(SINGLE_NODE);
        std::fs::create_dir(&alone).unwrap();
        store.check(Nodes::One).unwrap();
        let error = store.check(Nodes::Three).unwrap_err().to_string();
        assert!(error.contains("without --restate-nodes"), "{error}");

        std::fs::rename(alone, directory.path().join("node-2")).unwrap();
        store.check(Nodes::Three).unwrap();
        let error = store.check(Nodes::One).unwrap_err().to_string();
        assert!(error.contains("--restate-nodes 3"), "{error}");
    }

    #[test]
    fn a_cluster_is_created_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store(directory.path());
        assert!(!store.is_provisioned());
        store.note_provisioned().unwrap();
        assert!(store.is_provisioned());
    }
}
