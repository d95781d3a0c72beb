//! The writer's blocks: rooms move between blocked, held and free so that every cell's `blocked` is what
//! its blocks have left. Every caller has validated.
//!
//! **Invariant**: a pickup moves rooms from blocked to held in one store of the cell, so that no reader
//! ever sees them free; what a pickup gives back goes to its block where that stands, else it is free.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Writer;
use crate::admission::Demand;
use crate::block::{Block, Status};
use crate::catalogue::Hotel;
use crate::civil::{LogTimeMs, Night};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::{BlockId, HotelIx, RoomTypeIx};
use crate::inventory::Cell;
use crate::limits::{BLOCKS_PER_HOTEL_MAX, BLOCKS_RELEASED_MAX, ROOMS_PER_CELL_MAX};
use crate::refusal::{Blocker, Layer, Reason, Refusal};
use crate::stay::Stay;

/// When blocks are released by themselves. Entries are hints: one stands where the block is not released
/// and says the same instant. Derived from the blocks; in no digest.
#[derive(Debug, Default)]
pub(crate) struct Releases(BTreeSet<(LogTimeMs, BlockId)>);

impl Releases {
    pub(crate) fn earliest(&self) -> Option<LogTimeMs> {
        self.0.first().map(|entry| entry.0)
    }

    /// Every entry, standing or not.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LogTimeMs, BlockId)> {
        self.0.iter().copied()
    }

    /// One more entry, of a state that is being loaded.
    pub(super) fn load(&mut self, at: LogTimeMs, block: BlockId) {
        self.0.insert((at, block));
    }
}

/// Rooms of one room type that come back from a hold or a booking, on these nights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Returned {
    /// The block they were picked up from.
    pub(crate) block: Option<BlockId>,
    pub(crate) room_type: RoomTypeIx,
    pub(crate) stay: Stay,
    pub(crate) rooms: u32,
}

impl Writer {
    /// The block and its hotel, where the principal acts for its partner.
    pub(crate) fn block_for(
        &self,
        id: BlockId,
        principal: Principal,
    ) -> Option<(Block, Arc<Hotel>)> {
        let block = self.shared.blocks.get(&id)?;
        let hotel = self.hotel_for(block.hotel, principal)?;
        Some((block, hotel))
    }

    /// The cell of a night that is still kept.
    fn kept_cell(&self, room_type: RoomTypeIx, night: Night) -> Option<Cell> {
        let (first, end) = self.shared.window()?;
        if !(first..end).contains(&night) {
            return None;
        }
        let slot = self.shared.cells.row(room_type.0)?.slot(night)?;
        // Relaxed: the writer alone stores.
        Some(Cell(slot.load(Ordering::Relaxed)))
    }

    fn store_cell(&self, room_type: RoomTypeIx, night: Night, cell: Cell) {
        if let Some(slot) = self.shared.cells.row(room_type.0).and_then(|row| row.slot(night)) {
            self.shared.cells.keep(room_type.0, night, 1);
            // Release: readers see the night whole.
            slot.store(cell.0, Ordering::Release);
            self.shared.mark_promised(room_type, self.index);
        }
    }

    /// Whether one more block can be kept: there is a place, or the oldest that is over makes way.
    pub(crate) fn has_room_for_block(&self, hotel: HotelIx) -> bool {
        let Some(blocks) = self.shared.blocks_of.get(&hotel) else { return true };
        blocks.len() < BLOCKS_PER_HOTEL_MAX || self.first_block_over(&blocks).is_some()
    }

    /// The oldest block that is released, or whose nights are no longer kept.
    fn first_block_over(&self, blocks: &[BlockId]) -> Option<usize> {
        let (first, _) = self.shared.window()?;
        blocks.iter().position(|id| {
            let is_over = |block: &Block| {
                block.status == Status::Released || block.draft.stay.check_out <= first
            };
            self.shared.blocks.look(id, is_over).unwrap_or(true)
        })
    }

    /// Every night on which the block after a change takes more than there is, its own rooms before the
    /// change counted as free.
    pub(crate) fn check_block_fits(
        &self,
        before: Option<&Block>,
        after: &Block,
    ) -> Result<(), Refusal> {
        let mut blockers = Vec::new();
        let draft = &after.draft;
        for line in &draft.lines {
            for night in draft.stay.check_in.until(draft.stay.check_out) {
                let Some(cell) = self.kept_cell(line.room_type, night) else { continue };
                let wanted = after.left(line.room_type, night);
                let own = before.map_or(0, |before| before.left(line.room_type, night));
                if wanted > own && wanted - own > cell.free() {
                    let narrow = |rooms: u32| u16::try_from(rooms).unwrap_or(u16::MAX);
                    let reason = Reason::Insufficient {
                        free: narrow(cell.free() + own),
                        wanted: narrow(wanted),
                        held: narrow(cell.held()),
                    };
                    let layer = Layer::RoomType(line.room_type);
                    blockers.push(Blocker { reason, layer, night });
                }
            }
        }
        if blockers.is_empty() { Ok(()) } else { Err(Refusal::blocked(blockers)) }
    }

