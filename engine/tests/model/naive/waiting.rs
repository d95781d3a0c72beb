//! The waitlist in the model: after each command those who wait are served, first come first served.
//!
//! Whoever waits is looked at when something of the hotel changed, and when a tick says that time passed.

use holdfast_engine::command::{Hold as Wish, JoinWaitlist, LeaveWaitlist};
use holdfast_engine::hold;
use holdfast_engine::ids::{HoldId, WaitId};
use holdfast_engine::waitlist::Status;
use holdfast_engine::{Code, Reader};

use super::catalogue::acts;
use super::{Hold, Model};
use crate::world::HOUR;
use crate::world::answer::{Answer, No};

#[derive(Debug, Clone)]
pub struct Entry {
    pub id: WaitId,
    pub wish: Wish,
    pub status: Status,
    /// When it ended.
    pub ended: Option<u64>,
    /// When its offer ran out; the engine sees that when it looks.
    pub ran_out: Option<u64>,
    /// It ran out so long ago that it may be forgotten, depending on when that was noticed.
    pub perhaps_forgotten: bool,
}

impl Entry {
    fn end(&mut self, status: Status, now: u64) {
        (self.status, self.ended) = (status, Some(now));
    }

    fn wants(&self, hold: &Hold) -> bool {
        let stay = self.wish.stay;
        self.wish.hotel.0 == hold.hotel
            && hold.nights().any(|night| (stay.check_in.0..stay.check_out.0).contains(&night))
            && self
                .wish
                .lines
                .iter()
                .any(|wish| hold.lines.iter().any(|line| line.room_type == wish.room_type.0))
    }
}

impl Model {
    /// Something of the hotel is not as it was.
    pub(super) fn touch(&mut self, hotel: u32) {
        self.touched.insert(hotel);
    }

    pub(super) fn touch_all(&mut self) {
        self.touched.extend(0..self.hotels.len() as u32);
    }

    /// Whether somebody waits for such rooms.
    pub(super) fn is_waited_for(&self, hold: &Hold) -> bool {
        let waiting = self.waiting.iter().filter(|entry| entry.status == Status::Waiting);
        waiting.into_iter().any(|entry| entry.wants(hold))
    }

    /// Offers that ended with their hold, and rooms of holds that ran out after an instant.
    pub(super) fn settle(&mut self, before: u64) {
        let now = self.now;
        for hold in self.holds.values() {
            let live = matches!(hold.status, hold::Status::Active | hold::Status::Confirming(_));
            if live && before < hold.expires && hold.expires <= now {
                self.touched.insert(hold.hotel);
            }
        }
        for entry in &mut self.waiting {
            let Status::Offered(hold) = entry.status else { continue };
            let hold = &self.holds[&hold];
            match hold.status {
                hold::Status::Confirmed(booking) => entry.end(Status::Used(booking), now),
                hold::Status::Released => entry.end(Status::Lapsed, now),
                _ if !hold.holds_at(now) => {
                    entry.status = Status::Lapsed;
                    entry.ran_out = Some(hold.expires);
                }
                _ => {}
            }
        }
    }

    /// Serves those who wait where something changed.
    pub(super) fn serve(&mut self) {
        for hotel in std::mem::take(&mut self.touched) {
            for at in 0..self.waiting.len() {
                let entry = self.waiting[at].clone();
                if entry.wish.hotel.0 == hotel && entry.status == Status::Waiting {
                    self.serve_one(at, &entry.wish);
                }
            }
        }
        self.touched.clear();
    }

    fn serve_one(&mut self, at: usize, wish: &Wish) {
        let stay = wish.stay.check_in.0..wish.stay.check_out.0;
        let rooms = |kind: u32| {
            let lines = wish.lines.iter().filter(|line| line.room_type.0 == kind);
            lines.map(|line| i64::from(line.quantity)).sum::<i64>()
        };
        let over = self.today_at(&self.hotels[wish.hotel.at()]) > wish.stay.check_in.0;
        let there = wish
            .lines
            .iter()
            .map(|line| line.room_type.0)
            .all(|kind| stay.clone().all(|night| self.left(kind, night) >= rooms(kind)));
        if !over && !there {
            return;
        }
        let without = Wish { promo: None, ..wish.clone() };
        let (wish, offered) = match self.offered(wish) {
            // Nobody is kept waiting by a promotion that is over.
            Err(Answer::Refused(no)) if no.code.is_promo() => (&without, self.offered(&without)),
            offered => (wish, offered),
        };
        match offered {
            Ok(priced) => {
                self.waiting[at].status = Status::Offered(wish.id);
                self.take(wish, priced);
                let id = self.waiting[at].id;
                self.holds.get_mut(&wish.id).unwrap().waitlist = Some(id);
            }
            Err(Answer::Refused(no)) if is_for_good(&no) => {
                self.waiting[at].end(Status::Closed, self.now);
            }
            Err(_) => {}
        }
    }

