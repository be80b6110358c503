//! [`DriverUpdateIntake`]: the sink of topic `driver-updates`.
#![expect(missing_docs, reason = "the SDK's macro documents no client methods")]

use domain::driver::LocationUpdate;
use durable::record::key_of;
use durable::{Unread, retry};
use kafka::Publisher;
use restate_sdk::prelude::*;

use crate::twin::DriverDigitalTwinClient;
use crate::{dead_letter, report};

/// Takes location updates from Kafka.
///
/// A plain service that takes bytes, on purpose: an object as sink would halt the partition for ever at the first record
/// whose key is not UTF-8. It costs one more invocation for each record, so that does as little as possible: no state, nothing
/// awaited, one one-way send of what has been understood.
///
/// The runtime handles the records of a partition side by side here, so reports may overtake each other on their way to the
/// twin. It orders them by their times ([`domain::driver::track`]).
pub struct DriverUpdateIntake {
    publisher: Publisher,
}

impl DriverUpdateIntake {
    /// The intake; `publisher` takes the dead letters.
    #[must_use]
    pub fn new(publisher: Publisher) -> Self {
        Self { publisher }
    }
}

#[restate_sdk::service(
    name = "DriverUpdateIntake",
    journal_retention = "0s",
    idempotency_retention = "0s"
)]
impl DriverUpdateIntake {
    /// Sink of topic `driver-updates`. Sends a driver's report to the driver's twin (one-way), also one without a place or time
    /// that could be one. A record that is not a JSON object, or whose key is not a driver's id, goes to topic
    /// `driver-updates-dlq` as it came, with the reason in its headers.
    #[handler(ingress_private)]
    async fn receive(
        &self,
        ctx: Context<'_>,
        value: Unread<LocationUpdate>,
    ) -> Result<(), TerminalError> {
        let value = value.into_bytes();
        let key = key_of(ctx.headers());
        match report::read(key.as_deref(), &value, ctx.headers()) {
            Ok((driver, report)) => {
                ctx.object_client::<DriverDigitalTwinClient>(driver.as_str())
                    .handle_driver_location_update_event(report.to_json().into())
                    .send();
                Ok(())
            }
            Err(refused) => {
                let letter = refused.dead_letter(key, value, ctx.headers());
                let publisher = self.publisher.clone();
                ctx.run(move || dead_letter::publish(letter, publisher))
                    .name(dead_letter::STEP)
                    .retry_policy(retry::kafka())
                    .await
            }
        }
    }
}
