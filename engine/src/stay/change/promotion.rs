//! What becomes of a booking's promotion when the booking changes.
//!
//! Nights it keeps keep what was taken off them; nights and rooms it gets have the promotion where that is
//! still good for the changed stay, as of the instant at which the booking's hold was made. A stay below
//! the nights it was given for loses it altogether.

use super::Judged;
use crate::hold::Line;
use crate::promo::{self, Promo, Taken};
use crate::quote::Discount;

/// How a promotion goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Going {
    /// Nights that the booking keeps lose what was taken off them.
    pub lost: bool,
    /// What nights and rooms it gets have off.
    pub discount: Option<Discount>,
}

impl Judged<'_> {
    fn promo(&self) -> Option<Promo> {
        let taken = self.terms.promo.as_deref()?;
        self.shared.promos.get(&taken.promo)
    }

    /// How the booking's promotion goes on, whatever money it has left.
    pub(super) fn going(&self) -> Going {
        let Some(taken) = self.terms.promo.as_deref() else { return Going::default() };
        let stay = self.moment.stay;
        if stay.nights() < taken.min_nights && stay.nights() < self.terms.nights() {
            return Going { lost: true, discount: None };
        }
        let promo = self.promo().filter(|promo| {
            let booked_on = self.hotel.zone.night_at(self.terms.created_ms);
            let mut blockers = Vec::new();
            promo.find_blockers(self.hotel, stay, booked_on, &mut blockers);
            !promo.removed && blockers.is_empty()
        });
        Going { lost: false, discount: promo.map(|promo| promo.draft.discount) }
    }

    /// Whether the promotion has the money for what the lines have off now.
    pub(super) fn affords(&self, lines: &[Line]) -> bool {
        let (Some(taken), Some(promo)) = (self.terms.promo.as_deref(), self.promo()) else {
            return true;
        };
        let more = promo::off(lines).and_then(|off| off.checked_sub(taken.off));
        more.is_some_and(|more| more <= 0 || promo.has_money_for(more))
    }

    /// What the changed booking has of it; `None` where nothing is left or nobody counts it any more.
    pub(super) fn taken(&self, going: Going, lines: &[Line]) -> Option<Box<Taken>> {
        let taken = self.terms.promo.as_deref().filter(|_| !going.lost)?;
        self.promo()?;
        let off = promo::off(lines)?;
        (off > 0 || going.discount.is_some()).then(|| Box::new(Taken { off, ..taken.clone() }))
    }
}
