//! What a guest is shown of a room type over a stay: available, held out, sold out or closed.

use std::sync::atomic::Ordering;

use super::Stay;
use crate::catalogue::RoomType;
use crate::inventory::Cell;
use crate::state::Shared;

/// What a guest may see of a room type over a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// So many rooms on every night.
    Available(u32),
    /// Nothing left, but some of it is only held.
    HeldOut,
    SoldOut,
    Closed,
}

/// The state of a room type over a stay for `wanted` rooms.
#[must_use]
pub fn state(shared: &Shared, room_type: &RoomType, stay: Stay, wanted: u32) -> State {
    let Some(row) = shared.cells.row(room_type.ix.0) else { return State::Closed };
    let mut least = u32::MAX;
    let mut closed = false;
    let mut held_would_do = true;
    for slot in row.nights(stay.check_in, stay.nights()) {
        // Acquire: pairs with the writer's Release, so that a night is seen whole.
        let cell = Cell(slot.load(Ordering::Acquire));
        closed |= cell.closed();
        least = least.min(cell.free());
        let without_holds = cell.limit().saturating_sub(cell.sold() + cell.blocked());
        held_would_do &= without_holds >= wanted;
    }
    match () {
        () if closed => State::Closed,
        () if least >= wanted && least != u32::MAX => State::Available(least),
        () if held_would_do => State::HeldOut,
        () => State::SoldOut,
    }
}
