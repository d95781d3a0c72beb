//! Set taxes: an admin says what holds in a province, or in the whole country, from a night on.

use std::sync::Arc;

use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::event::Event;
use crate::limits::TAX_ENTRIES_MAX;
use crate::outcome::Outcome;
use crate::quote::tax::{Rates, Scope};
use crate::refusal::Code;
use crate::state::Writer;

/// One more entry of the table of taxes. Holds and bookings made before keep their price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SetTaxes {
    pub principal: Principal,
    pub scope: Scope,
    /// First supply date (check-in) it holds for; one that is past is allowed.
    pub from: Night,
    pub rates: Rates,
}

impl SetTaxes {
    /// Refusals in order: malformed, not found (not an admin), capacity. What the newest entry says
    /// already: yes, unchanged.
    pub(crate) fn apply(self, writer: &mut Writer) -> Outcome {
        if !self.scope.is_valid() || !self.rates.is_valid() {
            return Code::Malformed.into();
        }
        if !matches!(self.principal, Principal::Admin(_)) {
            return Code::NotFound.into();
        }
        let table = writer.shared.taxes();
        let last = table.entries().last();
        if last.is_some_and(|last| {
            (last.scope, last.from, last.rates) == (self.scope, self.from, self.rates)
        }) {
            return Outcome::Taxes(table);
        }
        if table.entries().len() >= TAX_ENTRIES_MAX {
            return Code::CapacityReached.into();
        }
        // From here the command must succeed.
        let table = Arc::new(table.with(self.scope, self.from, self.rates));
        writer.shared.set_taxes(Arc::clone(&table));
        writer.events.push(Event::TaxesChanged { version: table.version() });
        Outcome::Taxes(table)
    }
}
