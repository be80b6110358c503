//! Which driver holds which delivery, and which drivers and deliveries are queued, from the runtime's state.
//!
//! The values are read without the services' types, so that a new field in a service's state does not break the audit.

use std::collections::{BTreeMap, BTreeSet};

use domain::geo::Cell;
use domain::{DriverId, OrderId};
use serde_json::Value;

use crate::facts::{Facts, Holding, StateEntry};

/// The services whose state is about drivers and deliveries (docs/architecture.md, "State").
const TWIN: &str = "DriverDigitalTwin";
const MANAGER: &str = "DeliveryManager";
const MATCHER: &str = "DriverDeliveryMatcher";
const BACKLOG: &str = "DispatchBacklog";
const PHONE: &str = "DriverMobileAppSimulator";

/// The runtime's state of deliveries and drivers.
#[derive(Debug, Default)]
pub(crate) struct Drivers<'a> {
    /// Deliveries that drivers hold, according to their twins.
    pub(crate) held: Vec<Holding>,
    /// Deliveries under way, each with the service that says so: its manager, or a driver's phone.
    pub(crate) under_way: Vec<(&'a str, String)>,
    /// Deliveries that are queued for a driver.
    pub(crate) queued: Vec<String>,
    /// How many times each driver is queued for a delivery.
    pub(crate) free: BTreeMap<String, u32>,
    /// Drivers who wait for work, according to their twins.
    pub(crate) waiting: BTreeSet<&'a str>,
    /// Entries that cannot be parsed, each with the reason.
    pub(crate) unreadable: Vec<String>,
}

impl<'a> Drivers<'a> {
    pub(crate) fn of(facts: &'a Facts) -> Self {
        let mut drivers = Self::default();
        for entry in &facts.state {
            if let Err(error) = drivers.add(entry) {
                drivers.unreadable.push(format!(
                    "{}/{} {}: {error}",
                    entry.service, entry.object, entry.name
                ));
            }
        }
        drivers
    }

    fn add(&mut self, entry: &'a StateEntry) -> Result<(), serde_json::Error> {
        let StateEntry {
            service,
            object,
            name,
            value,
        } = entry;
        let queue = name.strip_prefix("segment/").unwrap_or(name);
        match (service.as_str(), name.as_str()) {
            (TWIN, "assigned-delivery") => self.held.extend(holdings(object, value)?),
            (TWIN, "driver-status") => {
                let status: String = serde_json::from_str(value)?;
                if status == "WAITING_FOR_WORK" {
                    self.waiting.insert(object);
                }
            }
            (MANAGER, "delivery-info") => self.under_way.push((service, object.clone())),
            (PHONE, "assigned-delivery") => {
                for holding in holdings(object, value)? {
                    self.under_way
                        .push((service, holding.delivery_id.to_string()));
                }
            }
            (MATCHER | BACKLOG, _) if queue.starts_with("pending-deliveries") => {
                self.queued.extend(queued_ids(value)?);
            }
            (MATCHER | BACKLOG, _) if queue.starts_with("available-drivers/") => {
                for driver in queued_ids(value)? {
                    *self.free.entry(driver).or_default() += 1;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The deliveries in a driver's `assigned-delivery`. It should be a single one. A list is read too, so that a driver with
/// several deliveries is reported as a violation.
pub(crate) fn holdings(driver: &str, value: &str) -> Result<Vec<Holding>, serde_json::Error> {
    let driver_id: DriverId = serde_json::from_value(Value::from(driver))?;
    let held = match serde_json::from_str(value)? {
        Value::Array(held) => held,
        one => vec![one],
    };
    held.into_iter()
        .map(|delivery| {
            let delivery_id: OrderId = serde_json::from_value(delivery["deliveryId"].clone())?;
            Ok(Holding {
                driver_id: driver_id.clone(),
                delivery_id,
            })
        })
        .collect()
}

/// The ids in a queue: all strings in a JSON value that are not H3 cells.
fn queued_ids(value: &str) -> Result<Vec<String>, serde_json::Error> {
    let mut queued_ids = Vec::new();
    let mut left: Vec<Value> = vec![serde_json::from_str(value)?];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => {
                let cell = text.parse::<Cell>();
                if cell.is_err() {
                    queued_ids.push(text);
                }
            }
            Value::Array(values) => left.extend(values),
            Value::Object(fields) => left.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    Ok(queued_ids)
}
