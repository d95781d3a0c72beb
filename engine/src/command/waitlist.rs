//! Waitlist commands: a guest begins to wait for rooms that are not there, or leaves.

use std::sync::Arc;

use crate::codec::{Decode, Encode};
use crate::command::{Hold, Principal};
use crate::hold::{self, Terms};
use crate::ids::WaitId;
use crate::limits::{HOLD_TTL_S_MIN, WAITLIST_OFFER_S_MAX};
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::state::Writer;
use crate::waitlist::{Entry, Status};

/// A guest wants to be offered what cannot be held now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct JoinWaitlist {
    /// Made at the door.
    pub id: WaitId,
    /// As a hold; its id is that of the hold an offer will be, and `ttl_s` (1–7,200) the life of the
    /// offer. Its quotes and expected total count for nothing: an offer is priced when it is made.
    pub wish: Hold,
}

/// A guest no longer waits, or gives back what was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LeaveWaitlist {
    pub id: WaitId,
    pub principal: Principal,
}

impl JoinWaitlist {
    /// Refusals in order: malformed, the entry's or the hold's id is taken, all that a hold is refused for
    /// but missing rooms, rooms are free (hold them), duplicate reference, too many wait.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let wish = match self.validate(writer) {
            Ok(wish) => wish,
            Err(refusal) => return refusal.into(),
        };
        // From here the command must succeed.
        Outcome::Waitlist(writer.join_waitlist(self.id, wish))
    }

    fn validate(&self, writer: &mut Writer) -> Result<Hold, Refusal> {
        let ttl = HOLD_TTL_S_MIN..=WAITLIST_OFFER_S_MAX;
        if !ttl.contains(&self.wish.ttl_s) || self.wish.block.is_some() {
            return Err(Code::Malformed.into());
        }
        let wish = self.wish.to_be_offered();
        if !wish.is_well_formed(WAITLIST_OFFER_S_MAX) {
            return Err(Code::Malformed.into());
        }
        let shared = &writer.shared;
        if shared.waitlist.contains(&self.id) || shared.holds.contains(&wish.id) {
            return Err(Code::StateConflict.into());
        }
        match wish.judge_uncounted(writer) {
            Ok(_) => return Err(Code::WaitlistNotNeeded.into()),
            Err(refusal) if refusal.code != Code::InventoryInsufficient => return Err(refusal),
            Err(_) => {}
        }
        if let Some(reference) = &wish.client_reference {
            writer.check_reference(wish.principal, reference)?;
        }
        if !writer.may_wait(wish.hotel, wish.principal) {
            return Err(Code::WaitlistLimit.into());
        }
        Ok(wish)
    }
}

impl LeaveWaitlist {
    /// Refusals in order: not found, used, the offer is being paid, an impossible state. An entry that has
    /// ended otherwise is answered as it stands.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some(entry) = writer.waitlist_entry_for(self.id, self.principal) else {
            return Code::NotFound.into();
        };
        let offer = match entry.status {
            Status::Waiting => None,
            Status::Offered(hold) => writer.shared.holds.get(&hold),
            Status::Used(_) => return Code::WaitlistState.into(),
            Status::Lapsed | Status::Cancelled | Status::Closed => {
                return Outcome::Waitlist(entry);
            }
        };
        let offer = offer.filter(hold::Hold::is_live);
        match offer.as_ref().map(|hold| hold.status_at(writer.now_ms)) {
            Some(hold::Status::Confirming(_)) => return Code::HoldConfirming.into(),
            Some(hold::Status::Expired) => {
                // The offer has run out unseen.
                writer.expire_due_in(entry.wish.hotel);
                return Outcome::Waitlist(writer.end_waiting(&entry, Status::Lapsed));
            }
            _ => {}
        }
        let stands = |terms: &Terms| writer.cells_hold(terms) && writer.promo_reserved(terms);
        if offer.as_ref().is_some_and(|hold| !stands(&hold.terms)) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        let entry = writer.end_waiting(&entry, Status::Cancelled);
        if let Some(hold) = offer {
            writer.end_hold(hold, hold::Status::Released);
        }
        Outcome::Waitlist(entry)
    }
}

impl Entry {
    /// Whether a refusal of the offer is for good.
    pub(crate) fn is_closed_by(refusal: &Refusal) -> bool {
        use crate::refusal::Reason;
        let sales_ended = |blocker: &crate::refusal::Blocker| {
            matches!(blocker.reason, Reason::CutOff(_) | Reason::MinAdvance(_))
        };
        let gone = matches!(
            refusal.code,
            Code::NotFound | Code::StayInPast | Code::ReferenceDuplicate | Code::StateConflict
        );
        gone || refusal.blockers.iter().any(sales_ended)
    }

    pub(crate) fn ended(&self, status: Status, now_ms: u64) -> Arc<Self> {
        let ended_ms = (!matches!(status, Status::Offered(_))).then_some(now_ms);
        Arc::new(Self { status, ended_ms, ..self.clone() })
    }
}
