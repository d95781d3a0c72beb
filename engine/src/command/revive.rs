//! Revive: a hold that expired is taken anew, under its own id, at today's price.
//!
//! No verb of its own: the begin of a payment and a confirmation may ask for it. All that is asked of a
//! new hold is asked again, at the log's clock.

use super::Hold;
use super::hold::Priced;
use crate::hold;
use crate::limits::HOLD_TTL_S_DEFAULT;
use crate::refusal::{Code, Refusal};
use crate::state::Writer;

/// An expired hold that may be taken anew.
pub(super) struct Revival {
    request: Hold,
    priced: Priced,
}

impl Revival {
    /// Refusals in order: those of a new hold (dates, blockers, quota, duplicate reference, capacity),
    /// then price changed where it costs more than `expected_total`.
    pub(super) fn judge(
        writer: &mut Writer,
        expired: &hold::Hold,
        expected_total: i64,
    ) -> Result<Self, Refusal> {
        let request = Hold::again(&expired.terms, HOLD_TTL_S_DEFAULT);
        let priced = request.judge(writer)?;
        if priced.total > expected_total {
            return Err(Refusal { total: Some(priced.total), ..Code::PriceChanged.into() });
        }
        Ok(Self { request, priced })
    }

    /// The hold stands again, active. The caller goes on with it in the same step.
    pub(super) fn take(self, writer: &mut Writer) -> hold::Hold {
        self.request.take(writer, self.priced)
    }
}
