//! A phone's report: parsing it from a record, and the message to the twin.

use domain::driver::{LocationUpdate, Received, Unreadable};
use domain::{DriverId, id, topic};
use durable::record::{is_record, source_of, time_of};
use kafka::dead_letter::{DeadLetter, Source};
use restate_sdk::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of `DriverDigitalTwin/handleDriverLocationUpdateEvent`: a phone's report, as parsed by the intake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocationReport {
    #[serde(flatten)]
    pub(crate) said: ReportContent,
    pub(crate) received: Received,
    /// The topic the record was in.
    #[serde(default = "unfiltered", skip_serializing_if = "is_unfiltered")]
    pub(crate) topic: String,
    /// The partition the record was in.
    pub(crate) partition: i32,
}

/// The topic in a system without a position filter, and of reports that an earlier version has sent.
fn unfiltered() -> String {
    topic::DRIVER_UPDATES.to_owned()
}

fn is_unfiltered(topic: &str) -> bool {
    topic == topic::DRIVER_UPDATES
}

/// The content of a phone's report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ReportContent {
    /// The driver's position.
    Update(LocationUpdate),
    /// The position or the time is invalid.
    Unusable {
        /// Why it is invalid.
        reason: String,
        /// The record's value.
        value: String,
    },
}
impl ReportContent {
    /// The driver's position, if it is valid.
    pub(crate) fn update(&self) -> Option<LocationUpdate> {
        match self {
            Self::Update(update) => Some(*update),
            Self::Unusable { .. } => None,
        }
    }
}

impl LocationReport {
    /// The message to the twin.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // It contains only strings and finite numbers, so writing it as JSON cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the message to the twin: from the intake, or, with a position filter, a record itself.
    pub(crate) fn of(sent: &[u8], headers: &HeaderMap) -> Result<Self, Refused> {
        let of_record = || report(sent, &source_of(headers), time_of(headers));
        // A record is never read as a message of the intake, which says when Kafka received the report.
        if is_record(headers) {
            return of_record();
        }
        serde_json::from_slice(sent).or_else(|_| of_record())
    }
}

/// Why a record is not a driver's location update.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the record's key, the driver's id, is missing")]
    NoKey,
    #[error("the record's key, the driver's id, is not UTF-8")]
    NotUtf8,
    #[error("the record's key, the driver's id, {0}")]
    NoId(#[from] id::Error),
    #[error(transparent)]
    Update(#[from] Unreadable),
    #[error("neither the update nor the record has a time")]
    NoTime,
}

impl Refused {
    /// The record as a dead letter with this reason.
    pub(crate) fn dead_letter(
        &self,
        key: Option<Vec<u8>>,
        value: Vec<u8>,
        source: Source,
    ) -> DeadLetter {
        DeadLetter {
            key,
            value,
            source,
            reason: self.to_string(),
            kind: self.kind(),
        }
    }

    /// The reason as a label of a metric.
    fn kind(&self) -> &'static str {
        match self {
            Self::NoKey | Self::NotUtf8 | Self::NoId(_) => "record_key",
            Self::Update(unreadable) => unreadable.kind(),
            Self::NoTime => "timestamp",
        }
    }
}

/// What a record of topic `driver-updates` says, for the position filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The driver.
    pub driver: DriverId,
    /// The driver's position, if it is valid.
    pub update: Option<LocationUpdate>,
    /// When Kafka received the report.
    pub received: Received,
}

/// Reads a record from `source`, which has this time (ms since 1970), for the position filter. If it is not a driver's report, returns it
/// as a dead letter.
pub fn read_record(
    key: Option<&[u8]>,
    value: &[u8],
    source: Source,
    time: Option<i64>,
) -> Result<Reported, Box<DeadLetter>> {
    match read(key, value, &source, time) {
        Ok((driver, report)) => Ok(Reported {
            driver,
            update: report.said.update(),
            received: report.received,
        }),
        Err(refused) => {
            let key = key.map(<[u8]>::to_vec);
            Err(Box::new(refused.dead_letter(key, value.to_vec(), source)))
        }
    }
}

/// The driver and the report in a record.
pub(crate) fn read(
    key: Option<&[u8]>,
    value: &[u8],
    source: &Source,
    time: Option<i64>,
) -> Result<(DriverId, LocationReport), Refused> {
    let key = std::str::from_utf8(key.ok_or(Refused::NoKey)?).map_err(|_| Refused::NotUtf8)?;
    let driver = key.parse()?;
    Ok((driver, report(value, source, time)?))
}