    /// What an offer would be: a hold, whatever else the guest holds.
    fn offered(&self, wish: &Wish) -> Result<(Vec<super::Line>, i64), Answer> {
        if self.holds.contains_key(&wish.id) {
            return Err(Code::StateConflict.into());
        }
        self.priced_for(wish, false)
    }

    pub(super) fn join_waitlist(&mut self, verb: &JoinWaitlist) -> Answer {
        let wish = Wish { expected_total: None, ..verb.wish.clone() };
        let malformed = wish.block.is_some()
            || !(1..=7_200).contains(&wish.ttl_s)
            || wish.lines.is_empty()
            || wish.lines.len() > 16
            || wish
                .lines
                .iter()
                .any(|line| !(1..=1_000).contains(&line.quantity) || line.adults == 0);
        if malformed {
            return Code::Malformed.into();
        }
        if self.waiting.iter().any(|entry| entry.id == verb.id) {
            return Code::StateConflict.into();
        }
        match self.offered(&wish) {
            Ok(_) => return Code::WaitlistNotNeeded.into(),
            Err(Answer::Refused(no)) if no.code == Code::InventoryInsufficient => {}
            Err(answer) => return answer,
        }
        if let Some(no) = self.duplicate(&wish) {
            return Answer::Refused(no);
        }
        let waits = |entry: &&Entry| entry.status == Status::Waiting;
        let open = || self.waiting.iter().filter(waits);
        let own = open().filter(|entry| entry.wish.principal == wish.principal).count();
        let there = open().filter(|entry| entry.wish.hotel == wish.hotel).count();
        if there >= 256 || (wish.principal.is_guest() && own >= 10) {
            return Code::WaitlistLimit.into();
        }
        let (id, status) = (verb.id, Status::Waiting);
        let (ended, ran_out, perhaps_forgotten) = (None, None, false);
        self.waiting.push(Entry { id, wish, status, ended, ran_out, perhaps_forgotten });
        Answer::Waitlist { id, status }
    }

    pub(super) fn leave_waitlist(&mut self, verb: &LeaveWaitlist) -> Vec<Answer> {
        let at = self.waiting.iter().position(|entry| entry.id == verb.id);
        let Some(entry) = at.map(|at| &mut self.waiting[at]) else {
            return vec![Code::NotFound.into()];
        };
        let partner = self.hotels[entry.wish.hotel.at()].partner;
        if entry.wish.principal != verb.principal && !acts(verb.principal, partner) {
            return vec![Code::NotFound.into()];
        }
        match entry.status {
            Status::Waiting => entry.end(Status::Cancelled, self.now),
            Status::Offered(hold) => {
                let hold = self.holds.get_mut(&hold).unwrap();
                if matches!(hold.status, hold::Status::Confirming(_)) {
                    return vec![Code::HoldConfirming.into()];
                }
                entry.end(Status::Cancelled, self.now);
                hold.status = hold::Status::Released;
                hold.ended = Some(self.now);
                self.touched.insert(entry.wish.hotel.0);
            }
            Status::Used(_) => return vec![Code::WaitlistState.into()],
            Status::Lapsed | Status::Cancelled | Status::Closed => {}
        }
        let answer = Answer::Waitlist { id: verb.id, status: entry.status };
        if entry.perhaps_forgotten { vec![answer, Code::NotFound.into()] } else { vec![answer] }
    }

    /// A tick forgets what ended a day ago.
    pub(super) fn forget_waiting(&mut self) {
        let now = self.now;
        self.waiting.retain(|entry| entry.ended.is_none_or(|ended| now < ended + 24 * HOUR));
        for entry in &mut self.waiting {
            entry.perhaps_forgotten |= entry.ran_out.is_some_and(|at| now >= at + 24 * HOUR);
        }
    }

    pub(super) fn compare_waiting(&self, reader: &Reader) -> Result<(), String> {
        for entry in &self.waiting {
            let unseen = |hold: HoldId| {
                let live = reader.hold(hold).is_some_and(|hold| hold.is_live());
                live && entry.ran_out.is_some()
            };
            match reader.waitlist_entry(entry.id).map(|found| found.status) {
                None if entry.perhaps_forgotten => {}
                Some(status) if status == entry.status => {}
                Some(Status::Offered(hold)) if unseen(hold) => {}
                seen => {
                    return Err(format!("{:?} is {seen:?}, expected {:?}", entry.id, entry.status));
                }
            }
        }
        Ok(())
    }
}

/// Whether what refuses an offer will never pass.
fn is_for_good(no: &No) -> bool {
    let codes = [Code::NotFound, Code::StayInPast, Code::ReferenceDuplicate, Code::StateConflict];
    let sales_ended =
        |text: &String| text.contains("reason: CutOff(") || text.contains("reason: MinAdvance(");
    codes.contains(&no.code) || no.blockers.iter().any(sales_ended)
}
