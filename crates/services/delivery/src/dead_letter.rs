//! Publishes unusable records of topic `driver-updates` as dead letters.

use domain::topic;
use kafka::{Publisher, dead_letter};
use restate_sdk::prelude::*;

/// A record that cannot be used, with the reason.
pub(crate) struct DeadLetter {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
    pub(crate) source: dead_letter::Source,
    pub(crate) reason: String,
    /// The reason as a label of metrics.
    pub(crate) kind: &'static str,
}

impl DeadLetter {
    /// The name of the durable step that publishes it.
    pub(crate) const STEP: &str = "publish driver-updates-dlq";

    /// Publishes it to `driver-updates-dlq`.
    pub(crate) async fn publish(self, publisher: Publisher) -> HandlerResult<()> {
        let Self {
            key,
            value,
            source,
            reason,
            kind,
        } = self;
        Ok(publisher
            .publish_dead_letter(
                topic::DRIVER_UPDATES_DLQ,
                key.as_deref(),
                &value,
                &source,
                &reason,
                kind,
            )
            .await?)
    }
}
