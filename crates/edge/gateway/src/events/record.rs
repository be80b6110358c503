//! What a Kafka record means to the gateway.

use domain::driver::{LocationUpdate, Received};
use domain::{DriverId, Location, Order, OrderId, StatusEvent, restaurant, topic};
use kafka::dead_letter;
use serde::Serialize;
use telemetry::trace::{TRACEPARENT, TraceParent};

/// How much of a dead letter's value is shown, in bytes.
const SHOWN: usize = 8 * 1024;

/// A record as Kafka delivers it.
pub(crate) struct RecordView<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: &'a [u8],
    /// When it was written, in ms since the epoch.
    pub(crate) timestamp: i64,
    /// Headers with text in them.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
}

/// The content of a record.
#[derive(Debug)]
pub(crate) enum News {
    /// An order has changed.
    Status(StatusEvent),
    /// A driver's phone has reported; without an update, the report has no valid place or time.
    Report(DriverId, Option<LocationUpdate>, Received),
    /// An order was placed.
    Plan(OrderId, Plan),
    /// An event could not be used.
    DeadLetter(DeadLetter),
}

#[cfg(test)]
impl News {
    /// A report that the phone made `at` the time at which it came.
    pub(crate) fn report(driver: &str, lon: f64, at: i64) -> Self {
        let update = LocationUpdate::at(Location::new(lon, 37.3).unwrap(), at);
        Self::Report(
            driver.parse().unwrap(),
            Some(update),
            Received { at, offset: at },
        )
    }
}

/// What operators see of an order besides its status.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    pub(crate) restaurant: Location,
    pub(crate) customer: Location,
    /// How long the order waits before the preparation starts, in ms.
    pub(crate) wait_ms: i64,
}

