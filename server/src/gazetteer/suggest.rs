//! Type-ahead over the destinations.
//!
//! Owns the order of suggestions and the suppression of doubles (a town and the district named
//! after it). A linear pass over some two thousand places takes a fifth of a millisecond, no more
//! than a person's key stroke deserves. **Invariant**: of two destinations with one name in one
//! place at most one is offered.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::{Destination, Key, Kind, Match, Query};

/// Where a suggestion stands: less comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score {
    matched: Match,
    kind: u8,
    weight: Reverse<u32>,
}

impl Score {
    /// `weight` is what decides between equals: inhabitants of a town, rooms of a hotel.
    #[must_use]
    pub fn new(matched: Match, kind: Kind, weight: u32) -> Self {
        Self { matched, kind: standing(kind), weight: Reverse(weight) }
    }

    /// The score of something with several names (Thai, English, aliases): that of the best.
    #[must_use]
    pub fn best<'a>(
        names: impl IntoIterator<Item = &'a Key>,
        query: &Query,
        kind: Kind,
        weight: u32,
    ) -> Option<Self> {
        let matched = names.into_iter().filter_map(|name| name.matches(query)).min()?;
        Some(Self::new(matched, kind, weight))
    }
}

/// Which kind comes first where two match alike. To a guest a beach is as good as a town.
fn standing(kind: Kind) -> u8 {
    match kind {
        Kind::Province => 0,
        Kind::City | Kind::Area => 1,
        Kind::District => 2,
        Kind::Hotel => 3,
    }
}

/// The names of all destinations, prepared.
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    names: Vec<Key>,
    /// The destination that is offered instead when both match.
    twin: Option<usize>,
}

impl Index {
    pub(super) fn new(
        destinations: &[Destination],
        twins: &HashMap<String, String>,
        aliases: &[(&'static str, &'static str)],
        by_id: &HashMap<String, usize>,
    ) -> Self {
        let mut entries: Vec<Entry> = destinations
            .iter()
            .map(|place| Entry {
                names: names(place),
                twin: twins.get(&place.id).and_then(|id| by_id.get(id)).copied(),
            })
            .collect();
        for (alias, id) in aliases {
            if let Some(entry) = by_id.get(*id).and_then(|at| entries.get_mut(*at)) {
                entry.names.push(Key::new(alias));
            }
        }
        Self { entries }
    }

    pub(super) fn search(
        &self,
        query: &Query,
        destinations: &[Destination],
        limit: usize,
    ) -> Vec<(Score, usize)> {
        let scored: HashMap<usize, Score> = self
            .entries
            .iter()
            .zip(destinations)
            .enumerate()
            .filter_map(|(at, (entry, place))| {
                Some((at, Score::best(&entry.names, query, place.kind, place.weight)?))
            })
            .collect();
        let offered_as_twin = |at: usize, score: &Score| {
            let twin = self.entries.get(at).and_then(|entry| entry.twin);
            twin.and_then(|twin| scored.get(&twin)).is_some_and(|t| t.matched <= score.matched)
        };
        let mut found: Vec<(Score, usize)> = scored
            .iter()
            .filter(|(at, score)| !offered_as_twin(**at, score))
            .map(|(at, score)| (*score, *at))
            .collect();
        found.sort_unstable();
        found.truncate(limit);
        found
    }
}

/// Both names, and how officials write them. The capital's districts carry their "khet" in the name
/// already.
fn names(place: &Destination) -> Vec<Key> {
    let (th, en) = (place.name_th, place.name_en);
    let mut names = vec![Key::new(en), Key::new(th)];
    match (place.kind, th.strip_prefix("เขต")) {
        (Kind::Province, _) => {
            names.extend([Key::new(&format!("จังหวัด{th}")), Key::new(&format!("{en} Province"))]);
        }
        (Kind::District, Some(bare)) => {
            names.extend([Key::new(bare), Key::new(&format!("{en} District"))]);
        }
        (Kind::District, None) => {
            names.extend([Key::new(&format!("อำเภอ{th}")), Key::new(&format!("{en} District"))]);
        }
        (Kind::City | Kind::Area | Kind::Hotel, _) => {}
    }
    names
}
