//! Quotas in the model: everything a guest holds is counted anew for every wish.

use holdfast_engine::Code;
use holdfast_engine::command::Hold as Wish;
use holdfast_engine::refusal::{Blocker, Cap, Layer, Reason};

use super::{Hold, Model};
use crate::world::answer::No;

impl Model {
    fn held_by<'a>(&'a self, wish: &'a Wish) -> impl Iterator<Item = &'a Hold> {
        let holds = self.holds.values();
        holds.filter(|hold| hold.principal == wish.principal && hold.holds_at(self.now))
    }

    /// Which cap the wish would pass.
    pub(super) fn over_quota(&self, wish: &Wish) -> Option<No> {
        let quota = self.settings.filter(|_| wish.principal.is_guest())?.quota;
        let rooms: i64 = wish.lines.iter().map(|line| i64::from(line.quantity)).sum();
        let mut all = (1, rooms, rooms * i64::from(wish.stay.nights()));
        for hold in self.held_by(wish) {
            let rooms: i64 = hold.lines.iter().map(|line| line.rooms).sum();
            all = (all.0 + 1, all.1 + rooms, all.2 + rooms * hold.nights().len() as i64);
        }
        let caps = [
            (all.0 > quota.holds, Cap::Holds),
            (all.1 > quota.rooms.into(), Cap::Rooms),
            (all.2 > quota.room_nights.into(), Cap::RoomNights),
        ];
        if let Some((_, cap)) = caps.into_iter().find(|cap| cap.0) {
            return Some(No { cap: Some(cap), ..Code::QuotaExceeded.into() });
        }
        if !quota.cell_share || wish.block.is_some() {
            return None;
        }
        let mut blockers: Vec<_> =
            self.over_share(wish).iter().map(|blocker| format!("{blocker:?}")).collect();
        blockers.sort();
        let no = No { blockers, cap: Some(Cap::CellShare), ..Code::QuotaExceeded.into() };
        (!no.blockers.is_empty()).then_some(no)
    }

    /// A quarter of what would be free without this guest's holds, at least one room.
    fn over_share(&self, wish: &Wish) -> Vec<Blocker> {
        let mut kinds: Vec<_> = wish.lines.iter().map(|line| line.room_type).collect();
        kinds.sort();
        kinds.dedup();
        let mut found = Vec::new();
        for night in wish.stay.check_in.until(wish.stay.check_out) {
            for &kind in &kinds {
                let lines = wish.lines.iter().filter(|line| line.room_type == kind);
                let wanted: i64 = lines.map(|line| i64::from(line.quantity)).sum();
                let own = self.held_by(wish).filter(|hold| hold.block.is_none());
                let held: i64 = own.map(|hold| hold.rooms_of(kind.0, night.0)).sum();
                let share = ((self.left(kind.0, night.0) + held) / 4).max(1);
                if held + wanted > share {
                    let (held, wanted, share) = (held as u16, wanted as u16, share as u16);
                    let reason = Reason::OverShare { held, wanted, share };
                    found.push(Blocker { reason, layer: Layer::RoomType(kind), night });
                }
            }
        }
        found
    }
}
