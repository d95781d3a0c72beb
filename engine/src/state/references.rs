//! References: the names that clients give their holds and bookings, each taken until long after the
//! check-out of what has it. Every caller has validated.

use super::Writer;
use crate::booking::Booking;
use crate::civil::Night;
use crate::codec::{Decode, Encode};
use crate::command::Principal;
use crate::ids::{BookingId, HoldId};
use crate::limits::REFERENCE_DAYS_KEPT;
use crate::refusal::{Code, Refusal};

/// What a client reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Reference {
    pub(crate) hold: HoldId,
    pub(crate) booking: Option<BookingId>,
    /// The night after which a booking's may be forgotten.
    pub(crate) until: Option<Night>,
}

impl Writer {
    /// A booking's reference is kept until long after its check-out.
    pub(super) fn keep_reference(&mut self, name: (Principal, String), booking: &Booking) {
        let until = booking.terms.check_out.plus(REFERENCE_DAYS_KEPT);
        let (hold, booking) = (booking.terms.id, Some(booking.id));
        self.references.insert(name.clone(), Reference { hold, booking, until: Some(until) });
        self.references_until.entry(until).or_default().push(name);
    }

    /// Whether a principal's reference is still free, and there is a place for it. That of a due hold is.
    pub(crate) fn check_reference(
        &mut self,
        principal: Principal,
        reference: &str,
    ) -> Result<(), Refusal> {
        let name = (principal, reference.to_owned());
        if let Some(known) = self.references.get(&name) {
            self.expire_if_due(known.hold);
        }
        match self.references.get(&name) {
            None if self.references.len() >= self.bounds.references => {
                Err(Code::CapacityReached.into())
            }
            None => Ok(()),
            Some(known) => Err(Refusal {
                hold: Some(known.hold),
                booking: known.booking,
                ..Code::ReferenceDuplicate.into()
            }),
        }
    }

    /// Forgets references whose time is up, at most `max`; how many.
    pub(super) fn forget_references(&mut self, max: u32) -> u32 {
        let today = Night(u16::try_from(self.now_ms / crate::civil::DAY_MS).unwrap_or(u16::MAX));
        let mut forgotten = 0;
        while let Some(mut entry) = self.references_until.first_entry() {
            if *entry.key() >= today || forgotten >= max {
                break;
            }
            while forgotten < max
                && let Some(name) = entry.get_mut().pop()
            {
                // The check-out may have moved since: then another night has it too.
                let known = self.references.get(&name).and_then(|known| known.until);
                if known == Some(*entry.key()) {
                    self.references.remove(&name);
                }
                forgotten += 1;
            }
            if entry.get().is_empty() {
                entry.remove();
            }
        }
        forgotten
    }

    /// The references part of the state's digest.
    pub(crate) fn digest_references(&self) -> u128 {
        let mut total = 0u128;
        self.references.for_each(|(principal, name), reference| {
            let mut bytes = Vec::new();
            let record = (*principal, name.clone(), reference.hold, reference.booking);
            crate::codec::encode_into(&record, &mut bytes);
            total = total.wrapping_add(xxhash_rust::xxh3::xxh3_128(&bytes));
        });
        total
    }
}
