//! The Kafka record that triggered an invocation, from the headers that come with it.
//!
//! Records arrive by one of two ways, which set the same headers except for the key: a subscription of Restate, which reads Kafka
//! itself, or Restate's Kafka integration, a program that reads Kafka and calls Restate
//! (<https://github.com/restatedev/ingress-integration-kafka>).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use kafka::dead_letter;
use restate_sdk::prelude::HeaderMap;

/// Only a subscription of Restate sets this header.
const SUBSCRIPTION: &str = "restate.subscription.id";

/// The record's key, which may be any bytes. There is no header if the record has no key.
///
/// A subscription encodes the key in base64. The Kafka integration passes it on as text, in which every byte that is not UTF-8 has
/// become U+FFFD.
#[must_use]
pub fn key_of(headers: &HeaderMap) -> Option<Vec<u8>> {
    let key = headers.get("kafka.key")?;
    if headers.get(SUBSCRIPTION).is_some() {
        URL_SAFE.decode(key).ok()
    } else {
        Some(key.as_bytes().to_vec())
    }
}

/// Whether a record triggered the invocation, and not a call.
#[must_use]
pub fn is_record(headers: &HeaderMap) -> bool {
    headers.get("kafka.offset").is_some()
}

/// Where the record came from.
#[must_use]
pub fn source_of(headers: &HeaderMap) -> dead_letter::Source {
    let text = |name: &str| headers.get(name).cloned().unwrap_or_default();
    dead_letter::Source {
        topic: text("kafka.topic"),
        partition: text("kafka.partition"),
        offset: text("kafka.offset"),
    }
}

/// The record's timestamp, in ms since 1970: from the broker or the producer, depending on the topic's `message.timestamp.type`.
#[must_use]
pub fn time_of(headers: &HeaderMap) -> Option<i64> {
    let time = headers.get("kafka.timestamp")?.parse().ok()?;
    // Kafka uses -1 for records without a timestamp.
    (time >= 0).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_from_the_headers_that_come_with_it() {
        let mut headers = HeaderMap::default();
        assert_eq!((key_of(&headers), time_of(&headers)), (None, None));
        assert!(!is_record(&headers));
        headers.insert("kafka.key", "__4=".to_owned());
        assert_eq!(key_of(&headers).as_deref(), Some(&b"__4="[..]));
        headers.insert(SUBSCRIPTION, "sub_1".to_owned());
        headers.insert("kafka.offset", "7".to_owned());
        headers.insert("kafka.timestamp", "-1".to_owned());
        assert_eq!(key_of(&headers).as_deref(), Some(&b"\xff\xfe"[..]));
        assert!(is_record(&headers));
        assert_eq!(source_of(&headers).offset, "7");
        assert_eq!(time_of(&headers), None);
        headers.insert("kafka.timestamp", "1700000000000".to_owned());
        assert_eq!(time_of(&headers), Some(1_700_000_000_000));
    }
}
