//! Promotion commands: a partner adds a code, describes it anew, or takes it back.
//!
//! Nothing that was promised is taken back: holds and bookings keep what they have of a promotion
//! whatever becomes of it. A cap below what is used is accepted; nothing more is given then.

use std::sync::Arc;

use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::ids::{PartnerId, PromoId};
use crate::outcome::Outcome;
use crate::promo::{Asked, Promo, PromoCode, PromoDraft, Tally};
use crate::refusal::Code;
use crate::state::Writer;

/// A partner gives something off to those who name a code.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AddPromo {
    /// Made at the door.
    pub id: PromoId,
    pub partner: PartnerId,
    pub principal: Principal,
    pub code: PromoCode,
    pub draft: PromoDraft,
}

/// A partner describes a promotion anew. Its code stays.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ChangePromo {
    pub partner: PartnerId,
    pub code: PromoCode,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
    pub draft: PromoDraft,
}

/// A partner gives it to nobody any more. The code may be used for another one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RemovePromo {
    pub partner: PartnerId,
    pub code: PromoCode,
    pub principal: Principal,
    /// The version the client saw, where it said one.
    pub version: Option<u32>,
}

impl AddPromo {
    /// Refusals in order: malformed, not found (the partner, or one of the hotels is not the partner's),
    /// the id is taken, the code is taken, capacity.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if let Err(code) = self.validate(writer) {
            return code.into();
        }
        // From here the command must succeed.
        let promo = Promo {
            id: self.id,
            partner: self.partner,
            code: self.code.clone(),
            version: 1,
            draft: Arc::new(self.draft.clone()),
            removed: false,
            reserved: Tally::default(),
            committed: Tally::default(),
            last_check_out: Night(0),
            created_ms: writer.now_ms,
        };
        writer.add_promo(promo.clone());
        tell(writer, promo)
    }

    fn validate(&self, writer: &Writer) -> Result<(), Code> {
        if !Asked::of(&self.code).is_valid() || !self.draft.is_valid() {
            return Err(Code::Malformed);
        }
        let known = writer.shared.partners.contains(&self.partner);
        if !known || !self.principal.acts_for(self.partner) {
            return Err(Code::NotFound);
        }
        check_hotels(writer, self.partner, &self.draft)?;
        if writer.shared.promos.contains(&self.id) {
            return Err(Code::StateConflict);
        }
        if writer.shared.promo_named(self.partner, &self.code).is_some() {
            return Err(Code::PromoTaken);
        }
        if !writer.has_room_for_promo(self.partner) {
            return Err(Code::CapacityReached);
        }
        Ok(())
    }
}

impl ChangePromo {
    /// Refusals in order: malformed, not found (the code, or one of the hotels is not the partner's),
    /// version mismatch.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !self.draft.is_valid() {
            return Code::Malformed.into();
        }
        let Some(promo) = writer.promo_for(self.partner, &self.code, self.principal) else {
            return Code::NotFound.into();
        };
        if let Err(code) = check_hotels(writer, self.partner, &self.draft) {
            return code.into();
        }
        if self.version.is_some_and(|version| version != promo.version) {
            return Code::VersionMismatch.into();
        }
        // From here the command must succeed.
        let (version, draft) = (promo.version + 1, Arc::new(self.draft.clone()));
        let changed = Promo { version, draft, ..promo };
        writer.shared.promos.insert(changed.id, changed.clone());
        tell(writer, changed)
    }
}

impl RemovePromo {
    /// Refusals in order: not found, version mismatch.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some(promo) = writer.promo_for(self.partner, &self.code, self.principal) else {
            return Code::NotFound.into();
        };
        if self.version.is_some_and(|version| version != promo.version) {
            return Code::VersionMismatch.into();
        }
        // From here the command must succeed.
        let removed = Promo { version: promo.version + 1, removed: true, ..promo };
        writer.remove_promo(removed.clone());
        tell(writer, removed)
    }
}

/// The promotion as it stands is the answer and an event.
fn tell(writer: &mut Writer, promo: Promo) -> Outcome {
    let promo = Arc::new(promo);
    writer.events.push(Event::PromoChanged(Arc::clone(&promo)));
    Outcome::Promo(promo)
}

fn check_hotels(writer: &Writer, partner: PartnerId, draft: &PromoDraft) -> Result<(), Code> {
    let is_own = |hotel: u32| {
        writer.shared.hotels.get_full(hotel).is_some_and(|hotel| hotel.partner == partner)
    };
    if draft.hotels.iter().all(|hotel| is_own(hotel.0)) { Ok(()) } else { Err(Code::NotFound) }
}
