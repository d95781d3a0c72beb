//! Tokens already verified, by the hash of their bytes.
//!
//! A fixed table: each hash has one slot, a newer token displaces an older one. So it is bounded
//! by construction, needs no lock and no eviction, and a lost entry only costs one signature check.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::Principal;
use crate::limits::TOKEN_CACHE_SLOTS;

struct Entry {
    digest: blake3::Hash,
    principal: Arc<Principal>,
}

pub struct TokenCache {
    slots: Box<[ArcSwapOption<Entry>]>,
}

impl TokenCache {
    pub fn new() -> Self {
        Self { slots: (0..TOKEN_CACHE_SLOTS).map(|_| ArcSwapOption::empty()).collect() }
    }

    pub fn get(&self, digest: &blake3::Hash) -> Option<Arc<Principal>> {
        let entry = self.slots.get(slot(digest))?.load();
        let entry = entry.as_ref()?;
        (entry.digest == *digest).then(|| entry.principal.clone())
    }

    pub fn put(&self, digest: blake3::Hash, principal: Arc<Principal>) {
        if let Some(place) = self.slots.get(slot(&digest)) {
            place.store(Some(Arc::new(Entry { digest, principal })));
        }
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::new()
    }
}

fn slot(digest: &blake3::Hash) -> usize {
    let [first, second, third, fourth, ..] = *digest.as_bytes();
    u32::from_le_bytes([first, second, third, fourth]) as usize % TOKEN_CACHE_SLOTS
}