impl Plan {
    pub(crate) fn of(order: &Order) -> Self {
        Self {
            restaurant: restaurant::location(&order.restaurant_id, order.region),
            customer: order.destination(),
            wait_ms: i64::try_from(order.delivery_delay.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// An event that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeadLetter {
    /// Where the event came from, with partition and offset.
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    pub(crate) reason: String,
    /// The event, as far as it is text.
    pub(crate) value: String,
    /// Whether the value is longer than what is shown.
    pub(crate) truncated: bool,
    /// When it became a dead letter, in ms since the epoch.
    pub(crate) at: i64,
    /// Where it is now.
    #[serde(skip)]
    found: (String, i32, i64),
}

impl DeadLetter {
    /// Whether this is the same record as the other.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.found == other.found
    }

    fn new(record: &RecordView<'_>) -> Self {
        let header = |name: &str| {
            let found = record.headers.iter().find(|(header, _)| *header == name);
            found.map(|(_, value)| *value)
        };
        let end = record.value.len().min(SHOWN);
        Self {
            topic: header(dead_letter::TOPIC)
                .unwrap_or(record.topic)
                .to_owned(),
            partition: header(dead_letter::PARTITION)
                .and_then(|text| text.parse().ok())
                .unwrap_or(record.partition),
            offset: header(dead_letter::OFFSET)
                .and_then(|text| text.parse().ok())
                .unwrap_or(record.offset),
            key: (record.key).map(|key| String::from_utf8_lossy(key).into_owned()),
            reason: header(dead_letter::REASON)
                .unwrap_or("no reason was given")
                .to_owned(),
            value: String::from_utf8_lossy(&record.value[..end]).into_owned(),
            truncated: end < record.value.len(),
            at: record.timestamp,
            found: (record.topic.to_owned(), record.partition, record.offset),
        }
    }

    #[cfg(test)]
    pub(crate) fn test(offset: i64) -> Self {
        Self::new(&RecordView {
            topic: topic::ORDERS_DLQ,
            partition: 0,
            offset,
            key: Some(b"order-1"),
            value: b"pizza",
            timestamp: 7,
            headers: vec![(dead_letter::REASON, "not JSON")],
        })
    }
}

impl RecordView<'_> {
    /// The span that sent it.
    pub(crate) fn sender(&self) -> Option<TraceParent> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(name, _)| *name == TRACEPARENT)?;
        value.parse().ok()
    }

    /// What the record means. `None` if the gateway cannot read it: it is someone else's, or Restate's services refuse it too.
    pub(crate) fn news(&self) -> Option<News> {
        match self.topic {
            topic::ORDER_STATUS => serde_json::from_slice(self.value).ok().map(News::Status),
            topic::DRIVER_UPDATES => {
                let driver = std::str::from_utf8(self.key?).ok()?.parse().ok()?;
                let update = match LocationUpdate::parse(self.value) {
                    Ok(update) => Some(update),
                    Err(unusable) if unusable.is_report() => None,
                    Err(_) => return None,
                };
                let received = Received {
                    at: self.timestamp,
                    offset: self.offset,
                };
                Some(News::Report(driver, update, received))
            }
            topic::ORDERS => {
                let order = Order::parse(self.value).ok()?;
                Some(News::Plan(order.order_id.clone(), Plan::of(&order)))
            }
            topic::ORDERS_DLQ | topic::DRIVER_UPDATES_DLQ => {
                Some(News::DeadLetter(DeadLetter::new(self)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record<'a>(topic: &'a str, key: &'a [u8], value: &'a [u8]) -> RecordView<'a> {
        RecordView {
            topic,
            partition: 3,
            offset: 9,
            key: Some(key),
            value,
            timestamp: 1_700_000_000_000,
            headers: Vec::new(),
        }
    }

    #[test]
    fn a_report_is_read_as_the_twin_reads_it() {
        let value = "\u{feff}{\"lon\":1,\"lat\":2,\"timestamp\":1700000000}";
        let found = record(topic::DRIVER_UPDATES, b"d", value.as_bytes()).news();
        let Some(News::Report(driver, Some(update), received)) = found else {
            panic!("{found:?}")
        };
        assert_eq!((driver.as_str(), update.location.lat()), ("d", 2.0));
        assert_eq!(update.timestamp, Some(1_700_000_000_000));
        assert_eq!((received.at, received.offset), (1_700_000_000_000, 9));
        for lost in [
            &br#"{"lon":181,"lat":2}"#[..],
            br#"{"lon":1,"lat":2,"timestamp":3}"#,
        ] {
            let found = record(topic::DRIVER_UPDATES, b"d", lost).news();
            let heard = matches!(found, Some(News::Report(_, None, _)));
            assert!(heard, "{found:?}");
        }
    }

    #[test]
    fn records_that_cannot_be_read_are_ignored() {
        for (topic, key, value) in [
            (topic::ORDER_STATUS, &b"o"[..], &b"{}"[..]),
            (topic::DRIVER_UPDATES, b"\xff", br#"{"lon":1,"lat":2}"#),
            (topic::DRIVER_UPDATES, b"d", b"[1,2]"),
            (topic::ORDERS, b"o", b"pizza"),
            ("someone-elses", b"o", b"{}"),
        ] {
            assert!(record(topic, key, value).news().is_none(), "{topic}");
        }
    }

    #[test]
    fn a_dead_letter_says_where_it_came_from_and_shows_only_its_beginning() {
        let long = [&b"\xff\xe4"[..], &[b'x'; SHOWN]].concat();
        let mut record = record(topic::ORDERS_DLQ, b"\xff", &long);
        record.headers = vec![
            (dead_letter::REASON, "not JSON"),
            (dead_letter::TOPIC, "orders"),
            (dead_letter::PARTITION, "2"),
            (dead_letter::OFFSET, "44"),
        ];
        let letter = DeadLetter::new(&record);
        let mut told = serde_json::to_value(&letter).unwrap();
        let value = told["value"].take();
        assert!(value.as_str().unwrap().starts_with("\u{fffd}\u{fffd}xxx"));
        assert_eq!(
            told,
            json!({
                "topic": "orders", "partition": 2, "offset": 44, "key": "\u{fffd}", "reason": "not JSON",
                "value": null, "truncated": true, "at": 1_700_000_000_000_i64,
            })
        );
        record.headers.clear();
        let letter = DeadLetter::new(&record);
        assert_eq!(
            (letter.topic.as_str(), letter.partition, letter.offset),
            ("orders-dlq", 3, 9)
        );
    }
}
