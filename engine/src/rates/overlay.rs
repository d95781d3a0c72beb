//! The overlay: rules that few nights of few plans have, beside the rate words. Sparse.
//!
//! One sorted list of nights per plan that has any, published whole: the writer copies it, changes the
//! copy and swaps it in, a reader keeps the list it loaded. A flag in the rate word says that a night has
//! an entry, so the common case loads nothing more. **Invariant**: an entry is never empty, and at most
//! [`OVERLAY_NIGHTS_MAX`](crate::limits::OVERLAY_NIGHTS_MAX) stand at once.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;

use super::{CutOff, Dated};
use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::limits::OCCUPANCY_PRICES_MAX;
use crate::state::{Aside, Marked};
use crate::sync::AtomicUsize;

const SEGMENT: usize = 1_024;

type Segment = OnceLock<Box<[ArcSwapOption<DatedNights>]>>;

/// Prices of one night by the number of adults; the rate word's price is that of all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct OccupancyPrices {
    count: u8,
    adults: [u8; OCCUPANCY_PRICES_MAX],
    /// Minor units.
    prices: [u32; OCCUPANCY_PRICES_MAX],
}

impl OccupancyPrices {
    /// `None` where there are too many, an occupancy is 0 or twice there, or a price past 32 bits.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (u8, i64)>) -> Option<Self> {
        let mut sorted: Vec<(u8, i64)> = pairs.into_iter().collect();
        sorted.sort_unstable();
        let twice = sorted.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0));
        if twice || sorted.first().is_some_and(|first| first.0 == 0) {
            return None;
        }
        let mut made = Self { count: u8::try_from(sorted.len()).ok()?, ..Self::default() };
        if sorted.len() > OCCUPANCY_PRICES_MAX {
            return None;
        }
        let places = made.adults.iter_mut().zip(&mut made.prices);
        for ((at_adults, at_price), (adults, price)) in places.zip(sorted) {
            *at_adults = adults;
            *at_price = u32::try_from(price).ok()?;
        }
        Some(made)
    }

    /// Adults and price in minor units, fewest adults first.
    pub fn pairs(&self) -> impl Iterator<Item = (u8, i64)> + Clone + '_ {
        let pairs = self.adults.iter().zip(&self.prices).take(usize::from(self.count));
        pairs.map(|(&adults, &price)| (adults, i64::from(price)))
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// As [`Self::new`] makes them: what came out of a log may be anything.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        usize::from(self.count) <= OCCUPANCY_PRICES_MAX && Self::new(self.pairs()) == Some(*self)
    }
}

/// What one night of a plan says beyond its rate word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct DatedRules {
    /// Fewest days from the hotel's today to a check-in on this night.
    pub min_advance: Dated<u16>,
    /// Most days from the hotel's today to a check-in on this night.
    pub max_advance: Dated<u16>,
    /// When this night stops selling.
    pub cut_off: Dated<CutOff>,
    pub occupancy: OccupancyPrices,
}

impl DatedRules {
    /// Says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The nights of one plan that have an entry, in order. Equal entries are kept once.
#[derive(Debug, Default)]
pub struct DatedNights {
    nights: Vec<(Night, Arc<DatedRules>)>,
}

impl DatedNights {
    /// The entry of a night.
    #[must_use]
    pub fn at(&self, night: Night) -> Option<&DatedRules> {
        let found = self.nights.binary_search_by_key(&night, |entry| entry.0).ok()?;
        self.nights.get(found).map(|entry| entry.1.as_ref())
    }

    /// Every entry, by night.
    pub fn iter(&self) -> impl Iterator<Item = (Night, &DatedRules)> {
        self.nights.iter().map(|(night, rules)| (*night, rules.as_ref()))
    }
}

/// The overlays of all plans.
pub struct Overlays {
    segments: Box<[Segment]>,
    nights: AtomicUsize,
    nights_max: usize,
    aside: Aside<Option<Arc<DatedNights>>>,
}

impl Overlays {
    /// Room for so many plans and entries; nothing is taken before the first entry.
    #[must_use]
    pub fn new(plans_max: u32, nights_max: usize) -> Self {
        let segments = (plans_max as usize).div_ceil(SEGMENT);
        Self {
            segments: (0..segments).map(|_| OnceLock::new()).collect(),
            nights: AtomicUsize::new(0),
            nights_max,
            aside: Aside::default(),
        }
    }

