//! A first-in-first-out queue whose own state stays small, however many ids wait.
//!
//! Restate passes an object's whole state to each invocation, so a matcher with ten thousand waiting deliveries in its state would
//! transfer all of them each time a driver becomes free. Instead, the object keeps only the two ends of the queue, at most `CAP`
//! ids each, and stores the middle elsewhere in numbered segments, with one message per `CAP` ids:
//!
//! ```text
//!   pop ◀── head [a b c] ◀── segments 7, 8, 9 (in DispatchBacklog) ◀── tail [x y] ◀── push
//! ```
//!
//! So an operation costs the same for ten thousand waiting ids as for ten.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A queue of ids whose middle is stored elsewhere. `CAP` is the size of a segment and of either end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segmented<const CAP: usize> {
    head: VecDeque<String>,
    /// Numbers of the segments that are stored elsewhere, oldest first.
    middle: Range<u64>,
    tail: Vec<String>,
    /// How many ids are in the segments.
    away: u64,
}

/// A segment that has to be stored elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) ids: Vec<String>,
}

/// The result of taking the oldest id of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Oldest {
    /// This id, which is no longer in the queue.
    Id(String),
    /// The queue is empty.
    None,
    /// It is in the segment with this number. Fetch the segment, [`Segmented::restore`] it, and call again.
    Away(u64),
}

impl<const CAP: usize> Default for Segmented<CAP> {
    fn default() -> Self {
        Self {
            head: VecDeque::new(),
            middle: 0..0,
            tail: Vec::new(),
            away: 0,
        }
    }
}

impl<const CAP: usize> Segmented<CAP> {
    /// How many ids wait.
    pub(crate) fn len(&self) -> u64 {
        self.head.len() as u64 + self.away + self.tail.len() as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds `id` at the end. If this returns a segment, the caller must store it.
    pub(crate) fn push(&mut self, id: String) -> Option<Segment> {
        if self.middle.is_empty() && self.tail.is_empty() && self.head.len() < CAP {
            self.head.push_back(id);
            return None;
        }
        self.tail.push(id);
        if self.tail.len() < CAP {
            return None;
        }
        let number = self.middle.end;
        self.middle.end += 1;
        self.away += self.tail.len() as u64;
        Some(Segment {
            number,
            ids: std::mem::take(&mut self.tail),
        })
    }

    /// Takes the oldest id.
    pub(crate) fn pop(&mut self) -> Oldest {
        if self.head.is_empty() {
            if !self.middle.is_empty() {
                return Oldest::Away(self.middle.start);
            }
            self.head = std::mem::take(&mut self.tail).into();
        }
        self.head.pop_front().map_or(Oldest::None, Oldest::Id)
    }

    /// Takes back the oldest segment, whose ids become the front of the queue. There may be fewer ids than before, if some were
    /// withdrawn.
    pub(crate) fn restore(&mut self, ids: Vec<String>) {
        self.away = self.away.saturating_sub(ids.len() as u64);
        self.middle.start += 1;
        self.head.extend(ids);
    }

    /// Removes `id` from either end. `false` means that it is in a segment, or not in the queue.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.head.len() + self.tail.len();
        self.head.retain(|other| other != id);
        self.tail.retain(|other| other != id);
        self.head.len() + self.tail.len() < before
    }

    /// Whether an id that is in neither end may still be in a segment.
    pub(crate) fn has_segments(&self) -> bool {
        !self.middle.is_empty()
    }

    /// Records that one id was removed from a segment.
    pub(crate) fn removed_from_segment(&mut self) {
        self.away = self.away.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    const CAP: usize = 4;

    /// The queue together with a stand-in for the backlog.
    #[derive(Default)]
    struct Whole {
        queue: Segmented<CAP>,
        backlog: HashMap<u64, Vec<String>>,
    }

    impl Whole {
        fn push(&mut self, id: &str) {
            if let Some(segment) = self.queue.push(id.to_owned()) {
                assert!(self.backlog.insert(segment.number, segment.ids).is_none());
            }
        }

        fn pop(&mut self) -> Option<String> {
            loop {
                match self.queue.pop() {
                    Oldest::Id(id) => return Some(id),
                    Oldest::None => return None,
                    Oldest::Away(number) => {
                        let ids = self.backlog.remove(&number).unwrap();
                        self.queue.restore(ids);
                    }
                }
            }
        }

        fn remove(&mut self, id: &str) -> bool {
            if self.queue.remove(id) {
                return true;
            }
            for ids in self.backlog.values_mut() {
                if let Some(at) = ids.iter().position(|other| other == id) {
                    ids.remove(at);
                    self.queue.removed_from_segment();
                    return true;
                }
            }
            false
        }
    }

    #[test]
    fn the_state_stays_small_with_ten_thousand_waiting_ids() {
        let mut queue = Segmented::<CAP>::default();
        let mut largest = 0;
        for n in 0..10_000 {
            queue.push(format!("order-{n:05}"));
            largest = largest.max(serde_json::to_string(&queue).unwrap().len());
        }
        assert_eq!(queue.len(), 10_000);
        assert!(largest < 200, "{largest} bytes");
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push,
        Pop,
        Remove(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => Just(Step::Push),
            3 => Just(Step::Pop),
            1 => (0..200_usize).prop_map(Step::Remove),
        ]
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_queue_for_any_operations(steps in proptest::collection::vec(step(), 0..300)) {
            let mut whole = Whole::default();
            let mut model: VecDeque<String> = VecDeque::new();
            let mut made = 0;
            for step in steps {
                match step {
                    Step::Push => {
                        let id = format!("id-{made}");
                        made += 1;
                        whole.push(&id);
                        model.push_back(id);
                    }
                    Step::Pop => prop_assert_eq!(whole.pop(), model.pop_front()),
                    Step::Remove(n) => {
                        let id = format!("id-{n}");
                        let there = model.iter().position(|other| *other == id);
                        prop_assert_eq!(whole.remove(&id), there.is_some());
                        if let Some(at) = there {
                            model.remove(at);
                        }
                    }
                }
                prop_assert_eq!(whole.queue.len(), model.len() as u64);
                prop_assert!(whole.queue.head.len() <= CAP && whole.queue.tail.len() < CAP);
            }
            while let Some(id) = whole.pop() {
                prop_assert_eq!(Some(id), model.pop_front());
            }
            prop_assert!(model.is_empty());
            prop_assert!(whole.backlog.is_empty());
        }
    }
}
