//! Changes of bookings in the model: room by room, what the guest has already and what is new.

use std::collections::BTreeMap;

use holdfast_engine::booking::Status;
use holdfast_engine::catalogue::HotelStatus;
use holdfast_engine::command::{HoldLine, Modify};
use holdfast_engine::ids::{RatePlanIx, RoomTypeIx};
use holdfast_engine::refusal::{Blocker, Layer, Reason};
use holdfast_engine::stay::Wanted;
use holdfast_engine::{Code, Night};

use super::bookings::changed;
use super::catalogue::acts;
use super::holds::{price_changed, refuse};
use super::promos::{self, Going};
use super::{Booking, Hold, Line, Model, Price};
use crate::world::answer::Answer;

/// So many rooms that are wanted, and the line of the booking that has them already.
struct Rooms {
    wish: HoldLine,
    kept: Option<usize>,
}

/// Every room that is wanted is one of the booking's own where one of the same kind, plan and party is left.
fn rooms(lines: &[Line], wanted: Option<&[HoldLine]>) -> Vec<Rooms> {
    let wish_of = |line: &Line| HoldLine {
        room_type: RoomTypeIx(line.room_type),
        rate_plan: RatePlanIx(line.rate_plan),
        quantity: line.rooms as u16,
        adults: line.party.0,
        children: line.party.1.clone(),
        quote: None,
    };
    let Some(wanted) = wanted else {
        let all = lines.iter().enumerate();
        return all.map(|(at, line)| Rooms { wish: wish_of(line), kept: Some(at) }).collect();
    };
    let mut left: Vec<usize> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        left.extend((0..line.rooms).map(|_| at));
    }
    let mut found = Vec::new();
    for wish in wanted {
        let wish = HoldLine { quote: None, ..wish.clone() };
        // Its own rooms first, line by line, then what is new.
        let mut of_line: BTreeMap<usize, u16> = BTreeMap::new();
        for _ in 0..wish.quantity {
            let alike = |at: usize| HoldLine { quantity: wish.quantity, ..wish_of(&lines[at]) };
            let own = left.iter().position(|&at| alike(at) == wish);
            *of_line.entry(own.map_or(usize::MAX, |place| left.remove(place))).or_default() += 1;
        }
        found.extend(of_line.into_iter().map(|(at, quantity)| Rooms {
            wish: HoldLine { quantity, ..wish.clone() },
            kept: Some(at).filter(|&at| at != usize::MAX),
        }));
    }
    found
}

impl Model {
    pub(super) fn modify(&mut self, verb: &Modify) -> Answer {
        let (lines, guest) = (&verb.wanted.lines, &verb.guest);
        let malformed = |lines: &Vec<HoldLine>| {
            let odd = |line: &HoldLine| !(1..=1_000).contains(&line.quantity) || line.adults == 0;
            lines.is_empty() || lines.len() > 16 || lines.iter().any(odd)
        };
        if lines.as_ref().is_some_and(malformed)
            || guest.as_ref().is_some_and(|guest| guest.bytes.len() > 16_384)
        {
            return Code::Malformed.into();
        }
        let Some(booking) = self.bookings.get(&verb.booking).cloned() else {
            return Code::NotFound.into();
        };
        let partner = self.hotels[booking.hold.hotel as usize].partner;
        if booking.hold.principal != verb.principal && !acts(verb.principal, partner) {
            return Code::NotFound.into();
        }
        if verb.version.is_some_and(|version| version != booking.version) {
            return Code::VersionMismatch.into();
        }
        let hold = match self.terms_after(&booking, &verb.wanted) {
            Ok(hold) => hold,
            Err(answer) => return answer,
        };
        if verb.expected_total.is_some_and(|expected| expected != hold.total) {
            return price_changed(hold.total);
        }
        let fee_floor = self.cancellation_fee(&booking);
        let after = Booking { hold, version: booking.version + 1, fee_floor, ..booking };
        let answer = changed(verb.booking, &after);
        self.touch(after.hold.hotel);
        self.bookings.insert(verb.booking, after);
        answer
    }

