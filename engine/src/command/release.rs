//! Release: a guest gives a hold back.

use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::hold::Status;
use crate::ids::HoldId;
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// The rooms of an active hold are free again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Release {
    pub hold: HoldId,
    pub principal: Principal,
}

impl Release {
    /// Refusals in order: not found, confirming, confirmed, expired, an impossible state. Releasing twice
    /// answers as the first time did.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        let Some(hold) = writer.hold_for(self.hold, self.principal) else {
            return Code::NotFound.into();
        };
        match hold.status_at(writer.now_ms) {
            Status::Active => {}
            Status::Released => return Outcome::HoldChanged(hold.into()),
            ended => return writer.ended_hold(ended),
        }
        if !writer.cells_hold(&hold.terms) || !writer.promo_reserved(&hold.terms) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        Outcome::HoldChanged(writer.end_hold(hold, Status::Released))
    }
}
