//! A phone's report: parsing it from a record, and the message to the twin.

use domain::driver::{LocationUpdate, Received, Unreadable};
use domain::{DriverId, id, topic};
use durable::record::{source_of, time_of};
use kafka::dead_letter::DeadLetter;
use restate_sdk::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of `DriverDigitalTwin/handleDriverLocationUpdateEvent`: a phone's report, as parsed by the intake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocationReport {
    #[serde(flatten)]
    pub(crate) said: Said,
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
pub(crate) enum Said {
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
impl Said {
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

    /// Reads the message to the twin. Before there was an intake, the subscription sent the record itself to the twin, so
    /// invocations from that time have to be read too.
    pub(crate) fn of(sent: &[u8], headers: &HeaderMap) -> Result<Self, Refused> {
        serde_json::from_slice(sent).or_else(|_| report(sent, headers))
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
        headers: &HeaderMap,
    ) -> DeadLetter {
        DeadLetter {
            key,
            value,
            source: source_of(headers),
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

/// The driver and the report in a record.
pub(crate) fn read(
    key: Option<&[u8]>,
    value: &[u8],
    headers: &HeaderMap,
) -> Result<(DriverId, LocationReport), Refused> {
    let key = std::str::from_utf8(key.ok_or(Refused::NoKey)?).map_err(|_| Refused::NotUtf8)?;
    let driver = key.parse()?;
    Ok((driver, report(value, headers)?))
}

/// The report in a record.
fn report(value: &[u8], headers: &HeaderMap) -> Result<LocationReport, Refused> {
    let said = match LocationUpdate::parse(value) {
        Ok(update) => Said::Update(update),
        Err(unusable) if unusable.is_report() => Said::Unusable {
            reason: unusable.to_string(),
            value: String::from_utf8_lossy(value).into_owned(),
        },
        Err(unreadable) => return Err(unreadable.into()),
    };
    let source = source_of(headers);
    let at = time_of(headers)
        .or(said.update().and_then(|update| update.timestamp))
        .ok_or(Refused::NoTime)?;
    Ok(LocationReport {
        said,
        received: Received {
            at,
            offset: source.offset.parse().unwrap_or_default(),
        },
        topic: source.topic,
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
        // A record itself, as the subscription of earlier versions sends it.
        assert_eq!(
            LocationReport::of(UPDATE, &headers("1700000000250")),
            Ok(report)
        );
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
            let Said::Unusable {
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
