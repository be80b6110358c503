//! The kitchen: waits until an order is ready, and then calls back until the callback is accepted or refused for good.
//!
//! One task holds the due times of all pending orders and sleeps until the next one. Everything else about an order stays in the books
//! until it is due. So ten thousand pending orders cost a few hundred kilobytes and no CPU.

use std::time::Duration;

use futures::StreamExt;
use stub_kit::{clock, database};
use telemetry::trace::TraceParent;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Expired;
use tracing::{Instrument, Span};

use crate::books::{Books, End, Pending};
use crate::callback::{Caller, Failure, Ready};

/// How many callbacks may be under way at once.
pub(crate) const CALLS_AT_ONCE: usize = 32;
/// The wait before the second attempt of a callback. It doubles with every further attempt.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How far in the future an order may be due.
const FARTHEST: Duration = Duration::from_hours(24 * 365);

/// A handle to the kitchen, shared by its clones. The kitchen stops when the last one is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Kitchen {
    messages: mpsc::UnboundedSender<Message>,
}

#[derive(Debug)]
enum Message {
    Due(Due),
    Close(oneshot::Sender<()>),
}

/// When to try to call back for an order.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: Instant,
    /// The order's number in the books.
    sequence: i64,
    /// The number of earlier attempts.
    attempts: u32,
    /// The span of the request for the order. It is not stored, so a callback after a crash belongs to no trace.
    asked_by: Option<TraceParent>,
}

impl Kitchen {
    /// Starts the kitchen with the orders that are `pending` in the books.
    pub(crate) fn start(books: Books, caller: Caller, pending: Vec<Pending>) -> Self {
        let (messages, inbox) = mpsc::unbounded_channel();
        let mut work = Work {
            books,
            caller,
            due: DelayQueue::new(),
            calls: JoinSet::new(),
            gate: Gate::default(),
        };
        for pending in pending {
            work.await_due(Due::first(pending, None));
        }
        tokio::spawn(work.run(inbox));
        Self { messages }
    }

    /// Schedules the callback of an order. Nothing happens if the order is not in the books when it is due.
    pub(crate) fn schedule(&self, pending: Pending, asked_by: Option<TraceParent>) {
        // If the kitchen is closed, the next process finds the order in the books.
        let due = Due::first(pending, asked_by);
        let _ = self.messages.send(Message::Due(due));
    }

    /// Finishes the callbacks under way and stops.
    pub(crate) async fn close(self) {
        let (closed, close) = oneshot::channel();
        if self.messages.send(Message::Close(closed)).is_ok() {
            let _ = close.await;
        }
    }
}

impl Due {
    fn first(Pending { sequence, ready_at }: Pending, asked_by: Option<TraceParent>) -> Self {
        let wait = u64::try_from(ready_at.saturating_sub(clock::now_ms())).unwrap_or_default();
        Self {
            at: Instant::now() + Duration::from_millis(wait),
            sequence,
            attempts: 0,
            asked_by,
        }
    }

    fn again(self) -> Self {
        Self {
            at: Instant::now() + pause(self.attempts),
            attempts: self.attempts.saturating_add(1),
            ..self
        }
    }
}

/// The wait after an attempt that was preceded by `attempts` others.
fn pause(attempts: u32) -> Duration {
    SHORTEST_PAUSE
        .saturating_mul(2_u32.saturating_pow(attempts))
        .min(LONGEST_PAUSE)
}

struct Work {
    books: Books,
    caller: Caller,
    due: DelayQueue<Due>,
    calls: JoinSet<Outcome>,
    gate: Gate,
}

/// The next order that is due, once the gate is open; `None` if nothing is pending.
async fn next(due: &mut DelayQueue<Due>, opens_at: Instant) -> Option<Due> {
    sleep_until(opens_at).await;
    due.next().await.map(Expired::into_inner)
}

/// The outcome of an attempt.
enum Outcome {
    /// The order is no longer pending.
    NotCalled,
    /// The callback was accepted, or refused for good.
    Settled,
    /// The callback was not accepted now, or the books could not be used.
    TryAgain(Due),
    /// There was no answer.
    Unreachable(Due),
}

impl Work {
    fn await_due(&mut self, due: Due) {
        // The queue panics for times years ahead, which may occur after a jump of the clock.
        let latest = Instant::now() + FARTHEST;
        self.due.insert_at(due, due.at.min(latest));
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let closed = loop {
            let may_call = self.calls.len() < self.gate.width();
            tokio::select! {
                message = inbox.recv() => match message {
                    Some(Message::Due(due)) => self.await_due(due),
                    Some(Message::Close(closed)) => break closed,
                    // All handles were dropped without closing: stop at once.
                    None => return,
                },
                Some(ended) = self.calls.join_next() => self.settle(ended),
                Some(due) = next(&mut self.due, self.gate.opens_at), if may_call => {
                    self.calls.spawn(call_back(self.books.clone(), self.caller.clone(), due));
                }
            }
        };
        while self.calls.join_next().await.is_some() {}
        let _ = closed.send(());
    }

