//! Which of the rooms that are wanted the booking has already.

use crate::command::HoldLine;
use crate::hold::Line;
use crate::ids::{RatePlanIx, RoomTypeIx};

/// Rooms of one kind for one kind of party: all of them the booking's own already, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portion<'a> {
    pub room_type: RoomTypeIx,
    pub rate_plan: RatePlanIx,
    pub quantity: u16,
    pub adults: u8,
    pub children: &'a [u8],
    /// The line of the booking whose rooms they are.
    pub kept: Option<&'a Line>,
}

/// What is wanted, in its order, each line split into what a line of the booking has and what is new.
/// Rooms are the booking's own where room type, plan and party are the same.
pub(super) fn portions<'a>(lines: &'a [Line], wanted: Option<&'a [HoldLine]>) -> Vec<Portion<'a>> {
    let own = |line: &'a Line, quantity| Portion {
        room_type: line.room_type,
        rate_plan: line.rate_plan,
        quantity,
        adults: line.adults,
        children: &line.children,
        kept: Some(line),
    };
    let Some(wanted) = wanted else {
        return lines.iter().map(|line| own(line, line.quantity)).collect();
    };
    let mut left: Vec<u16> = lines.iter().map(|line| line.quantity).collect();
    let mut portions = Vec::with_capacity(wanted.len());
    for wish in wanted {
        let mut missing = wish.quantity;
        for (line, left) in lines.iter().zip(&mut left).filter(|(line, _)| is_same(line, wish)) {
            let taken = missing.min(*left);
            if taken > 0 {
                portions.push(own(line, taken));
                missing -= taken;
                *left -= taken;
            }
        }
        if missing > 0 {
            portions.push(Portion {
                room_type: wish.room_type,
                rate_plan: wish.rate_plan,
                quantity: missing,
                adults: wish.adults,
                children: &wish.children,
                kept: None,
            });
        }
    }
    portions
}

fn is_same(line: &Line, wish: &HoldLine) -> bool {
    line.room_type == wish.room_type
        && line.rate_plan == wish.rate_plan
        && line.adults == wish.adults
        && line.children == wish.children
}