    /// Whether every kept cell counts what the block has left as blocked. It always does.
    pub(crate) fn cells_carry_block(&self, block: &Block) -> bool {
        block.draft.lines.iter().all(|line| {
            block.draft.stay.check_in.until(block.draft.stay.check_out).all(|night| {
                self.kept_cell(line.room_type, night)
                    .is_none_or(|cell| cell.blocked() >= block.left(line.room_type, night))
            })
        })
    }

    /// A new block, whose rooms fit.
    pub(crate) fn add_block(&mut self, block: Block) {
        let mut blocks = self.shared.blocks_of.get(&block.hotel).unwrap_or_default();
        if blocks.len() >= BLOCKS_PER_HOTEL_MAX
            && let Some(at) = self.first_block_over(&blocks)
        {
            // A block that is over but was never released keeps nothing in any kept cell.
            self.shared.blocks.remove(&blocks.remove(at));
        }
        blocks.push(block.id);
        self.shared.blocks_of.insert(block.hotel, blocks);
        self.put_block(block);
    }

    /// A block as it now is: cells count the difference to what it was.
    pub(crate) fn put_block(&mut self, after: Block) {
        let before = self.shared.blocks.insert(after.id, after.clone());
        let mut change: BTreeMap<(RoomTypeIx, Night), (u32, u32)> = BTreeMap::new();
        for (block, is_after) in before.iter().map(|block| (block, false)).chain([(&after, true)]) {
            for line in &block.draft.lines {
                for night in block.draft.stay.check_in.until(block.draft.stay.check_out) {
                    let left = block.left(line.room_type, night);
                    let found = change.entry((line.room_type, night)).or_default();
                    *if is_after { &mut found.1 } else { &mut found.0 } = left;
                }
            }
        }
        for ((room_type, night), (was, is)) in change {
            if was != is
                && let Some(cell) = self.kept_cell(room_type, night)
            {
                let blocked = self.less(cell.blocked() + is, was).min(ROOMS_PER_CELL_MAX);
                self.store_cell(room_type, night, cell.with_blocked(blocked));
            }
        }
        if let Some(at) = before.and_then(|before| before.release_ms) {
            self.block_releases.0.remove(&(at, after.id));
        }
        if let Some(at) = after.release_ms.filter(|_| after.status != Status::Released) {
            self.block_releases.0.insert((at, after.id));
        }
    }

    /// What is left of a block is for sale again.
    pub(crate) fn release_block(&mut self, block: Block) -> Arc<Block> {
        let block = Block {
            status: Status::Released,
            released_ms: Some(self.now_ms),
            version: block.version + 1,
            ..block
        };
        self.put_block(block.clone());
        let block = Arc::new(block);
        self.events.push(Event::BlockChanged(Arc::clone(&block)));
        block
    }

    /// Releases the blocks that are due, in (instant, id) order, at most [`BLOCKS_RELEASED_MAX`].
    pub(super) fn release_due_blocks(&mut self) {
        for _ in 0..BLOCKS_RELEASED_MAX {
            let Some(&(at, id)) = self.block_releases.0.first().filter(|due| due.0 <= self.now_ms)
            else {
                return;
            };
            self.block_releases.0.remove(&(at, id));
            let block = self.shared.blocks.get(&id);
            if let Some(block) = block.filter(|block| block.status != Status::Released) {
                self.release_block(block);
            }
        }
    }

    /// Rooms of a block become held.
    pub(crate) fn pick_up(&self, id: BlockId, demand: &Demand) {
        self.shared.blocks.change(&id, |block| {
            for &(room_type, rooms) in demand.rooms() {
                for night in demand.stay().check_in.until(demand.stay().check_out) {
                    let was = block.left(room_type, night);
                    block.pick_up(room_type, night, rooms);
                    let taken = was - block.left(room_type, night).min(was);
                    if let Some(cell) = self.kept_cell(room_type, night) {
                        let blocked = self.less(cell.blocked(), taken);
                        let held = cell.held() + rooms;
                        let cell = cell.with_blocked(blocked).with_held(held);
                        self.store_cell(room_type, night, cell);
                    }
                }
            }
        });
    }

    /// Rooms come back from a hold or a booking: `change` takes them out of held or sold, and what the
    /// block they came from has left again is blocked with the same store.
    pub(crate) fn give_back(&self, returned: Returned, change: impl Fn(Cell) -> Cell) {
        let Returned { block, room_type, stay, rooms } = returned;
        let to_block = |block: &mut Block| {
            for night in stay.check_in.until(stay.check_out) {
                let was = block.left(room_type, night);
                if !block.put_back(room_type, night, rooms) {
                    self.note_damage();
                }
                let returned = block.left(room_type, night).saturating_sub(was);
                if let Some(cell) = self.kept_cell(room_type, night) {
                    let cell = change(cell);
                    let blocked = (cell.blocked() + returned).min(ROOMS_PER_CELL_MAX);
                    self.store_cell(room_type, night, cell.with_blocked(blocked));
                }
            }
        };
        if block.and_then(|id| self.shared.blocks.change(&id, to_block)).is_none() {
            self.rewrite(room_type, stay, change);
        }
    }
}
