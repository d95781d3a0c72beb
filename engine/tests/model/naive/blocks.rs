//! Blocks in the model: what a block keeps is what it is for, less what holds and bookings name it.

use holdfast_engine::block::{BlockDraft, Status};
use holdfast_engine::command::{AddBlock, ChangeBlock, Hold as Wish, ReleaseBlock};
use holdfast_engine::ids::{BlockId, RoomTypeIx};
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::{Code, Night, Principal, Reader};

use super::catalogue::acts;
use super::holds::refuse;
use super::{Hold, Model};
use crate::world::answer::Answer;
use crate::world::traffic::ZONES;
use crate::world::{DAY, HOUR};

#[derive(Debug, Clone)]
pub struct Block {
    pub hotel: u32,
    pub version: u32,
    pub draft: BlockDraft,
    pub status: Status,
    pub release: Option<u64>,
}

impl Model {
    pub(super) fn release_due_blocks(&mut self) {
        let now = self.now;
        for block in self.blocks.values_mut() {
            if block.status != Status::Released && block.release.is_some_and(|at| at <= now) {
                block.status = Status::Released;
                block.version += 1;
                self.touched.insert(block.hotel);
            }
        }
    }

    fn picked_up(
        &self,
        id: BlockId,
        room_type: u32,
        night: u16,
        live: impl Fn(&Hold) -> bool,
    ) -> i64 {
        let held = self.holds.values().filter(|hold| live(hold));
        let sold = self.bookings.values().filter(|booking| booking.is_sold(night));
        let all = held.chain(sold.map(|booking| &booking.hold));
        all.filter(|hold| hold.block == Some(id)).map(|hold| hold.rooms_of(room_type, night)).sum()
    }

    fn left_where(
        &self,
        id: BlockId,
        block: &Block,
        (room_type, night): (u32, u16),
        live: impl Fn(&Hold) -> bool,
    ) -> i64 {
        if block.status != Status::Definite {
            return 0;
        }
        let rooms = i64::from(block.draft.rooms(RoomTypeIx(room_type), Night(night)));
        (rooms - self.picked_up(id, room_type, night, live)).max(0)
    }

    pub(super) fn left_of(&self, id: BlockId, room_type: u32, night: u16) -> i64 {
        let live = |hold: &Hold| hold.holds_at(self.now);
        self.blocks.get(&id).map_or(0, |block| self.left_where(id, block, (room_type, night), live))
    }

    pub(super) fn blocked(&self, room_type: u32, night: u16) -> i64 {
        self.blocks.keys().map(|&id| self.left_of(id, room_type, night)).sum()
    }

    /// As the engine counts it until someone has looked at the holds that ran out.
    pub(super) fn blocked_unswept(&self, reader: &Reader, room_type: u32, night: u16) -> i64 {
        let live = |hold: &Hold| hold.holds_at(self.now) || self.is_unswept(reader, hold);
        let blocks = self.blocks.iter();
        blocks.map(|(&id, block)| self.left_where(id, block, (room_type, night), live)).sum()
    }

    /// Why the block of a hold cannot be picked up from at all.
    pub(super) fn no_pickup(&self, wish: &Wish) -> Option<Code> {
        let id = wish.block?;
        match self.blocks.get(&id).filter(|block| block.hotel == wish.hotel.0) {
            None => Some(Code::NotFound),
            Some(block) if block.status != Status::Definite => Some(Code::BlockState),
            Some(_) => None,
        }
    }

    fn release_at(&self, hotel: u32, draft: &BlockDraft) -> Option<u64> {
        let zone = &self.hotels[hotel as usize].draft.zone;
        let hours = ZONES.iter().find(|known| known.0 == zone).unwrap().1;
        let midnight = |day: Night| u64::from(day.0) * DAY;
        draft.release_on.map(|day| midnight(day).checked_add_signed(-hours * HOUR as i64).unwrap())
    }

    /// What is wrong with a draft whatever the rooms.
    fn fault(&self, hotel: u32, draft: &BlockDraft, before: Option<&Block>) -> Option<Code> {
        let (check_in, check_out) = (draft.stay.check_in.0, draft.stay.check_out.0);
        let known = |room_type: RoomTypeIx| {
            self.room_types
                .get(room_type.at())
                .is_some_and(|kind| kind.hotel == hotel && !kind.removed)
        };
        let begun = before.is_some_and(|before| before.draft.stay.check_in.0 == check_in);
        let today = self.today_at(&self.hotels[hotel as usize]);
        let rules = [
            (draft.lines.iter().any(|line| !known(line.room_type)), Code::NotFound),
            (check_out <= check_in, Code::StayTooShort),
            (check_out.saturating_sub(check_in) > 366, Code::StayTooLong),
            (check_in < today && !begun, Code::StayInPast),
            (check_out > self.window.1, Code::StayBeyondHorizon),
            (self.release_at(hotel, draft).is_some_and(|at| at <= self.now), Code::StayInPast),
        ];
        rules.iter().find(|rule| rule.0).map(|rule| rule.1)
    }

