//! Bookings after their confirmation: cancelled, arrived, departed, never come.

use holdfast_engine::booking::{Departure, Settlement, Status};
use holdfast_engine::command::{Cancel, CheckIn, CheckOut, NoShow};
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Code, Principal};

use super::catalogue::acts;
use super::{Booking, Hotel, Line, Model, money};
use crate::world::answer::Answer;
use crate::world::traffic::ZONES;
use crate::world::{DAY, HOUR};

impl Line {
    /// Of all its rooms.
    pub fn total(&self) -> i64 {
        self.price.total() * self.rooms
    }
}

impl Booking {
    /// Whether its rooms are its own on that night.
    pub fn is_sold(&self, night: u16) -> bool {
        match self.status {
            Status::Confirmed | Status::CheckedIn => true,
            Status::CheckedOut(departure) => night < departure.on.0,
            Status::Cancelled(_) => false,
            Status::NoShow(_) => night == self.hold.check_in,
        }
    }

    fn settle(&self, fee: i64, at_ms: u64) -> Settlement {
        let (refund, owed) =
            if self.paid > fee { (self.paid - fee, 0) } else { (0, fee - self.paid) };
        Settlement { at_ms, fee, refund, owed }
    }
}

fn hours(hotel: &Hotel) -> i64 {
    ZONES.iter().find(|zone| zone.0 == hotel.draft.zone).unwrap().1
}

/// The instant at which a date begins at a hotel.
fn midnight(hotel: &Hotel, date: u16) -> u64 {
    (i64::from(date) * DAY as i64 - hours(hotel) * HOUR as i64) as u64
}

impl Model {
    fn fees(&self, booking: &Booking, fee: impl Fn(&Line, i64, &[i64]) -> i64) -> i64 {
        let mut sum = 0;
        for line in &booking.hold.lines {
            let nightly = line.price.nightly.iter().map(|night| night * line.rooms);
            sum += fee(line, line.total(), &nightly.collect::<Vec<_>>());
        }
        sum.min(booking.hold.total).max(booking.fee_floor)
    }

    /// What cancelling would cost now.
    pub(super) fn cancellation_fee(&self, booking: &Booking) -> i64 {
        let hotel = &self.hotels[booking.hold.hotel as usize];
        let place = (booking.hold.check_in, hours(hotel));
        self.fees(booking, |line, total, nightly| {
            money::fee(&line.policy, place, self.now, (total, nightly))
        })
    }

    pub(super) fn cancel(&mut self, verb: &Cancel) -> Answer {
        let Some(mut booking) = self.bookings.get(&verb.booking).cloned() else {
            return Code::NotFound.into();
        };
        let hotel = &self.hotels[booking.hold.hotel as usize];
        if booking.hold.principal != verb.principal && !acts(verb.principal, hotel.partner) {
            return Code::NotFound.into();
        }
        match booking.status {
            Status::Confirmed => {}
            Status::Cancelled(_) => return cancelled(verb.booking, &booking),
            _ => return Code::BookingState.into(),
        }
        if verb.version.is_some_and(|version| version != booking.version) {
            return Code::VersionMismatch.into();
        }
        if self.today_at(hotel) > booking.hold.check_in {
            return Code::BookingState.into();
        }
        let fee = self.cancellation_fee(&booking);
        booking.status = Status::Cancelled(booking.settle(fee, self.now));
        booking.version += 1;
        let answer = cancelled(verb.booking, &booking);
        self.touch(booking.hold.hotel);
        self.bookings.insert(verb.booking, booking);
        answer
    }

    /// The booking and its hotel, for the hotel's own people, where it stands so and the version fits.
    fn standing(
        &self,
        (id, principal, version): (BookingId, Principal, Option<u32>),
        status: Status,
    ) -> Result<(Booking, &Hotel), Answer> {
        let booking = self.bookings.get(&id).ok_or(Code::NotFound)?;
        let hotel = &self.hotels[booking.hold.hotel as usize];
        if !acts(principal, hotel.partner) {
            return Err(Code::NotFound.into());
        }
        if booking.status != status {
            return Err(Code::BookingState.into());
        }
        if version.is_some_and(|version| version != booking.version) {
            return Err(Code::VersionMismatch.into());
        }
        Ok((booking.clone(), hotel))
    }

    fn change(&mut self, id: BookingId, mut booking: Booking, status: Status) -> Answer {
        booking.version += 1;
        booking.status = status;
        let answer = changed(id, &booking);
        self.touch(booking.hold.hotel);
        self.bookings.insert(id, booking);
        answer
    }

    pub(super) fn check_in(&mut self, verb: &CheckIn) -> Answer {
        let asked = (verb.booking, verb.principal, verb.version);
        let (booking, hotel) = match self.standing(asked, Status::Confirmed) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        let noon = u64::from(hotel.draft.check_out_minute) * 60_000;
        let until = midnight(hotel, booking.hold.check_out) + noon;
        if self.now < midnight(hotel, booking.hold.check_in) || self.now >= until {
            return Code::BookingState.into();
        }
        self.change(verb.booking, booking, Status::CheckedIn)
    }

    pub(super) fn check_out(&mut self, verb: &CheckOut) -> Answer {
        let asked = (verb.booking, verb.principal, verb.version);
        let (booking, hotel) = match self.standing(asked, Status::CheckedIn) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        let on = holdfast_engine::Night(self.today_at(hotel));
        let departure = Departure { at_ms: self.now, on };
        self.change(verb.booking, booking, Status::CheckedOut(departure))
    }

    pub(super) fn no_show(&mut self, verb: &NoShow) -> Answer {
        let asked = (verb.booking, verb.principal, verb.version);
        let (booking, hotel) = match self.standing(asked, Status::Confirmed) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        let until = midnight(hotel, booking.hold.check_out) + 48 * HOUR;
        if self.now < midnight(hotel, booking.hold.check_in) || self.now > until {
            return Code::BookingState.into();
        }
        let place = (booking.hold.check_in, hours(hotel));
        let fee = self.fees(&booking, |line, total, nightly| {
            if line.policy.tiers.is_empty() {
                return nightly[0];
            }
            money::fee(&line.policy, place, self.now, (total, nightly))
        });
        let settlement = booking.settle(fee, self.now);
        self.change(verb.booking, booking, Status::NoShow(settlement))
    }
}

pub(super) fn changed(id: BookingId, booking: &Booking) -> Answer {
    let Booking { hold, version, status, fee_floor, .. } = booking;
    let lines = hold.lines.iter().map(|line| {
        let plan = (line.room_type, line.rate_plan, line.rooms);
        (plan, line.price.total(), line.price.nightly.clone())
    });
    Answer::BookingChanged {
        id,
        version: *version,
        status: *status,
        nights: (hold.check_in, hold.check_out),
        lines: lines.collect(),
        total: hold.total,
        fee_floor: *fee_floor,
    }
}

fn cancelled(id: BookingId, booking: &Booking) -> Answer {
    let Status::Cancelled(end) = booking.status else { unreachable!("it is cancelled") };
    let Settlement { fee, refund, owed, .. } = end;
    Answer::Cancelled { id, version: booking.version, fee, refund, owed }
}