    /// The plan's entries as they stand, to keep; `None` where it has none.
    #[must_use]
    pub fn of(&self, plan: u32) -> Option<Arc<DatedNights>> {
        self.slot(plan)?.load_full()
    }

    /// What a plan says on a night beyond its rate word; nothing where it has no entry.
    #[must_use]
    pub fn at(&self, plan: u32, night: Night) -> DatedRules {
        let guard = self.slot(plan).map(ArcSwapOption::load);
        let nights = guard.as_ref().and_then(|guard| guard.as_ref());
        nights.and_then(|nights| nights.at(night)).copied().unwrap_or_default()
    }

    /// Entries of all plans together.
    #[must_use]
    pub fn nights_count(&self) -> usize {
        // Relaxed: the writer alone changes it.
        self.nights.load(Ordering::Relaxed)
    }

    /// Whether so many more entries have a place.
    #[must_use]
    pub(crate) fn has_room_for(&self, nights: usize) -> bool {
        self.nights_count() + nights <= self.nights_max
    }

    /// Writes entries, sorted by night; an empty one takes the night's entry away. Writer only.
    pub(crate) fn put(&self, plan: u32, entries: &[(Night, DatedRules)]) {
        let Some(segment) = self.segments.get(plan as usize / SEGMENT) else { return };
        let slots = segment.get_or_init(|| (0..SEGMENT).map(|_| ArcSwapOption::empty()).collect());
        let Some(slot) = slots.get(plan as usize % SEGMENT) else { return };
        let before = slot.load_full();
        self.aside.keep(plan as usize, || before.clone());
        let old = before.as_deref().map_or(&[][..], |nights| nights.nights.as_slice());
        self.swap(slot, old.len(), merge(old, entries));
    }

    /// Forgets the plan's nights before `first`; how many entries it had. Writer only.
    pub(crate) fn retire(&self, plan: u32, first: Night) -> usize {
        let Some(slot) = self.slot(plan) else { return 0 };
        let Some(before) = slot.load_full() else { return 0 };
        let kept = before.nights.partition_point(|entry| entry.0 < first);
        if kept > 0 {
            self.aside.keep(plan as usize, || Some(Arc::clone(&before)));
            let nights = before.nights.get(kept..).unwrap_or_default().to_vec();
            self.swap(slot, before.nights.len(), nights);
        }
        before.nights.len()
    }

    /// Every plan's entries as they were at the mark. Once for each capture.
    pub(crate) fn captured<E>(
        &self,
        capture: u64,
        mut each: impl FnMut(u32, &DatedNights) -> Result<(), E>,
    ) -> Result<(), E> {
        for plan in 0..u32::try_from(self.aside.end()).unwrap_or(u32::MAX) {
            let now = self.of(plan);
            let then = self.aside.take(capture, plan as usize).unwrap_or(now);
            if let Some(nights) = then {
                each(plan, &nights)?;
            }
        }
        self.aside.finish();
        Ok(())
    }

    fn swap(
        &self,
        slot: &ArcSwapOption<DatedNights>,
        before: usize,
        nights: Vec<(Night, Arc<DatedRules>)>,
    ) {
        let count = self.nights_count().saturating_sub(before) + nights.len();
        slot.store((!nights.is_empty()).then(|| Arc::new(DatedNights { nights })));
        // Relaxed: the writer alone changes and judges by it.
        self.nights.store(count, Ordering::Relaxed);
    }

    fn slot(&self, plan: u32) -> Option<&ArcSwapOption<DatedNights>> {
        self.segments.get(plan as usize / SEGMENT)?.get()?.get(plan as usize % SEGMENT)
    }
}

impl Marked for Overlays {
    fn mark(&self, capture: u64) {
        let segments = self.segments.iter().rposition(|segment| segment.get().is_some());
        self.aside.begin(capture, segments.map_or(0, |last| (last + 1) * SEGMENT));
    }

