//! Blocks: rooms set aside for a group over some nights, and how many of them the group has taken up.
//!
//! A tentative block deducts nothing; a definite one keeps its rooms out of sale until they are picked
//! up by holds that name it, or given back when it is released. It refuses to know of cells: what a
//! block keeps of a night is [`Block::left`], and the writer sees to it that the cells say the same.
//!
//! **Invariant**: in every kept cell, `blocked` is the sum of [`Block::left`] over the blocks there.

use std::collections::{BTreeMap, BTreeSet};

use crate::civil::{LogTimeMs, Night};
use crate::codec::{Decode, Encode};
use crate::ids::{BlockId, HotelIx, RoomTypeIx};
use crate::limits::{BLOCK_LINES_MAX, LINE_QUANTITY_MAX, TEXT_BYTES_MAX};
use crate::stay::Stay;

/// What a partner says of a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlockDraft {
    /// Whose group it is, for people.
    pub name: String,
    /// The nights: check-in of the first guests, check-out of the last.
    pub stay: Stay,
    /// 1–16 lines, each of another room type.
    pub lines: Vec<BlockLine>,
    /// Whether the rooms are kept out of sale, or only pencilled in.
    pub definite: bool,
    /// From the beginning of this day at the hotel on, what is left is for sale again.
    pub release_on: Option<Night>,
}

/// So many rooms of one type on every night of the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BlockLine {
    pub room_type: RoomTypeIx,
    /// 1–1,000, those picked up included.
    pub rooms: u16,
}

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Status {
    /// Pencilled in: nothing is deducted.
    Tentative,
    /// What is left of it is out of sale.
    Definite,
    /// Over: what was left is for sale again. Nothing leads back.
    Released,
}

/// A block as it stands. `version` rises when a partner changes it, not when rooms are picked up.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Block {
    pub id: BlockId,
    pub hotel: HotelIx,
    pub version: u32,
    pub draft: BlockDraft,
    pub status: Status,
    /// The instant of [`BlockDraft::release_on`], by the hotel's zone when it was said.
    pub release_ms: Option<LogTimeMs>,
    /// Rooms in live holds and standing bookings that name the block; never 0. May hold nights and
    /// room types that the block has since been changed not to have.
    pub picked_up: BTreeMap<(RoomTypeIx, Night), u32>,
    pub created_ms: LogTimeMs,
    /// When it was released, for blocks that were.
    pub released_ms: Option<LogTimeMs>,
}

impl BlockDraft {
    /// Within every bound that can be seen without looking at any state; dates are judged apart.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let kinds: BTreeSet<_> = self.lines.iter().map(|line| line.room_type).collect();
        !self.name.is_empty()
            && self.name.len() <= TEXT_BYTES_MAX
            && (1..=BLOCK_LINES_MAX).contains(&self.lines.len())
            && kinds.len() == self.lines.len()
            && self.lines.iter().all(|line| (1..=LINE_QUANTITY_MAX).contains(&line.rooms))
    }

    /// Rooms it is for on a night, those picked up included.
    #[must_use]
    pub fn rooms(&self, room_type: RoomTypeIx, night: Night) -> u32 {
        if !(self.stay.check_in..self.stay.check_out).contains(&night) {
            return 0;
        }
        let line = self.lines.iter().find(|line| line.room_type == room_type);
        line.map_or(0, |line| u32::from(line.rooms))
    }
}

impl Block {
    /// Rooms of it in live holds and standing bookings.
    #[must_use]
    pub fn picked_up(&self, room_type: RoomTypeIx, night: Night) -> u32 {
        self.picked_up.get(&(room_type, night)).copied().unwrap_or(0)
    }

    /// Rooms that it keeps out of sale on a night: of a definite block, those not picked up.
    #[must_use]
    pub fn left(&self, room_type: RoomTypeIx, night: Night) -> u32 {
        match self.status {
            Status::Definite => {
                let rooms = self.draft.rooms(room_type, night);
                rooms.saturating_sub(self.picked_up(room_type, night))
            }
            Status::Tentative | Status::Released => 0,
        }
    }

    pub(crate) fn pick_up(&mut self, room_type: RoomTypeIx, night: Night, rooms: u32) {
        *self.picked_up.entry((room_type, night)).or_default() += rooms;
    }

    /// Rooms that were picked up come back; they are [`Self::left`] again where the block stands. False
    /// where not so many were picked up, which cannot be.
    pub(crate) fn put_back(&mut self, room_type: RoomTypeIx, night: Night, rooms: u32) -> bool {
        let taken = self.picked_up(room_type, night);
        match taken.saturating_sub(rooms) {
            0 => drop(self.picked_up.remove(&(room_type, night))),
            left => drop(self.picked_up.insert((room_type, night), left)),
        }
        taken >= rooms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: RoomTypeIx = RoomTypeIx(4);

    fn block(status: Status, rooms: u16) -> Block {
        let stay = Stay { check_in: Night(10), check_out: Night(12) };
        let lines = vec![BlockLine { room_type: KIND, rooms }];
        let name = "Wedding".to_owned();
        Block {
            id: BlockId(1),
            hotel: HotelIx(0),
            version: 1,
            draft: BlockDraft { name, stay, lines, definite: true, release_on: None },
            status,
            release_ms: None,
            picked_up: BTreeMap::new(),
            created_ms: 0,
            released_ms: None,
        }
    }

    #[test]
    fn only_a_definite_block_keeps_rooms_and_only_on_its_nights() {
        let nights = [9, 10, 11, 12].map(Night);
        let left = |status| nights.map(|night| block(status, 5).left(KIND, night));
        assert_eq!(left(Status::Definite), [0, 5, 5, 0]);
        assert_eq!(left(Status::Tentative), [0; 4]);
        assert_eq!(left(Status::Released), [0; 4]);
        assert_eq!(block(Status::Definite, 5).left(RoomTypeIx(5), Night(10)), 0);
    }

    #[test]
    fn a_block_cut_below_what_is_picked_up_has_nothing_left() {
        let mut block = block(Status::Definite, 2);
        block.pick_up(KIND, Night(10), 3);
        assert_eq!(block.left(KIND, Night(10)), 0);
        block.put_back(KIND, Night(10), 1);
        assert_eq!(block.left(KIND, Night(10)), 0, "two are still taken of two");
        block.put_back(KIND, Night(10), 2);
        assert_eq!((block.left(KIND, Night(10)), block.picked_up.len()), (2, 0));
    }
}
