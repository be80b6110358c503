//! What the attempts of each handler cost Restate: how many there are, the journal entries that they add, and the bytes exchanged.
//! Results that arrive while an invocation is suspended are repeated to the next attempt like older entries, so they do not count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use telemetry::metrics::Counters;

use crate::protocol::{Beginning, Messages, is_entry};

static ATTEMPTS: Counters<2> = Counters::new(
    "restate_handler_attempts",
    "Attempts of each handler: the first of an invocation, and each after a suspension or a failure",
    ["service", "handler"],
);
static ENTRIES: Counters<2> = Counters::new(
    "restate_handler_journal_entries",
    "Entries in the journals of each handler's invocations: the input, commands, their results, the output",
    ["service", "handler"],
);
static RECEIVED: Counters<2> = Counters::new(
    "restate_handler_received_bytes",
    "Bytes that Restate has sent to each handler's attempts: state, input, journal, results",
    ["service", "handler"],
);
static SENT: Counters<2> = Counters::new(
    "restate_handler_sent_bytes",
    "Bytes that each handler's attempts have sent to Restate: commands with what they store or send, and the output",
    ["service", "handler"],
);

/// What one attempt has cost so far. Its request and its response add to this as they pass through.
#[derive(Debug)]
pub(crate) struct Costs {
    service: String,
    handler: String,
    /// Entries of earlier attempts, which Restate repeats.
    repeated: u64,
    entries: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

/// One direction of the messages between Restate and an attempt.
#[derive(Debug)]
pub(crate) struct Meter {
    costs: Arc<Costs>,
    messages: Messages,
    is_sent: bool,
}

impl Costs {
    /// Meters for what an attempt receives and sends.
    pub(crate) fn meters(service: &str, handler: &str, beginning: &Beginning) -> (Meter, Meter) {
        let costs = Arc::new(Self {
            service: service.to_owned(),
            handler: handler.to_owned(),
            repeated: beginning.repeated(),
            entries: AtomicU64::default(),
            received: AtomicU64::default(),
            sent: AtomicU64::default(),
        });
        let meter = |is_sent| Meter {
            costs: Arc::clone(&costs),
            messages: Messages::default(),
            is_sent,
        };
        (meter(false), meter(true))
    }
}

impl Meter {
    /// Counts bytes that pass through. `inspect` is called with the type of each message.
    pub(crate) fn pass(&mut self, bytes: &[u8], mut inspect: impl FnMut(u16)) {
        let costs = &self.costs;
        self.messages.pass(bytes, |kind| {
            costs.entries.fetch_add(u64::from(is_entry(kind)), Relaxed);
            inspect(kind);
        });
        let direction = if self.is_sent {
            &costs.sent
        } else {
            &costs.received
        };
        direction.fetch_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Adds the costs of the attempt, which has ended, to the metrics of its handler. The handler must exist, because otherwise
    /// the number of metrics would be unlimited.
    pub(crate) fn record(&self) {
        let costs = &self.costs;
        let entries = costs.entries.load(Relaxed).saturating_sub(costs.repeated);
        for (counters, number) in [
            (&ATTEMPTS, 1),
            (&ENTRIES, entries),
            (&RECEIVED, costs.received.load(Relaxed)),
            (&SENT, costs.sent.load(Relaxed)),
        ] {
            counters.add([costs.service.clone(), costs.handler.clone()], number);
        }
    }
}

#[cfg(test)]
mod tests {
    use telemetry::metrics;

    use super::*;

    fn message(kind: u16, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&kind.to_be_bytes()[..], &[0, 0], &length, content].concat()
    }

    /// An attempt that gets `received` after a start that announces `known` entries, and answers `sent`.
    fn attempt(known: u8, received: &[u16], sent: &[u16]) {
        let mut bytes = message(0, &[3 << 3, known]);
        bytes.extend(received.iter().flat_map(|kind| message(*kind, b"")));
        let beginning = Beginning::read(&bytes).unwrap();
        let (mut receiving, mut sending) = Costs::meters("Costly", "handle", &beginning);
        receiving.pass(&bytes, |_| ());
        for kind in sent {
            sending.pass(&message(*kind, b"four"), |_| ());
        }
        sending.record();
    }

    #[test]
    fn an_entry_that_restate_repeats_counts_once() {
        const INPUT: u16 = 0x0400;
        const CALL: u16 = 0x040D;
        const CALLED: u16 = 0x800D;
        const OUTPUT: u16 = 0x0401;
        const SUSPENSION: u16 = 0x0001;
        attempt(1, &[INPUT], &[CALL, SUSPENSION]);
        // The answer arrived in between.
        attempt(3, &[INPUT, CALL, CALLED], &[OUTPUT, 0x0003]);
        let text = metrics::text();
        for (metric, expected) in [
            ("attempts", 2),
            ("journal_entries", 3),
            ("received_bytes", 2 * (8 + 2) + 4 * 8),
            ("sent_bytes", 4 * (8 + 4)),
        ] {
            let line = format!(
                r#"restate_handler_{metric}_total{{service="Costly",handler="handle"}} {expected}"#
            );
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
    }
}
