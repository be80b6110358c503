//! A map that forgets the entries that have not changed for longest.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

/// A map with a limited number of entries; the one that was put in longest ago makes room.
pub(crate) struct Bounded<K, V> {
    capacity: usize,
    next: u64,
    entries: HashMap<Arc<K>, (u64, V)>,
    by_age: BTreeMap<u64, Arc<K>>,
}

impl<K: Hash + Eq, V> Bounded<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            next: 0,
            entries: HashMap::new(),
            by_age: BTreeMap::new(),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let (age, value) = self.entries.remove(key)?;
        self.by_age.remove(&age);
        Some(value)
    }

    /// Puts an entry in as the newest and gives back the one that had to make room.
    pub(crate) fn put(&mut self, key: Arc<K>, value: V) -> Option<(Arc<K>, V)> {
        self.next += 1;
        self.by_age.insert(self.next, Arc::clone(&key));
        if let Some((age, _)) = self.entries.insert(key, (self.next, value)) {
            self.by_age.remove(&age);
        }
        if self.entries.len() <= self.capacity {
            return None;
        }
        let (_, oldest) = self.by_age.pop_first()?;
        let (_, value) = self.entries.remove(&oldest)?;
        Some((oldest, value))
    }

    /// All entries, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = (&Arc<K>, &V)> {
        (self.by_age.values().rev())
            .filter_map(|key| self.entries.get(key).map(|(_, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_entries_are_the_newest_that_were_put_and_not_removed(
            steps in proptest::collection::vec((0_u8..12, any::<bool>()), 0..80)
        ) {
            const CAPACITY: usize = 5;
            let mut map = Bounded::new(CAPACITY);
            let mut model: Vec<(u8, usize)> = Vec::new();
            for (value, (key, is_put)) in steps.into_iter().enumerate() {
                let known = model.iter().position(|(k, _)| *k == key).map(|at| model.remove(at));
                if is_put {
                    model.push((key, value));
                    let expected = (model.len() > CAPACITY).then(|| model.remove(0));
                    let evicted = map.put(Arc::new(key), value).map(|(key, value)| (*key, value));
                    prop_assert_eq!(evicted, expected);
                } else {
                    prop_assert_eq!(map.remove(&key), known.map(|(_, value)| value));
                }
                let found: Vec<_> = map.newest_first().map(|(key, value)| (**key, *value)).collect();
                let expected: Vec<_> = model.iter().rev().copied().collect();
                prop_assert_eq!(found, expected);
                prop_assert_eq!(map.get(&key).is_some(), is_put);
            }
        }
    }
}
