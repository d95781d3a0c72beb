//! The table of taxes: which shares hold for a supply in a province from a night on.
//!
//! Entries are only ever added, each under the next version, so that a hold made under an old version
//! can be priced again as it was. What a province says goes before what the country says, share by
//! share; the latest night wins, and of one night the newest entry. **Invariant**: the lists that
//! readers look things up in say what a walk over all entries would.

use std::sync::Arc;

use super::{Rates, Taxes};
use crate::civil::Night;
use crate::codec::{Decode, Encode, encoded_as};

/// The version before anything was written.
const FIRST: u32 = 1;
/// DOPA codes of provinces.
const PROVINCES: std::ops::RangeInclusive<u8> = 10..=96;

/// Where shares hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Scope {
    Country,
    /// DOPA province code, 10–96.
    Province(u8),
}

/// One write: shares for supplies from a night on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    pub version: u32,
    pub scope: Scope,
    pub from: Night,
    pub rates: Rates,
}

/// All entries, and for each province what is in force from which night on.
#[derive(Debug, Clone, Default)]
pub struct Table {
    entries: Vec<Entry>,
    in_force: Vec<Arc<[(Night, Taxes)]>>,
}

impl Scope {
    #[must_use]
    pub fn is_valid(self) -> bool {
        match self {
            Self::Country => true,
            Self::Province(code) => PROVINCES.contains(&code),
        }
    }

    fn covers(self, province: u8) -> bool {
        match self {
            Self::Country => true,
            Self::Province(code) => code == province,
        }
    }
}

// As its entries: the rest follows.
encoded_as!(Table, Vec<Entry>, |table| table.entries.clone(), |entries| Some(Self::of(entries)));

impl Table {
    /// Rises with every entry; frozen into every hold.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.entries.last().map_or(FIRST, |entry| entry.version)
    }

    /// Every entry, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The shares in force for a supply in a province on a night.
    #[must_use]
    pub fn now(&self, province: u8, supply: Night) -> Taxes {
        let place = usize::from(province.saturating_sub(*PROVINCES.start()));
        let list = self.in_force.get(place).map_or(&[][..], |list| list);
        let after = list.partition_point(|step| step.0 <= supply);
        let step = after.checked_sub(1).and_then(|at| list.get(at));
        step.map_or(Taxes::DEFAULT, |step| step.1)
    }

    /// The shares in force where a province has said nothing of its own.
    #[must_use]
    pub fn country(&self, supply: Night) -> Taxes {
        let country = self.entries.iter().filter(|entry| entry.scope == Scope::Country);
        let steps = steps(country, *PROVINCES.start());
        steps.iter().rev().find(|step| step.0 <= supply).map_or(Taxes::DEFAULT, |step| step.1)
    }

    /// The same as it was under a version.
    #[must_use]
    pub fn at(&self, version: u32, province: u8, supply: Night) -> Taxes {
        if version >= self.version() {
            return self.now(province, supply);
        }
        let known = self.entries.iter().take_while(|entry| entry.version <= version);
        steps(known, province)
            .iter()
            .rev()
            .find(|step| step.0 <= supply)
            .map_or(Taxes::DEFAULT, |step| step.1)
    }

    /// The table that came of these entries.
    #[must_use]
    pub fn of(entries: Vec<Entry>) -> Self {
        let in_force = match entries.is_empty() {
            true => Vec::new(),
            false => PROVINCES.map(|province| steps(&entries, province).into()).collect(),
        };
        Self { entries, in_force }
    }

    /// The table with one more entry. The caller has looked at its bounds.
    #[must_use]
    pub fn with(&self, scope: Scope, from: Night, rates: Rates) -> Self {
        let mut table = self.clone();
        table.entries.push(Entry { version: self.version() + 1, scope, from, rates });
        table.in_force = PROVINCES
            .enumerate()
            .map(|(place, province)| match self.in_force.get(place) {
                Some(list) if !scope.covers(province) => Arc::clone(list),
                _ => steps(&table.entries, province).into(),
            })
            .collect();
        table
    }
}

