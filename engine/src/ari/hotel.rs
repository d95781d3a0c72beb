//! Closing whole hotels: a flag of its own in every cell of the hotel's room types.
//!
//! The set of closed nights is the authority; the flag follows it, so that whoever reads a cell needs
//! nothing else. Setting it never changes what a room type or a plan says of itself.

use std::sync::atomic::Ordering;

use super::{Line, LineRefusal};
use crate::catalogue::{Hotel, RoomType};
use crate::civil::Night;
use crate::event::Event;
use crate::ids::RoomTypeIx;
use crate::inventory::Cell;
use crate::state::Writer;

/// Closes or opens a hotel on the nights of a line; false where it was so already.
pub(crate) fn close(writer: &mut Writer, hotel: &Hotel, line: &Line) -> Result<bool, LineRefusal> {
    let closed = line.change.closed.ok_or(LineRefusal::NothingToWrite)?;
    let is_so = |night| writer.closures.is_closed(hotel.ix, night) == closed;
    if line.nights().all(is_so) {
        return Ok(false);
    }
    for night in line.nights() {
        writer.closures.set(hotel.ix, night, closed);
    }
    let Line { from, to, .. } = *line;
    for &room_type in &hotel.room_types {
        mark(writer, room_type, line.nights(), closed);
        let (partner, rate_plan) = (hotel.partner, None);
        writer.events.push(Event::AriChanged { partner, room_type, rate_plan, from, to });
    }
    Ok(true)
}

/// A new room type is closed where its hotel is.
pub(crate) fn inherit(writer: &mut Writer, hotel: &Hotel, room_type: &RoomType) {
    mark(writer, room_type.ix, writer.closures.nights_of(hotel.ix), true);
    let mut nights = writer.closures.nights_of(hotel.ix);
    let Some(from) = nights.next() else { return };
    let to = nights.last().unwrap_or(from);
    let (partner, room_type, rate_plan) = (hotel.partner, room_type.ix, None);
    writer.events.push(Event::AriChanged { partner, room_type, rate_plan, from, to });
}

fn mark(writer: &Writer, room_type: RoomTypeIx, nights: impl Iterator<Item = Night>, closed: bool) {
    let Some(row) = writer.shared.cells.row(room_type.0) else { return };
    for night in nights {
        let Some(slot) = row.slot(night) else { continue };
        writer.shared.cells.keep(room_type.0, night, 1);
        // Relaxed load: the writer alone stores. Release store: readers see the night whole.
        let cell = Cell(slot.load(Ordering::Relaxed)).with_hotel_closed(closed);
        slot.store(cell.0, Ordering::Release);
    }
}
