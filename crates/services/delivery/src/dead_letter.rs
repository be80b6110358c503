//! Putting records of topic `driver-updates` aside.

use domain::topic;
use kafka::Publisher;
use kafka::dead_letter::DeadLetter;
use restate_sdk::prelude::*;

/// The name of the durable step that puts a record aside.
pub(crate) const STEP: &str = "publish driver-updates-dlq";

/// Publishes it to `driver-updates-dlq`.
pub(crate) async fn publish(letter: DeadLetter, publisher: Publisher) -> HandlerResult<()> {
    Ok(publisher
        .put_aside(topic::DRIVER_UPDATES_DLQ, &letter)
        .await?)
}
