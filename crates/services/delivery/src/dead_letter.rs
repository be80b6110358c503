//! Publishes unusable records of topic `driver-updates` as dead letters.

use domain::topic;
use kafka::Publisher;
use kafka::dead_letter::DeadLetter;
use restate_sdk::prelude::*;

/// The name of the durable step that publishes a dead letter.
pub(crate) const STEP: &str = "publish driver-updates-dlq";

/// Publishes a dead letter to `driver-updates-dlq`.
pub(crate) async fn publish(letter: DeadLetter, publisher: Publisher) -> HandlerResult<()> {
    Ok(publisher
        .publish_dead_letter(topic::DRIVER_UPDATES_DLQ, &letter)
        .await?)
}
