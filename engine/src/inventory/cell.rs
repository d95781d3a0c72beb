//! The cell: everything counted about one room type on one night, in one 64-bit word.
//!
//! ```text
//!  63      56 55      48 47        36 35        24 23        12 11         0
//! ┌──────────┬──────────┬────────────┬────────────┬────────────┬────────────┐
//! │ flags  8 │ overb. 8 │  sold   12 │  held   12 │ blocked 12 │ allotm. 12 │
//! └──────────┴──────────┴────────────┴────────────┴────────────┴────────────┘
//! ```
//!
//! One load shows a consistent night. **Invariant**: `allotment + overbook ≤ 4,095`, and no operation
//! that consumes lifts `held + sold + blocked` above it. A cut of the allotment may go below what is
//! promised; the cell then has nothing available and a deficit.

use crate::limits::{OVERBOOK_MAX, ROOMS_PER_CELL_MAX};

const ALLOTMENT_AT: u32 = 0;
const BLOCKED_AT: u32 = ALLOTMENT_AT + ROOMS_BITS;
const HELD_AT: u32 = BLOCKED_AT + ROOMS_BITS;
const SOLD_AT: u32 = HELD_AT + ROOMS_BITS;
const OVERBOOK_AT: u32 = SOLD_AT + ROOMS_BITS;
const FLAGS_AT: u32 = OVERBOOK_AT + OVERBOOK_BITS;
const ROOMS_BITS: u32 = 12;
const OVERBOOK_BITS: u32 = 8;
const FLAGS_BITS: u32 = 8;
const CLOSED: u64 = 1 << FLAGS_AT;
const HOTEL_CLOSED: u64 = 1 << (FLAGS_AT + 1);

const _: () = assert!(FLAGS_AT + FLAGS_BITS == u64::BITS);
const _: () = assert!((1 << ROOMS_BITS) - 1 == ROOMS_PER_CELL_MAX);
const _: () = assert!((1 << OVERBOOK_BITS) - 1 == OVERBOOK_MAX);

/// One room-type-night. A value: the word in the calendar is loaded into it and stored from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell(pub u64);

impl Cell {
    #[allow(clippy::cast_possible_truncation)] // At most 12 bits remain after the mask.
    const fn field(self, at: u32, bits: u32) -> u32 {
        ((self.0 >> at) & ((1 << bits) - 1)) as u32
    }

    const fn with_field(self, at: u32, bits: u32, value: u32) -> Self {
        assert!(value < (1 << bits), "a cell field was written past its width");
        let mask = ((1u64 << bits) - 1) << at;
        Self((self.0 & !mask) | ((value as u64) << at))
    }

    /// Rooms the hotel gives.
    #[must_use]
    pub const fn allotment(self) -> u32 {
        self.field(ALLOTMENT_AT, ROOMS_BITS)
    }

    /// Rooms set aside for groups.
    #[must_use]
    pub const fn blocked(self) -> u32 {
        self.field(BLOCKED_AT, ROOMS_BITS)
    }

    /// Rooms set aside by holds.
    #[must_use]
    pub const fn held(self) -> u32 {
        self.field(HELD_AT, ROOMS_BITS)
    }

    /// Rooms sold.
    #[must_use]
    pub const fn sold(self) -> u32 {
        self.field(SOLD_AT, ROOMS_BITS)
    }

    /// Rooms that may be sold beyond the allotment.
    #[must_use]
    pub const fn overbook(self) -> u32 {
        self.field(OVERBOOK_AT, OVERBOOK_BITS)
    }

    /// Closed for this night, by the room type or the hotel.
    #[must_use]
    pub const fn closed(self) -> bool {
        self.0 & (CLOSED | HOTEL_CLOSED) != 0
    }

    /// The room type is closed for this night.
    #[must_use]
    pub const fn room_type_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// The whole hotel is closed for this night.
    #[must_use]
    pub const fn hotel_closed(self) -> bool {
        self.0 & HOTEL_CLOSED != 0
    }