    fn terms_after(&self, booking: &Booking, wanted: &Wanted) -> Result<Hold, Answer> {
        let before = &booking.hold;
        let check_in = wanted.check_in.map_or(before.check_in, |night| night.0);
        let check_out = wanted.check_out.map_or(before.check_out, |night| night.0);
        let after = Hold { check_in, check_out, ..before.clone() };
        let rooms = rooms(&before.lines, wanted.lines.as_deref());
        let today = self.today_at(&self.hotels[before.hotel as usize]);
        let has_come = match booking.status {
            Status::Confirmed => today > before.check_in,
            Status::CheckedIn => true,
            _ => return Err(Code::BookingState.into()),
        };
        let count = |hold: &Hold| hold.lines.iter().map(|line| line.rooms).sum::<i64>();
        let kept = rooms.iter().filter(|rooms| rooms.kept.is_some());
        let kept: i64 = kept.map(|rooms| i64::from(rooms.wish.quantity)).sum();
        let other_rooms = kept != count(before) || rooms.iter().any(|rooms| rooms.kept.is_none());
        let other_nights = before.nights() != after.nights();
        if (has_come && (check_in != before.check_in || other_rooms))
            || (before.block.is_some() && (other_rooms || other_nights))
        {
            return Err(Code::BookingState.into());
        }
        if let Some(code) = self.change_of_dates(before, &after) {
            return Err(code.into());
        }
        let blockers = self.change_blockers(before, &after, &rooms).ok_or(Code::NotFound)?;
        if !blockers.is_empty() {
            return Err(refuse(&blockers));
        }
        let mut going = self.going(before, &after);
        let mut lines = self.lines_after((before, going), &after, &rooms)?;
        if going.discount.is_some() && !self.affords(before, &lines) {
            going.discount = None;
            lines = self.lines_after((before, going), &after, &rooms)?;
        }
        let total = lines.iter().map(Line::total).sum();
        let promo = before.promo.filter(|_| !going.lost);
        let promo = promo.map(|taken| promos::Taken { off: promos::off(&lines), ..taken });
        let promo = promo.filter(|taken| taken.off > 0 || going.discount.is_some());
        Ok(Hold { lines, total, promo, ..after })
    }

    fn lines_after(
        &self,
        (before, going): (&Hold, Going),
        after: &Hold,
        rooms: &[Rooms],
    ) -> Result<Vec<Line>, Answer> {
        let mut lines: Vec<Line> = Vec::new();
        for rooms in rooms {
            let line = self.line_after((before, going), after, rooms).ok_or(Code::RateMissing)?;
            match lines
                .iter_mut()
                .find(|known| Line { rooms: line.rooms, ..(*known).clone() } == line)
            {
                Some(known) => known.rooms += line.rooms,
                None => lines.push(line),
            }
        }
        Ok(lines)
    }

    fn change_of_dates(&self, before: &Hold, after: &Hold) -> Option<Code> {
        let hotel = &self.hotels[before.hotel as usize];
        let today = self.today_at(hotel);
        let moves_in = before.check_in != after.check_in;
        let moves_out = before.check_out != after.check_out;
        let longer = after.nights().len() > before.nights().len();
        let rules = [
            (after.nights().is_empty(), Code::StayTooShort),
            (longer && after.nights().len() > hotel.draft.max_stay.into(), Code::StayTooLong),
            (moves_in && after.check_in < today, Code::StayInPast),
            (moves_out && after.check_out < today, Code::StayInPast),
            (moves_out && after.check_out > self.window.1, Code::StayBeyondHorizon),
        ];
        rules.iter().find(|rule| rule.0).map(|rule| rule.1)
    }

