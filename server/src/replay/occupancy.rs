//! Rooms on the books, per room type and night: the count kept apart from the server's.
//!
//! Used to find how many rooms the demand needs at once, and to add up what replies have said.
//! Knows no server.
//! Invariant: a count never goes below zero; taking off what was not put on is an error of this
//! program.

use std::ops::Range;

/// `nights × room types` counters, zero at first.
#[derive(Clone, Debug)]
pub struct Occupancy {
    nights: usize,
    rooms: Vec<u32>,
}

impl Occupancy {
    pub fn new(room_types: usize, nights: usize) -> Self {
        Self { nights, rooms: vec![0; room_types * nights] }
    }

    /// One more room of `room_type` on each of `nights`.
    pub fn add(&mut self, room_type: usize, nights: Range<usize>) {
        for rooms in self.span(room_type, nights) {
            *rooms += 1;
        }
    }

    /// One room less.
    pub fn take(&mut self, room_type: usize, nights: Range<usize>) {
        for rooms in self.span(room_type, nights) {
            assert!(*rooms > 0, "a stay is taken off that was never put on");
            *rooms -= 1;
        }
    }

    pub fn on(&self, room_type: usize, night: usize) -> u32 {
        self.rooms[room_type * self.nights + night]
    }

    /// The fullest of `nights`.
    pub fn fullest(&self, room_type: usize, nights: Range<usize>) -> u32 {
        nights.map(|night| self.on(room_type, night)).max().unwrap_or(0)
    }

    pub fn nights(&self) -> usize {
        self.nights
    }

    fn span(&mut self, room_type: usize, nights: Range<usize>) -> &mut [u32] {
        assert!(nights.end <= self.nights, "a stay ends after the last night counted");
        let start = room_type * self.nights;
        &mut self.rooms[start + nights.start..start + nights.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stay_counts_on_its_nights_only() {
        let mut count = Occupancy::new(2, 5);
        count.add(1, 1..3);
        count.add(1, 2..4);
        assert_eq!((0..5).map(|night| count.on(1, night)).collect::<Vec<_>>(), [0, 1, 2, 1, 0]);
        assert_eq!(count.fullest(0, 0..5), 0);
        assert_eq!(count.fullest(1, 0..5), 2);
        count.take(1, 1..3);
        assert_eq!((0..5).map(|night| count.on(1, night)).collect::<Vec<_>>(), [0, 0, 1, 1, 0]);
    }

    #[test]
    #[should_panic(expected = "never put on")]
    fn what_was_not_put_on_cannot_be_taken_off() {
        Occupancy::new(1, 2).take(0, 0..1);
    }

    #[test]
    #[should_panic(expected = "after the last night")]
    fn a_stay_cannot_leak_into_the_next_room_type() {
        Occupancy::new(2, 2).add(0, 1..3);
    }
}
