//! Extend: a hold asks for more time.

use std::sync::Arc;

use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::hold::Status;
use crate::ids::HoldId;
use crate::limits::{HOLD_EXTENSIONS_MAX, HOLD_TTL_S_MAX, HOLD_TTL_S_MIN};
use crate::outcome::Outcome;
use crate::refusal::Code;
use crate::state::Writer;

/// The hold shall not end before `ttl_s` seconds from now, at most 45 min after it was made, at most twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Extend {
    pub hold: HoldId,
    pub principal: Principal,
    /// 1–900.
    pub ttl_s: u32,
}

impl Extend {
    /// Refusals in order: malformed, not found, ended (expired, released, confirmed, confirming),
    /// somebody waits for such rooms, extension limit. A hold that lasts so long already is answered as
    /// it stands, and no extension is spent.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !(HOLD_TTL_S_MIN..=HOLD_TTL_S_MAX).contains(&self.ttl_s) {
            return Code::Malformed.into();
        }
        let Some(mut hold) = writer.hold_for(self.hold, self.principal) else {
            return Code::NotFound.into();
        };
        match hold.status_at(writer.now_ms) {
            Status::Active => {}
            ended => return writer.ended_hold(ended),
        }
        if writer.is_waited_for(&hold.terms) {
            return Code::HoldWaitlistWaiting.into();
        }
        let wanted_ms = writer.now_ms + u64::from(self.ttl_s) * 1_000;
        if wanted_ms <= hold.expires_ms {
            return Outcome::HoldChanged(Arc::new(hold));
        }
        let expires_ms = wanted_ms.min(hold.terms.latest_ms());
        if hold.extensions >= HOLD_EXTENSIONS_MAX || expires_ms <= hold.expires_ms {
            return Code::HoldExtensionLimit.into();
        }
        // From here the command must succeed.
        hold.extensions += 1;
        hold.expires_ms = expires_ms;
        writer.put_live_hold(&hold);
        let hold = Arc::new(hold);
        writer.events.push(Event::HoldChanged(Arc::clone(&hold)));
        Outcome::HoldChanged(hold)
    }
}