    /// Every night on which the rooms are not there; those the block has count as free.
    fn short(&self, id: BlockId, draft: &BlockDraft) -> Vec<Blocker> {
        let mut found = Vec::new();
        let live = |hold: &Hold| hold.holds_at(self.now);
        for line in draft.lines.iter().filter(|_| draft.definite) {
            for night in draft.stay.check_in.0.max(self.window.0)..draft.stay.check_out.0 {
                let kind = line.room_type.0;
                let given = self.given(kind, night);
                let held = self.held(kind, night);
                let promised = held + self.sold(kind, night) + self.blocked(kind, night);
                let own = self.left_of(id, kind, night);
                let free = (given.allotment + given.overbook - promised).max(0);
                let picked = self.picked_up(id, kind, night, live);
                let wanted = (i64::from(line.rooms) - picked).max(0);
                if wanted > own && wanted > free + own {
                    let (free, wanted, held) = ((free + own) as u16, wanted as u16, held as u16);
                    let reason = Reason::Insufficient { free, wanted, held };
                    let (layer, night) = (Layer::RoomType(line.room_type), Night(night));
                    found.push(Blocker { reason, layer, night });
                }
            }
        }
        found
    }

    fn answer(&self, id: BlockId) -> Answer {
        let block = &self.blocks[&id];
        Answer::Block { id, version: block.version, status: block.status }
    }

    fn keep(&mut self, id: BlockId, hotel: u32, draft: &BlockDraft, version: u32) -> Answer {
        let status = if draft.definite { Status::Definite } else { Status::Tentative };
        let release = self.release_at(hotel, draft);
        let block = Block { hotel, version, draft: draft.clone(), status, release };
        self.blocks.insert(id, block);
        self.touch(hotel);
        self.answer(id)
    }

    pub(super) fn add_block(&mut self, verb: &AddBlock) -> Answer {
        if is_malformed(&verb.draft) {
            return Code::Malformed.into();
        }
        let hotel = self.hotels.get(verb.hotel.at());
        if !hotel.is_some_and(|hotel| acts(verb.principal, hotel.partner)) {
            return Code::NotFound.into();
        }
        if let Some(code) = self.fault(verb.hotel.0, &verb.draft, None) {
            return code.into();
        }
        if self.blocks.contains_key(&verb.id) {
            return Code::StateConflict.into();
        }
        let short = self.short(verb.id, &verb.draft);
        if !short.is_empty() {
            return refuse(&short);
        }
        self.keep(verb.id, verb.hotel.0, &verb.draft, 1)
    }

    fn find_block(&self, id: BlockId, principal: Principal) -> Option<Block> {
        let block = self.blocks.get(&id)?;
        acts(principal, self.hotels[block.hotel as usize].partner).then(|| block.clone())
    }

    pub(super) fn change_block(&mut self, verb: &ChangeBlock) -> Answer {
        if is_malformed(&verb.draft) {
            return Code::Malformed.into();
        }
        let Some(block) = self.find_block(verb.block, verb.principal) else {
            return Code::NotFound.into();
        };
        if block.status == Status::Released {
            return Code::BlockState.into();
        }
        if verb.version.is_some_and(|version| version != block.version) {
            return Code::VersionMismatch.into();
        }
        if let Some(code) = self.fault(block.hotel, &verb.draft, Some(&block)) {
            return code.into();
        }
        let short = self.short(verb.block, &verb.draft);
        if !short.is_empty() {
            return refuse(&short);
        }
        self.keep(verb.block, block.hotel, &verb.draft, block.version + 1)
    }

    pub(super) fn release_block(&mut self, verb: &ReleaseBlock) -> Answer {
        let Some(block) = self.find_block(verb.block, verb.principal) else {
            return Code::NotFound.into();
        };
        if block.status != Status::Released {
            if verb.version.is_some_and(|version| version != block.version) {
                return Code::VersionMismatch.into();
            }
            let version = block.version + 1;
            self.touch(block.hotel);
            self.blocks.insert(verb.block, Block { status: Status::Released, version, ..block });
        }
        self.answer(verb.block)
    }
}

fn is_malformed(draft: &BlockDraft) -> bool {
    let twice = |at: usize| {
        draft.lines[..at].iter().any(|line| line.room_type == draft.lines[at].room_type)
    };
    draft.name.is_empty()
        || draft.lines.is_empty()
        || draft.lines.len() > 16
        || (0..draft.lines.len()).any(twice)
        || draft.lines.iter().any(|line| !(1..=1_000).contains(&line.rooms))
}
