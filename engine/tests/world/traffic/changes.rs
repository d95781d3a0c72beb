//! Random traffic of guests who want something else than they have booked.

use holdfast_engine::booking::{Booking, Sealed, WrappedKey};
use holdfast_engine::command::{HoldLine, Modify};
use holdfast_engine::stay::Wanted;
use holdfast_engine::{Night, Reader, Verb};

use super::{Dice, Traffic};

impl Traffic {
    pub(super) fn modify(&mut self, dice: &mut Dice, reader: &Reader) -> Verb {
        let booking = self.some_booking(dice, reader);
        let found = reader.booking(booking);
        let mut wanted = Wanted::default();
        if let Some(found) = &found {
            self.other_dates(dice, found, &mut wanted);
            if dice.one_in(2) {
                wanted.lines = Some(self.other_rooms(dice, reader, found));
            }
        }
        let total = found.as_ref().map_or(0, |found| found.terms.total);
        let bytes = if dice.one_in(40) { vec![0; 20_000] } else { vec![dice.u16(200) as u8; 9] };
        let guest = u128::from(dice.u16(5));
        Verb::Modify(Modify {
            booking,
            principal: Self::asker(dice),
            version: dice.of(&[None, None, None, Some(1), Some(2)]),
            wanted,
            guest: dice.one_in(4).then_some(Sealed { guest, key: guest, bytes }),
            guest_key: dice.one_in(4).then(|| WrappedKey { key: guest, bytes: vec![7; 40] }),
            expected_total: dice.of(&[None, None, None, None, None, None, Some(total), Some(1)]),
        })
    }

    /// A night or two more or fewer at either end, or a move as a whole.
    fn other_dates(&self, dice: &mut Dice, booking: &Booking, wanted: &mut Wanted) {
        let (check_in, check_out) = (booking.terms.check_in, booking.terms.check_out);
        let by = |dice: &mut Dice, night: Night| {
            dice.of(&[night, night, night.plus(1), night.minus(1), night.plus(2), night.minus(2)])
        };
        match dice.below(12) {
            0..3 => {}
            3..7 => wanted.check_out = Some(by(dice, check_out)),
            7..9 => wanted.check_in = Some(by(dice, check_in)),
            9 => {
                let days = dice.of(&[1, 2, 4, 8, 36]);
                wanted.check_in = Some(check_in.plus(days));
                wanted.check_out = Some(check_out.plus(days));
            }
            10 => {
                wanted.check_in = Some(by(dice, check_in));
                wanted.check_out = Some(check_out.plus(dice.of(&[0, 1, 12])));
            }
            _ => {
                wanted.check_in = Some(check_in);
                wanted.check_out = Some(check_out);
            }
        }
    }

    /// The rooms it has, more or fewer of them, other ones, or for other guests.
    fn other_rooms(
        &mut self,
        dice: &mut Dice,
        reader: &Reader,
        booking: &Booking,
    ) -> Vec<HoldLine> {
        let terms = &booking.terms;
        let own = terms.lines.iter().map(|line| HoldLine {
            room_type: line.room_type,
            rate_plan: line.rate_plan,
            quantity: line.quantity,
            adults: line.adults,
            children: line.children.to_vec(),
            quote: None,
        });
        let mut lines: Vec<_> = own.collect();
        match dice.below(8) {
            0 => lines.push(self.hold_line(dice, reader, (terms.hotel, None), terms.stay())),
            1 => {
                let last = lines.len() - 1;
                lines[last] = self.hold_line(dice, reader, (terms.hotel, None), terms.stay());
            }
            2..4 => lines[0].quantity += 1,
            4 => lines[0].quantity -= 1,
            5 => lines[0].adults = dice.of(&[1, 2, 3]),
            6 => lines.truncate(if dice.one_in(6) { 0 } else { 1 }),
            _ => lines.reverse(),
        }
        lines
    }
}
