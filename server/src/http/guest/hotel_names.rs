//! The names of hotels, prepared for type-ahead.
//!
//! It follows the catalogue by comparing records when it is asked, so it owes nobody an update and a
//! new name is found at once. **Invariant:** an entry's keys are of the record beside them.

use std::sync::Arc;

use arc_swap::ArcSwap;
use holdfast_engine::Reader;
use holdfast_engine::catalogue::{Hotel, HotelStatus};
use holdfast_engine::ids::HotelIx;

use crate::gazetteer::{Key, Kind, Query, Score};

/// One hotel with its names, Thai and English.
#[derive(Clone)]
struct Named {
    hotel: Arc<Hotel>,
    keys: Arc<[Key; 2]>,
}

/// All hotels, by position.
pub struct HotelNames {
    entries: ArcSwap<Vec<Named>>,
}

impl HotelNames {
    pub fn new() -> Self {
        Self { entries: ArcSwap::from_pointee(Vec::new()) }
    }

    /// Live hotels whose name `text` may be the beginning of, best first, at most `limit`.
    pub fn suggest(&self, reader: &Reader, text: &str, limit: usize) -> Vec<(Score, HotelIx)> {
        let query = Query::new(text);
        if query.is_empty() {
            return Vec::new();
        }
        let entries = self.current(reader);
        let live = entries.iter().filter(|entry| entry.hotel.status == HotelStatus::Live);
        let mut found: Vec<(Score, HotelIx)> = live
            .filter_map(|entry| {
                let weight = u32::from(entry.hotel.draft.stars);
                let score = Score::best(entry.keys.iter(), &query, Kind::Hotel, weight)?;
                Some((score, entry.hotel.ix))
            })
            .collect();
        if found.len() > limit {
            found.select_nth_unstable(limit);
            found.truncate(limit);
        }
        found.sort_unstable();
        found
    }

    /// The entries, brought up to the catalogue of now. Two callers may both do the work; either
    /// result is whole.
    fn current(&self, reader: &Reader) -> Arc<Vec<Named>> {
        let known = self.entries.load_full();
        let hotels: Vec<Arc<Hotel>> =
            (0..reader.hotels_count()).filter_map(|at| reader.hotel(HotelIx(at))).collect();
        let stands = |(entry, hotel): (&Named, &Arc<Hotel>)| Arc::ptr_eq(&entry.hotel, hotel);
        if known.len() == hotels.len() && known.iter().zip(&hotels).all(stands) {
            return known;
        }
        let entries = hotels.into_iter().enumerate().map(|(at, hotel)| {
            let same = known.get(at).filter(|entry| entry.hotel.draft.name == hotel.draft.name);
            let keys = same.map_or_else(|| keys_of(&hotel), |entry| Arc::clone(&entry.keys));
            Named { hotel, keys }
        });
        let entries = Arc::new(entries.collect::<Vec<_>>());
        self.entries.store(Arc::clone(&entries));
        entries
    }
}

impl Default for HotelNames {
    fn default() -> Self {
        Self::new()
    }
}

fn keys_of(hotel: &Hotel) -> Arc<[Key; 2]> {
    let name = &hotel.draft.name;
    Arc::new([Key::new(&name.th), Key::new(&name.en)])
}
