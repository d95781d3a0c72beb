//! The writer's promotions: which codes a partner has, and what of each is reserved and committed. Every
//! caller has validated.
//!
//! **Invariant**: a hold reserves when it is made, and gives back or commits when it ends; a booking gives
//! back when it is cancelled. Nothing else moves a counter.

use std::collections::{BTreeMap, BTreeSet};

use super::{Shared, Writer};
use crate::booking::Booking;
use crate::command::Principal;
use crate::hold::Terms;
use crate::ids::{PartnerId, PromoId};
use crate::limits::PROMOS_PER_PARTNER_MAX;
use crate::promo::{Promo, PromoCode, Taken, Tally};
use crate::refusal::{Code, Refusal};
use crate::stay::Stay;

/// The promotions of one partner. Follows from their records.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    pub(crate) named: BTreeMap<PromoCode, PromoId>,
    /// Those that are removed, the first made in front.
    pub(crate) removed: BTreeSet<PromoId>,
}

impl Shared {
    /// The promotion that a code of a partner names.
    #[must_use]
    pub fn promo_named(&self, partner: PartnerId, code: &PromoCode) -> Option<Promo> {
        let id = self.promo_codes.get(&partner)?.named.get(code).copied()?;
        self.promos.get(&id)
    }
}

impl Writer {
    /// The promotion, where the principal acts for its partner.
    pub(crate) fn promo_for(
        &self,
        partner: PartnerId,
        code: &PromoCode,
        principal: Principal,
    ) -> Option<Promo> {
        principal.acts_for(partner).then(|| self.shared.promo_named(partner, code))?
    }

    /// Whether one more can be kept: there is a place, or the oldest that is over makes way.
    pub(crate) fn has_room_for_promo(&self, partner: PartnerId) -> bool {
        let Some(codes) = self.shared.promo_codes.get(&partner) else { return true };
        codes.named.len() + codes.removed.len() < PROMOS_PER_PARTNER_MAX
            || self.first_promo_over(&codes).is_some()
    }

    fn first_promo_over(&self, codes: &Codes) -> Option<PromoId> {
        let (first, _) = self.shared.window()?;
        let stands =
            |id: PromoId| self.shared.promos.look(&id, |promo| !promo.is_over(first)) == Some(true);
        codes.removed.iter().copied().find(|&id| !stands(id))
    }

    pub(crate) fn add_promo(&mut self, promo: Promo) {
        let mut codes = self.shared.promo_codes.entry(promo.partner).or_default();
        if codes.named.len() + codes.removed.len() >= PROMOS_PER_PARTNER_MAX
            && let Some(over) = self.first_promo_over(&codes)
        {
            codes.removed.remove(&over);
            self.shared.promos.remove(&over);
        }
        drop(codes);
        self.list_promo(&promo);
        self.shared.promos.add(promo.id, promo);
    }

    /// A promotion is found by its code, or no longer.
    pub(super) fn list_promo(&self, promo: &Promo) {
        let mut codes = self.shared.promo_codes.entry(promo.partner).or_default();
        if promo.removed {
            codes.removed.insert(promo.id);
        } else {
            codes.named.insert(promo.code.clone(), promo.id);
        }
    }

    /// The code is free again; the record stays for those that have it.
    pub(crate) fn remove_promo(&mut self, removed: Promo) {
        if let Some(mut codes) = self.shared.promo_codes.get_mut(&removed.partner) {
            codes.named.remove(&removed.code);
        }
        self.list_promo(&removed);
        self.shared.promos.insert(removed.id, removed);
    }

    /// Refuses one use more that takes off so much, where uses or money are gone. What is due counts no
    /// longer, in whichever of the partner's hotels.
    pub(crate) fn check_promo(
        &mut self,
        promo: &Promo,
        stay: Stay,
        off: i64,
    ) -> Result<(), Refusal> {
        let mut blockers = promo.find_exhaustion(stay, off);
        if !blockers.is_empty() && promo.reserved.uses > 0 {
            self.expire_due_of(promo.partner);
            let now = self.shared.promos.get(&promo.id).ok_or(Code::Invariant)?;
            blockers = now.find_exhaustion(stay, off);
        }
        if blockers.is_empty() {
            return Ok(());
        }
        Err(Refusal { blockers, ..Code::PromoExhausted.into() })
    }

