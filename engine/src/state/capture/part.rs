//! The parts of a captured state, and the bytes of a calendar's page.

use crate::inventory::Page;

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident = $tag:literal,)*) => {
        /// A part of a captured state. The tags are part of the stored format; records come in their order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Part {
            $($(#[$doc])* $name = $tag,)*
        }

        impl Part {
            /// Every part, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The tag that is stored.
            #[must_use]
            pub const fn tag(self) -> u8 {
                self as u8
            }

            #[must_use]
            pub fn of_tag(tag: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|part| part.tag() == tag)
            }
        }
    };
}

parts! {
    /// One record: what there is one of.
    Head = 1,
    Partners = 2,
    /// By position, as the two that follow.
    Hotels = 3,
    /// Each with the index at which its rooms were last promised.
    RoomTypes = 4,
    /// Each with the version of its quotes.
    RatePlans = 5,
    /// Lists of nights with their rules, by plan.
    Overlays = 6,
    /// Lists of closed hotels, by night.
    Closures = 7,
    /// Pages: see `encode_page`.
    Cells = 8,
    Rates = 9,
    Holds = 10,
    /// Each key with the answer it was given.
    Keys = 11,
    Bookings = 12,
    /// Lists, by principal and position of the first, in the order they were made.
    BookingsOf = 13,
    Blocks = 15,
    /// Lists, by hotel, in the order they were made.
    BlocksOf = 16,
    Waitlist = 17,
    /// What each guest has in live holds.
    Usage = 18,
    References = 19,
    Sources = 20,
    GuestKeys = 21,
    /// One list, the oldest first.
    KeysByAge = 22,
    /// Lists of names, by the night after which they may be forgotten.
    ReferencesUntil = 23,
    /// One list: when holds end, stale entries included.
    Expiries = 24,
    /// One list, the oldest first.
    EndedHolds = 25,
    /// One list: when blocks are released, stale entries included.
    BlockReleases = 26,
    /// One list, the oldest first.
    EndedWaiting = 27,
    Promos = 28,
    /// No part of memory, so no capture has it and no loading takes it: whoever keeps the archive adds it.
    Archived = 29,
}

/// Bytes before a page's bitmap.
const PAGE_HEAD: usize = 4 + 2 + 2;

/// A page as bytes: first row `u32`, first slot `u16`, number of words `u16`, one bit for each word that is
/// not zero (the lowest of the first byte first), then those words; all little-endian.
pub fn encode_page(page: &Page, bytes: &mut Vec<u8>) {
    let words = &page.words;
    bytes.extend_from_slice(&page.first_row.to_le_bytes());
    bytes.extend_from_slice(&page.first_slot.to_le_bytes());
    let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&count.to_le_bytes());
    for eight in words.chunks(8) {
        let bit = |(at, &word): (usize, &u64)| u8::from(word != 0) << at;
        bytes.push(eight.iter().enumerate().map(bit).fold(0, |bits, bit| bits | bit));
    }
    for word in words.iter().filter(|word| **word != 0) {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
}

/// Reads what [`encode_page`] wrote at the front of `bytes`: the page and how many bytes it took.
#[must_use]
pub fn decode_page(bytes: &[u8]) -> Option<(Page, usize)> {
    let head: [u8; PAGE_HEAD] = bytes.get(..PAGE_HEAD)?.try_into().ok()?;
    let [a, b, c, d, e, f, g, h] = head;
    let count = usize::from(u16::from_le_bytes([g, h]));
    let words_at = PAGE_HEAD + count.div_ceil(8);
    let bits = bytes.get(PAGE_HEAD..words_at)?;
    let mut words = vec![0u64; count].into_boxed_slice();
    let mut rest = bytes.get(words_at..)?.chunks_exact(8);
    let is_set = |at: usize| bits.get(at / 8).is_some_and(|bits| bits >> (at % 8) & 1 == 1);
    let mut taken = 0;
    for (at, word) in words.iter_mut().enumerate() {
        if is_set(at) {
            *word = u64::from_le_bytes(rest.next()?.try_into().ok()?);
            taken += 8;
        }
    }
    let page = Page {
        first_row: u32::from_le_bytes([a, b, c, d]),
        first_slot: u16::from_le_bytes([e, f]),
        words,
    };
    Some((page, words_at + taken))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_comes_back_from_its_bytes(
            words in proptest::collection::vec(prop_oneof![Just(0u64), any::<u64>()], 0..300),
            first_row: u32,
            first_slot: u16,
            behind in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let page = Page { first_row, first_slot, words: words.into() };
            let mut bytes = Vec::new();
            encode_page(&page, &mut bytes);
            let length = bytes.len();
            bytes.extend(behind);
            prop_assert_eq!(decode_page(&bytes), Some((page, length)));
            prop_assert_eq!(decode_page(&bytes[..length.saturating_sub(1)]), None);
        }
    }

    #[test]
    fn tags_are_found_again() {
        assert!(Part::ALL.iter().all(|part| Part::of_tag(part.tag()) == Some(*part)));
        assert!(Part::ALL.is_sorted());
        assert_eq!((Part::of_tag(0), Part::of_tag(255)), (None, None));
    }
}
