//! Cells: held is the sum of live holds, sold that of bookings, and no more is promised than may be,
//! except where a cut said so.
//!
//! It owns the deficits that were announced by `inventory.oversubscribed`, or were there before anyone looked. **Invariant**: an announced
//! deficit only shrinks until the next cut.

use std::collections::BTreeMap;

use super::Written;
use super::books::{Books, Count};
use super::calendar::{Copied, word};
use super::finding::Findings;
use crate::civil::Night;
use crate::event::Event;
use crate::ids::RoomTypeIx;
use crate::inventory::Cell;
use crate::state::Writer;

/// What cells should be: what partners wrote into them, and the deficits that were announced.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Words without their counts.
    written: Copied,
    deficits: BTreeMap<(RoomTypeIx, Night), u32>,
}

impl Cells {
    pub fn note_cuts(&mut self, events: &[Event]) {
        for event in events {
            if let &Event::InventoryOversubscribed { room_type, night, deficit } = event {
                let known = self.deficits.entry((room_type, night)).or_default();
                *known = deficit.max(*known);
            }
        }
    }

    /// Of a state that was not made here: what is over its limit was announced before anyone looked.
    pub fn believe(&mut self, writer: &Writer) {
        let shared = &writer.shared;
        let Some((first, end)) = shared.window() else { return };
        for room_type in (0..shared.room_types.len()).map(RoomTypeIx) {
            let row = shared.cells.row(room_type.0);
            for night in first.until(end) {
                let deficit = Cell(word(row, night)).deficit();
                if deficit > 0 {
                    self.deficits.insert((room_type, night), deficit);
                }
            }
        }
    }

    /// What was announced and has shrunk since, before anyone looked, is announced no longer.
    pub fn begin(&mut self, writer: &Writer) {
        let shared = &writer.shared;
        let first = shared.window().map_or(Night(0), |window| window.0);
        self.written.begin(&shared.cells, shared.room_types.len(), (writer.zeroed(), first));
        self.deficits.retain(|&(room_type, night), announced| {
            let found = Cell(word(shared.cells.row(room_type.0), night)).deficit();
            *announced = found.min(*announced);
            *announced > 0
        });
    }

    pub fn grow(&mut self, writer: &Writer) {
        self.written.grow(&writer.shared.cells, writer.shared.room_types.len());
    }

    pub fn retire(&mut self, first: Night) {
        self.written.retire(first);
        self.deficits.retain(|cell, _| cell.1 >= first);
    }

    /// A partner has written these nights.
    pub fn adopt(&mut self, writer: &Writer, ari: &Written) {
        let row = writer.shared.cells.row(ari.room_type.0);
        for night in ari.from.until(ari.to.plus(1)) {
            self.written.set(ari.room_type.0, night, word(row, night));
        }
    }

    pub fn check_one(
        &mut self,
        books: &Books,
        writer: &Writer,
        (room_type, night): (RoomTypeIx, Night),
        findings: &mut Findings,
    ) {
        if writer.shared.window().is_some_and(|(first, _)| night < first) {
            return;
        }
        let found = Cell(word(writer.shared.cells.row(room_type.0), night));
        let written = Cell(self.written.get(room_type.0, night));
        self.check((room_type, night), (written, found), books, (writer, findings));
    }

    /// Every slot of every row, and every cell of the books.
    pub fn check_all(&mut self, books: &Books, writer: &Writer, findings: &mut Findings) {
        let mut odd = Vec::new();
        let partner = |cell: Cell| cell.with_held(0).with_sold(0).with_blocked(0);
        let zeroed = writer.zeroed();
        self.written.each(&writer.shared.cells, zeroed, |row, night, written, found| {
            let (written, found) = (Cell(written), Cell(found));
            if partner(written) != partner(found) || found.promised() > 0 || found.deficit() > 0 {
                odd.push((RoomTypeIx(row), night, written, found));
            }
        });
        for (room_type, night, written, found) in odd {
            self.check((room_type, night), (written, found), books, (writer, findings));
        }
        let mut missing: Vec<_> = books.cells.keys().copied().collect();
        missing.sort_unstable();
        for cell in missing {
            self.check_one(books, writer, cell, findings);
        }
    }

    fn check(
        &mut self,
        (room_type, night): (RoomTypeIx, Night),
        (written, found): (Cell, Cell),
        books: &Books,
        (writer, findings): (&Writer, &mut Findings),
    ) {
        let about = || {
            let id = writer.shared.room_types.get_full(room_type.0);
            id.map_or_else(|| format!("room type {}", room_type.0), |known| known.id.to_string())
        };
        let counts = books.cells.get(&(room_type, night)).copied().unwrap_or_default();
        let counted = Count { held: found.held(), sold: found.sold(), blocked: found.blocked() };
        for (name, expected, found) in [
            ("held", counts.held, counted.held),
            ("sold", counts.sold, counted.sold),
            ("blocked", counts.blocked, counted.blocked),
            ("allotment", written.allotment(), found.allotment()),
            ("overbook", written.overbook(), found.overbook()),
            ("closed", u32::from(written.closed()), u32::from(found.closed())),
        ] {
            if expected != found {
                let about = ("cells", format!("{} {name}", about()), Some(night));
                findings.add(about, expected, found);
            }
        }
        let announced = self.deficits.get(&(room_type, night)).copied().unwrap_or(0);
        let deficit = found.deficit();
        if deficit > announced {
            let about = ("cells", format!("{} limit", about()), Some(night));
            let most = found.limit() + announced;
            findings.add(about, format!("at most {most} promised"), found.promised());
        }
        if deficit == 0 {
            self.deficits.remove(&(room_type, night));
        } else {
            self.deficits.insert((room_type, night), deficit);
        }
        // Told once: from here on it is taken as it is.
        self.written.set(room_type.0, night, found.0);
    }
}
