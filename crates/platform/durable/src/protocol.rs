//! Reads the first messages of an attempt, and the types of all others.
//!
//! Restate and a service exchange messages, each with a header of eight bytes: type (16 bits), flags (16), length (32). The first
//! two messages of an attempt are `Start` (0x0000) and the input (0x0400), both protocol buffers; see Restate's service protocol,
//! versions 5 to 7. The SDK reads them too, but gives handlers only part of their contents.

use bytes::Bytes;
use prost::Message;
use telemetry::span::Outcome;
use telemetry::trace::TRACEPARENT;

/// The contents of an attempt's first messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Beginning {
    /// The invocation's id, as users see it.
    pub(crate) invocation: String,
    /// The object's key, or an empty string.
    pub(crate) key: String,
    /// The number of entries in the journal, including the input.
    entries: u64,
    /// The number of retries since the last entry.
    pub(crate) retries: u64,
    /// The `traceparent` header of the call.
    pub(crate) traceparent: Option<String>,
    /// Whether a Kafka record triggered the invocation.
    pub(crate) from_kafka: bool,
    /// The input.
    pub(crate) input: Bytes,
}

/// The fields of `StartMessage` that are needed here.
#[derive(Clone, PartialEq, Message)]
struct Start {
    #[prost(string, tag = "2")]
    debug_id: String,
    #[prost(uint64, tag = "3")]
    known_entries: u64,
    #[prost(string, tag = "6")]
    key: String,
    #[prost(uint64, tag = "7")]
    retry_count_since_last_stored_entry: u64,
}

/// The fields of `InputCommandMessage` that are needed here.
#[derive(Clone, PartialEq, Message)]
struct Input {
    #[prost(message, repeated, tag = "1")]
    headers: Vec<Header>,
    #[prost(message, optional, tag = "14")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(bytes = "bytes", tag = "1")]
    content: Bytes,
}

const HEADER: usize = 8;
const INPUT: u16 = 0x0400;

/// The next message in `bytes`: its type, its content and the bytes after it. `None` while it is incomplete.
fn message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
    let length = usize::try_from(length(*header)).ok()?;
    let (content, rest) = rest.split_at_checked(length)?;
    Some((kind(*header), content, rest))
}

fn kind(header: [u8; HEADER]) -> u16 {
    u16::from_be_bytes([header[0], header[1]])
}

fn length(header: [u8; HEADER]) -> u32 {
    u32::from_be_bytes([header[4], header[5], header[6], header[7]])
}

impl Beginning {
    /// Reads the first bytes of an attempt; `None` while they are too few. Invalid messages count as empty: the SDK reports the
    /// error.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (_, start, rest) = message(bytes)?;
        let (kind, input, _) = message(rest)?;
        let start = Start::decode(start).unwrap_or_default();
        let input = if kind == INPUT { input } else { &[] };
        let Input { headers, value } = Input::decode(input).unwrap_or_default();
        Some(Self {
            invocation: start.debug_id,
            key: start.key,
            entries: start.known_entries,
            retries: start.retry_count_since_last_stored_entry,
            from_kafka: headers.iter().any(|header| header.key == "kafka.offset"),
            traceparent: (headers.into_iter())
                .find(|header| header.key == TRACEPARENT)
                .map(|header| header.value),
            input: value.unwrap_or_default().content,
        })
    }

    /// How many entries of earlier attempts Restate repeats.
    pub(crate) fn repeated(&self) -> u64 {
        // The first attempt receives the input too.
        if self.entries == 1 && self.retries == 0 {
            0
        } else {
            self.entries
        }
    }

    /// Whether an earlier attempt has added to the journal.
    pub(crate) fn is_resumed(&self) -> bool {
        self.entries > 1
    }
}

/// Whether messages of this type are entries in the journal: commands and their results.
pub(crate) fn is_entry(kind: u16) -> bool {
    (INPUT..0x0800).contains(&kind) || kind >= 0x8000
}

