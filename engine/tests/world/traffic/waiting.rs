//! Random traffic of guests who wait: mostly for one room more than is there, as a door would send them.

use holdfast_engine::command::{Hold, JoinWaitlist, LeaveWaitlist};
use holdfast_engine::ids::{HoldId, WaitId};
use holdfast_engine::waitlist::Status;
use holdfast_engine::{Principal, Reader, Verb};

use super::{Dice, Traffic};

impl Traffic {
    pub(super) fn waiting(&mut self, dice: &mut Dice, reader: &Reader, now: u64) -> Verb {
        let known = self.waiting.iter().rev().filter(|&&id| reader.waitlist_entry(id).is_some());
        let known: Vec<_> = known.copied().take(6).collect();
        if dice.one_in(5) {
            let offered = |id: &&WaitId| self.offer_of(reader, **id).is_some();
            let id = match known.iter().find(offered) {
                Some(&id) if dice.one_in(3) => id,
                _ if known.is_empty() => WaitId(u128::MAX),
                _ => dice.of(&known),
            };
            return Verb::LeaveWaitlist(LeaveWaitlist { id, principal: Self::asker(dice) });
        }
        let Verb::Hold(mut wish) = self.hold(dice, reader, now) else { unreachable!("a hold") };
        let id = match known.first() {
            Some(&id) if dice.one_in(25) => id,
            _ => WaitId(self.mint()),
        };
        self.waiting.push(id);
        wish.ttl_s = dice.of(&[7_200, 7_200, 3_600, 900, 60, 1]);
        if dice.one_in(30) {
            wish.ttl_s = dice.of(&[0, 7_201]);
        }
        if !dice.one_in(20) {
            wish.block = None;
        }
        if wish.principal.is_guest() && dice.one_in(2) {
            wish.principal = Principal::Guest(3);
        }
        if !dice.one_in(4) {
            one_more_than_there_is(reader, &mut wish);
        }
        Verb::JoinWaitlist(JoinWaitlist { id, wish })
    }

    fn offer_of(&self, reader: &Reader, id: WaitId) -> Option<HoldId> {
        match reader.waitlist_entry(id)?.status {
            Status::Offered(hold) => Some(hold),
            _ => None,
        }
    }

    /// One of the newest offers, where there is one.
    pub(super) fn some_offer(&self, dice: &mut Dice, reader: &Reader) -> Option<HoldId> {
        let newest = self.waiting.iter().rev().take(12);
        let offers: Vec<_> = newest.filter_map(|&id| self.offer_of(reader, id)).collect();
        (!offers.is_empty()).then(|| dice.of(&offers))
    }
}

/// The first line wants one room more than its scarcest night has, where that may ever come free.
fn one_more_than_there_is(reader: &Reader, wish: &mut Hold) {
    let Some(line) = wish.lines.first_mut() else { return };
    let nights = (wish.stay.check_in, wish.stay.check_out.minus(1));
    let cells = reader.cells(line.room_type, nights.0, nights.1);
    let free = cells.iter().map(|found| found.1.free()).min().unwrap_or(0);
    if free < 4 {
        line.quantity = free as u16 + 1;
    }
}
