//! A live table: records by id, written by the one writer, read by doors meanwhile.
//!
//! An index over records that lie in pages in the order they came, each behind a small lock of its
//! own: a reader that is held up keeps the writer from that one record and from nothing else.
//!
//! **Invariant**: an entry of the index is a record with that id, and the other way round. No call moves
//! more than one bucket of the index, whatever the size of the table.

use std::hash::{BuildHasher, Hash};

use super::aside::{Aside, Marked};
use super::index::{Growth, Index};
use super::pages::Pages;
use super::queue::Queue;
use crate::hash::BuildFolded;
use crate::prefetch::prefetch_lines;
use crate::sync::{Mutex, lock};

/// The table.
pub struct Table<K, V, S = BuildFolded> {
    index: Index,
    records: Pages<Mutex<Option<(K, V)>>>,
    places: Mutex<Places>,
    hasher: S,
    aside: Aside<Option<(K, V)>>,
}

/// What the writer alone knows.
#[derive(Debug, Default)]
struct Places {
    growth: Growth,
    /// Places whose record went away, the longest empty first: neighbours come and go together.
    free: Queue<u32>,
    /// Places from here on were never used.
    fresh: u32,
}

impl<K, V, S: Default> Default for Table<K, V, S> {
    fn default() -> Self {
        Self {
            index: Index::default(),
            records: Pages::default(),
            places: Mutex::default(),
            hasher: S::default(),
            aside: Aside::default(),
        }
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Table<K, V, S> {
    #[allow(clippy::cast_possible_truncation)] // The lower half of the hash.
    fn tag(&self, id: &K) -> u32 {
        self.hasher.hash_one(id) as u32
    }

    /// Where the record of an id is, and what `look` makes of it.
    #[inline]
    fn find<R>(&self, id: &K, look: impl FnOnce(u32, &mut Option<(K, V)>) -> R) -> Option<R> {
        let mut look = Some(look);
        self.index.find(self.tag(id), |place| {
            let mut record = lock(self.records.get(place as usize)?);
            let known = record.as_ref().is_some_and(|(known, _)| known == id);
            if known { look.take().map(|look| look(place, &mut record)) } else { None }
        })
    }

    /// Looks at the record of an id, briefly: the writer waits for this record meanwhile.
    #[inline]
    pub fn look<R>(&self, id: &K, look: impl FnOnce(&V) -> R) -> Option<R> {
        self.find(id, |_, record| record.as_ref().map(|(_, value)| look(value)))?
    }

    /// The record of an id.
    #[must_use]
    pub fn get(&self, id: &K) -> Option<V>
    where
        V: Clone,
    {
        self.look(id, V::clone)
    }

    #[must_use]
    pub fn contains(&self, id: &K) -> bool {
        self.find(id, |_, _| ()).is_some()
    }

    /// Records in the table. Waits for the writer's current step.
    #[must_use]
    pub fn len(&self) -> usize {
        let places = lock(&self.places);
        places.fresh as usize - places.free.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every record, in no order that means anything. Each is looked at by itself: a record that
    /// comes or goes meanwhile is seen or not.
    pub fn for_each(&self, mut look: impl FnMut(&K, &V)) {
        let fresh = lock(&self.places).fresh;
        for place in 0..fresh as usize {
            if let Some(record) = self.records.get(place)
                && let Some((id, value)) = &*lock(record)
            {
                look(id, value);
            }
        }
    }

    /// Copies of all records, as [`Self::for_each`] has them.
    pub fn iter(&self) -> impl Iterator<Item = (K, V)>
    where
        K: Clone,
        V: Clone,
    {
        let fresh = lock(&self.places).fresh;
        (0..fresh as usize).filter_map(|place| lock(self.records.get(place)?).clone())
    }

    /// Asks memory for the line that says whether an id is known.
    #[inline]
    pub(crate) fn prefetch(&self, id: &K) {
        self.index.prefetch(self.tag(id));
    }

    /// Asks memory for the first `LINES` lines of where the next `count` records go. Writer only.
    pub(crate) fn prefetch_free<const LINES: usize>(&self, count: usize) {
        let places = lock(&self.places);
        for &place in places.free.iter().take(count) {
            if let Some(record) = self.records.get(place as usize) {
                prefetch_lines::<_, LINES>(std::ptr::from_ref(record));
            }
        }
    }

    /// Asks memory for the first `LINES` lines of an id's record, where the index (asked for before)
    /// has one with its tag.
    #[inline]
    pub(crate) fn prefetch_record<const LINES: usize>(&self, id: &K) {
        self.index.find(self.tag(id), |place| {
            let record: *const _ = self.records.get(place as usize)?;
            prefetch_lines::<_, LINES>(record);
            Some(())
        });
    }
}

/// The writer's part.
impl<K: Eq + Hash + Clone, V: Clone, S: BuildHasher> Table<K, V, S> {
    /// Puts a record; the one that was there before. Past the bounds of memory, which lie past every bound
    /// of the engine, nothing is put.
    pub(crate) fn insert(&self, id: K, value: V) -> Option<V> {
        let mut value = Some(value);
        let replaced = self.find(&id, |place, record| {
            self.aside.keep(place as usize, || record.clone());
            let (_, known) = record.as_mut()?;
            value.take().map(|value| std::mem::replace(known, value))
        });
        if let Some(value) = value {
            self.add(id, value);
        }
        replaced.flatten()
    }

    /// Puts a record under an id that has none.
    pub(crate) fn add(&self, id: K, value: V) {
        let mut places = lock(&self.places);
        let tag = self.tag(&id);
        let place = places.free.pop().unwrap_or(places.fresh);
        let Some(record) = self.records.reach(place as usize) else { return };
        self.aside.keep(place as usize, || None);
        // The record before its entry, so that a reader who finds the entry finds the record.
        *lock(record) = Some((id, value));
        if place == places.fresh {
            places.fresh += 1;
        }
        self.index.insert(&mut places.growth, tag, place);
    }

    /// Takes a record away.
    pub(crate) fn remove(&self, id: &K) -> Option<V> {
        let (place, (_, value)) = self.find(id, |place, record| {
            self.aside.keep(place as usize, || record.clone());
            Some((place, record.take()?))
        })??;
        let mut places = lock(&self.places);
        self.index.remove(&mut places.growth, self.tag(id), place);
        places.free.push(place);
        Some(value)
    }

    /// Changes a record in place, where there is one.
    pub(crate) fn change<R>(&self, id: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        self.find(id, |place, record| {
            self.aside.keep(place as usize, || record.clone());
            record.as_mut().map(|(_, value)| change(value))
        })?
    }
}

/// The capturing thread's part.
impl<K: Clone, V: Clone, S> Table<K, V, S> {
    /// Every record as it was at the mark, in no order that means anything. Once for each capture.
    pub(crate) fn captured<E>(
        &self,
        capture: u64,
        mut each: impl FnMut(&K, &V) -> Result<(), E>,
    ) -> Result<(), E> {
        for place in 0..self.aside.end() {
            // Copied, not looked at: the writer may wait for this record.
            let now = self.records.get(place).and_then(|record| lock(record).clone());
            let then = self.aside.take(capture, place).unwrap_or(now);
            if let Some((id, value)) = &then {
                each(id, value)?;
            }
        }
        self.aside.finish();
        Ok(())
    }
}

impl<K, V, S> Marked for Table<K, V, S> {
    fn mark(&self, capture: u64) {
        let fresh = lock(&self.places).fresh;
        self.aside.begin(capture, fresh as usize);
    }

    fn unmark(&self) {
        self.aside.finish();
    }
}

impl<K, V, S> std::fmt::Debug for Table<K, V, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("fresh", &lock(&self.places).fresh).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    fn all(table: &Table<u128, u32>) -> HashMap<u128, u32> {
        let mut seen = HashMap::new();
        table.for_each(|&id, &value| assert_eq!(seen.insert(id, value), None, "{id} twice"));
        seen
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_map(
            steps in proptest::collection::vec((0u128..300, any::<Option<u32>>()), 0..2_000),
        ) {
            let table = Table::<u128, u32>::default();
            let mut model = HashMap::new();
            for (id, value) in steps {
                match value {
                    Some(value) => prop_assert_eq!(table.insert(id, value), model.insert(id, value)),
                    None => prop_assert_eq!(table.remove(&id), model.remove(&id)),
                }
                prop_assert_eq!(table.get(&id), model.get(&id).copied());
                prop_assert_eq!(table.contains(&id), model.contains_key(&id));
                let changed = table.change(&id, |value| *value ^= 1);
                prop_assert_eq!(changed, model.get_mut(&id).map(|value| *value ^= 1));
                prop_assert_eq!(table.len(), model.len());
            }
            prop_assert_eq!(all(&table), model);
        }
    }

    #[test]
    fn a_place_is_used_again() {
        let table = Table::<u128, u32>::default();
        for round in 0..100u128 {
            for id in 0..1_000u128 {
                assert_eq!(table.insert(id << 64 | round, 1), None);
            }
            for id in 0..1_000u128 {
                assert_eq!(table.remove(&(id << 64 | round)), Some(1));
            }
        }
        assert_eq!(lock(&table.places).fresh, 1_000);
        assert!(table.is_empty() && all(&table).is_empty());
    }

    #[test]
    fn readers_see_whole_records_while_the_writer_writes() {
        let table = Table::<u128, (u64, u64)>::default();
        let done = std::sync::atomic::AtomicBool::new(false);
        table.add(u128::MAX, (7, 7));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut id = 0;
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        id = (id + 1) % 5_000;
                        if let Some(pair) = table.get(&id) {
                            assert_eq!(pair.0, pair.1);
                        }
                        assert_eq!(table.get(&u128::MAX), Some((7, 7)), "never out of sight");
                    }
                });
            }
            for round in 0..100_000u64 {
                table.insert(u128::from(round % 5_000), (round, round));
                table.remove(&u128::from(round * 7 % 5_000));
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
