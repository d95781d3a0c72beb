//! A page of a search: the first of all that was found, in order.
//!
//! Owns the order and nothing of what is found. **Invariant**: it keeps as many items as the page has,
//! however many are found.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::query::{Found, Query};
use crate::ids::HotelId;

/// A page of a search.
#[derive(Debug, Clone)]
pub struct Page {
    pub items: Vec<Found>,
    /// Hotels that match, on all pages.
    pub total: usize,
    /// There are more after this page.
    pub more: bool,
}

/// What was found so far of a page.
pub(super) struct Best {
    limit: usize,
    after: Option<(i64, HotelId)>,
    /// The last of them on top.
    items: BinaryHeap<ByKey>,
    total: usize,
    /// Found behind `after`, on this page or a later one.
    behind: usize,
}

struct ByKey(Found);

impl ByKey {
    const fn key(&self) -> (i64, HotelId) {
        (self.0.key, self.0.id)
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ByKey {}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Best {
    pub(super) const fn of(query: &Query) -> Self {
        let Query { limit, after, .. } = *query;
        Self { limit, after, items: BinaryHeap::new(), total: 0, behind: 0 }
    }

    pub(super) fn add(&mut self, found: Found) {
        self.total += 1;
        let item = ByKey(found);
        if self.after.is_some_and(|after| item.key() <= after) {
            return;
        }
        self.behind += 1;
        if self.items.len() < self.limit {
            self.items.push(item);
        } else if let Some(mut last) = self.items.peek_mut()
            && item < *last
        {
            *last = item;
        }
    }

    /// Whether what has this key or a greater one comes on a later page.
    pub(super) fn is_behind_page(&self, key: i64) -> bool {
        self.items.len() >= self.limit && self.items.peek().is_some_and(|last| key > last.0.key)
    }

    /// One more was found that [`Self::is_behind_page`].
    pub(super) const fn count(&mut self) {
        self.total += 1;
        self.behind += 1;
    }

    pub(super) fn page(self) -> Page {
        let more = self.behind > self.limit;
        let items = self.items.into_sorted_vec().into_iter().map(|item| item.0).collect();
        Page { items, total: self.total, more }
    }
}
