//! Block commands: rooms are set aside for a group, changed and given back.
//!
//! A change is atomic over all nights and lines: the block's own rooms count as free, and where one
//! night is short nothing is changed and every short night is named. What guests have picked up stays
//! theirs whatever becomes of the block.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::block::{Block, BlockDraft, Status};
use crate::catalogue::Hotel;
use crate::civil::LogTimeMs;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::{BlockId, HotelIx, RoomTypeIx};
use crate::limits::BLOCK_NIGHTS_MAX;
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::state::Writer;

/// A partner sets rooms aside, or pencils them in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AddBlock {
    /// Made at the door.
    pub id: BlockId,
    pub hotel: HotelIx,
    pub principal: Principal,
    pub draft: BlockDraft,
}

/// A partner describes a block anew.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangeBlock {
    pub block: BlockId,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
    pub draft: BlockDraft,
}

/// A partner gives back what is left of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ReleaseBlock {
    pub block: BlockId,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
}

impl BlockDraft {
    const fn status(&self) -> Status {
        if self.definite { Status::Definite } else { Status::Tentative }
    }

    fn release_ms(&self, hotel: &Hotel) -> Option<LogTimeMs> {
        self.release_on.map(|day| hotel.zone.instant(day, 0))
    }

    /// In order: a room type that is not the hotel's, no nights, too many, nights that have passed,
    /// nights beyond the horizon, a release that is due already.
    fn check(
        &self,
        writer: &Writer,
        hotel: &Hotel,
        before: Option<&BlockDraft>,
    ) -> Result<(), Refusal> {
        let sells = |room_type: RoomTypeIx| {
            let found = writer.shared.room_types.get_full(room_type.0);
            found.is_some_and(|found| found.hotel == hotel.ix && !found.removed)
        };
        if !self.lines.iter().all(|line| sells(line.room_type)) {
            return Err(Code::NotFound.into());
        }
        let Some((_, end)) = writer.shared.window() else {
            return Err(Code::NotConfigured.into());
        };
        if self.stay.nights() == 0 {
            return Err(Code::StayTooShort.into());
        }
        if self.stay.nights() > BLOCK_NIGHTS_MAX {
            return Err(Code::StayTooLong.into());
        }
        // A block that has begun may be changed as long as its beginning is left alone.
        let begun = before.is_some_and(|before| before.stay.check_in == self.stay.check_in);
        if self.stay.check_in < hotel.zone.night_at(writer.now_ms) && !begun {
            return Err(Code::StayInPast.into());
        }
        if self.stay.check_out > end {
            return Err(Code::StayBeyondHorizon.into());
        }
        if self.release_ms(hotel).is_some_and(|at| at <= writer.now_ms) {
            return Err(Code::StayInPast.into());
        }
        Ok(())
    }
}

impl AddBlock {
    /// Refusals in order: malformed, not found (the hotel or a room type), dates, the id is taken,
    /// capacity, and for a definite block every short night.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let block = match self.validate(writer) {
            Ok(block) => block,
            Err(refusal) => return refusal.into(),
        };
        // From here the command must succeed.
        writer.add_block(block.clone());
        let block = Arc::new(block);
        writer.events.push(Event::BlockChanged(Arc::clone(&block)));
        Outcome::Block(block)
    }

    fn validate(&self, writer: &mut Writer) -> Result<Block, Refusal> {
        if !self.draft.is_valid() {
            return Err(Code::Malformed.into());
        }
        let hotel = writer.hotel_for(self.hotel, self.principal).ok_or(Code::NotFound)?;
        self.draft.check(writer, &hotel, None)?;
        if writer.shared.blocks.contains(&self.id) {
            return Err(Code::StateConflict.into());
        }
        if !writer.has_room_for_block(self.hotel) {
            return Err(Code::CapacityReached.into());
        }
        let block = Block {
            id: self.id,
            hotel: self.hotel,
            version: 1,
            draft: self.draft.clone(),
            status: self.draft.status(),
            release_ms: self.draft.release_ms(&hotel),
            picked_up: BTreeMap::new(),
            created_ms: writer.now_ms,
            released_ms: None,
        };
        writer.expire_due_in(self.hotel);
        writer.check_block_fits(None, &block)?;
        Ok(block)
    }
}

impl ChangeBlock {
    /// Refusals in order: malformed, not found (the block or a room type), released, version mismatch,
    /// dates, every short night.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let block = match self.validate(writer) {
            Ok(block) => block,
            Err(refusal) => return refusal.into(),
        };
        // From here the command must succeed.
        writer.put_block(block.clone());
        let block = Arc::new(block);
        writer.events.push(Event::BlockChanged(Arc::clone(&block)));
        Outcome::Block(block)
    }

    fn validate(&self, writer: &mut Writer) -> Result<Block, Refusal> {
        if !self.draft.is_valid() {
            return Err(Code::Malformed.into());
        }
        let (before, hotel) = writer.block_for(self.block, self.principal).ok_or(Code::NotFound)?;
        if before.status == Status::Released {
            return Err(Code::BlockState.into());
        }
        if self.version.is_some_and(|version| version != before.version) {
            return Err(Code::VersionMismatch.into());
        }
        self.draft.check(writer, &hotel, Some(&before.draft))?;
        // What is due comes back to the block before it is judged.
        writer.expire_due_in(before.hotel);
        let (before, _) = writer.block_for(self.block, self.principal).ok_or(Code::Invariant)?;
        let after = Block {
            version: before.version + 1,
            draft: self.draft.clone(),
            status: self.draft.status(),
            release_ms: self.draft.release_ms(&hotel),
            ..before.clone()
        };
        writer.check_block_fits(Some(&before), &after)?;
        Ok(after)
    }
}

impl ReleaseBlock {
    /// Refusals in order: not found, version mismatch, an impossible state. Releasing twice answers
    /// with the block as it stands.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some((block, _)) = writer.block_for(self.block, self.principal) else {
            return Code::NotFound.into();
        };
        if block.status == Status::Released {
            return Outcome::Block(Arc::new(block));
        }
        if self.version.is_some_and(|version| version != block.version) {
            return Code::VersionMismatch.into();
        }
        if !writer.cells_carry_block(&block) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        Outcome::Block(writer.release_block(block))
    }
}
