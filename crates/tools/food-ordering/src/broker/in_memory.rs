//! The broker in memory: librdkafka's mock cluster, which serves real clients over TCP.
//!
//! It is for demos, tests and benchmarks. It keeps records in memory, at most 5 MiB per partition (the oldest are dropped first;
//! see `rd_kafka_mock_partition_new` in librdkafka), so they are lost when the process ends. It picks its own port.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};
use tokio_util::sync::CancellationToken;

use crate::files;

/// How long the first member of a consumer group waits for others before partitions are assigned. The nodes of a Restate cluster
/// join one after the other, and each later one causes another rebalance.
const GATHER: Duration = Duration::from_millis(100);

/// Settings of the broker in memory.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// File to which the broker in memory writes its address, because it picks its own port
    #[arg(
        long = "kafka-address-file",
        env = "FOOD_ORDERING_KAFKA_ADDRESS_FILE",
        value_name = "FILE"
    )]
    address_file: Option<PathBuf>,
}

/// Runs a broker with all topics of this system until `shutdown`.
///
/// Writes its address to standard output, and to the file in `options` if there is one.
pub(crate) async fn serve(options: &Options, shutdown: CancellationToken) -> anyhow::Result<()> {
    let client: BaseProducer = ClientConfig::new()
        .set("test.mock.num.brokers", "1")
        .create()
        .context("starting the broker in memory")?;
    librdkafka::set_initial_rebalance_delay(client.client(), GATHER);
    let cluster = client.client().mock_cluster();
    let cluster = cluster.context("starting the broker in memory")?;
    for (topic, partitions) in domain::topic::ALL {
        cluster
            .create_topic(topic, partitions, 1)
            .with_context(|| format!("creating topic {topic}"))?;
    }
    let address = cluster.bootstrap_servers();
    say!("listening on {address}");
    if let Some(file) = &options.address_file {
        files::write_atomically(file, &address)
            .with_context(|| format!("writing the broker's address to {}", file.display()))?;
    }
    shutdown.cancelled().await;
    Ok(())
}

/// Whether the cluster with this id is a broker in memory.
pub(crate) fn is_in_memory(cluster_id: &str) -> bool {
    cluster_id.starts_with("mockCluster")
}
