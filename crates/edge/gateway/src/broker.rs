//! Access to Kafka.

use std::time::Duration;

use futures::future::BoxFuture;
use kafka::Publisher;

/// How long the brokers have to answer a health check.
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// What the gateway needs from Kafka: a [`Publisher`], or something simpler in tests.
pub trait Broker: Send + Sync + 'static {
    /// Publishes a record; `Ok` means that the broker has stored it.
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        key: &'a [u8],
        value: &'a [u8],
    ) -> BoxFuture<'a, Result<(), kafka::Error>>;

    /// Whether the brokers can be reached; the error is for people.
    fn check(&self) -> BoxFuture<'_, Result<(), String>>;
}

impl Broker for Publisher {
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        key: &'a [u8],
        value: &'a [u8],
    ) -> BoxFuture<'a, Result<(), kafka::Error>> {
        Box::pin(Self::publish(self, topic, Some(key), value, &[]))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        let publisher = self.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || Self::check(&publisher, CHECK_WITHIN))
                .await
                .map_err(|error| error.to_string())?
                .map_err(|error| error.to_string())
        })
    }
}