/// The report in a record.
fn report(value: &[u8], source: &Source, time: Option<i64>) -> Result<LocationReport, Refused> {
    let said = match LocationUpdate::parse(value) {
        Ok(update) => ReportContent::Update(update),
        Err(unusable) if unusable.is_report() => ReportContent::Unusable {
            reason: unusable.to_string(),
            value: String::from_utf8_lossy(value).into_owned(),
        },
        Err(unreadable) => return Err(unreadable.into()),
    };
    let at = time
        .or(said.update().and_then(|update| update.timestamp))
        .ok_or(Refused::NoTime)?;
    Ok(LocationReport {
        said,
        received: Received {
            at,
            offset: source.offset.parse().unwrap_or_default(),
        },
        topic: source.topic.clone(),
        partition: source.partition.parse().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATE: &[u8] = br#"{"lon":-121.9,"lat":37.3,"timestamp":1700000000}"#;

    fn headers(timestamp: &str) -> HeaderMap {
        let mut headers = HeaderMap::default();
        headers.insert("kafka.topic", "driver-updates".to_owned());
        headers.insert("kafka.partition", "3".to_owned());
        headers.insert("kafka.offset", "44".to_owned());
        headers.insert("kafka.timestamp", timestamp.to_owned());
        headers
    }

    fn read(
        key: Option<&[u8]>,
        value: &[u8],
        headers: &HeaderMap,
    ) -> Result<(DriverId, LocationReport), Refused> {
        super::read(key, value, &source_of(headers), time_of(headers))
    }

    #[test]
    fn a_report_has_the_position_and_the_time_and_offset_of_the_record() {
        let (driver, report) = read(Some(b"driver-1"), UPDATE, &headers("1700000000250")).unwrap();
        assert_eq!(driver.as_str(), "driver-1");
        let update = report.said.update().unwrap();
        assert_eq!(update.timestamp, Some(1_700_000_000_000));
        assert_eq!(
            (report.received.at, report.received.offset, report.partition),
            (1_700_000_000_250, 44, 3)
        );
        let sent = report.to_json();
        assert_eq!(
            LocationReport::of(&sent, &HeaderMap::default()),
            Ok(report.clone())
        );
        // The format that earlier versions send too.
        assert!(sent.starts_with(br#"{"update":{"lon":-121.9,"lat":37.3,"timestamp":"#));
        // A record itself, as a subscription sends it.
        assert_eq!(
            LocationReport::of(UPDATE, &headers("1700000000250")),
            Ok(report)
        );
    }

    #[test]
    fn a_record_cannot_say_when_kafka_received_it() {
        let (_, report) = read(Some(b"d"), UPDATE, &headers("1700000000250")).unwrap();
        let forged = LocationReport::of(&report.to_json(), &headers("1700000000999")).unwrap();
        assert_eq!(forged.received.at, 1_700_000_000_999);
        assert!(
            matches!(forged.said, ReportContent::Unusable { .. }),
            "{forged:?}"
        );
    }

    #[test]
    fn the_filter_gets_the_same_report_or_the_dead_letter() {
        let headers = headers("1700000000250");
        let filtered = |key| read_record(key, UPDATE, source_of(&headers), time_of(&headers));
        let (driver, report) = read(Some(b"d"), UPDATE, &headers).unwrap();
        let expected = Reported {
            driver,
            update: report.said.update(),
            received: report.received,
        };
        assert_eq!(filtered(Some(b"d")).unwrap(), expected);
        let letter = filtered(Some(b"\xff")).unwrap_err();
        assert_eq!(letter.key.as_deref(), Some(&b"\xff"[..]));
        assert_eq!(
            (letter.value.as_slice(), letter.kind),
            (UPDATE, "record_key")
        );
        assert_eq!(letter.source, source_of(&headers));
    }

    #[test]
    fn the_topic_is_sent_only_if_it_is_not_the_usual_one() {
        let mut headers = headers("1700000000250");
        let sent = |headers: &HeaderMap| read(Some(b"d"), UPDATE, headers).unwrap().1.to_json();
        assert!(!String::from_utf8(sent(&headers)).unwrap().contains("topic"));
        headers.insert("kafka.topic", "driver-positions".to_owned());
        let report = LocationReport::of(&sent(&headers), &HeaderMap::default()).unwrap();
        assert_eq!(report.topic, "driver-positions");
    }

    #[test]
    fn invalid_records_are_refused_with_a_reason() {
        let too_long = "x".repeat(65);
        for (key, value, reason, kind) in [
            (None, UPDATE, "is missing", "record_key"),
            (Some(&b"\xff\xfe"[..]), UPDATE, "is not UTF-8", "record_key"),
            (Some(b""), UPDATE, "must not be empty", "record_key"),
            (
                Some(too_long.as_bytes()),
                UPDATE,
                "must have at most 64 characters",
                "record_key",
            ),
            (
                Some(b"driver 1"),
                UPDATE,
                "ASCII letters, digits",
                "record_key",
            ),
            (Some(b"d"), b"", "the value is empty", "unreadable"),
            (Some(b"d"), b"[-121.9,37.3]", "is an array", "unreadable"),
        ] {
            let refused = read(key, value, &headers("1700000000250")).unwrap_err();
            assert!(refused.to_string().contains(reason), "{refused}");
            assert_eq!(refused.kind(), kind);
        }
        // A report with an invalid position or time is still a report.
        for (value, because) in [
            (
                &br#"{"lon":-121.9,"lat":37.3,"timestamp":3}"#[..],
                "timestamp must be a time",
            ),
            ("\u{feff}{\"lon\":null}".as_bytes(), "lat is required"),
        ] {
            let (_, report) = read(Some(b"d"), value, &headers("1700000000250")).unwrap();
            let sent = report.to_json();
            assert_eq!(
                LocationReport::of(&sent, &HeaderMap::default()),
                Ok(report.clone())
            );
            let ReportContent::Unusable {
                reason,
                value: kept,
            } = report.said
            else {
                panic!("{report:?}");
            };
            assert!(reason.contains(because), "{reason}");
            assert_eq!(kept.as_bytes(), value);
        }
        let timeless = br#"{"lon":-121.9,"lat":37.3}"#;
        assert_eq!(
            read(Some(b"d"), timeless, &headers("-1")),
            Err(Refused::NoTime)
        );
    }
}
