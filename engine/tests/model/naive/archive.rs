//! Bookings that are long over leave memory, in the documented order.

use holdfast_engine::command::Archive;
use holdfast_engine::ids::BookingId;
use holdfast_engine::{Code, Reader};

use super::Model;
use crate::world::answer::Answer;

/// Where a booking comes among those of its night: the top six bits of its halves, folded and multiplied by
/// 2⁶⁴ over the golden ratio.
fn part(id: BookingId) -> u64 {
    let folded = (id.0 >> 64) as u64 ^ id.0 as u64;
    folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58
}

impl Model {
    pub(super) fn archive(&mut self, verb: Archive) -> Answer {
        if !(3..=1_095).contains(&verb.days) {
            return Code::Malformed.into();
        }
        let over = |check_out: u16| check_out + verb.days <= self.window.0;
        let mut due: Vec<_> = self
            .bookings
            .iter()
            .filter(|(_, booking)| over(booking.hold.check_out))
            .map(|(&id, booking)| (booking.hold.check_out, part(id), id))
            .collect();
        due.sort_unstable();
        due.truncate(verb.bookings_max.min(256) as usize);
        for &(_, _, id) in &due {
            let booking = self.bookings.remove(&id).expect("it was found");
            self.archived.insert(id, booking);
        }
        Answer::Archived { bookings: due.len() as u32 }
    }

    /// What is in memory is what was booked and not archived, and what was archived is elsewhere.
    pub(super) fn compare_bookings(&self, reader: &Reader) -> Result<(), String> {
        for (&id, booking) in &self.bookings {
            let seen = reader.booking(id).map(|found| (found.version, found.status));
            if seen != Some((booking.version, booking.status)) {
                return Err(format!("{id} is {seen:?}, expected {:?}", booking.status));
            }
        }
        let leaving = reader.leaving_count();
        if leaving != self.archived.len() {
            return Err(format!("{leaving} bookings left, expected {}", self.archived.len()));
        }
        Ok(())
    }
}
