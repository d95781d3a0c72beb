//! Modify: a booking gets other dates, rooms or guest data, in one step or not at all.

use std::sync::Arc;

use super::confirm::{fits_sealed, fits_wrapped};
use crate::booking::{Booking, Sealed, WrappedKey, fees};
use crate::codec::{Decode, Encode};
use crate::command::{HoldLine, Principal};
use crate::event::Event;
use crate::ids::BookingId;
use crate::limits::{CHILDREN_MAX, HOLD_LINES_MAX, LINE_QUANTITY_MAX};
use crate::outcome::Outcome;
use crate::refusal::{Code, Refusal};
use crate::state::Writer;
use crate::stay::{Wanted, judge_change};

/// The booking shall become what is wanted. Its own nights count as free, new ones are taken before old
/// ones are given back, nights it keeps keep their price.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Modify {
    pub booking: BookingId,
    pub principal: Principal,
    /// The version the client saw; `None` for whatever it is.
    pub version: Option<u32>,
    pub wanted: Wanted,
    /// The guest's data anew, where it changes.
    pub guest: Option<Sealed>,
    /// The guest's key, where the state may not have it yet.
    pub guest_key: Option<WrappedKey>,
    /// What the guest agreed to pay for all of it, minor units.
    pub expected_total: Option<i64>,
}

impl Modify {
    /// Refusals in order: malformed, not found, version mismatch, then those of [`judge_change`], price
    /// changed, an impossible state.
    pub(crate) fn apply(&self, writer: &mut Writer) -> Outcome {
        if !self.is_well_formed() {
            return Code::Malformed.into();
        }
        let Some((booking, hotel)) = writer.booking_for(self.booking, self.principal) else {
            return Code::NotFound.into();
        };
        if self.version.is_some_and(|version| version != booking.version) {
            return Code::VersionMismatch.into();
        }
        writer.expire_due_in(hotel.ix);
        writer.expire_due_for(&booking);
        let now_ms = writer.now_ms;
        let terms = match judge_change(&writer.shared, &hotel, &booking, &self.wanted, now_ms) {
            Ok(terms) => terms,
            Err(refusal) => return refusal.into(),
        };
        if self.expected_total.is_some_and(|expected| expected != terms.total) {
            return Refusal { total: Some(terms.total), ..Code::PriceChanged.into() }.into();
        }
        if !writer.cells_sold(&booking) || !writer.promo_committed(&booking.terms) {
            return Code::Invariant.into();
        }
        // From here the command must succeed.
        let changed = Arc::new(Booking {
            terms: Arc::new(terms),
            guest: self.guest.clone().map_or_else(|| Arc::clone(&booking.guest), Arc::new),
            version: booking.version + 1,
            fee_floor: fees::cancelling(&booking, now_ms, &hotel.zone),
            changed_ms: now_ms,
            ..Booking::clone(&booking)
        });
        if let Some(guest) = &self.guest {
            writer.keep_guest_key(guest.guest, self.guest_key.as_ref());
        }
        writer.change_terms(&booking, &changed);
        writer.events.push(Event::BookingChanged(Arc::clone(&changed)));
        Outcome::BookingChanged(changed)
    }

    fn is_well_formed(&self) -> bool {
        let lines = self.wanted.lines.as_deref();
        lines.is_none_or(|lines| (1..=HOLD_LINES_MAX).contains(&lines.len()))
            && lines.unwrap_or_default().iter().all(is_line)
            && self.guest.as_ref().is_none_or(fits_sealed)
            && self.guest_key.as_ref().is_none_or(fits_wrapped)
    }
}

fn is_line(line: &HoldLine) -> bool {
    (1..=LINE_QUANTITY_MAX).contains(&line.quantity)
        && line.adults >= 1
        && line.children.len() <= CHILDREN_MAX
}
