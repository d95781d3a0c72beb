//! The share of a cell that one guest may hold, where the deployment caps it: one in
//! [`QUOTA_SHARE_OF_FREE`] of what would be free without that guest's own holds, and at least one room.
//!
//! It owns no table: the guest's live holds, which quotas bound, are counted. A hold or an offer counts
//! and so do rooms that are being paid; rooms picked up from a block were never free and do not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Writer;
use super::ledger::Usage;
use crate::command::Hold;
use crate::hold::Terms;
use crate::ids::RoomTypeIx;
use crate::inventory::Cell;
use crate::limits::QUOTA_SHARE_OF_FREE;
use crate::refusal::{Blocker, Cap, Code, Layer, Reason, Refusal};
use crate::stay::Stay;

impl Writer {
    /// Whether a guest would hold no more than its share of every cell. Names every night where it would.
    /// What is due in the hotel has ended.
    pub(super) fn check_share(&self, guest: u128, wish: &Hold) -> Result<(), Refusal> {
        if wish.block.is_some() {
            return Ok(());
        }
        let own = self.held_by(guest, wish);
        let narrow = |rooms: u32| u16::try_from(rooms).unwrap_or(u16::MAX);
        let mut blockers = Vec::new();
        let demand = wish.demand();
        for &(room_type, wanted) in demand.rooms() {
            let Some(row) = self.shared.cells.row(room_type.0) else { continue };
            let Stay { check_in, check_out } = demand.stay();
            let nights = check_in.until(check_out);
            for (slot, night) in row.nights(check_in, demand.stay().nights()).zip(nights) {
                let held: u32 = own.iter().map(|terms| rooms_on(terms, room_type, night)).sum();
                // Relaxed: the writer alone stores.
                let free = Cell(slot.load(Ordering::Relaxed)).free() + held;
                let share = (free / QUOTA_SHARE_OF_FREE).max(1);
                if held + wanted > share {
                    let (held, wanted, share) = (narrow(held), narrow(wanted), narrow(share));
                    let reason = Reason::OverShare { held, wanted, share };
                    blockers.push(Blocker { reason, layer: Layer::RoomType(room_type), night });
                }
            }
        }
        if blockers.is_empty() {
            return Ok(());
        }
        Err(Refusal { blockers, cap: Some(Cap::CellShare), ..Code::QuotaExceeded.into() })
    }

    /// What a guest's live holds took from what was free in the hotel.
    fn held_by(&self, guest: u128, wish: &Hold) -> Vec<Arc<Terms>> {
        let holds = |usage: &Usage| usage.holds.clone();
        let holds = self.usage.look(&guest, holds).unwrap_or_default();
        let terms = holds.iter().filter_map(|id| {
            let terms = |hold: &crate::hold::Hold| Arc::clone(&hold.terms);
            self.shared.holds.look(id, terms)
        });
        terms.filter(|terms| terms.hotel == wish.hotel && terms.block.is_none()).collect()
    }
}

fn rooms_on(terms: &Terms, room_type: RoomTypeIx, night: crate::Night) -> u32 {
    if !(terms.check_in..terms.check_out).contains(&night) {
        return 0;
    }
    let lines = terms.lines.iter().filter(|line| line.room_type == room_type);
    lines.map(|line| u32::from(line.quantity)).sum()
}
