//! A Kafka broker in memory.

use kafka::{Connection, Publisher};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// A Kafka broker in memory, with all topics of the system. Stops on drop.
pub struct Kafka(MockCluster<'static, DefaultProducerContext>);

impl Default for Kafka {
    fn default() -> Self {
        let cluster = MockCluster::new(1).expect("a broker");
        for (topic, partitions) in domain::topic::ALL {
            let created = cluster.create_topic(topic, partitions, 1);
            created.expect("a topic");
        }
        Self(cluster)
    }
}

impl Kafka {
    /// The connection to the broker.
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection::plain(self.0.bootstrap_servers())
    }

    /// Makes the broker unreachable.
    ///
    /// # Panics
    /// If that fails.
    pub fn stop(&self) {
        self.0.broker_down(1).expect("the broker stops");
    }

    /// Makes the broker reachable again, with all its records.
    ///
    /// # Panics
    /// If that fails.
    pub fn resume(&self) {
        self.0.broker_up(1).expect("the broker goes on");
    }

    /// A publisher to this broker.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher::new(&self.connection(), "test").expect("a publisher")
    }
}