    /// `allotment + overbook`.
    #[must_use]
    pub const fn limit(self) -> u32 {
        self.allotment() + self.overbook()
    }

    /// `held + sold + blocked`.
    #[must_use]
    pub const fn promised(self) -> u32 {
        self.held() + self.sold() + self.blocked()
    }

    /// Rooms that could still be taken, closed or not: `max(0, limit − promised)`.
    #[must_use]
    pub const fn free(self) -> u32 {
        self.limit().saturating_sub(self.promised())
    }

    /// Rooms left to sell: [`Self::free`], and 0 when closed.
    #[must_use]
    pub const fn available(self) -> u32 {
        if self.closed() { 0 } else { self.free() }
    }

    /// How far promises exceed the limit, after a cut.
    #[must_use]
    pub const fn deficit(self) -> u32 {
        self.promised().saturating_sub(self.limit())
    }

    /// Panics past 12 bits: the caller has validated.
    #[must_use]
    pub const fn with_allotment(self, rooms: u32) -> Self {
        self.with_field(ALLOTMENT_AT, ROOMS_BITS, rooms)
    }

    /// Panics past 12 bits: the caller has validated.
    #[must_use]
    pub const fn with_blocked(self, rooms: u32) -> Self {
        self.with_field(BLOCKED_AT, ROOMS_BITS, rooms)
    }

    /// Panics past 12 bits: the caller has validated.
    #[must_use]
    pub const fn with_held(self, rooms: u32) -> Self {
        self.with_field(HELD_AT, ROOMS_BITS, rooms)
    }

    /// Panics past 12 bits: the caller has validated.
    #[must_use]
    pub const fn with_sold(self, rooms: u32) -> Self {
        self.with_field(SOLD_AT, ROOMS_BITS, rooms)
    }

    /// Panics past 8 bits: the caller has validated.
    #[must_use]
    pub const fn with_overbook(self, rooms: u32) -> Self {
        self.with_field(OVERBOOK_AT, OVERBOOK_BITS, rooms)
    }

    /// Closes or opens the room type; the hotel's closure stays as it is.
    #[must_use]
    pub const fn with_closed(self, closed: bool) -> Self {
        if closed { Self(self.0 | CLOSED) } else { Self(self.0 & !CLOSED) }
    }

    /// Closes or opens the hotel; the room type's closure stays as it is.
    #[must_use]
    pub const fn with_hotel_closed(self, closed: bool) -> Self {
        if closed { Self(self.0 | HOTEL_CLOSED) } else { Self(self.0 & !HOTEL_CLOSED) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fields_do_not_touch_each_other(
            allotment in 0u32..4096, blocked in 0u32..4096, held in 0u32..4096, sold in 0u32..4096,
            overbook in 0u32..256, own: bool, hotels: bool,
        ) {
            let cell = Cell::default().with_hotel_closed(hotels).with_closed(own).with_sold(sold).with_overbook(overbook)
                .with_held(held).with_allotment(allotment).with_blocked(blocked);
            prop_assert_eq!(
                (cell.allotment(), cell.blocked(), cell.held(), cell.sold(), cell.overbook()),
                (allotment, blocked, held, sold, overbook)
            );
            prop_assert_eq!((cell.room_type_closed(), cell.hotel_closed()), (own, hotels));
            prop_assert_eq!(cell.closed(), own || hotels);
            let left = i64::from(allotment + overbook) - i64::from(blocked + held + sold);
            prop_assert_eq!(i64::from(cell.free()), left.max(0));
            prop_assert_eq!(i64::from(cell.deficit()), (-left).max(0));
            prop_assert_eq!(cell.available(), if own || hotels { 0 } else { cell.free() });
        }
    }

    #[test]
    #[should_panic(expected = "past its width")]
    fn a_field_refuses_what_does_not_fit() {
        let _ = Cell::default().with_held(4_096);
    }
}
