//! [`DriverUpdateIntake`]: the sink of topic `driver-updates` in a system without a position filter.
#![expect(missing_docs, reason = "the SDK generates undocumented client methods")]

use domain::driver::LocationUpdate;
use durable::record::{key_of, source_of, time_of};
use durable::{Unparsed, retry};
use kafka::Publisher;
use restate_sdk::prelude::*;

use crate::twin::DriverDigitalTwinClient;
use crate::{dead_letter, report};

/// Receives location updates from Kafka, unless a position filter does, whose records go to the twins directly.
///
/// It is deliberately a plain service that takes bytes: with an object as sink, the first record whose key is not UTF-8 would halt
/// the partition for ever. The filter refuses such records. The intake costs one more invocation per record, so it does as little as
/// possible: it has no state, awaits nothing, and makes one one-way send.
///
/// The runtime handles the records of a partition concurrently, so reports may overtake each other on their way to the twin. The
/// twin puts them in order by their times ([`domain::driver::track`]).
pub struct DriverUpdateIntake {
    publisher: Publisher,
}

impl DriverUpdateIntake {
    /// The intake. It publishes dead letters through `publisher`.
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
    /// Called for each record of topic `driver-updates`. Sends the report to the driver's twin (one-way), even if its position or
    /// time is invalid. A record that is not a JSON object, or whose key is not a driver's id, is published unchanged to topic
    /// `driver-updates-dlq`, with the reason in its headers.
    #[handler(ingress_private)]
    async fn receive(
        &self,
        ctx: Context<'_>,
        value: Unparsed<LocationUpdate>,
    ) -> Result<(), TerminalError> {
        let value = value.into_bytes();
        let key = key_of(ctx.headers());
        let source = source_of(ctx.headers());
        match report::read(key.as_deref(), &value, &source, time_of(ctx.headers())) {
            Ok((driver, report)) => {
                ctx.object_client::<DriverDigitalTwinClient>(driver.as_str())
                    .handle_driver_location_update_event(report.to_json().into())
                    .send();
                Ok(())
            }
            Err(refused) => {
                let letter = refused.dead_letter(key, value, source);
                let publisher = self.publisher.clone();
                ctx.run(move || dead_letter::publish(letter, publisher))
                    .name(dead_letter::STEP)
                    .retry_policy(retry::kafka())
                    .await
            }
        }
    }
}