    /// Everything that stands in the way of what is new; `None` where a line names what is not there.
    fn change_blockers(&self, before: &Hold, after: &Hold, all: &[Rooms]) -> Option<Vec<Blocker>> {
        let mut found = Vec::new();
        let stay = (after.check_in, after.check_out);
        let new_night = |night: u16| !before.nights().contains(&night);
        let takes_more =
            after.nights().any(new_night) || all.iter().any(|rooms| rooms.kept.is_none());
        if takes_more && self.hotels[before.hotel as usize].status != HotelStatus::Live {
            let (layer, night) = (Layer::Hotel, Night(after.check_in));
            found.push(Blocker { reason: Reason::HotelNotLive, layer, night });
        }
        for rooms in all {
            let blockers = self.line_blockers(before.hotel, &rooms.wish, stay)?;
            found.extend(blockers.into_iter().filter(|blocker| {
                rooms.kept.is_none()
                    || match blocker.reason {
                        // Of the arrival.
                        Reason::ClosedToArrival | Reason::MinAdvance(_) | Reason::MaxAdvance(_) => {
                            after.check_in != before.check_in
                        }
                        // Of the departure.
                        Reason::ClosedToDeparture => after.check_out != before.check_out,
                        // Of the length.
                        Reason::MinStayArrival(_)
                        | Reason::MaxStayArrival(_)
                        | Reason::MinStayThrough(_)
                        | Reason::MaxStayThrough(_) => after.nights() != before.nights(),
                        // Of a night.
                        _ => new_night(blocker.night.0),
                    }
            }));
        }
        for kind in 0..self.room_types.len() as u32 {
            for night in after.nights() {
                let of_kind = all.iter().filter(|rooms| rooms.wish.room_type.0 == kind);
                let wanted: i64 = of_kind.map(|rooms| i64::from(rooms.wish.quantity)).sum();
                let extra = wanted - before.rooms_of(kind, night);
                if extra > 0 {
                    found.extend(self.cell_blockers(before.hotel, (kind, night), extra));
                }
            }
        }
        Some(found)
    }

    /// A line as it would be: nights that the rooms have at their price, the others at today's.
    fn line_after(
        &self,
        (before, going): (&Hold, Going),
        after: &Hold,
        rooms: &Rooms,
    ) -> Option<Line> {
        let wish = &rooms.wish;
        let hotel = &self.hotels[before.hotel as usize].draft;
        let plan = &self.plans[wish.rate_plan.at()].draft;
        let shares = self.shares(hotel, after.check_in, before.taxes);
        let today = |nights| self.listed(wish, before.hotel, nights);
        let fresh = Line {
            room_type: wish.room_type.0,
            rate_plan: wish.rate_plan.0,
            rooms: wish.quantity.into(),
            party: (wish.adults, wish.children.clone()),
            price: Price::of(Vec::new(), plan.tax_inclusive, shares),
            policy: plan.policy.as_ref().clone(),
            deposit: plan.deposit,
        };
        let Some(own) = rooms.kept.map(|at| &before.lines[at]) else {
            let listed = today(after.nights())?;
            let off = promos::off_all(&listed, going.discount);
            let price = Price::less(listed, off, plan.tax_inclusive, shares);
            return Some(Line { price, ..fresh });
        };
        let own = Line { rooms: fresh.rooms, ..own.clone() };
        if before.nights() == after.nights() {
            return Some(own);
        }
        // A plan whose prices mean something else by now: its nights count with what they come to.
        let on_basis = |nights: std::ops::Range<u16>| {
            let listed = today(nights)?;
            let price = Price::of(listed, plan.tax_inclusive, shares);
            Some(match (plan.tax_inclusive, own.price.inclusive) {
                (false, true) => price.nightly,
                (true, false) => price.nightly_room(),
                _ => price.listed,
            })
        };
        let kept = after.nights().filter(|night| before.nights().contains(night));
        let kept: Vec<u16> = kept.collect();
        let (from, until) = match (kept.first(), kept.last()) {
            (Some(&first), Some(&last)) => (first, last + 1),
            _ => (after.check_out, after.check_out),
        };
        let mut listed = on_basis(after.check_in..from)?;
        let prices = kept.iter().map(|night| usize::from(night - before.check_in));
        listed.extend(prices.map(|at| own.price.listed[at]));
        listed.extend(on_basis(until..after.check_out)?);
        let had = |night: &u16| {
            let at = usize::from(night - before.check_in);
            own.price.off.get(at).copied().filter(|_| !going.lost).unwrap_or(0)
        };
        let had = after.nights().map(|night| kept.contains(&night).then(|| had(&night))).collect();
        let off = promos::off_new(&listed, had, going.discount);
        let price = Price::less(listed, off, own.price.inclusive, shares);
        Some(Line { price, ..own })
    }
}
