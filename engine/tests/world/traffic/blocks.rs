//! Random traffic of groups: blocks are added, changed, released and picked up from.

use holdfast_engine::block::{BlockDraft, BlockLine};
use holdfast_engine::command::{AddBlock, ChangeBlock, ReleaseBlock};
use holdfast_engine::ids::{BlockId, HotelIx, RoomTypeIx};
use holdfast_engine::stay::Stay;
use holdfast_engine::{Night, Reader, Verb};

use super::super::{DAY, MINUTE};
use super::{Dice, HORIZON, Traffic};

impl Traffic {
    pub(super) fn blocks(&mut self, dice: &mut Dice, reader: &Reader, now: u64) -> Verb {
        let principal = Self::asker(dice);
        let version = dice.of(&[None, None, None, Some(1), Some(2)]);
        let known = self.blocks.iter().rev().filter(|&&id| reader.block(id).is_some());
        let known: Vec<_> = known.copied().take(4).collect();
        let block = match known.is_empty() || dice.one_in(12) {
            true => BlockId(u128::MAX),
            false => dice.of(&known),
        };
        match dice.below(6) {
            0..3 => {
                let hotel = if dice.one_in(30) { HotelIx(77) } else { HotelIx(dice.u16(3).into()) };
                let id = if dice.one_in(15) { block } else { BlockId(self.mint()) };
                self.blocks.push(id);
                let draft = some_draft(dice, reader, hotel, now);
                Verb::AddBlock(AddBlock { id, hotel, principal, draft })
            }
            3..5 => {
                let found = reader.block(block);
                let hotel = found.as_ref().map_or(HotelIx(0), |block| block.hotel);
                let mut draft = some_draft(dice, reader, hotel, now);
                if let Some(found) = found.filter(|_| dice.one_in(2)) {
                    // Other rooms on the same nights, perhaps one night more.
                    draft.stay = found.draft.stay;
                    draft.stay.check_out = draft.stay.check_out.plus(dice.u16(2));
                }
                Verb::ChangeBlock(ChangeBlock { block, principal, version, draft })
            }
            _ => Verb::ReleaseBlock(ReleaseBlock { block, principal, version }),
        }
    }

    /// Now and then a block for a hold to pick up from, mostly of the hotel.
    pub(super) fn some_block_of(
        &self,
        dice: &mut Dice,
        reader: &Reader,
        hotel: HotelIx,
    ) -> Option<BlockId> {
        let blocks = reader.blocks_of(hotel);
        if blocks.is_empty() || !dice.one_in(3) {
            return None;
        }
        match dice.below(20) {
            0 => Some(BlockId(u128::MAX)),
            1 => self.blocks.first().copied(),
            _ => Some(blocks[blocks.len() - 1 - dice.below(blocks.len().min(3))]),
        }
    }
}

fn some_draft(dice: &mut Dice, reader: &Reader, hotel: HotelIx, now: u64) -> BlockDraft {
    let today = Night((now / DAY) as u16);
    let check_in = match dice.below(30) {
        0 => today.minus(1),
        1 => today.plus(HORIZON - 2),
        _ => today.plus(1 + dice.u16(5)),
    };
    let nights = if dice.one_in(30) { 0 } else { 1 + dice.u16(6) };
    let known = reader.hotel(hotel).map(|hotel| hotel.room_types.clone()).unwrap_or_default();
    let mut lines: Vec<_> = known
        .iter()
        .take(1 + dice.below(2))
        .map(|&room_type| BlockLine { room_type, rooms: dice.of(&[1, 1, 2, 2, 3, 5]) })
        .collect();
    match dice.below(30) {
        0 => lines.clear(),
        1 => lines.push(BlockLine { room_type: RoomTypeIx(999), rooms: 1 }),
        2 => lines.extend(lines.clone()),
        _ => {}
    }
    let release_on = match dice.below(6) {
        0 => Some(today.plus(dice.u16(4))),
        // Days away from a midnight that has just been: due soon after it was said.
        1 if now % DAY > DAY - 30 * MINUTE => Some(today.plus(1)),
        _ => None,
    };
    BlockDraft {
        name: if dice.one_in(30) { String::new() } else { "Group".to_owned() },
        stay: Stay { check_in, check_out: check_in.plus(nights) },
        lines,
        definite: !dice.one_in(4),
        release_on,
    }
}
