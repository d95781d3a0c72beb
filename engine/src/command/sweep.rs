//! Sweep: holds that are due end, in (expiry, id) order, at most so many a step.
//!
//! Decisions never wait for it: a hold past its expiry counts as expired everywhere. The sweep gives the
//! rooms back to the cells.

use crate::codec::{Decode, Encode};
use crate::limits::SWEEP_MAX;
use crate::outcome::Outcome;
use crate::state::Writer;
use crate::state::expiry::Step;

/// Ends at most `holds_max` due holds; values above the bound count as the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Sweep {
    pub holds_max: u32,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { holds_max: SWEEP_MAX }
    }
}

impl Sweep {
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        let Writer { shared, expiry, now_ms, .. } = writer;
        let stands = |hold, at| shared.stands(hold, at);
        let ask = |hold, step| match step {
            Step::Index => shared.holds.prefetch(&hold),
            Step::Record => shared.holds.prefetch_record::<3>(&hold),
        };
        let due = expiry.take_due(*now_ms, self.holds_max.min(SWEEP_MAX), stands, ask);
        // What was due earlier and stood is in `due`, and ends now.
        let next = expiry.earliest().unwrap_or(*now_ms);
        writer.swept_ms = next.min(*now_ms).max(writer.swept_ms);
        let expired = writer.expire_all(&due);
        Outcome::Swept { expired }
    }
}