    /// Expires what is due in all hotels of a partner, so that what a promotion has left can be judged.
    pub(crate) fn expire_due_of(&mut self, partner: PartnerId) {
        let hotels = self.shared.partner_hotels.get(&partner).map(|list| list.clone());
        for &hotel in hotels.iter().flat_map(|list| list.iter()) {
            self.expire_due_in(hotel);
        }
    }

    /// As [`Self::expire_due_of`], before a booking changes whose promotion is running out of money.
    pub(crate) fn expire_due_for(&mut self, booking: &Booking) {
        let Some(taken) = booking.terms.promo.as_deref() else { return };
        let counts = |promo: &Promo| promo.draft.money_max.is_some() && promo.reserved.uses > 0;
        let partner = |promo: &Promo| counts(promo).then_some(promo.partner);
        if let Some(partner) = self.shared.promos.look(&taken.promo, partner).flatten() {
            self.expire_due_of(partner);
        }
    }

    /// Whether the promotion of a live hold has it reserved. It always has.
    pub(crate) fn promo_reserved(&self, terms: &Terms) -> bool {
        self.promo_carries(terms, |promo| promo.reserved)
    }

    /// Whether the promotion of a booking that stands has it committed. It always has, unless it is over
    /// and forgotten.
    pub(crate) fn promo_committed(&self, terms: &Terms) -> bool {
        self.promo_carries(terms, |promo| promo.committed)
    }

    fn promo_carries(&self, terms: &Terms, counter: impl Fn(&Promo) -> Tally) -> bool {
        let Some(taken) = terms.promo.as_deref() else { return true };
        let carries = |promo: &Promo| counter(promo).minus(taken.tally()).is_some();
        self.shared.promos.look(&taken.promo, carries).unwrap_or(true)
    }

    fn count_promo(&self, taken: Option<&Taken>, count: impl FnOnce(&mut Promo, Tally)) {
        if let Some(taken) = taken {
            self.shared.promos.change(&taken.promo, |promo| count(promo, taken.tally()));
        }
    }

    /// A hold takes one use.
    pub(super) fn reserve_promo(&self, terms: &Terms) {
        self.count_promo(terms.promo.as_deref(), |promo, one| {
            promo.reserved = promo.reserved.plus(one).unwrap_or(promo.reserved);
            promo.last_check_out = promo.last_check_out.max(terms.check_out);
        });
    }

    /// A hold that ends without a booking gives its use back.
    pub(super) fn return_reserved_promo(&self, terms: &Terms) {
        self.count_promo(terms.promo.as_deref(), |promo, one| {
            promo.reserved = promo.reserved.minus(one).unwrap_or_default();
        });
    }

    /// The use of a hold is its booking's.
    pub(super) fn commit_promo(&self, terms: &Terms) {
        self.count_promo(terms.promo.as_deref(), |promo, one| {
            promo.reserved = promo.reserved.minus(one).unwrap_or_default();
            promo.committed = promo.committed.plus(one).unwrap_or(promo.committed);
        });
    }

    /// A booking that is cancelled gives its use back.
    pub(super) fn return_committed_promo(&self, terms: &Terms) {
        self.count_promo(terms.promo.as_deref(), |promo, one| {
            promo.committed = promo.committed.minus(one).unwrap_or_default();
        });
    }

    /// A booking has another share of its promotion, or none of it any more.
    pub(super) fn move_promo(&self, before: &Terms, after: &Terms) {
        self.return_committed_promo(before);
        self.count_promo(after.promo.as_deref(), |promo, one| {
            promo.committed = promo.committed.plus(one).unwrap_or(promo.committed);
            promo.last_check_out = promo.last_check_out.max(after.check_out);
        });
    }
}