    fn unmark(&self) {
        self.aside.finish();
    }
}

/// The old entries with the new ones in their place; both sorted by night.
fn merge(
    old: &[(Night, Arc<DatedRules>)],
    new: &[(Night, DatedRules)],
) -> Vec<(Night, Arc<DatedRules>)> {
    let mut merged = Vec::with_capacity(old.len() + new.len());
    let mut rest = old.iter().peekable();
    let mut last: Option<Arc<DatedRules>> = None;
    for (night, rules) in new {
        while let Some(entry) = rest.next_if(|entry| entry.0 < *night) {
            merged.push(entry.clone());
        }
        rest.next_if(|entry| entry.0 == *night);
        if rules.is_empty() {
            continue;
        }
        let shared = match last.take() {
            Some(known) if *known == *rules => known,
            _ => Arc::new(*rules),
        };
        merged.push((*night, Arc::clone(&shared)));
        last = Some(shared);
    }
    merged.extend(rest.cloned());
    merged
}

impl std::fmt::Debug for Overlays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlays").field("nights", &self.nights_count()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::limits::OVERLAY_NIGHTS_MAX;

    fn days(days: u16) -> DatedRules {
        DatedRules { min_advance: Dated::Set(days), ..DatedRules::default() }
    }

    proptest! {
        #[test]
        fn what_is_written_last_stands_and_the_count_follows(
            writes in proptest::collection::vec(
                (0u32..3, proptest::collection::btree_map(0u16..40, 0u16..4, 0..12)), 1..20),
            first in 0u16..40,
        ) {
            let overlays = Overlays::new(3, OVERLAY_NIGHTS_MAX);
            let mut model = std::collections::BTreeMap::new();
            for (plan, nights) in writes {
                let entries: Vec<_> = nights
                    .iter()
                    .map(|(&night, &n)| (Night(night), if n == 0 { DatedRules::default() } else { days(n) }))
                    .collect();
                overlays.put(plan, &entries);
                for (night, rules) in entries {
                    model.insert((plan, night), rules);
                }
            }
            for plan in 0..3 {
                overlays.retire(plan, Night(first));
            }
            model.retain(|key, rules| key.1 >= Night(first) && !rules.is_empty());
            prop_assert_eq!(overlays.nights_count(), model.len());
            for plan in 0..3 {
                for night in (0..40).map(Night) {
                    let expected = model.get(&(plan, night)).copied().unwrap_or_default();
                    prop_assert_eq!(overlays.at(plan, night), expected);
                }
                let listed = overlays.of(plan).map_or(0, |nights| nights.iter().count());
                prop_assert_eq!(listed, model.keys().filter(|key| key.0 == plan).count());
            }
        }
    }

    #[test]
    fn equal_nights_written_together_share_one_entry() {
        let overlays = Overlays::new(1, OVERLAY_NIGHTS_MAX);
        overlays.put(0, &[(Night(1), days(2)), (Night(2), days(2)), (Night(3), days(1))]);
        let nights = overlays.of(0).unwrap();
        assert!(Arc::ptr_eq(&nights.nights[0].1, &nights.nights[1].1));
        assert!(!Arc::ptr_eq(&nights.nights[1].1, &nights.nights[2].1));
    }

    #[test]
    fn occupancy_prices_are_sorted_once_each_and_bounded() {
        let prices = OccupancyPrices::new([(2, 150), (1, 100)]).unwrap();
        assert_eq!(prices.pairs().collect::<Vec<_>>(), [(1, 100), (2, 150)]);
        assert!(prices.is_valid() && OccupancyPrices::default().is_valid());
        let most = u8::try_from(OCCUPANCY_PRICES_MAX).unwrap();
        assert!(OccupancyPrices::new((1..=most).map(|adults| (adults, 1))).is_some());
        assert!(OccupancyPrices::new((1..=most + 1).map(|adults| (adults, 1))).is_none());
        for bad in [vec![(0, 1)], vec![(1, 1), (1, 2)], vec![(1, -1)], vec![(1, 1 << 32)]] {
            assert_eq!(OccupancyPrices::new(bad.clone()), None, "{bad:?}");
        }
    }
}