/// Finds the messages in bytes as they pass, however they are split.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// The part of the next header that has arrived.
    header: Vec<u8>,
    /// How many bytes of the last message's content have not arrived yet.
    rest: usize,
}

impl Messages {
    /// Calls `each` with the type of each message whose header is complete with these bytes.
    pub(crate) fn pass(&mut self, mut bytes: &[u8], mut each: impl FnMut(u16)) {
        loop {
            let skipped = self.rest.min(bytes.len());
            self.rest -= skipped;
            bytes = &bytes[skipped..];
            if bytes.is_empty() {
                return;
            }
            let missing = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if let Ok(header) = <[u8; HEADER]>::try_from(&self.header[..]) {
                self.header.clear();
                self.rest = usize::try_from(length(header)).unwrap_or(usize::MAX);
                each(kind(header));
            }
        }
    }
}

/// What an attempt did, according to the messages that it sent.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// How the attempt ended, according to its last message.
    pub(crate) outcome: Option<Outcome>,
    /// Whether there was any other message, which means that the attempt did something.
    pub(crate) did_something: bool,
}

impl Answers {
    /// Adds a message of this type.
    pub(crate) fn add(&mut self, kind: u16) {
        match kind {
            0x0001 => self.outcome = Some(Outcome::Suspended),
            0x0002 => self.outcome = Some(Outcome::Failed),
            0x0003 => self.outcome = Some(Outcome::Ended),
            // The list of what the attempt waits for.
            0x0006 => {}
            _ => self.did_something = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[number << 3 | 2, length], content].concat()
    }

    fn message(kind: u16, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap();
        [
            &kind.to_be_bytes()[..],
            &[0, 0],
            &length.to_be_bytes(),
            content,
        ]
        .concat()
    }

    fn header(key: &str, value: &str) -> Vec<u8> {
        field(
            1,
            &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat(),
        )
    }

    #[test]
    fn the_beginning_is_read_as_soon_as_it_is_complete() {
        let start = [
            field(1, b"\0\x01"),
            field(2, b"inv_1"),
            vec![3 << 3, 0x85, 0x01],
            field(4, b"state"),
            field(6, b"order-1"),
            vec![7 << 3, 2],
        ]
        .concat();
        let input = [
            header("kafka.offset", "7"),
            header("traceparent", "00-x"),
            field(14, &field(1, b"{}")),
        ]
        .concat();
        let bytes = [message(0, &start), message(INPUT, &input)].concat();
        for length in 0..bytes.len() {
            assert_eq!(Beginning::read(&bytes[..length]), None, "{length}");
        }
        assert_eq!(
            Beginning::read(&[&bytes[..], b"more"].concat()),
            Some(Beginning {
                invocation: "inv_1".to_owned(),
                key: "order-1".to_owned(),
                entries: 133,
                retries: 2,
                traceparent: Some("00-x".to_owned()),
                from_kafka: true,
                input: Bytes::from_static(b"{}"),
            })
        );
    }

    #[test]
    fn invalid_messages_count_as_empty() {
        let bytes = [message(0, b"\xff\xff\xff"), message(INPUT, b"\x0a\x7f")].concat();
        let found = Beginning::read(&bytes).unwrap();
        assert_eq!((found.invocation.as_str(), found.traceparent), ("", None));
    }

    #[test]
    fn an_attempt_that_only_waits_again_did_nothing_however_its_answer_is_split() {
        let idle = [message(0x0006, b"waits"), message(0x0001, b"suspended")].concat();
        let busy = [message(0x040E, b"send"), message(0x0003, b"")].concat();
        for size in 1..=idle.len() {
            let answers = |bytes: &[u8]| {
                let (mut messages, mut answers) = (Messages::default(), Answers::default());
                for chunk in bytes.chunks(size) {
                    messages.pass(chunk, |kind| answers.add(kind));
                }
                (answers.outcome, answers.did_something)
            };
            assert_eq!(answers(&idle), (Some(Outcome::Suspended), false));
            assert_eq!(answers(&busy), (Some(Outcome::Ended), true));
        }
    }
}