    fn settle(&mut self, ended: Result<Outcome, JoinError>) {
        match ended {
            Ok(Outcome::NotCalled) => {}
            Ok(Outcome::Settled) => self.gate.reached(),
            Ok(Outcome::TryAgain(due)) => {
                self.gate.reached();
                self.await_due(due.again());
            }
            Ok(Outcome::Unreachable(due)) => {
                self.gate.missed(Instant::now());
                self.await_due(due.again());
            }
            Err(error) => {
                tracing::error!(%error, "a callback was aborted; it will be sent after the next start of the restaurant");
            }
        }
    }
}

/// Limits callbacks while the callback address cannot be reached: then only one order at a time tries, instead of thousands. All
/// orders come from one system, so one gate is enough.
#[derive(Debug)]
struct Gate {
    /// How many attempts in a row got no answer.
    misses: u32,
    opens_at: Instant,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            misses: 0,
            opens_at: Instant::now(),
        }
    }
}

impl Gate {
    /// How many callbacks may be under way.
    fn width(&self) -> usize {
        if self.misses == 0 { CALLS_AT_ONCE } else { 1 }
    }

    fn reached(&mut self) {
        if self.misses > 0 {
            tracing::info!("callbacks are answered again");
            self.misses = 0;
            self.opens_at = Instant::now();
        }
    }

    fn missed(&mut self, now: Instant) {
        // Of several concurrent attempts, only the first counts.
        if now >= self.opens_at {
            if self.misses == 0 {
                tracing::warn!(
                    "the callback address cannot be reached: orders that are ready have to wait"
                );
            }
            self.opens_at = now + pause(self.misses);
            self.misses = self.misses.saturating_add(1);
        }
    }
}

/// Tries once to send the callback of an order, and stores the result.
async fn call_back(books: Books, caller: Caller, due: Due) -> Outcome {
    let span = due.asked_by.map_or_else(Span::none, |asked_by| {
        telemetry::span::internal("call back", asked_by)
    });
    match try_call_back(&books, &caller, due).instrument(span).await {
        Ok(outcome) => outcome,
        Err(error) => {
            tracing::error!(%error, "the books cannot be read or written: calling back later");
            Outcome::TryAgain(due)
        }
    }
}

async fn try_call_back(
    books: &Books,
    caller: &Caller,
    due: Due,
) -> Result<Outcome, database::Error> {
    let Some(call) = books.call(due.sequence).await? else {
        return Ok(Outcome::NotCalled);
    };
    let ready = Ready {
        order_id: call.order_id,
        ready_at: call.ready_at,
    };
    let order_id = &ready.order_id;
    // The same id at every attempt, so that the receiver can recognise a repetition.
    let message = format!("preparation-{}", due.sequence);
    let end = match caller.send_callback(&call.callback, &message, &ready).await {
        Ok(()) => {
            tracing::debug!(%order_id, "called back");
            for _ in 1..call.callbacks {
                // Duplicates are an injected fault; their answers do not matter.
                let answer = caller.send_callback(&call.callback, &message, &ready).await;
                tracing::debug!(%order_id, ?answer, "called back once more");
            }
            End::CalledBack
        }
        Err(Failure::Final(answer)) => {
            tracing::warn!(%order_id, answer, "the callback was refused for good");
            End::Failed { answer }
        }
        Err(Failure::Transient(answer)) => {
            tracing::debug!(%order_id, answer, "calling back later");
            return Ok(Outcome::TryAgain(due));
        }
        Err(Failure::Unreachable(error)) => {
            tracing::debug!(%order_id, error, "calling back later");
            return Ok(Outcome::Unreachable(due));
        }
    };
    books.end(due.sequence, end).await?;
    Ok(Outcome::Settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_seconds() {
        let pauses = [0, 1, 2, 3, 4, 5, 6, u32::MAX].map(|attempts| pause(attempts).as_millis());
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_order_comes_first_and_none_before_the_gate_opens() {
        let start = Instant::now();
        let mut queue = DelayQueue::new();
        for sequence in [3, 1, 2] {
            let at = start + Duration::from_secs(sequence);
            let due = Due {
                at,
                sequence: i64::try_from(sequence).unwrap(),
                attempts: 0,
                asked_by: None,
            };
            queue.insert_at(due, at);
        }
        for (opens_after, sequence, elapsed) in [(0, 1, 1), (10, 2, 10), (0, 3, 10)] {
            let opens_at = start + Duration::from_secs(opens_after);
            let due = next(&mut queue, opens_at).await.unwrap();
            assert_eq!(
                (due.sequence, start.elapsed().as_secs()),
                (sequence, elapsed)
            );
        }
        assert!(next(&mut queue, start).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn only_one_order_tries_while_there_is_no_answer() {
        let mut gate = Gate::default();
        assert_eq!(gate.width(), CALLS_AT_ONCE);

        let start = Instant::now();
        for _ in 0..CALLS_AT_ONCE {
            gate.missed(start);
        }
        assert_eq!(gate.width(), 1);
        assert_eq!(gate.opens_at, start + SHORTEST_PAUSE);

        let mut at = start;
        for _ in 0..10 {
            at = gate.opens_at;
            gate.missed(at);
        }
        assert_eq!(gate.opens_at, at + LONGEST_PAUSE);

        gate.reached();
        assert_eq!(gate.width(), CALLS_AT_ONCE);
        assert!(gate.opens_at <= Instant::now());
    }
}