/// What holds in a province from which night on, by night.
fn steps<'a>(entries: impl IntoIterator<Item = &'a Entry>, province: u8) -> Vec<(Night, Taxes)> {
    let mut mine: Vec<_> =
        entries.into_iter().filter(|entry| entry.scope.covers(province)).collect();
    mine.sort_by_key(|entry| (entry.from, entry.version));
    let (mut country, mut own) = (Rates::default(), Rates::default());
    let mut steps: Vec<(Night, Taxes)> = Vec::with_capacity(mine.len());
    for entry in mine {
        match entry.scope {
            Scope::Country => country = entry.rates.over(country),
            Scope::Province(_) => own = entry.rates.over(own),
        }
        let step = (entry.from, own.over(country).or_default());
        match steps.last_mut() {
            Some(last) if last.0 == entry.from => *last = step,
            _ => steps.push(step),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PHUKET: Scope = Scope::Province(83);

    fn fee(share: u16) -> Rates {
        Rates { fee_bp: Some(share), ..Rates::default() }
    }

    fn vat(share: u16) -> Rates {
        Rates { vat_bp: Some(share), ..Rates::default() }
    }

    #[test]
    fn shares_hold_from_their_night_on_and_a_province_keeps_what_it_said() {
        let table = Table::default();
        assert_eq!((table.version(), table.now(83, Night(0))), (1, Taxes::DEFAULT));
        let table =
            table.with(PHUKET, Night(100), fee(100)).with(Scope::Country, Night(200), vat(1_000));
        assert_eq!(table.version(), 3);
        let at = |province, night| {
            let taxes = table.now(province, Night(night));
            (taxes.service_bp, taxes.vat_bp, taxes.fee_bp)
        };
        assert_eq!([at(83, 99), at(83, 100)], [(1_000, 700, 0), (1_000, 700, 100)]);
        assert_eq!([at(83, 199), at(83, 200)], [(1_000, 700, 100), (1_000, 1_000, 100)]);
        assert_eq!([at(10, 199), at(10, 200)], [(1_000, 700, 0), (1_000, 1_000, 0)]);
    }

    #[test]
    fn an_old_version_says_what_it_said() {
        let first = Table::default().with(PHUKET, Night(0), fee(100));
        let second = first.with(PHUKET, Night(0), fee(200));
        assert_eq!(second.now(83, Night(5)).fee_bp, 200);
        assert_eq!(second.at(2, 83, Night(5)).fee_bp, 100);
        assert_eq!(second.at(1, 83, Night(5)), Taxes::DEFAULT);
        assert_eq!(second.at(99, 83, Night(5)).fee_bp, 200);
    }

    fn some_rates() -> impl Strategy<Value = Rates> {
        let share = || proptest::option::of(0u16..=300);
        (share(), share(), share()).prop_map(|(service_bp, vat_bp, fee_bp)| Rates {
            service_bp,
            vat_bp,
            fee_bp,
            vat_on: None,
        })
    }

    proptest! {
        #[test]
        fn the_lists_say_what_a_walk_over_all_entries_says(
            writes in proptest::collection::vec((0u8..4, 0u16..6, some_rates()), 0..12),
            version in 1u32..14, province in 10u8..14, night in 0u16..7,
        ) {
            let mut table = Table::default();
            for (scope, from, rates) in writes {
                let scope = if scope == 0 { Scope::Country } else { Scope::Province(9 + scope) };
                table = table.with(scope, Night(from), rates);
            }
            // Share by share: own before the country's, then the latest night, then the newest entry.
            let walk = |version: u32, share: fn(&Rates) -> Option<u16>, default: u16| {
                let said = table.entries().iter().filter(|entry| {
                    entry.version <= version && entry.from.0 <= night && entry.scope.covers(province)
                        && share(&entry.rates).is_some()
                });
                said.max_by_key(|entry| (entry.scope != Scope::Country, entry.from, entry.version))
                    .and_then(|entry| share(&entry.rates))
                    .unwrap_or(default)
            };
            let all = |version| Taxes {
                service_bp: walk(version, |rates| rates.service_bp, 1_000),
                vat_bp: walk(version, |rates| rates.vat_bp, 700),
                fee_bp: walk(version, |rates| rates.fee_bp, 0),
                ..Taxes::DEFAULT
            };
            prop_assert_eq!(table.now(province, Night(night)), all(u32::MAX));
            prop_assert_eq!(table.at(version, province, Night(night)), all(version));
        }
    }
}
